/// A TLS flow with headers of records missing in the capture: read by its
/// records as far as they can be seen, and by its turns beside.

import type { FlowAnalysis, TcpFlow, VolumeListener } from '../flow/tcp-flow.js';
import type { TlsConnection } from './connection.js';
import type { TurnAnalysis } from './turn-analysis.js';

/// The analysis of the records; it says whether it found the log-in.
export interface RecordAnalysis extends FlowAnalysis {
  readonly hasScript: boolean;
}

export class LossyAnalysis implements FlowAnalysis, VolumeListener {
  private recordsGoOn = true;
  private turnsGoOn = true;

  constructor(
    private readonly records: RecordAnalysis,
    private readonly turns: TurnAnalysis,
    private readonly input: number,
    private readonly found: (connection: TlsConnection) => void,
  ) {}

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (this.recordsGoOn)
      this.recordsGoOn = this.records.tlsRecord(flow, fromClient, type, length, timeUs, frame);
    return this.goesOn;
  }

  notTls(flow: TcpFlow, fromClient: boolean, timeUs: number, frame: number): boolean {
    if (this.recordsGoOn) this.recordsGoOn = this.records.notTls(flow, fromClient, timeUs, frame);
    return this.goesOn;
  }

  payload(fromClient: boolean, bytes: number, timeUs: number, frame: number): boolean {
    if (this.turnsGoOn) this.turnsGoOn = this.turns.payload(fromClient, bytes, timeUs, frame);
    return this.goesOn;
  }

  soFar(flow: TcpFlow): void {
    const byTurns = this.turnsDecide ? this.turns.soFar(this.input) : null;
    if (byTurns === null) {
      if (this.recordsGoOn) this.records.soFar?.(flow);
    } else if (byTurns.kind === 'primary' || byTurns.tunnel.used) this.found(byTurns);
  }

  end(flow: TcpFlow): void {
    const byTurns = this.turnsDecide ? this.turns.end(this.input) : null;
    if (byTurns !== null) this.found(byTurns);
    else if (this.recordsGoOn) this.records.end(flow);
  }

  /// Records say more than turns where both tell the log-in.
  private get turnsDecide(): boolean {
    return this.turnsGoOn && !(this.recordsGoOn && this.records.hasScript);
  }

  private get goesOn(): boolean {
    return this.recordsGoOn || this.turnsGoOn;
  }
}
