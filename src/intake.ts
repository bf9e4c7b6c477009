/// Frames in, packets out: decodes what a capture holds and counts what there
/// is to say of it before flows are looked at. No I/O, no clock.

import { type FrameBatch, LINKTYPE_NO_PACKET } from './capture/frame-batch.js';
import type { ClockJump } from './detect/caveats.js';
import {
  CLOCK_BACK_US,
  CLOCK_FORWARD_US,
  COUNTS_BYTES,
  COUNTS_LAST_US,
  COUNTS_PACKETS,
} from './loops/layout.js';
import { Block, theLoops } from './loops/memory.js';
import { UNDECODABLE } from './wire/packet.js';
import type { PacketBatch } from './wire/packet-batch.js';

/// Jumps of the clock that are listed; all are counted.
const MAX_CLOCK_JUMPS = 16;

/// What was counted since the last `begin`. Plain data: a thread may hand it to another.
export class IntakeCounts {
  packets = 0;
  /// On the wire.
  bytes = 0;
  /// Packets stored shorter than they were, the bytes left out, and the most bytes kept of any of them.
  cutPackets = 0;
  cutBytes = 0;
  cutAt = 0;
  /// Times of the first packet and the latest one; NaN before there was any.
  beganUs = Number.NaN;
  lastUs = Number.NaN;
  jumpsBack = 0;
  jumpsForward = 0;
  readonly clockJumps: ClockJump[] = [];
  /// Frames in which no packet was found, by DecodeStop.
  readonly stops = new Float64Array(UNDECODABLE.length);
}

const STATE_NUMBERS = 3;

/// Takes a batch and is done with it when it returns.
export type PacketSink = (batch: PacketBatch) => void;

export class Intake {
  counts = new IntakeCounts();
  /// What the loop is told and tells.
  private readonly block = new Block(STATE_NUMBERS * 8);
  private readonly state = new Float64Array(this.block.buffer, this.block.at, STATE_NUMBERS);

  /// `next` gives the batch to fill.
  constructor(
    private readonly sink: PacketSink,
    private readonly next: () => PacketBatch,
  ) {}

  /// Begins a capture.
  begin(): void {
    this.counts = new IntakeCounts();
  }

  /// Takes the next frames of the capture, in recorded order.
  push(batch: FrameBatch): void {
    this.countFrames(batch);
    const packets = this.next();
    packets.decodeAll(batch, this.counts.stops);
    this.sink(packets);
  }

  /// Gives its memory back.
  dispose(): void {
    this.block.giveBack();
  }

  private countFrames(batch: FrameBatch): void {
    if (batch.bytesAt === 0) {
      this.countAny(batch, 0, batch.count);
      return;
    }
    for (let i = this.countPlain(batch, 0); i < batch.count; i = this.countPlain(batch, i + 1)) {
      this.countAny(batch, i, i + 1);
    }
  }

  /// Counts the frames from this place on about which there is nothing to note; returns the place of the next.
  private countPlain(batch: FrameBatch, from: number): number {
    const { block, counts, state } = this;
    state[COUNTS_PACKETS] = counts.packets;
    state[COUNTS_BYTES] = counts.bytes;
    state[COUNTS_LAST_US] = counts.lastUs;
    const next = theLoops().countFrames(batch.place.at, from, batch.count, block.at);
    counts.packets = state[COUNTS_PACKETS];
    counts.bytes = state[COUNTS_BYTES];
    counts.lastUs = state[COUNTS_LAST_US];
    return next;
  }

  private countAny(
    { capturedLen, originalLen, timeUs, linkType, frame }: FrameBatch,
    from: number,
    to: number,
  ): void {
    const { counts } = this;
    let { packets, bytes, lastUs } = counts;
    for (let i = from; i < to; i++) {
      if (linkType[i] === LINKTYPE_NO_PACKET) continue;
      packets++;
      const original = originalLen[i]!;
      bytes += original;
      if (capturedLen[i]! < original) this.noteCut(capturedLen[i]!, original);
      const time = timeUs[i]!;
      const sinceLast = time - lastUs;
      // Negated, so that it also holds for the first packet of all, before which there is no time.
      if (!(sinceLast >= -CLOCK_BACK_US && sinceLast <= CLOCK_FORWARD_US)) {
        if (Number.isNaN(lastUs)) counts.beganUs = time;
        else this.noteClockJump(frame[i]!, lastUs, time);
      }
      lastUs = time;
    }
    counts.packets = packets;
    counts.bytes = bytes;
    counts.lastUs = lastUs;
  }

  private noteCut(captured: number, original: number): void {
    const { counts } = this;
    counts.cutPackets++;
    counts.cutBytes += original - captured;
    if (captured > counts.cutAt) counts.cutAt = captured;
  }

  private noteClockJump(frame: number, fromUs: number, toUs: number): void {
    const { counts } = this;
    if (toUs < fromUs) counts.jumpsBack++;
    else counts.jumpsForward++;
    if (counts.clockJumps.length < MAX_CLOCK_JUMPS) counts.clockJumps.push({ frame, fromUs, toUs });
  }
}
