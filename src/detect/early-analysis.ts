/// SoftEther 1.0 over TLS: the handshake of a library of its time, a log-in of
/// a few small turns, then a tunnel of Ethernet frames that both ends fill on
/// their own. Constant state.

import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';
import type { RecordProtection } from '../wire/tls-suites.js';
import { connectionOf, type FlowFacts } from './connection.js';
import type { EarlyProfile } from './early-profile.js';
import type { Evidence } from './findings.js';
import { holds } from './tunnel.js';

/// A flow that may be a session of SoftEther 1.0.
export interface EarlyFinding {
  facts: FlowFacts;
  product: string;
  evidence: Evidence[];
  caveat: string;
}

/// Frames named as evidence of the tunnel.
const MAX_FRAMES = 8;

/// Hexadecimal digits of the clock in front of a hello's random bytes.
const CLOCK_DIGITS = 8;

class EarlySide {
  records = 0;
  unasked = 0;
  constructor(public lastUs: number) {}
}

export class EarlyAnalysis implements FlowAnalysis {
  private turns = 0;
  private turnOfClient = false;
  private turnBytes = 0;
  private readonly turnFrames: number[] = [];
  private lastUs = 0;
  private tunnelUs = 0;
  private sides: { client: EarlySide; server: EarlySide } | null = null;
  private small = 0;
  private fitting = 0;
  /// Bit i: a record of the profile's i-th frame size was seen.
  private sizesSeen = 0;
  private readonly frames: number[] = [];

  constructor(
    private readonly profile: EarlyProfile,
    private readonly input: number,
    private readonly found: (finding: EarlyFinding) => void,
  ) {}

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (type !== TLS_APPLICATION_DATA) return true;
    const { protection } = flow;
    if (protection.emptyRecord !== 0 && length === protection.emptyRecord) return true;
    if (this.sides === null) return this.login(fromClient, protection.plaintextMin(length), timeUs, frame);
    return this.tunnel(this.sides, fromClient, length, protection, timeUs, frame);
  }

  notTls(): boolean {
    return false;
  }

  end(flow: TcpFlow): void {
    const { tunnel } = this.profile;
    const { sides } = this;
    if (sides === null || this.lastUs - this.tunnelUs < tunnel.minLifeUs.value) return;
    const both = [sides.client, sides.server];
    const isBusy = both.every(
      ({ records, unasked }) => records >= tunnel.minRecords.value && unasked >= tunnel.minUnasked.value,
    );
    const isOfFrames =
      this.small >= tunnel.minSmall.value &&
      this.fitting >= this.small * tunnel.minFrameShare.value &&
      this.sizes().length >= tunnel.minDifferent.value;
    if (!isBusy || !isOfFrames) return;
    this.found({
      facts: connectionOf(flow, this.input),
      product: this.profile.product,
      evidence: this.evidence(sides.client, sides.server),
      caveat: this.profile.caveat,
    });
  }

  private login(fromClient: boolean, plaintext: number, timeUs: number, frame: number): boolean {
    const { turns, maxTurnBytes, maxAnswerUs } = this.profile.login;
    if (this.turns === 0 || fromClient !== this.turnOfClient) {
      if (this.turns > 0 && timeUs - this.lastUs > maxAnswerUs.value) return false;
      this.turns++;
      this.turnOfClient = fromClient;
      this.turnBytes = 0;
      this.turnFrames.push(frame);
    }
    this.lastUs = timeUs;
    this.turnBytes += plaintext;
    if (this.turnBytes > maxTurnBytes.value) return false;
    if (this.turns === turns.value) {
      this.tunnelUs = timeUs;
      this.sides = { client: new EarlySide(timeUs), server: new EarlySide(timeUs) };
    }
    return true;
  }

  private tunnel(
    { client, server }: { client: EarlySide; server: EarlySide },
    fromClient: boolean,
    length: number,
    protection: RecordProtection,
    timeUs: number,
    frame: number,
  ): boolean {
    const { quietUs, maxSilenceUs } = this.profile.tunnel;
    const side = fromClient ? client : server;
    if (Math.max(timeUs - client.lastUs, timeUs - server.lastUs) > maxSilenceUs.value) return false;
    side.records++;
    if (timeUs - this.lastUs >= quietUs.value) side.unasked++;
    side.lastUs = timeUs;
    this.lastUs = timeUs;
    this.noteSize(length, protection, frame);
    return true;
  }

  private noteSize(length: number, protection: RecordProtection, frame: number): void {
    const { frameSizes, smallMax } = this.profile.tunnel;
    if (protection.plaintextMax(length) > smallMax.value) return;
    this.small++;
    const i = frameSizes.values.findIndex((size) => holds(protection, length, { min: size, max: size }));
    if (i < 0) return;
    this.fitting++;
    this.sizesSeen |= 1 << i;
    if (this.frames.length < MAX_FRAMES) this.frames.push(frame);
  }

  private sizes(): number[] {
    return this.profile.tunnel.frameSizes.values.filter((_, i) => (this.sizesSeen & (1 << i)) !== 0);
  }

  private evidence(client: EarlySide, server: EarlySide): Evidence[] {
    const { input } = this;
    const seconds = Math.round((this.lastUs - this.tunnelUs) / 1e6);
    const note = (feature: string, detail: string, frames: readonly number[]): Evidence => ({
      feature,
      detail,
      frames: frames.map((frame) => ({ input, frame })),
      strength: 'supporting',
    });
    return [
      note(
        'early-hello',
        "hellos of a TLS library of 2003 or 2004: TLS 1.0 at most, no extensions, suites of that time, the client's clock in front of its random bytes",
        this.turnFrames.slice(0, 1),
      ),
      note('early-login', `a log-in of ${this.turns} small turns`, this.turnFrames),
      note(
        'early-tunnel',
        `then for ${seconds} s a tunnel that both sides fill on their own (client ${client.unasked} of ${client.records} records unasked, server ${server.unasked} of ${server.records}); ${this.fitting} of ${this.small} small records hold one Ethernet frame of a usual size: ${this.sizes().join(', ')} bytes`,
        this.frames,
      ),
    ];
  }
}

/// True if the hellos of a flow that has come to its first application data, at `timeUs`, are
/// those of a TLS library of 2003 and 2004.
export function isOfItsTime(flow: TcpFlow, { hello }: EarlyProfile, timeUs: number): boolean {
  const { newestVersion, suites, clockUs } = hello;
  const server = flow.handshake?.serverHello;
  if (!server || server.version > newestVersion.value || server.extensions.length > 0) return false;
  flow.readClientHello();
  const client = flow.handshake?.clientHello;
  if (!client || client.version > newestVersion.value || client.extensions.length > 0) return false;
  const clock = Number.parseInt(client.random.slice(0, CLOCK_DIGITS), 16) * 1e6;
  const isKnown = (suite: number) => suites.values.includes(suite);
  return client.suites.every(isKnown) && isKnown(server.suite) && Math.abs(clock - timeUs) <= clockUs.value;
}
