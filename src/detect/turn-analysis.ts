/// Follows a TLS flow by the volumes of its turns, where the headers of its
/// records are not in the capture. The sequence numbers tell them without a
/// single byte of payload.

import type { TcpFlow, VolumeListener } from '../flow/tcp-flow.js';
import { MAX_OPENING_TURNS, type Turn } from '../flow/turns.js';
import { POSSIBLE_PROTECTIONS } from '../wire/tls-suites.js';
import { connectionOf, emptyConnection, type TlsConnection } from './connection.js';
import type { TurnProfile } from './profile.js';
import { RecordLog } from './record-log.js';
import type { ScriptReading } from './script.js';
import { TunnelReadings } from './tunnel-readings.js';
import { readTurnScript, type TurnReading } from './turn-script.js';

/// The header of a TLS record, which counts for volumes.
const HEADER_BYTES = 5;

export class TurnAnalysis implements VolumeListener {
  /// The turns that are over.
  private log = new RecordLog();
  private readonly turn: Turn = { fromClient: true, bytes: 0, startUs: 0, endUs: 0, frame: 0 };
  /// The segment of the tunnel whose pieces are being told.
  private readonly segment = { fromClient: true, bytes: 0, timeUs: 0, frame: 0 };
  private reading: ScriptReading | null = null;
  private tunnel: TunnelReadings | null = null;
  private failed = false;

  constructor(
    private readonly flow: TcpFlow,
    private readonly profile: TurnProfile,
  ) {
    const turns = flow.turns.first();
    const last = turns.at(-1);
    if (last === undefined || flow.turns.count > MAX_OPENING_TURNS) {
      this.failed = true;
      return;
    }
    for (const turn of turns.slice(0, -1)) this.note(turn);
    Object.assign(this.turn, last);
  }

  payload(fromClient: boolean, bytes: number, timeUs: number, frame: number): boolean {
    if (this.failed) return false;
    if (this.tunnel === null) this.opening(fromClient, bytes, timeUs, frame);
    else this.piece(this.tunnel, fromClient, bytes, timeUs, frame);
    return !this.failed;
  }

  /// The connection that the turns show, once its flow has ended; null for none.
  end(input: number): TlsConnection | null {
    if (!this.failed && this.tunnel === null) this.closeTurn();
    if (this.tunnel !== null) this.endSegment(this.tunnel);
    return this.soFar(input);
  }

  /// The same as far as it is known; what the last segment says comes with the next one.
  soFar(input: number): TlsConnection | null {
    const { reading, tunnel, flow } = this;
    if (reading === null || tunnel === null) return null;
    const { best } = tunnel;
    const helloUs = this.log.timeUs[0]!;
    return {
      ...emptyConnection(connectionOf(flow, input), this.profile),
      kind: reading.outcome === 'primary' ? 'primary' : 'additional',
      script: reading,
      log: this.log,
      tunnel: best.tunnel,
      protection: best.protection,
      helloFrame: this.log.frame[0]!,
      roundTripUs: flow.startSeen ? helloUs - flow.firstUs : 0,
      sidesKnown: true,
    };
  }

  private opening(fromClient: boolean, bytes: number, timeUs: number, frame: number): void {
    const { turn } = this;
    const turned = fromClient !== turn.fromClient;
    const paused = !turned && !fromClient && timeUs - turn.endUs > this.profile.welcomePauseUs.value;
    if (turned) this.closeTurn();
    else if (paused) this.tryComplete();
    if (this.failed) return;
    if (this.tunnel !== null) {
      this.piece(this.tunnel, fromClient, bytes, timeUs, frame);
      return;
    }
    if (turned) Object.assign(turn, { fromClient, bytes: 0, startUs: timeUs, frame });
    turn.bytes += bytes;
    turn.endUs = timeUs;
  }

  /// The turn is over: it counts as it is.
  private closeTurn(): void {
    if (this.tryComplete()) return;
    this.note(this.turn);
    this.failed = this.log.full || this.read().script.outcome === 'failed';
  }

  private note({ fromClient, bytes, startUs, frame }: Turn): void {
    const { log } = this;
    // The rest of a proxy's consent is nobody's turn; the client speaks first.
    if (log.full || (log.count === 0 && !fromClient)) return;
    log.add(fromClient, bytes, startUs, frame);
  }

  /// True if the script is complete with the present turn as it is now.
  private tryComplete(): boolean {
    const { log, turn } = this;
    const before = log.count;
    this.note(turn);
    const { script, log: turns } = this.read();
    if (script.outcome === 'open' || script.outcome === 'failed') {
      log.count = before;
      return false;
    }
    const { protection, handshake } = this.flow;
    const known = handshake?.serverHello != null;
    this.reading = script;
    this.log = turns;
    this.tunnel = new TunnelReadings(
      turn.endUs,
      this.profile,
      known ? [protection] : POSSIBLE_PROTECTIONS,
      true,
      this.flow.weight,
    );
    return true;
  }

  private read(): TurnReading {
    return readTurnScript(this.log, this.profile, this.flow.preamble !== null);
  }

  /// A segment of the tunnel comes in up to two pieces, captured and cut off.
  private piece(
    tunnel: TunnelReadings,
    fromClient: boolean,
    bytes: number,
    timeUs: number,
    frame: number,
  ): void {
    const { segment } = this;
    if (segment.frame !== frame || segment.fromClient !== fromClient) {
      this.endSegment(tunnel);
      Object.assign(segment, { fromClient, bytes: 0, timeUs, frame });
    }
    segment.bytes += bytes;
  }

  /// What programs write is one record, and short ones are one segment.
  private endSegment(tunnel: TunnelReadings): void {
    const { fromClient, bytes, timeUs, frame } = this.segment;
    if (bytes > 0) tunnel.record(fromClient, bytes - HEADER_BYTES, timeUs, frame);
    this.segment.bytes = 0;
  }
}
