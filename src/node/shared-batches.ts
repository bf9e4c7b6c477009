/// Packets on their way from the thread that reads a capture to those that look
/// at its flows, in memory that all of them share.
///
///     chunks      bytes of the capture, as `ByteChunk`; the last one is the reader's tail
///     slots       batches in a ring: which chunk, the frames, what was decoded of them
///     control     how far everybody is, in batches since the beginning
///
/// Whoever reads waits until all have done with what a slot or a chunk held.

import { ByteChunk, CHUNK_BUFFER_BYTES, CHUNK_HEADROOM } from '../capture/byte-chunk.js';
import { BATCH_FRAMES, FRAME_BATCH_BYTES, FrameBatch } from '../capture/frame-batch.js';
import { Block, type Place, sharedMemory } from '../loops/memory.js';
import { PacketBatch } from '../wire/packet-batch.js';
import type { ChunkPool } from './buffer-pool.js';
import { newHashSeed } from './hash-seed.js';

/// Chunks that are read ahead, being analysed, and some between, so that nobody waits for a moment.
const CHUNKS = 5;
/// A chunk of small packets gives five batches.
const SLOTS = 24;

/// A thread that does nothing for so long has died: a batch takes milliseconds. Waited for
/// in pieces, so that a process which is stopped for a while loses no more than one of them.
const SILENCE_MS = 30_000;
const SILENCE_PIECES = 30;

/// Words of `control`: batches handed over, the number that the one after the last would
/// have (0 while more may come), and for each engine the batches that it has done.
const PUBLISHED = 0;
const ENDED = 1;
const DONE = 2;

/// More batches than there can be.
const LEFT = 0x7fff_ffff;

/// Words at the beginning of a slot.
const SLOT_CHUNK = 0;
const SLOT_COUNT = 1;
const SLOT_HEAD_BYTES = 8;

/// What a thread needs to take part.
export interface SharedBuffers {
  hashSeed: number;
  control: SharedArrayBuffer;
  /// One number: time of the first packet.
  began: SharedArrayBuffer;
  tail: SharedArrayBuffer;
  /// The memory that the places are in: who takes part joins it.
  memory: object;
  chunks: Place[];
  slots: { head: SharedArrayBuffer; frames: Place; packets: Place }[];
}

/// Nobody takes part any more.
export function giveBack({ chunks, slots }: SharedBuffers): void {
  for (const place of [...chunks, ...slots.flatMap(({ frames, packets }) => [frames, packets])]) {
    if (place instanceof Block) place.giveBack();
  }
}

export function newSharedBuffers(engines: number): SharedBuffers {
  const shared = (bytes: number) => new SharedArrayBuffer(bytes);
  return {
    hashSeed: newHashSeed(),
    control: shared((DONE + engines) * 4),
    began: shared(8),
    tail: shared(CHUNK_HEADROOM),
    memory: sharedMemory(),
    chunks: Array.from({ length: CHUNKS }, () => new Block(CHUNK_BUFFER_BYTES)),
    slots: Array.from({ length: SLOTS }, () => ({
      head: shared(SLOT_HEAD_BYTES),
      frames: new Block(FRAME_BATCH_BYTES),
      packets: new Block(PacketBatch.bytesFor(BATCH_FRAMES)),
    })),
  };
}

class Slot {
  readonly head: Int32Array;
  readonly frames: FrameBatch;
  readonly packets: PacketBatch;

  constructor({ head, frames, packets }: SharedBuffers['slots'][number], hashSeed: number) {
    this.head = new Int32Array(head);
    this.frames = new FrameBatch(frames);
    this.packets = new PacketBatch(BATCH_FRAMES, hashSeed, packets);
  }
}

/// The side of the thread that reads.
export class BatchSender implements ChunkPool {
  readonly tail: Uint8Array;
  /// Why nothing can be handed over any more; null while it can.
  failure: Error | null = null;
  private readonly control: Int32Array;
  private readonly began: Float64Array;
  private readonly slots: readonly Slot[];
  private readonly free: ByteChunk[];
  private readonly indexOf = new Map<Uint8Array, number>();
  /// Chunks that were given back, with the number of the last batch that may point into each.
  private readonly given: { chunk: ByteChunk; until: number }[] = [];
  private published = 0;

  constructor(
    buffers: SharedBuffers,
    private readonly silenceMs = SILENCE_MS,
  ) {
    this.control = new Int32Array(buffers.control);
    this.began = new Float64Array(buffers.began);
    this.slots = buffers.slots.map((slot) => new Slot(slot, buffers.hashSeed));
    this.free = buffers.chunks.map((chunk) => new ByteChunk(chunk));
    this.tail = new Uint8Array(buffers.tail);
    for (const [i, { bytes }] of this.free.entries()) this.indexOf.set(bytes, i);
    this.indexOf.set(this.tail, this.free.length);
  }

  /// Waits until there is one.
  take(): ByteChunk {
    for (;;) {
      const chunk = this.free.pop();
      if (chunk !== undefined) return chunk;
      const { chunk: oldest, until } = this.given.shift()!;
      this.waitUntilDone(until);
      this.free.push(oldest);
    }
  }

  give(chunk: ByteChunk): void {
    this.given.push({ chunk, until: this.published });
  }

  /// The batch to decode into: waits until it is free.
  next(): PacketBatch {
    this.waitUntilDone(this.published + 1 - SLOTS);
    return this.slots[this.published % SLOTS]!.packets;
  }

  /// Hands over what `next` gave, with its frames.
  publish({ frames }: PacketBatch, beganUs: number): void {
    const slot = this.slots[this.published % SLOTS]!;
    const { count } = frames;
    slot.head[SLOT_CHUNK] = this.indexOf.get(frames.bytes)!;
    slot.head[SLOT_COUNT] = count;
    const copy = slot.frames;
    copy.timeUs.set(frames.timeUs.subarray(0, count));
    copy.offset.set(frames.offset.subarray(0, count));
    copy.capturedLen.set(frames.capturedLen.subarray(0, count));
    copy.originalLen.set(frames.originalLen.subarray(0, count));
    copy.linkType.set(frames.linkType.subarray(0, count));
    copy.frame.set(frames.frame.subarray(0, count));
    this.began[0] = beganUs;
    this.published++;
    Atomics.store(this.control, PUBLISHED, this.published);
    Atomics.notify(this.control, PUBLISHED);
  }

  /// No more batches come.
  end(): void {
    Atomics.store(this.control, ENDED, this.published + 1);
    // Those who wait for another batch look again.
    Atomics.store(this.control, PUBLISHED, this.published + 1);
    Atomics.notify(this.control, PUBLISHED);
  }

  /// Throws if an engine stays where it is: its thread has died then.
  private waitUntilDone(batch: number): void {
    const { control, silenceMs } = this;
    for (let word = DONE; word < control.length; word++) {
      for (let silent = 0; ; ) {
        const done = Atomics.load(control, word);
        if (done >= batch) break;
        if (this.failure !== null) throw this.failure;
        const woken = Atomics.wait(control, word, done, silenceMs / SILENCE_PIECES) !== 'timed-out';
        silent = woken ? 0 : silent + 1;
        if (silent < SILENCE_PIECES) continue;
        const seconds = silenceMs / 1000;
        this.failure = new Error(`one of its threads has done nothing for ${seconds} s; --jobs 1 needs none`);
      }
    }
  }
}

/// The side of an engine.
export class BatchReceiver {
  private readonly control: Int32Array;
  private readonly began: Float64Array;
  private readonly slots: readonly Slot[];
  private readonly bytes: readonly Uint8Array[];
  private readonly views: readonly DataView[];
  /// Where the loops find the bytes; they cannot read those of the tail.
  private readonly bytesAt: readonly number[];
  private received = 0;

  constructor(
    buffers: SharedBuffers,
    private readonly engine: number,
  ) {
    this.control = new Int32Array(buffers.control);
    this.began = new Float64Array(buffers.began);
    this.slots = buffers.slots.map((slot) => new Slot(slot, buffers.hashSeed));
    const chunks = buffers.chunks.map((place) => new ByteChunk(place));
    this.bytes = [...chunks.map(({ bytes }) => bytes), new Uint8Array(buffers.tail)];
    this.views = [...chunks.map(({ view }) => view), new DataView(buffers.tail)];
    this.bytesAt = [...chunks.map(({ place }) => place.at), 0];
  }

  /// Time of the capture's first packet; known once a batch was received.
  get beganUs(): number {
    return this.began[0]!;
  }

  /// Waits for the next batch, which is valid until `done`. Null if there is none.
  next(): PacketBatch | null {
    const { control, received } = this;
    while (Atomics.load(control, PUBLISHED) === received) Atomics.wait(control, PUBLISHED, received);
    if (Atomics.load(control, ENDED) === received + 1) return null;
    const { head, frames, packets } = this.slots[received % SLOTS]!;
    const chunk = head[SLOT_CHUNK]!;
    frames.count = head[SLOT_COUNT]!;
    frames.bytes = this.bytes[chunk]!;
    frames.view = this.views[chunk]!;
    frames.bytesAt = this.bytesAt[chunk]!;
    packets.frames = frames;
    return packets;
  }

  done(): void {
    this.tell(++this.received);
  }

  /// Nobody need wait for this engine any more.
  leave(): void {
    this.tell(LEFT);
  }

  private tell(done: number): void {
    const word = DONE + this.engine;
    Atomics.store(this.control, word, done);
    Atomics.notify(this.control, word);
  }
}
