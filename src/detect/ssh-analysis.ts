/// Follows one SSH connection: identification, negotiation, then sessions
/// inside it. State is constant, and a packet that means nothing costs a few
/// comparisons: most SSH connections never hold a candidate.

import type { FlowWeight } from '../flow/flow-weight.js';
import type { MemoryBudget } from '../flow/memory-budget.js';
import { SshFlow, type SshListener } from '../flow/ssh/ssh-flow.js';
import type { CounterEvidence, Evidence, Verdict } from './findings.js';
import { SshCandidate } from './ssh-candidate.js';
import { evaluateSshClauses, knownClient, type SshContext, sshCounterEvidence } from './ssh-clauses.js';
import { SshPiece } from './ssh-piece.js';
import type { SshScript } from './ssh-script.js';
import type { SshKnowledge } from './ssh-sizes.js';
import { type FlowSizes, flowSizes, newWatches, type Watches } from './ssh-watches.js';
import { verdictOf } from './verdict.js';

/// A session found on an SSH connection.
export interface SshSession {
  verdict: Verdict;
  /// The side of the SSH client is the VPN server's (-R), not the VPN client's.
  reversed: boolean;
  /// First byte of the log-in, or the first poll of a session that ran before;
  /// the end is the last byte of the SSH connection: when a channel closes is encrypted.
  startUs: number;
  endUs: number;
  /// False if the log-in was not captured.
  startCaptured: boolean;
  /// Encrypted SSH bytes of each side since the log-in, other channels included.
  bytesFromClient: number;
  bytesFromServer: number;
  evidence: Evidence[];
  against: CounterEvidence[];
}

/// Most candidates of one SSH connection.
const MAX_CANDIDATES = 16;

/// The far end may take longer to reach the VPN server than one round trip takes.
const MAX_ROUND_TRIP_US = 1_000_000;

/// Time in which a hub polls a new address three times and more.
const PROOF_US = 30_000_000;

export class SshAnalysis implements SshListener {
  readonly ssh: SshFlow;
  /// One round trip between the ends of the TCP connection, if it is known.
  roundTripUs = 0;
  private watches: Watches | null = null;
  private readonly candidates: SshCandidate[] = [];
  /// Polls of sessions without a log-in, by which side asks.
  private running: [SshCandidate | null, SshCandidate | null] = [null, null];
  /// The next bytes of its frame still belong to it while it is open.
  private readonly piece = new SshPiece();
  private pieceOpen = false;
  private lastUs = 0;

  constructor(
    private readonly knowledge: SshKnowledge,
    private readonly input: number,
    budget: MemoryBudget,
    private readonly weight: FlowWeight,
  ) {
    this.ssh = new SshFlow(this, budget);
  }

  sshSent(fromClient: boolean, wireBytes: number, packets: number, timeUs: number, frame: number): void {
    const { piece } = this;
    const joins =
      this.pieceOpen &&
      packets === 0 &&
      piece.packets === 0 &&
      piece.frame === frame &&
      piece.fromClient === fromClient;
    if (joins) {
      piece.wireBytes += wireBytes;
      return;
    }
    if (this.pieceOpen) this.closePiece();
    this.pieceOpen = true;
    piece.fromClient = fromClient;
    piece.wireBytes = wireBytes;
    piece.packets = packets;
    piece.timeUs = timeUs;
    piece.frame = frame;
  }

  /// The connection has ended: the sessions in it, in the order of their starts.
  end(): SshSession[] {
    if (this.pieceOpen) this.closePiece();
    const { watches } = this;
    if (watches !== null) {
      watches.script.end();
      watches.tolerant.end();
    }
    return this.sessions();
  }

  /// The sessions so far, asked for between packets: a segment has no more pieces
  /// then. What rests on nothing but the program's name waits for the end.
  soFar(): SshSession[] {
    if (this.watches === null) return [];
    if (this.pieceOpen) this.closePiece();
    return this.candidates.length > 0 || this.running.some(Boolean) ? this.sessions() : [];
  }

  private sessions(): SshSession[] {
    const { ssh } = this.knowledge;
    const { identification, identificationFrame } = this.ssh.client;
    const candidates = [...this.candidates];
    for (const running of this.running) {
      if (running !== null && hasRhythm(running)) candidates.push(running);
    }
    // The way of 2004: the program's name may be all there is.
    const isNamed = knownClient({ identification, ssh }) !== undefined;
    if (candidates.length === 0 && !isNamed) return [];
    const sizes = this.watches ?? flowSizes(this.ssh, this.knowledge);
    const context: SshContext = {
      tls: this.knowledge.tls,
      ssh,
      input: this.input,
      clientSizes: sizes.client,
      serverSizes: sizes.server,
      identification,
      identificationFrame,
    };
    if (candidates.length === 0) {
      candidates.push(this.newCandidate(false, false, null, this.lastUs, this.roundTripUs, sizes));
    }
    const sessions: SshSession[] = [];
    for (const candidate of candidates) {
      const session = this.describe(candidate, context);
      if (session !== null) sessions.push(session);
    }
    return sessions.sort((a, b) => a.startUs - b.startUs);
  }

  private closePiece(): void {
    this.pieceOpen = false;
    const { piece } = this;
    this.watches ??= this.beginWatches();
    const { client, server, script, tolerant, polls, channels } = this.watches;
    this.lastUs = piece.timeUs;
    // Most of a terminal's: too small for a record, so all that it can be is of a channel's opening.
    const isTiny = (piece.fromClient ? client : server).isTiny(piece.wireBytes);
    if (!isTiny) script.piece(piece, this.roundTripUs);
    if (!isTiny || !tolerant.isIdle) tolerant.piece(piece);
    if (!isTiny) {
      polls[0].piece(piece);
      polls[1].piece(piece);
    }
    channels[0].piece(piece);
    channels[1].piece(piece);
    // By index, here and in what else each piece passes: until it is optimised, an iterator is an object for each turn.
    for (let i = 0; i < this.candidates.length; i++) {
      const candidate = this.candidates[i]!;
      if (piece.timeUs > candidate.sinceUs) candidate.piece(piece);
    }
    this.running[0]?.piece(piece);
    this.running[1]?.piece(piece);
  }

  /// Apart from `closePiece`, which would need room for what these functions share each time it is called.
  private beginWatches(): Watches {
    return newWatches(
      this.ssh,
      this.knowledge,
      this.weight,
      (script, strict) => this.found(script, strict),
      (reversed, kind, assumption, askedUs) => this.pollOwner(reversed, kind, assumption, askedUs),
    );
  }

  private found(script: SshScript, strict: boolean): void {
    const channels = this.watches!.channels[script.reversed ? 1 : 0]!;
    script.openedUs = channels.openedBefore(script.startUs, this.roundTripUs);
    // A proxy may answer the SYN; the far end of the SSH connection answers the opening.
    const roundTripUs = Math.max(this.roundTripUs, Math.min(channels.answerUs, MAX_ROUND_TRIP_US));
    if (script.kind === 'additional') {
      // By itself this script is met by chance: it needs a session to attach to.
      this.latest(script.reversed)?.attach(script);
      return;
    }
    const same = this.candidates.find(
      (other) =>
        other.reversed === script.reversed &&
        other.script !== null &&
        other.script.startUs <= script.endUs &&
        script.startUs <= other.script.endUs,
    );
    if (same !== undefined) {
      if (!strict || same.strict) return;
      same.strict = true;
      same.script = script;
      return;
    }
    if (strict) this.dropWeak(script.reversed);
    else if (!this.replaceWeak(script)) return;
    if (this.candidates.length >= MAX_CANDIDATES && !this.makeRoom()) return;
    this.candidates.push(this.newCandidate(script.reversed, strict, script, script.endUs, roundTripUs));
  }

  /// Gives up the first candidate that rests on volumes alone.
  private makeRoom(): boolean {
    const at = this.candidates.findIndex(
      (candidate) =>
        Number.isNaN(candidate.script?.openedUs) && candidate.attachCount === 0 && !hasRhythm(candidate),
    );
    if (at >= 0) this.drop(at);
    return at >= 0;
  }

  /// A log-in that was read plainly explains what was taken for one before it.
  private dropWeak(reversed: boolean): void {
    for (let at = this.candidates.length - 1; at >= 0; at--) {
      const other = this.candidates[at]!;
      if (other.reversed === reversed && !other.strict && !hasRhythm(other)) this.drop(at);
    }
  }

  private drop(at: number): void {
    this.candidates[at]!.dropped();
    this.candidates.splice(at, 1);
  }

  /// Log-ins between other traffic are weak: there is one at a time, which
  /// gives way if no hub polled it, and none beside those that were read
  /// plainly, whose further connections look alike.
  private replaceWeak(script: SshScript): boolean {
    const at = this.candidates.findIndex(({ reversed }) => reversed === script.reversed);
    if (at < 0) return true;
    const before = this.candidates[at]!;
    if (before.strict || hasRhythm(before) || script.endUs - before.sinceUs < PROOF_US) return false;
    this.drop(at);
    return true;
  }

  private latest(reversed: boolean): SshCandidate | undefined {
    return this.candidates.findLast((candidate) => candidate.reversed === reversed);
  }

  /// Whose a poll is that no other preceded: the latest session that is not
  /// polled so yet, else the latest one, else a session without a log-in.
  private pollOwner(reversed: boolean, kind: number, assumption: number, askedUs: number): SshCandidate {
    const { max } = this.knowledge.tls.hubPoll.periodUs;
    const open = this.candidates.findLast(
      (candidate) =>
        candidate.reversed === reversed &&
        candidate.sinceUs <= askedUs &&
        askedUs - candidate.lastPollUs(assumption, kind) > max,
    );
    const owner = open ?? this.latest(reversed);
    if (owner !== undefined) return owner;
    const at = reversed ? 1 : 0;
    this.running[at] ??= this.newCandidate(reversed, false, null, askedUs, this.roundTripUs);
    return this.running[at];
  }

  private newCandidate(
    reversed: boolean,
    strict: boolean,
    script: SshScript | null,
    sinceUs: number,
    roundTripUs: number,
    { client, server }: FlowSizes = this.watches!,
  ): SshCandidate {
    const { knowledge, weight } = this;
    return new SshCandidate(
      reversed,
      strict,
      script,
      sinceUs,
      knowledge,
      client,
      server,
      roundTripUs,
      weight,
    );
  }

  private describe(candidate: SshCandidate, context: SshContext): SshSession | null {
    const held = evaluateSshClauses(candidate, context);
    const verdict = verdictOf(held, this.knowledge.ssh.verdict);
    if (verdict === null) return null;
    return {
      verdict,
      reversed: candidate.reversed,
      startUs: candidate.script?.startUs ?? candidate.polls?.firstUs ?? candidate.sinceUs,
      endUs: this.lastUs,
      startCaptured: candidate.script !== null,
      bytesFromClient: candidate.client.wireBytes,
      bytesFromServer: candidate.server.wireBytes,
      evidence: [...held.values()],
      against: sshCounterEvidence(candidate, context),
    };
  }
}

function hasRhythm({ polls }: SshCandidate): boolean {
  return polls !== null && polls.periods[0] + polls.periods[1] > 0;
}
