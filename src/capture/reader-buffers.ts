import { ByteChunk, CHUNK_HEADROOM } from './byte-chunk.js';
import { FrameBatch } from './frame-batch.js';

/// The large buffers of a reader. Where captures are many, the next reader may
/// have those of one that has ended.
export class ReaderBuffers {
  private chunk: ByteChunk | undefined;

  /// `tail`, of CHUNK_HEADROOM bytes: what is kept of a chunk when the next one comes.
  constructor(
    readonly tail: Uint8Array = new Uint8Array(CHUNK_HEADROOM),
    readonly batch = new FrameBatch(),
    private readonly newChunk = () => new ByteChunk(),
  ) {}

  /// Where bytes of a caller's own are copied to, valid until the next call.
  nextChunk(): ByteChunk {
    this.chunk ??= this.newChunk();
    return this.chunk;
  }
}
