/// The hub's polls as SSH packets: the side of the VPN server asks (ARP,
/// neighbour solicitation), the client's side answers, and each address is
/// asked again after 5.1 s. Constant state per flow.

import type { TlsSessionProfile } from './profile.js';
import type { SshSessionProfile } from './ssh-profile.js';
import type { PollSizes, PollTable } from './ssh-sizes.js';

const KINDS = 2;
/// Answered polls of one kind remembered: that many addresses can be asked in
/// turns. More pairs of the size within a period are something else.
const REMEMBERED = 4;
const MAX_FRAMES = 8;

/// What a session's polls came to, under one assumption about the sizes.
export class PollTally {
  /// By kind: ARP, neighbour discovery.
  readonly answered: [number, number] = [0, 0];
  /// Questions of the size until the last answered one.
  asked = 0;
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

/// The state for each assumption and kind ("lane"); made when the first packet of a fitting size comes.
class Lanes {
  /// The question that waits for its answer, if any.
  readonly askedUs: Float64Array;
  readonly askedFrame: Float64Array;
  /// Questions since the last answer.
  readonly askedCount: Float64Array;
  /// By place: when the last answered ones were asked, and whose they were.
  readonly answeredUs: Float64Array;
  readonly owners: (PollOwner | null)[];
  readonly next: Uint8Array;

  constructor(count: number) {
    this.askedUs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.askedFrame = new Float64Array(count);
    this.askedCount = new Float64Array(count);
    this.answeredUs = new Float64Array(count * REMEMBERED).fill(Number.NEGATIVE_INFINITY);
    this.owners = new Array(count * REMEMBERED).fill(null);
    this.next = new Uint8Array(count);
  }
}

export class PollWatch {
  private lanes: Lanes | null = null;

  /// `reversed`: the side of the SSH client asks. `owner` names the session
  /// that a poll belongs to if none came a period before it.
  constructor(
    private readonly reversed: boolean,
    private readonly tls: TlsSessionProfile,
    private readonly ssh: SshSessionProfile,
    private readonly table: PollTable,
    private readonly slack: number,
    private readonly owner: (kind: number, assumption: number, askedUs: number) => PollOwner,
  ) {}

  piece(fromClient: boolean, wireBytes: number, timeUs: number, frame: number): void {
    // Most packets are done with this.
    if (!this.table.wanted(wireBytes, this.slack)) return;
    this.lanes ??= new Lanes(this.table.sizes.length * KINDS);
    const { lanes } = this;
    const { sizes } = this.table;
    const asks = fromClient === this.reversed;
    for (let i = 0; i < sizes.length; i++) {
      for (let kind = 0; kind < KINDS; kind++) {
        const lane = i * KINDS + kind;
        if (asks) {
          if (!this.isSize(wireBytes, sizes[i]!.question[kind]!)) continue;
          lanes.askedUs[lane] = timeUs;
          lanes.askedFrame[lane] = frame;
          lanes.askedCount[lane]!++;
        } else if (timeUs - lanes.askedUs[lane]! <= this.tls.hubPoll.withinUs.value) {
          for (const size of sizes[i]!.answer[kind]!) {
            if (!this.isSize(wireBytes, size)) continue;
            this.answered(lanes, i, kind, frame);
            break;
          }
        }
      }
    }
  }

  private isSize(wireBytes: number, size: number): boolean {
    return wireBytes >= size && wireBytes <= size + this.slack;
  }

  private answered(lanes: Lanes, assumption: number, kind: number, frame: number): void {
    const lane = assumption * KINDS + kind;
    const askedUs = lanes.askedUs[lane]!;
    lanes.askedUs[lane] = Number.NEGATIVE_INFINITY;
    const { periodUs } = this.tls.hubPoll;
    const clock = this.ssh.pollClock.periodUs;
    let owner: PollOwner | null = null;
    let exact = false;
    for (let i = lane * REMEMBERED; i < (lane + 1) * REMEMBERED; i++) {
      const sinceUs = askedUs - lanes.answeredUs[i]!;
      if (sinceUs < periodUs.min || sinceUs > periodUs.max) continue;
      if (owner !== null && exact) continue;
      owner = lanes.owners[i]!;
      exact = sinceUs >= clock.min && sinceUs <= clock.max;
    }
    const isPeriod = owner !== null;
    owner ??= this.owner(kind, assumption, askedUs);
    const at = lane * REMEMBERED + lanes.next[lane]!;
    lanes.next[lane] = (lanes.next[lane]! + 1) % REMEMBERED;
    lanes.answeredUs[at] = askedUs;
    lanes.owners[at] = owner;

    const tally = owner.tally(assumption, this.table.sizes[assumption]!);
    if (tally.answered[0] + tally.answered[1] === 0) tally.firstUs = askedUs;
    tally.answered[kind]!++;
    tally.asked += lanes.askedCount[lane]!;
    lanes.askedCount[lane] = 0;
    tally.lastUs[kind] = askedUs;
    if (isPeriod) tally.periods[kind]!++;
    if (exact) tally.exact[kind]!++;
    if (tally.frames.length < MAX_FRAMES) tally.frames.push(lanes.askedFrame[lane]!, frame);
  }
}
