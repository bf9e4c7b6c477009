/// Buffers are large and captures may be many: they are used again.

import { ByteChunk } from '../capture/byte-chunk.js';
import { ReaderBuffers } from '../capture/reader-buffers.js';

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

export const chunkPool: ChunkPool = new Pool(() => new ByteChunk());
export const readerPool = new Pool(() => new ReaderBuffers());
