/// The hub's polls as SSH packets: the side of the VPN server asks (ARP,
/// neighbour solicitation), the client's side answers, and each address is
/// asked again after 5.1 s. Constant state per flow.

import type { FlowWeight } from '../flow/flow-weight.js';
import type { TlsSessionProfile } from './profile.js';
import type { SshPiece } from './ssh-piece.js';
import type { SshSessionProfile } from './ssh-profile.js';
import { POLL_KINDS, type PollSizes, type PollTable } from './ssh-sizes.js';

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
    for (let kind = 0; kind < POLL_KINDS; kind++) {
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

/// What a lane takes, and the answered polls of one (measured).
const LANE_BYTES = 110;
const ANSWERED_BYTES = 130;

/// The answered polls of one lane, by place: when they were asked, and whose they were.
class Answered {
  readonly askedUs: number[] = new Array(REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  readonly owners: (PollOwner | null)[] = new Array(REMEMBERED).fill(null);
  next = 0;
}

/// What is remembered in one lane: an assumption about the sizes, and a kind of poll.
class Lane {
  /// The question that waits for its answer, if any.
  askedUs = Number.NEGATIVE_INFINITY;
  askedFrame = 0;
  /// Questions since the last answer.
  askedCount = 0;
  /// Made with the first answer.
  answered: Answered | null = null;
}

export class PollWatch {
  /// By number; made when the first packet of a fitting size asks.
  private readonly lanes = new Map<number, Lane>();

  /// `reversed`: the side of the SSH client asks. `owner` names the session
  /// that a poll belongs to if none came a period before it.
  constructor(
    private readonly reversed: boolean,
    private readonly tls: TlsSessionProfile,
    private readonly ssh: SshSessionProfile,
    private readonly table: PollTable,
    private readonly slack: number,
    private readonly weight: FlowWeight,
    private readonly owner: (kind: number, assumption: number, askedUs: number) => PollOwner,
  ) {}

  piece(piece: SshPiece): void {
    const { wireBytes } = piece;
    const asks = piece.fromClient === this.reversed;
    // Compression may have made it longer than the table has it.
    for (let size = Math.max(0, wireBytes - this.slack); size <= wireBytes; size++) {
      const numbers = this.table.lanes(asks, size);
      if (numbers === undefined) continue;
      if (asks) this.ask(numbers, piece.timeUs, piece.frame);
      else this.answer(numbers, piece.timeUs, piece.frame);
    }
  }

  private ask(numbers: readonly number[], timeUs: number, frame: number): void {
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      let lane = this.lanes.get(number);
      if (lane === undefined) {
        lane = new Lane();
        this.weight.add(LANE_BYTES);
        this.lanes.set(number, lane);
      }
      lane.askedUs = timeUs;
      lane.askedFrame = frame;
      lane.askedCount++;
    }
  }

  private answer(numbers: readonly number[], timeUs: number, frame: number): void {
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      const lane = this.lanes.get(number);
      if (lane === undefined || timeUs - lane.askedUs > this.tls.hubPoll.withinUs.value) continue;
      this.answered(lane, Math.floor(number / POLL_KINDS), number % POLL_KINDS, frame);
    }
  }

  private answered(lane: Lane, assumption: number, kind: number, frame: number): void {
    const { askedUs } = lane;
    lane.askedUs = Number.NEGATIVE_INFINITY;
    if (lane.answered === null) {
      lane.answered = new Answered();
      this.weight.add(ANSWERED_BYTES);
    }
    const { askedUs: answeredUs, next, owners } = lane.answered;
    const { periodUs } = this.tls.hubPoll;
    const clock = this.ssh.pollClock.periodUs;
    let owner: PollOwner | null = null;
    let exact = false;
    for (let i = 0; i < REMEMBERED; i++) {
      const sinceUs = askedUs - answeredUs[i]!;
      if (sinceUs < periodUs.min || sinceUs > periodUs.max) continue;
      if (owner !== null && exact) continue;
      owner = owners[i]!;
      exact = sinceUs >= clock.min && sinceUs <= clock.max;
    }
    const isPeriod = owner !== null;
    owner ??= this.owner(kind, assumption, askedUs);
    answeredUs[next] = askedUs;
    owners[next] = owner;
    lane.answered.next = (next + 1) % REMEMBERED;

    const tally = owner.tally(assumption, this.table.sizes[assumption]!);
    if (tally.answered[0] + tally.answered[1] === 0) tally.firstUs = askedUs;
    tally.answered[kind]!++;
    tally.asked += lane.askedCount;
    lane.askedCount = 0;
    tally.lastUs[kind] = askedUs;
    if (isPeriod) tally.periods[kind]!++;
    if (exact) tally.exact[kind]!++;
    if (tally.frames.length < MAX_FRAMES) tally.frames.push(lane.askedFrame, frame);
  }
}
