/// The ordered bytes of one direction of an R-UDP session. Segments are
/// numbered one by one from 1, keep-alives too; those that carry bytes make the stream.
/// Source: S4 and S5 Network.c RUDPInterruptProc, RUDPProcessRecvPayload.

import type { MemoryBudget } from '../memory-budget.js';
import type { StreamConsumer } from '../stream.js';
import { MAX_DATA_BYTES, MAX_WINDOW } from './segment.js';

interface HeldSegment {
  /// Null: nothing for the stream (keep-alive). Empty: no room for its bytes.
  bytes: Uint8Array | null;
  length: number;
  timeUs: number;
  frame: number;
}

const NO_BYTES = new Uint8Array(0);

/// RUDPNewSession: Magic_Disconnect, 0xFFFFFFFF and 32 random bits.
const MAGIC_BYTES = 8;

export class SegmentOrder {
  private next = 1;
  /// By sequence number modulo the window: the sender never goes further ahead.
  private readonly held: (HeldSegment | null)[] = [];
  private heldCount = 0;

  /// `atMagic`: the stream begins with Magic_Disconnect, which is not for the
  /// consumer (a client's does: facts 7.2, seen in all recordings).
  constructor(
    private readonly consumer: StreamConsumer,
    private readonly budget: MemoryBudget,
    private atMagic: boolean,
  ) {}

  /// Takes a segment with data; `forStream` is false for keep-alives.
  segment(
    sequence: number,
    forStream: boolean,
    bytes: Uint8Array,
    at: number,
    length: number,
    timeUs: number,
    frame: number,
  ): void {
    if (sequence < this.next) return;
    // A window further on: what was missing in front has arrived without us.
    if (sequence >= this.next + MAX_WINDOW) this.skipTo(sequence - MAX_WINDOW + 1, timeUs, frame);
    if (sequence > this.next) {
      this.hold(sequence, forStream, bytes, at, length, timeUs, frame);
      return;
    }
    this.next++;
    if (forStream) this.deliver(bytes, at, length, length, timeUs, frame);
    this.deliverHeld();
  }

  /// The peer says that it has everything up to this segment. While nothing
  /// waits behind what is missing, it may still come: captures reorder a little.
  acknowledged(sequence: number, timeUs: number, frame: number): void {
    if (this.heldCount > 0 && sequence >= this.next) this.skipTo(sequence + 1, timeUs, frame);
  }

  /// Delivers what is held when no more segments come; gives the memory back.
  end(timeUs: number, frame: number): void {
    while (this.heldCount > 0) this.skipOne(timeUs, frame);
  }

  private hold(
    sequence: number,
    forStream: boolean,
    bytes: Uint8Array,
    at: number,
    length: number,
    timeUs: number,
    frame: number,
  ): void {
    const slot = sequence % MAX_WINDOW;
    if (this.held[slot]) return;
    const kept = !forStream ? null : this.budget.take(length) ? bytes.slice(at, at + length) : NO_BYTES;
    this.held[slot] = { bytes: kept, length, timeUs, frame };
    this.heldCount++;
  }

  /// Everything before `sequence` is delivered, or will never come.
  private skipTo(sequence: number, timeUs: number, frame: number): void {
    while (this.next < sequence && this.heldCount > 0) this.skipOne(timeUs, frame);
    if (this.next < sequence) {
      // A far jump is told as one stretch: how much it was, nobody knows.
      this.next = sequence;
      this.missing(MAX_DATA_BYTES, timeUs, frame);
    }
    this.deliverHeld();
  }

  private skipOne(timeUs: number, frame: number): void {
    if (this.held[this.next % MAX_WINDOW]) {
      this.deliverHeld();
      return;
    }
    this.next++;
    this.missing(MAX_DATA_BYTES, timeUs, frame);
  }

  private deliverHeld(): void {
    while (this.heldCount > 0) {
      const slot = this.next % MAX_WINDOW;
      const segment = this.held[slot];
      if (!segment) return;
      this.held[slot] = null;
      this.heldCount--;
      this.next++;
      if (segment.bytes === null) continue;
      this.budget.give(segment.bytes.length);
      const { bytes, length, timeUs, frame } = segment;
      this.deliver(bytes, 0, bytes.length, length, timeUs, frame);
    }
  }

  private deliver(
    bytes: Uint8Array,
    at: number,
    known: number,
    length: number,
    timeUs: number,
    frame: number,
  ): void {
    if (known < length) {
      this.missing(length, timeUs, frame);
      return;
    }
    const cut = this.atMagic && isMagic(bytes, at, length) ? MAGIC_BYTES : 0;
    this.atMagic = false;
    if (cut === length) return;
    this.consumer.bytes(bytes, at + cut, length - cut, timeUs, frame);
  }

  /// The length of a segment that was lost is unknown. All but the last of a
  /// record are full (RUDPInterruptProc cuts what waits into 512 bytes), so a full one
  /// is the best guess: the record walk goes on inside a long record, or looks
  /// for the next header.
  private missing(length: number, timeUs: number, frame: number): void {
    this.consumer.missing(length, timeUs, frame);
  }
}

function isMagic(bytes: Uint8Array, at: number, length: number): boolean {
  return length >= MAGIC_BYTES && (bytes[at]! & bytes[at + 1]! & bytes[at + 2]! & bytes[at + 3]!) === 0xff;
}
