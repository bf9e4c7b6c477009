/// Follows a TLS flow that was running when the capture began: no handshake
/// tells how long its plaintexts are or who is the client, so the likely ways
/// are tried side by side.

import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';
import { POSSIBLE_PROTECTIONS } from '../wire/tls-suites.js';
import { connectionOf, emptyConnection, reverse, type TlsConnection } from './connection.js';
import type { TlsSessionProfile } from './profile.js';
import { TunnelReadings } from './tunnel-readings.js';

export class RunningAnalysis implements FlowAnalysis {
  private readings: TunnelReadings | null = null;
  private records = 0;
  private firstFrame = 0;

  /// `found` gets the connection, if it may be a tunnel.
  constructor(
    private readonly profile: TlsSessionProfile,
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
    // Nothing but data is sent once a connection is up, apart from its end.
    if (type !== TLS_APPLICATION_DATA) return true;
    if (this.readings === null) {
      this.firstFrame = frame;
      this.readings = new TunnelReadings(timeUs, this.profile, POSSIBLE_PROTECTIONS, false, flow.weight);
    }
    this.readings.record(fromClient, length, timeUs, frame);
    const { patience } = this.profile.running;
    return ++this.records % patience.value !== 0 || this.readings.promising;
  }

  notTls(): boolean {
    return false;
  }

  soFar(flow: TcpFlow): void {
    this.end(flow);
  }

  end(flow: TcpFlow): void {
    const { readings } = this;
    const best = readings?.best;
    if (readings === null || best === undefined || !best.tunnel.promising) return;
    const facts = connectionOf(flow, this.input);
    this.found({
      ...emptyConnection(best.reversed ? reverse(facts) : facts, this.profile),
      // Only polls tell the sides apart; without them it is the ports.
      sidesKnown: best.tunnel.polls.answered.count > 0,
      tunnel: best.tunnel,
      reversedTunnel: readings.reversed(best),
      protection: best.protection,
      helloFrame: this.firstFrame,
    });
  }
}
