/// Two analyses of one TLS flow, each with its own profile: the flow is
/// followed until both have let it go.

import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';

export class SideBySide implements FlowAnalysis {
  private first: FlowAnalysis | null;
  private second: FlowAnalysis | null = null;
  private begun = false;

  /// The second one is asked for with the first record of application data, when the
  /// hellos are known, and mostly there is none then.
  constructor(
    first: FlowAnalysis,
    private readonly beginSecond: (flow: TcpFlow, timeUs: number) => FlowAnalysis | null,
  ) {
    this.first = first;
  }

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (!this.begun && type === TLS_APPLICATION_DATA) {
      this.begun = true;
      this.second = this.beginSecond(flow, timeUs);
      // The first one needs nobody to speak for it then.
      if (this.second === null && flow.analysis === this) flow.analysis = this.first;
    }
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
