/// Two analyses of one TLS flow, each with its own profile: the flow is
/// followed until both have let it go.

import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';

export class SideBySide implements FlowAnalysis {
  private first: FlowAnalysis | null;
  /// Mostly gone after the first record.
  private second: FlowAnalysis | null;

  constructor(first: FlowAnalysis, second: FlowAnalysis) {
    this.first = first;
    this.second = second;
  }

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (this.second !== null && !this.second.tlsRecord(flow, fromClient, type, length, timeUs, frame)) {
      this.second = null;
    }
    if (this.first !== null && !this.first.tlsRecord(flow, fromClient, type, length, timeUs, frame)) {
      this.first = null;
    }
    return this.first !== null || this.second !== null;
  }

  notTls(flow: TcpFlow, fromClient: boolean, timeUs: number, frame: number): boolean {
    if (this.second !== null && !this.second.notTls(flow, fromClient, timeUs, frame)) this.second = null;
    if (this.first !== null && !this.first.notTls(flow, fromClient, timeUs, frame)) this.first = null;
    return this.first !== null || this.second !== null;
  }

  headersLost(flow: TcpFlow): FlowAnalysis {
    this.first = this.first?.headersLost?.(flow) ?? this.first;
    this.second = this.second?.headersLost?.(flow) ?? this.second;
    return this;
  }

  soFar(flow: TcpFlow): void {
    this.first?.soFar?.(flow);
    this.second?.soFar?.(flow);
  }

  end(flow: TcpFlow): void {
    this.first?.end(flow);
    this.second?.end(flow);
  }
}
