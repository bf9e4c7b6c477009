import { ByteChunk, CHUNK_HEADROOM } from './byte-chunk.js';
import { FrameBatch } from './frame-batch.js';

/// The large buffers of a reader. Where captures are many, the next reader may
/// have those of one that has ended.
export class ReaderBuffers {
  readonly batch = new FrameBatch();
  /// What is kept of a chunk when the next one comes.
  readonly tail = new Uint8Array(CHUNK_HEADROOM);
  private made: ByteChunk | undefined;

  /// Where bytes of a caller's own are copied to.
  get chunk(): ByteChunk {
    this.made ??= new ByteChunk();
    return this.made;
  }
}
