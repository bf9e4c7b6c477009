import type { CaptureDamage, CaptureSummary } from './capture-summary.js';
import { BATCH_FRAMES, FrameBatch, type FrameSink, LINKTYPE_NO_PACKET } from './frame-batch.js';

/// Numbers frames, collects them in the one batch and hands it on when it is
/// full or the chunk that it points into ends.
export class FrameWriter {
  private frame = 0;
  /// Damage that waits for the time of the packet after it, and where in the batch that will stand.
  private awaiting: CaptureDamage | null = null;
  private awaitedAt = 0;

  constructor(
    private readonly sink: FrameSink,
    private readonly summary: CaptureSummary,
    readonly batch = new FrameBatch(),
  ) {
    batch.count = 0;
  }

  /// Frames written so far.
  get frameCount(): number {
    return this.frame;
  }

  /// The next packet is the first after this damage.
  noteTimeAfter(damage: CaptureDamage): void {
    this.fillTimeAfter();
    this.awaiting = damage;
    this.awaitedAt = this.batch.count;
  }

  private fillTimeAfter(): void {
    if (this.awaiting === null || this.awaitedAt >= this.batch.count) return;
    this.awaiting.toUs = this.batch.timeUs[this.awaitedAt]!;
    this.awaiting = null;
  }

  /// The following frames lie in these bytes, which may be in the memory of the loops.
  beginChunk(bytes: Uint8Array, view: DataView, isInLoops = false): void {
    this.batch.bytes = bytes;
    this.batch.view = view;
    this.batch.bytesAt = isInLoops && this.batch.place.isInLoops ? view.byteOffset : 0;
  }

  /// Adds a packet: `offset` and lengths in bytes, `timeUs` in microseconds since 1970.
  add(offset: number, capturedLen: number, originalLen: number, timeUs: number, linkType: number): void {
    const batch = this.batch;
    const i = batch.count++;
    batch.offset[i] = offset;
    batch.capturedLen[i] = capturedLen;
    // Some writers leave the original length zero or too small.
    batch.originalLen[i] = originalLen > capturedLen && originalLen < 0x8000_0000 ? originalLen : capturedLen;
    batch.timeUs[i] = timeUs;
    batch.linkType[i] = linkType;
    batch.frame[i] = ++this.frame;
    if (this.summary.packets++ === 0) this.summary.firstUs = timeUs;
    this.summary.lastUs = timeUs;
    if (batch.count === BATCH_FRAMES) this.flush();
  }

  /// Packets were written into the batch, after those that are there: so many it holds now.
  addedUpTo(count: number): void {
    const { batch, summary } = this;
    const added = count - batch.count;
    if (summary.packets === 0) summary.firstUs = batch.timeUs[batch.count]!;
    summary.packets += added;
    summary.lastUs = batch.timeUs[count - 1]!;
    this.frame += added;
    batch.count = count;
    if (count === BATCH_FRAMES) this.flush();
  }

  /// Adds a frame that holds no packet but takes a number, as in Wireshark.
  addNumberOnly(): void {
    const batch = this.batch;
    const i = batch.count++;
    batch.offset[i] = 0;
    batch.capturedLen[i] = 0;
    batch.originalLen[i] = 0;
    batch.timeUs[i] = this.summary.lastUs;
    batch.linkType[i] = LINKTYPE_NO_PACKET;
    batch.frame[i] = ++this.frame;
    if (batch.count === BATCH_FRAMES) this.flush();
  }

  flush(): void {
    if (this.batch.count === 0) return;
    this.fillTimeAfter();
    this.sink(this.batch);
    this.batch.count = 0;
    this.awaitedAt = 0;
  }
}
