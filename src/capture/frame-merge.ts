/// Several streams of frames into one in the order of time: a tap gives each
/// direction a device of its own, and where the direction turns can only be
/// told when both are read in order.

import { Block } from '../loops/memory.js';
import { BATCH_FRAMES, FRAME_BATCH_BYTES, FrameBatch, type FrameSink } from './frame-batch.js';
import { MAX_RECORD_BYTES } from './limits.js';

/// Bytes that one batch is filled with before it is given out.
const BATCH_BYTES = 1 << 18;

/// Frames of a batch that were kept: bytes and arrays of their own, as long as needed.
type Kept = Pick<FrameBatch, 'count' | 'bytes' | (typeof FIELDS)[number]>;

const FIELDS = ['offset', 'capturedLen', 'originalLen', 'timeUs', 'linkType', 'frame'] as const;

interface Source {
  name: string;
  kept: Kept[];
  /// The next frame of the first one.
  next: number;
  /// Time of its latest frame; minus infinity before the first, infinity after its end.
  reachedUs: number;
}

/// Takes a batch whose i-th frame came from the source with the name `sourceOf(i)`.
export type NamedFrameSink = (batch: FrameBatch, sourceOf: (i: number) => string) => void;

/// Keeps the frames of each source until every other one has got past their
/// time, or until the caller says that it has waited long enough.
export class FrameMerger {
  private readonly sources = new Set<Source>();
  private readonly batch = new FrameBatch(new Block(FRAME_BATCH_BYTES));
  private readonly block = new Block(BATCH_BYTES + MAX_RECORD_BYTES);
  private readonly names: string[] = [];
  private readonly sourceOf = (i: number) => this.names[i]!;
  private used = 0;

  constructor(private readonly sink: NamedFrameSink) {
    const { buffer, at } = this.block;
    this.batch.bytes = new Uint8Array(buffer, at, BATCH_BYTES + MAX_RECORD_BYTES);
    this.batch.view = new DataView(buffer, at, BATCH_BYTES + MAX_RECORD_BYTES);
    this.batch.bytesAt = at;
  }

  /// A further stream: what takes its frames, and what is told of its end.
  add(name: string): { push: FrameSink; end(): void } {
    const source: Source = { name, kept: [], next: 0, reachedUs: Number.NEGATIVE_INFINITY };
    this.sources.add(source);
    return {
      push: (batch) => {
        source.kept.push(copyOf(batch));
        source.reachedUs = batch.timeUs[batch.count - 1]!;
        this.releaseReached();
      },
      end: () => {
        source.reachedUs = Number.POSITIVE_INFINITY;
        this.releaseReached();
      },
    };
  }

  /// Gives out all frames up to this time, though another source may still bring older ones.
  release(limitUs: number): void {
    for (;;) {
      const source = this.earliest();
      if (source === undefined || headUs(source) > limitUs) break;
      this.append(source);
    }
    this.flush();
  }

  private releaseReached(): void {
    let limitUs = Number.POSITIVE_INFINITY;
    for (const { reachedUs } of this.sources) limitUs = Math.min(limitUs, reachedUs);
    this.release(limitUs);
    for (const source of this.sources) {
      if (source.reachedUs === Number.POSITIVE_INFINITY && source.kept.length === 0)
        this.sources.delete(source);
    }
  }

  private earliest(): Source | undefined {
    let earliest: Source | undefined;
    for (const source of this.sources) {
      if (source.kept.length === 0) continue;
      if (earliest === undefined || headUs(source) < headUs(earliest)) earliest = source;
    }
    return earliest;
  }

  private append(source: Source): void {
    const { batch } = this;
    const kept = source.kept[0]!;
    const from = source.next++;
    const to = batch.count++;
    const offset = kept.offset[from]!;
    for (const field of FIELDS) batch[field][to] = kept[field][from]!;
    batch.bytes.set(kept.bytes.subarray(offset, offset + kept.capturedLen[from]!), this.used);
    batch.offset[to] = this.used;
    this.names[to] = source.name;
    this.used += kept.capturedLen[from]!;
    if (source.next === kept.count) {
      source.kept.shift();
      source.next = 0;
    }
    if (batch.count === BATCH_FRAMES || this.used >= BATCH_BYTES) this.flush();
  }

  private flush(): void {
    if (this.batch.count > 0) this.sink(this.batch, this.sourceOf);
    this.batch.count = 0;
    this.used = 0;
  }
}

function headUs({ kept, next }: Source): number {
  return kept[0]!.timeUs[next]!;
}

function copyOf(batch: FrameBatch): Kept {
  const { count } = batch;
  let start = batch.bytes.length;
  let end = 0;
  for (let i = 0; i < count; i++) {
    start = Math.min(start, batch.offset[i]!);
    end = Math.max(end, batch.offset[i]! + batch.capturedLen[i]!);
  }
  return {
    count,
    bytes: batch.bytes.slice(start, end),
    offset: batch.offset.slice(0, count).map((offset) => offset - start),
    capturedLen: batch.capturedLen.slice(0, count),
    originalLen: batch.originalLen.slice(0, count),
    timeUs: batch.timeUs.slice(0, count),
    linkType: batch.linkType.slice(0, count),
    frame: batch.frame.slice(0, count),
  };
}
