/// Several analyses of one TLS flow, each with its own profile.

import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';

export class SideBySide implements FlowAnalysis {
  /// Those that have not let go of the flow.
  constructor(private readonly analyses: FlowAnalysis[]) {}

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    const { analyses } = this;
    for (let i = analyses.length - 1; i >= 0; i--) {
      if (!analyses[i]!.tlsRecord(flow, fromClient, type, length, timeUs, frame)) analyses.splice(i, 1);
    }
    return analyses.length > 0;
  }

  notTls(flow: TcpFlow, fromClient: boolean, timeUs: number, frame: number): boolean {
    const { analyses } = this;
    for (let i = analyses.length - 1; i >= 0; i--) {
      if (!analyses[i]!.notTls(flow, fromClient, timeUs, frame)) analyses.splice(i, 1);
    }
    return analyses.length > 0;
  }

  headersLost(flow: TcpFlow): FlowAnalysis {
    const { analyses } = this;
    for (let i = 0; i < analyses.length; i++) {
      const analysis = analyses[i]!;
      analyses[i] = analysis.headersLost?.(flow) ?? analysis;
    }
    return this;
  }

  soFar(flow: TcpFlow): void {
    for (const analysis of this.analyses) analysis.soFar?.(flow);
  }

  end(flow: TcpFlow): void {
    for (const analysis of this.analyses) analysis.end(flow);
  }
}
