/// What a connection does once the script is through: constant state, however
/// long it lives. Plaintext is `BE32 count`, then frames or a keep-alive of
/// random size (Connection.c: ConnectionSend, SendKeepAlive).

import type { RecordProtection } from '../wire/tls-suites.js';
import type { Limit, Range, TlsSessionProfile } from './profile.js';

/// Frame numbers kept for each kind of evidence.
const MAX_FRAMES = 4;

/// A count, and the first frames it rests on.
class Counted {
  count = 0;
  readonly frames: number[] = [];
  add(...frames: number[]): void {
    this.count++;
    if (this.frames.length + frames.length <= MAX_FRAMES) this.frames.push(...frames);
  }
}

/// The first record of a side after the script.
export interface FirstRecord {
  /// The record's length field.
  length: number;
  /// Microseconds after the script's last message.
  afterUs: number;
  frame: number;
}

/// What one side sent.
export class Side {
  records = 0;
  first: FirstRecord | null = null;
  /// Records of a keep-alive's size and distance that answer nothing.
  readonly keepAlives = new Counted();
  /// Of these, those at the least distance, which is drawn most often.
  keepAlivesAtLeast = 0;
  shortestKeepAlive = Number.POSITIVE_INFINITY;
  longestKeepAlive = Number.NEGATIVE_INFINITY;
  /// Records of a keep-alive's size that came too soon for one and hold no usual frame.
  unexplained = 0;
  longestGapUs = 0;
  /// Records too short for any block, since the last one that was not.
  trailingTiny = 0;
  constructor(public lastUs: number) {}
}

/// The hub's polls of one kind: ARP, or neighbour discovery.
interface PollKind {
  question: Limit;
  answers: readonly Limit[];
  /// The last question: when, in which frame, and whether it still waits for its answer.
  askedUs: number;
  frame: number;
  waiting: boolean;
  /// When the last question was asked that got its answer.
  lastAnsweredUs: number;
}

export class Tunnel {
  readonly client: Side;
  readonly server: Side;
  /// Records too short for any block that were not the end of their side.
  tinyRecords = 0;
  /// Bytes that are no TLS followed: encryption is switched off.
  leftTls = false;
  /// Polls of the hub that the client answered, and those that came one period after the last.
  readonly polls = { answered: new Counted(), periods: new Counted() };
  /// Records small enough for the test of frame sizes, and those that hold one frame.
  smallRecords = 0;
  readonly frameSized = new Counted();
  /// Bit i: a record of the profile's i-th frame size was seen.
  sizesSeen = 0;
  private readonly pollKinds: PollKind[];

  /// `beginUs`: when the script's last message was seen.
  constructor(
    readonly beginUs: number,
    private readonly profile: TlsSessionProfile,
  ) {
    this.client = new Side(beginUs);
    this.server = new Side(beginUs);
    const { hubPoll } = profile;
    this.pollKinds = [
      newPollKind(hubPoll.arp, [hubPoll.arp, hubPoll.arpPadded]),
      newPollKind(hubPoll.neighbourSolicitation, [hubPoll.neighbourAdvertisement]),
    ];
  }

  /// False if the connection carried nothing after the script.
  get used(): boolean {
    return this.client.records + this.server.records > 0 || this.leftTls;
  }

  /// How much of what a tunnel does was seen, to compare ways of reading lengths.
  get weight(): number {
    return this.polls.periods.count * 8 + this.polls.answered.count * 4 + this.frameSized.count;
  }

  /// False if nothing of what a tunnel does was seen.
  get promising(): boolean {
    const { tinyRecords, running } = this.profile;
    if (this.tinyRecords > tinyRecords.most.value) return false;
    const keepAlives = this.client.keepAlives.count + this.server.keepAlives.count;
    const manySmall = this.frameSized.count >= this.smallRecords * running.minFrameShare.value;
    return keepAlives > 0 || this.polls.answered.count > 0 || (this.smallRecords > 0 && manySmall);
  }

  /// Takes the next application record; `length` is its length field.
  record(
    fromClient: boolean,
    length: number,
    protection: RecordProtection,
    timeUs: number,
    frame: number,
  ): void {
    const side = fromClient ? this.client : this.server;
    if (protection.plaintextMax(length) < this.profile.keepAlive.plaintext.min) {
      // The alert that ends a TLS 1.3 connection looks like data. Only what
      // follows shows whether this was the end.
      side.trailingTiny++;
      return;
    }
    this.tinyRecords += side.trailingTiny;
    side.trailingTiny = 0;
    side.first ??= { length, afterUs: timeUs - this.beginUs, frame };
    const sizeIndex = this.frameSizeIndex(length, protection);
    const other = fromClient ? this.server : this.client;
    const isKeepAlive =
      holds(protection, length, this.profile.keepAlive.plaintext) &&
      this.noteGap(side, other, length, sizeIndex >= 0, timeUs, frame);
    // A keep-alive has any size: it says nothing of those of frames.
    if (sizeIndex >= 0 || !isKeepAlive) this.noteFrameSize(sizeIndex, length, protection, frame);
    side.longestGapUs = Math.max(side.longestGapUs, timeUs - side.lastUs);
    side.records++;
    side.lastUs = timeUs;
    if (fromClient) this.notePollAnswer(length, protection, timeUs, frame);
    else this.notePoll(length, protection, timeUs, frame);
  }

  /// A record of a keep-alive's size: by the time since the last of its side it
  /// can be one, or can not. True if it can.
  private noteGap(
    side: Side,
    other: Side,
    length: number,
    isFrameSized: boolean,
    timeUs: number,
    frame: number,
  ): boolean {
    const { gapUs, leastGapUs, quietUs } = this.profile.keepAlive;
    const waitedUs = timeUs - side.lastUs;
    if (waitedUs < gapUs.min) {
      // The first record, a keep-alive sent at once, has nothing before it.
      if (side.records > 0 && !isFrameSized) side.unexplained++;
      return false;
    }
    if (waitedUs > gapUs.max || timeUs - other.lastUs < quietUs.value) return false;
    side.keepAlives.add(frame);
    if (waitedUs <= leastGapUs.max) side.keepAlivesAtLeast++;
    side.shortestKeepAlive = Math.min(side.shortestKeepAlive, length);
    side.longestKeepAlive = Math.max(side.longestKeepAlive, length);
    return true;
  }

  private notePoll(length: number, protection: RecordProtection, timeUs: number, frame: number): void {
    for (const kind of this.pollKinds) {
      if (!isSize(protection, length, kind.question.value)) continue;
      kind.askedUs = timeUs;
      kind.frame = frame;
      kind.waiting = true;
    }
  }

  private notePollAnswer(length: number, protection: RecordProtection, timeUs: number, frame: number): void {
    const { withinUs } = this.profile.hubPoll;
    for (const kind of this.pollKinds) {
      if (!kind.waiting || timeUs - kind.askedUs > withinUs.value) continue;
      if (!kind.answers.some((answer) => isSize(protection, length, answer.value))) continue;
      kind.waiting = false;
      this.polls.answered.add(kind.frame, frame);
      this.notePeriod(kind);
    }
  }

  private notePeriod(kind: PollKind): void {
    const { periodUs } = this.profile.hubPoll;
    const sinceUs = kind.askedUs - kind.lastAnsweredUs;
    if (sinceUs >= periodUs.min && sinceUs <= periodUs.max) this.polls.periods.add(kind.frame);
    kind.lastAnsweredUs = kind.askedUs;
  }

  /// Which usual small size of a frame the record can hold, or -1.
  private frameSizeIndex(length: number, protection: RecordProtection): number {
    const { sizes, smallMax } = this.profile.frameSizes;
    if (protection.plaintextMax(length) > smallMax.value) return -1;
    return sizes.values.findIndex((size) => isSize(protection, length, size));
  }

  /// With block ciphers a length stands for many sizes: no evidence, but no objection.
  private noteFrameSize(
    sizeIndex: number,
    length: number,
    protection: RecordProtection,
    frame: number,
  ): void {
    const most = protection.plaintextMax(length);
    if (most > this.profile.frameSizes.smallMax.value || protection.plaintextMin(length) !== most) return;
    this.smallRecords++;
    if (sizeIndex < 0) return;
    this.frameSized.add(frame);
    this.sizesSeen |= 1 << sizeIndex;
  }
}

function newPollKind(question: Limit, answers: readonly Limit[]): PollKind {
  return {
    question,
    answers,
    askedUs: 0,
    frame: 0,
    waiting: false,
    lastAnsweredUs: Number.NEGATIVE_INFINITY,
  };
}

/// True if a record of this length can hold a plaintext in the range.
export function holds(
  protection: RecordProtection,
  length: number,
  range: Pick<Range, 'min' | 'max'>,
): boolean {
  return protection.plaintextMax(length) >= range.min && protection.plaintextMin(length) <= range.max;
}

function isSize(protection: RecordProtection, length: number, size: number): boolean {
  return protection.plaintextMax(length) >= size && protection.plaintextMin(length) <= size;
}
