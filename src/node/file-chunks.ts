/// A file in chunks, one after the other.
///
/// What the system has in memory is read here and now: copying it takes less time than waking
/// another thread to do so (measured, scripts/bench/README.md). Where reads take longer because the storage is at work, the
/// next ones are under way while one chunk is analysed.

import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { type ByteChunk, CHUNK_BYTES } from '../capture/byte-chunk.js';
import type { ChunkPool } from './buffer-pool.js';
import { LoopPauses } from './loop-pauses.js';
import type { SystemPath } from './system-path.js';

/// A chunk from memory takes a tenth of that, from the fastest storage three tenths.
const SLOW_READ_NS = 1_000_000n;

/// So many slow reads in a row: a single one may only have been interrupted. Where the system counts what its storage
/// reads and has counted nothing, they all may have been (two in a row were in half of the scans beside another
/// one); but some file systems, such as those of other computers, are not counted.
const SLOW_READS = 2;
const SLOW_READS_UNCOUNTED = 8;

/// Reads under way at a time where the storage is slow, and for how many chunks it counts as slow.
const READS_AHEAD = 3;
const SLOW_CHUNKS = 256;

const readLater = promisify(read);

export interface FilledChunk {
  chunk: ByteChunk;
  /// Less than CHUNK_BYTES only at the end of the file, or in front of what cannot be read.
  length: number;
  /// Why not.
  failure?: unknown;
}

type Filled = Omit<FilledChunk, 'chunk'>;

export class FileChunks {
  private readonly file: number;
  private position = 0;
  /// Chunks still to be read ahead.
  private slowChunks = 0;
  private slowReads = 0;
  /// What storage had read when that was last asked.
  private storageReads = process.resourceUsage().fsRead;
  private readonly pauses = new LoopPauses();
  private readonly ahead: { chunk: ByteChunk; reading: Promise<Filled> }[] = [];

  /// Throws if the file cannot be opened.
  constructor(
    path: SystemPath,
    private readonly chunks: ChunkPool,
  ) {
    this.file = openSync(path, 'r');
  }

  /// Bytes of the file.
  get size(): number {
    return fstatSync(this.file).size;
  }

  /// The next chunk, which goes back to the pool when it is done with.
  async next(): Promise<FilledChunk> {
    const { ahead } = this;
    while (this.slowChunks > 0 && ahead.length < READS_AHEAD) this.readAhead();
    const first = ahead.shift();
    if (first === undefined) return await this.readNow();
    return { chunk: first.chunk, ...(await first.reading) };
  }

  /// Waits for what is under way.
  async close(): Promise<void> {
    for (const { chunk, reading } of this.ahead) {
      await reading;
      this.chunks.give(chunk);
    }
    closeSync(this.file);
  }

  private async readNow(): Promise<FilledChunk> {
    await this.pauses.ifDue();
    // Which may have to be waited for.
    const chunk = this.chunks.take();
    const begunNs = process.hrtime.bigint();
    const filled = this.fillNow(chunk);
    this.slowReads = process.hrtime.bigint() - begunNs > SLOW_READ_NS ? this.slowReads + 1 : 0;
    if (this.slowReads >= SLOW_READS && this.isStorageAtWork()) {
      this.slowChunks = SLOW_CHUNKS;
      this.slowReads = 0;
    }
    return { chunk, ...filled };
  }

  private isStorageAtWork(): boolean {
    const before = this.storageReads;
    this.storageReads = process.resourceUsage().fsRead;
    return this.storageReads > before || this.slowReads >= SLOW_READS_UNCOUNTED;
  }

  private fillNow(chunk: ByteChunk): Filled {
    let have = 0;
    try {
      while (have < CHUNK_BYTES) {
        const bytesRead = readSync(this.file, chunk.data, have, CHUNK_BYTES - have, this.position);
        if (bytesRead === 0) break;
        have += bytesRead;
        this.position += bytesRead;
      }
    } catch (failure) {
      return { length: have, failure };
    }
    return { length: have };
  }

  private readAhead(): void {
    this.slowChunks--;
    const chunk = this.chunks.take();
    this.ahead.push({ chunk, reading: this.fillLater(chunk, this.position) });
    this.position += CHUNK_BYTES;
  }

  private async fillLater(chunk: ByteChunk, position: number): Promise<Filled> {
    let have = 0;
    try {
      while (have < CHUNK_BYTES) {
        const { bytesRead } = await readLater(
          this.file,
          chunk.data,
          have,
          CHUNK_BYTES - have,
          position + have,
        );
        if (bytesRead === 0) break;
        have += bytesRead;
      }
    } catch (failure) {
      return { length: have, failure };
    }
    return { length: have };
  }
}
