/// The ordered bytes of one direction of a TCP flow.
///
/// Segments arrive as they were captured: out of order, twice, overlapping,
/// with bytes missing that were lost by the recording or cut by its snap
/// length. The consumer gets every byte once, in order, and is told of the
/// bytes that will never come.

import { HELD_SEGMENT_BYTES, MAX_HELD_BYTES, MAX_HELD_SEGMENTS } from './limits.js';
import type { MemoryBudget } from './memory-budget.js';

export interface StreamConsumer {
  /// The next bytes of the stream; borrowed until the call returns.
  bytes(bytes: Uint8Array, at: number, length: number, timeUs: number, frame: number): void;
  /// `length` bytes of the stream were on the wire but are not in the capture.
  missing(length: number, timeUs: number, frame: number): void;
}

interface HeldSegment {
  sequence: number;
  /// Length on the wire; `bytes` may be shorter.
  length: number;
  bytes: Uint8Array;
  timeUs: number;
  frame: number;
}

export class Stream {
  /// Sequence number of the next byte; meaningless until `started`.
  next = 0;
  started = false;
  /// Bytes on the wire, retransmissions left out.
  byteCount = 0;
  /// Stretches that were never captured, and the segments seen again.
  gaps = 0;
  retransmissions = 0;
  /// Bytes of captured segments that the capture cut off.
  cutBytes = 0;
  /// A segment was captured: the bytes are not only known from acknowledgements.
  seen = false;
  private held: HeldSegment[] = [];
  /// Number of the FIN, which takes one of the sequence; null until it was sent.
  private finSequence: number | null = null;
  private heldBytes = 0;

  constructor(
    private readonly consumer: StreamConsumer,
    private readonly budget: MemoryBudget,
  ) {}

  reset(): void {
    this.started = false;
    this.byteCount = 0;
    this.gaps = 0;
    this.retransmissions = 0;
    this.cutBytes = 0;
    this.seen = false;
    this.budget.give(this.heldBytes + this.held.length * HELD_SEGMENT_BYTES);
    this.held.length = 0;
    this.heldBytes = 0;
    this.finSequence = null;
  }

  /// The stream's first byte has this sequence number.
  begin(sequence: number): void {
    this.next = sequence;
    this.started = true;
  }

  /// Takes a segment with payload: `length` bytes on the wire of which
  /// `captured` lie in `bytes` from `at` on.
  segment(
    sequence: number,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): void {
    if (!this.started) this.begin(sequence);
    this.seen = true;
    if (((sequence - this.next) | 0) > 0) {
      this.hold(sequence, bytes, at, captured, length, timeUs, frame);
      return;
    }
    if (!this.deliverNew(sequence, bytes, at, captured, length, timeUs, frame)) return;
    if (this.held.length > 0) this.deliverHeld();
  }

  /// The stream ends before this sequence number, that of a FIN.
  finish(sequence: number): void {
    this.finSequence = sequence;
  }

  /// The peer has acknowledged everything before `acknowledgement` by sending
  /// payload of its own: bytes missing before it were lost by the recording.
  acknowledged(sequence: number, timeUs: number, frame: number): void {
    // Nothing new to most: what was acknowledged is there.
    if (!this.started || ((sequence - this.next) | 0) <= 0) return;
    const beyondEnd = this.finSequence !== null && ((sequence - this.finSequence) | 0) > 0;
    const acknowledgement = beyondEnd ? this.finSequence! : sequence;
    while (this.held.length > 0 && ((acknowledgement - this.next) | 0) > 0) {
      const first = this.held[0]!;
      const toFirst = (first.sequence - this.next) | 0;
      const toAck = (acknowledgement - this.next) | 0;
      if (toFirst > toAck) break;
      if (toFirst > 0) this.skip(toFirst, first.timeUs, first.frame);
      this.deliverHeld();
    }
    const rest = (acknowledgement - this.next) | 0;
    // A plausible window; anything else is a stray acknowledgement.
    if (rest > 0 && rest <= MAX_HELD_BYTES * 8) this.skip(rest, timeUs, frame);
  }

  /// Delivers what is still held back when no more segments come.
  end(): void {
    while (this.held.length > 0) {
      const first = this.held[0]!;
      const toFirst = (first.sequence - this.next) | 0;
      if (toFirst > 0) this.skip(toFirst, first.timeUs, first.frame);
      this.deliverHeld();
    }
  }

  /// Delivers the part of a segment that is beyond what is known; false if there is none.
  private deliverNew(
    sequence: number,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    const known = -((sequence - this.next) | 0);
    if (known >= length) {
      this.retransmissions++;
      return false;
    }
    const newLength = length - known;
    const newCaptured = captured > known ? captured - known : 0;
    this.next = (this.next + newLength) | 0;
    this.byteCount += newLength;
    if (newCaptured > 0) this.consumer.bytes(bytes, at + known, newCaptured, timeUs, frame);
    if (newCaptured < newLength) {
      this.cutBytes += newLength - newCaptured;
      this.consumer.missing(newLength - newCaptured, timeUs, frame);
    }
    return true;
  }

  private skip(length: number, timeUs: number, frame: number): void {
    this.gaps++;
    this.next = (this.next + length) | 0;
    this.byteCount += length;
    this.consumer.missing(length, timeUs, frame);
  }

  private hold(
    sequence: number,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): void {
    const { held } = this;
    let i = held.length;
    while (i > 0 && ((held[i - 1]!.sequence - sequence) | 0) > 0) i--;
    const before = held[i - 1];
    if (before !== undefined && before.sequence === sequence && before.length >= length) {
      this.retransmissions++;
      return;
    }
    // Without room for it nothing more is waited for: what is missing in front counts as lost.
    if (!this.budget.take(captured + HELD_SEGMENT_BYTES)) {
      this.end();
      if (((sequence - this.next) | 0) > 0) this.skip((sequence - this.next) | 0, timeUs, frame);
      this.deliverNew(sequence, bytes, at, captured, length, timeUs, frame);
      return;
    }
    held.splice(i, 0, { sequence, length, bytes: bytes.slice(at, at + captured), timeUs, frame });
    this.heldBytes += captured;
    // Full: what is missing in front is not coming any more.
    while (this.heldBytes > MAX_HELD_BYTES || held.length > MAX_HELD_SEGMENTS) {
      const first = held[0]!;
      this.budget.overflows++;
      this.skip((first.sequence - this.next) | 0, first.timeUs, first.frame);
      this.deliverHeld();
    }
  }

  /// Delivers the held segments that follow on without a gap.
  private deliverHeld(): void {
    const { held } = this;
    let count = 0;
    for (; count < held.length; count++) {
      const { sequence, bytes, length, timeUs, frame } = held[count]!;
      if (((sequence - this.next) | 0) > 0) break;
      this.heldBytes -= bytes.length;
      this.budget.give(bytes.length + HELD_SEGMENT_BYTES);
      this.deliverNew(sequence, bytes, 0, bytes.length, length, timeUs, frame);
    }
    held.splice(0, count);
  }
}
