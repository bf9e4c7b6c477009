/// The hub's polls as SSH packets: the side of the VPN server asks (ARP,
/// neighbour solicitation), the client's side answers, and each address is
/// asked again after 5.1 s. Constant state per flow.

import type { TlsSessionProfile } from './profile.js';
import type { SshSessionProfile } from './ssh-profile.js';
import type { PollSizes } from './ssh-sizes.js';

const KINDS = 2;
/// Answered polls of one kind remembered: that many addresses can be asked in
/// turns. More pairs of the size within a period are something else.
const REMEMBERED = 4;
const MAX_FRAMES = 8;

/// What a session's polls came to, under one assumption about the sizes.
export class PollTally {
  /// By kind: ARP, neighbour discovery.
  readonly answered: [number, number] = [0, 0];
  readonly periods: [number, number] = [0, 0];
  /// Periods as the hub's own clock gives them.
  readonly exact: [number, number] = [0, 0];
  readonly lastUs: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  firstUs = 0;
  readonly frames: number[] = [];

  constructor(readonly sizes: PollSizes) {}

  /// Periods of the kinds whose answered polls mostly come in rhythm.
  rhythm(periods: readonly [number, number], minShare: number): number {
    let sum = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      const count = periods[kind]!;
      if (count > 0 && count >= minShare * (this.answered[kind]! - 1)) sum += count;
    }
    return sum;
  }
}

/// Whose poll it is; `assumption` tells the assumed sizes apart.
export interface PollOwner {
  tally(assumption: number, sizes: PollSizes): PollTally;
}

export class PollWatch {
  private readonly longest: number;
  /// 1 for sizes that mean anything: most packets are done with that.
  private readonly wanted: Uint8Array;
  /// By assumption and kind: the question that waits for its answer, if any.
  private readonly askedUs: Float64Array;
  private readonly askedFrame: Float64Array;
  /// By assumption, kind and place: when the last answered ones were asked, and whose they were.
  private readonly answeredUs: Float64Array;
  private readonly owners: (PollOwner | null)[];
  private readonly next: Uint8Array;

  /// `reversed`: the side of the SSH client asks. `owner` names the session
  /// that a poll belongs to if none came a period before it.
  constructor(
    private readonly reversed: boolean,
    private readonly tls: TlsSessionProfile,
    private readonly ssh: SshSessionProfile,
    private readonly sizes: readonly PollSizes[],
    private readonly slack: number,
    private readonly owner: (kind: number, assumption: number, askedUs: number) => PollOwner,
  ) {
    this.longest =
      Math.max(...sizes.flatMap(({ question, answer }) => [...question, ...answer.flat()])) + slack;
    this.wanted = new Uint8Array(this.longest + 1);
    for (const { question, answer } of sizes) {
      for (const size of [...question, ...answer.flat()]) this.wanted.fill(1, size, size + slack + 1);
    }
    const lanes = sizes.length * KINDS;
    this.askedUs = new Float64Array(lanes).fill(Number.NEGATIVE_INFINITY);
    this.askedFrame = new Float64Array(lanes);
    this.answeredUs = new Float64Array(lanes * REMEMBERED).fill(Number.NEGATIVE_INFINITY);
    this.owners = new Array(lanes * REMEMBERED).fill(null);
    this.next = new Uint8Array(lanes);
  }

  piece(fromClient: boolean, wireBytes: number, timeUs: number, frame: number): void {
    if (wireBytes > this.longest || this.wanted[wireBytes] === 0) return;
    const asks = fromClient === this.reversed;
    for (let i = 0; i < this.sizes.length; i++) {
      for (let kind = 0; kind < KINDS; kind++) {
        const lane = i * KINDS + kind;
        if (asks) {
          if (!this.isSize(wireBytes, this.sizes[i]!.question[kind]!)) continue;
          this.askedUs[lane] = timeUs;
          this.askedFrame[lane] = frame;
        } else if (timeUs - this.askedUs[lane]! <= this.tls.hubPoll.withinUs.value) {
          for (const size of this.sizes[i]!.answer[kind]!) {
            if (!this.isSize(wireBytes, size)) continue;
            this.answered(i, kind, lane, frame);
            break;
          }
        }
      }
    }
  }

  private isSize(wireBytes: number, size: number): boolean {
    return wireBytes >= size && wireBytes <= size + this.slack;
  }

  private answered(assumption: number, kind: number, lane: number, frame: number): void {
    const askedUs = this.askedUs[lane]!;
    this.askedUs[lane] = Number.NEGATIVE_INFINITY;
    const { periodUs } = this.tls.hubPoll;
    const clock = this.ssh.pollClock.periodUs;
    let owner: PollOwner | null = null;
    let exact = false;
    for (let i = lane * REMEMBERED; i < (lane + 1) * REMEMBERED; i++) {
      const sinceUs = askedUs - this.answeredUs[i]!;
      if (sinceUs < periodUs.min || sinceUs > periodUs.max) continue;
      if (owner !== null && exact) continue;
      owner = this.owners[i]!;
      exact = sinceUs >= clock.min && sinceUs <= clock.max;
    }
    const isPeriod = owner !== null;
    owner ??= this.owner(kind, assumption, askedUs);
    const at = lane * REMEMBERED + this.next[lane]!;
    this.next[lane] = (this.next[lane]! + 1) % REMEMBERED;
    this.answeredUs[at] = askedUs;
    this.owners[at] = owner;

    const tally = owner.tally(assumption, this.sizes[assumption]!);
    if (tally.answered[0] + tally.answered[1] === 0) tally.firstUs = askedUs;
    tally.answered[kind]!++;
    tally.lastUs[kind] = askedUs;
    if (isPeriod) tally.periods[kind]!++;
    if (exact) tally.exact[kind]!++;
    if (tally.frames.length < MAX_FRAMES) tally.frames.push(this.askedFrame[lane]!, frame);
  }
}
