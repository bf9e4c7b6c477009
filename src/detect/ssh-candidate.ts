/// What may be a SoftEther session on an SSH connection, and what speaks for it.

import type { FlowWeight } from '../flow/flow-weight.js';
import type { SshPiece } from './ssh-piece.js';
import { type PollOwner, PollTally } from './ssh-polls.js';
import type { SshScript } from './ssh-script.js';
import { type DirectionSizes, type PollSizes, recordBytes, type SshKnowledge } from './ssh-sizes.js';

const MAX_FRAMES = 8;

/// What a candidate takes, and its tally of polls under one assumption (measured).
const CANDIDATE_BYTES = 2_000;
const TALLY_BYTES = 350;

/// The first thing that a side sends after the welcome.
export interface FirstPiece {
  wireBytes: number;
  afterUs: number;
  frame: number;
}

/// What one side sent since the welcome.
export class CandidateSide {
  first: FirstPiece | null = null;
  keepAlives = 0;
  readonly keepAliveFrames: number[] = [];
  shortest = Number.POSITIVE_INFINITY;
  longest = Number.NEGATIVE_INFINITY;
  longestGapUs = 0;
  wireBytes = 0;
  constructor(public lastUs: number) {}
}

export class SshCandidate implements PollOwner {
  readonly client: CandidateSide;
  readonly server: CandidateSide;
  /// Scripts of further connections at the distance that SoftEther keeps, and where they began.
  readonly attached: SshScript[] = [];
  /// Those at any distance.
  attachCount = 0;
  private lastStartUs: number;
  private readonly tallies: (PollTally | undefined)[] = [];
  private readonly keepAliveLeast: number;
  private readonly keepAliveMost: number;

  /// `strict` is false if other channels spoke between the messages; `script`
  /// is null for a session that ran before anything of it was captured.
  constructor(
    readonly reversed: boolean,
    public strict: boolean,
    public script: SshScript | null,
    readonly sinceUs: number,
    private readonly knowledge: SshKnowledge,
    private readonly clientSizes: DirectionSizes,
    private readonly serverSizes: DirectionSizes,
    readonly roundTripUs: number,
    private readonly weight: FlowWeight,
  ) {
    weight.add(CANDIDATE_BYTES);
    this.client = new CandidateSide(sinceUs);
    this.server = new CandidateSide(sinceUs);
    this.lastStartUs = sinceUs;
    const { min, max } = knowledge.tls.keepAlive.plaintext;
    const { recordForms } = knowledge.ssh;
    this.keepAliveLeast = Math.min(...recordForms.map((form) => recordBytes(form, min)));
    this.keepAliveMost = Math.max(...recordForms.map((form) => recordBytes(form, max)));
  }

  tally(assumption: number, sizes: PollSizes): PollTally {
    let tally = this.tallies[assumption];
    if (tally === undefined) {
      tally = new PollTally(sizes);
      this.tallies[assumption] = tally;
      this.weight.add(TALLY_BYTES);
    }
    return tally;
  }

  /// It is no candidate any more.
  dropped(): void {
    const tallies = this.tallies.filter((tally) => tally !== undefined);
    this.weight.add(-CANDIDATE_BYTES - tallies.length * TALLY_BYTES);
  }

  /// When this session was last polled so; never: minus infinity.
  lastPollUs(assumption: number, kind: number): number {
    return this.tallies[assumption]?.lastUs[kind] ?? Number.NEGATIVE_INFINITY;
  }

  /// The polls under the assumption that explains most of them.
  get polls(): PollTally | null {
    const minShare = this.knowledge.ssh.minRhythmShare.value;
    let best: PollTally | null = null;
    let bestScore = -1;
    for (const tally of this.tallies) {
      if (tally === undefined) continue;
      // What is rarer counts first.
      const score =
        tally.rhythm(tally.exact, minShare) * 1e9 +
        tally.rhythm(tally.periods, minShare) * 1e6 +
        Math.min(...tally.answered) * 1e3 +
        Math.max(...tally.answered);
      if (score <= bestScore) continue;
      best = tally;
      bestScore = score;
    }
    return best;
  }

  /// A further connection logged in on the same SSH connection.
  attach(script: SshScript): void {
    const { min, max } = this.knowledge.ssh.attachDelayUs;
    const delayUs = script.startUs - this.lastStartUs;
    this.lastStartUs = script.startUs;
    this.attachCount++;
    // Each connection is a channel of its own.
    if (Number.isNaN(script.openedUs)) return;
    // TCP, TLS and the forwarding take a few round trips before the signature.
    if (delayUs < min || delayUs > max + 4 * this.roundTripUs) return;
    if (this.attached.length < MAX_FRAMES) this.attached.push(script);
  }

  /// The next piece since `sinceUs`.
  piece({ fromClient, wireBytes, packets, timeUs, frame }: SshPiece): void {
    const side = fromClient ? this.client : this.server;
    const other = fromClient ? this.server : this.client;
    const sizes = fromClient ? this.clientSizes : this.serverSizes;
    side.wireBytes += wireBytes;
    const gapUs = timeUs - side.lastUs;
    if (side.wireBytes > wireBytes && gapUs > side.longestGapUs) side.longestGapUs = gapUs;
    if (!sizes.isTiny(wireBytes)) side.first ??= { wireBytes, afterUs: timeUs - this.sinceUs, frame };
    const { gapUs: usual, quietUs } = this.knowledge.tls.keepAlive;
    const spontaneous = timeUs - other.lastUs >= quietUs.value;
    side.lastUs = timeUs;
    if (gapUs < usual.min || gapUs > usual.max || !spontaneous) return;
    if (wireBytes - sizes.most > this.keepAliveMost || wireBytes - sizes.least < this.keepAliveLeast) return;
    if (packets > 1) return;
    side.keepAlives++;
    if (side.keepAliveFrames.length < MAX_FRAMES) side.keepAliveFrames.push(frame);
    side.shortest = Math.min(side.shortest, wireBytes);
    side.longest = Math.max(side.longest, wireBytes);
  }
}
