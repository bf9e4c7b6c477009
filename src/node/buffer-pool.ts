/// Buffers are large and captures may be many: they are used again.

import { ByteChunk, CHUNK_BUFFER_BYTES } from '../capture/byte-chunk.js';
import { FRAME_BATCH_BYTES, FrameBatch } from '../capture/frame-batch.js';
import { ReaderBuffers } from '../capture/reader-buffers.js';
import { Block } from '../loops/memory.js';

class Pool<Buffers> {
  private readonly spare: Buffers[] = [];

  constructor(private readonly make: () => Buffers) {}

  take(): Buffers {
    return this.spare.pop() ?? this.make();
  }

  /// Nobody may hold anything of them any more.
  give(buffers: Buffers): void {
    this.spare.push(buffers);
  }
}

export type ChunkPool = Pick<Pool<ByteChunk>, 'take' | 'give'>;

const newChunk = () => new ByteChunk(new Block(CHUNK_BUFFER_BYTES));
const newBatch = () => new FrameBatch(new Block(FRAME_BATCH_BYTES));

export const chunkPool: ChunkPool = new Pool(newChunk);
export const readerPool = new Pool(() => new ReaderBuffers(undefined, newBatch(), newChunk));
