/// Bytes of a file or of standard input on their way to a reader: large reads
/// into two buffers used in turn, the next read under way while the last one
/// is analysed; compression told by its magic.

import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { ByteChunk, CHUNK_BYTES } from '../capture/byte-chunk.js';
import { CaptureReader } from '../capture/reader.js';
import { describeError } from './errors.js';

/// Reads under way at a time: starting one means waking a thread, which the
/// analysis of one chunk should not have to wait for.
const READS_AHEAD = 3;

/// Enough for the header of a capture and its first packet.
const PEEK_BYTES = 65_536;

/// Of a compressed file less, because a kilobyte can unpack to a megabyte.
const PEEK_COMPRESSED_BYTES = 8_192;

/// Unpacked bytes at a time. What is being unpacked when an error shows is lost:
/// of a small file little of it may be, of a large one speed counts more.
const UNPACKED_BYTES = 262_144;
const UNPACKED_BYTES_OF_SMALL = 16_384;
const SMALL_FILE_BYTES = 16_777_216;

const GZIP_MAGIC = [0x1f, 0x8b] as const;

export interface SourceOptions {
  signal?: AbortSignal | undefined;
  /// Stored bytes read since the last call.
  onBytes?: ((bytes: number) => void) | undefined;
}

/// What was read, and how it was stored.
export interface SourceResult {
  compression: 'gzip' | null;
  /// Stored bytes; of a compressed file, the compressed ones.
  bytes: number;
}

/// Where frames come from: takes bytes, ends with an optional reason why more can not be had.
export type ByteTaker = Pick<CaptureReader, 'pushChunk' | 'push' | 'end'>;

/// Reads a whole regular file into `reader`. Throws if it cannot be opened; a read
/// error later on becomes damage.
export async function readFile(
  path: string,
  reader: ByteTaker,
  options: SourceOptions,
): Promise<SourceResult> {
  const file = await open(path, 'r');
  try {
    const head = new Uint8Array(2);
    const { bytesRead } = await file.read(head, 0, 2, 0);
    if (isGzip(head.subarray(0, bytesRead))) {
      const { size } = await file.stat();
      const chunkSize = size <= SMALL_FILE_BYTES ? UNPACKED_BYTES_OF_SMALL : UNPACKED_BYTES;
      return await readGzip(
        createReadStream(path, { highWaterMark: CHUNK_BYTES }),
        reader,
        options,
        chunkSize,
      );
    }
    return { compression: null, bytes: await readPlain(file, reader, options) };
  } finally {
    await file.close();
  }
}

/// Reads a stream (standard input, a pipe, a child's output) to its end.
export async function readStream(
  stream: Readable,
  reader: ByteTaker,
  options: SourceOptions,
): Promise<SourceResult> {
  // A pipe may stay silent for ever: the signal has to wake a waiting read.
  if (options.signal !== undefined) addAbortSignal(options.signal, stream);
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const head: Buffer[] = [];
  let bytes = 0;
  let reason: string | undefined;
  try {
    // The first bytes tell the compression, even if they come one by one.
    while (Buffer.concat(head).length < GZIP_MAGIC.length) {
      const next = await chunks.next();
      if (next.done) break;
      head.push(next.value);
    }
    const all = rejoin(head, chunks);
    if (isGzip(Buffer.concat(head))) return await readGzip(all, reader, options);
    for await (const chunk of all) {
      bytes += chunk.length;
      options.onBytes?.(chunk.length);
      reader.push(chunk);
    }
  } catch (error) {
    reason = `reading failed: ${describeError(error)}`;
  }
  endUnlessAborted(reader, reason, options);
  return { compression: null, bytes };
}

/// What was taken from a stream already, then the rest of it.
async function* rejoin(taken: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* taken;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/// An interrupted run read only a part: that is no damage of the capture.
function endUnlessAborted(reader: ByteTaker, reason: string | undefined, options: SourceOptions): void {
  if (options.signal?.aborted !== true) reader.end(reason);
}

async function readPlain(file: FileHandle, reader: ByteTaker, options: SourceOptions): Promise<number> {
  const ahead: { chunk: ByteChunk; read: Promise<number> }[] = [];
  let position = 0;
  const startRead = (chunk: ByteChunk) => {
    const read = fill(file, chunk, position);
    // If an earlier read fails, nobody waits for this one any more.
    read.catch(() => {});
    ahead.push({ chunk, read });
    position += CHUNK_BYTES;
  };
  for (let i = 0; i < READS_AHEAD; i++) startRead(takeChunk());
  let total = 0;
  let reason: string | undefined;
  try {
    for (;;) {
      const { chunk, read } = ahead.shift()!;
      const length = await read;
      total += length;
      options.onBytes?.(length);
      if (length > 0 && !options.signal?.aborted) reader.pushChunk(chunk, length);
      if (length < CHUNK_BYTES || options.signal?.aborted) {
        chunkPool.push(chunk);
        break;
      }
      startRead(chunk);
    }
  } catch (error) {
    reason = `reading failed: ${describeError(error)}`;
  }
  for (const { chunk, read } of ahead) {
    await read.catch(() => {});
    chunkPool.push(chunk);
  }
  endUnlessAborted(reader, reason, options);
  return total;
}

/// Fills the chunk from this position on; returns less than a chunk only at
/// the end of the file.
async function fill(file: FileHandle, chunk: ByteChunk, position: number): Promise<number> {
  let have = 0;
  while (have < CHUNK_BYTES) {
    const { bytesRead } = await file.read(chunk.data, have, CHUNK_BYTES - have, position + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return have;
}

/// Buffers are large and files may be many: they are used again.
const chunkPool: ByteChunk[] = [];
function takeChunk(): ByteChunk {
  return chunkPool.pop() ?? new ByteChunk();
}

async function readGzip(
  stored: AsyncIterable<Buffer>,
  reader: ByteTaker,
  options: SourceOptions,
  chunkSize = UNPACKED_BYTES,
): Promise<SourceResult> {
  let bytes = 0;
  const gunzip = createGunzip({ chunkSize });
  // Events rather than iteration: an iterator drops what was unpacked before an error.
  const unpacked = new Promise<string | undefined>((resolve, reject) => {
    gunzip.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        reject(error);
      }
    });
    gunzip.on('end', () => resolve(undefined));
    gunzip.on('error', (error) => resolve(`the gzip stream is damaged or cut off (${error.message})`));
  });
  let reason: string | undefined;
  try {
    for await (const chunk of stored) {
      if (options.signal?.aborted || gunzip.destroyed) break;
      bytes += chunk.length;
      options.onBytes?.(chunk.length);
      if (!gunzip.write(chunk)) {
        await Promise.race([new Promise((resolve) => gunzip.once('drain', resolve)), unpacked]);
      }
    }
  } catch (error) {
    reason = `reading failed: ${describeError(error)}`;
  }
  if (options.signal?.aborted) gunzip.destroy();
  else {
    gunzip.end();
    reason ??= await unpacked;
  }
  endUnlessAborted(reader, reason, options);
  return { compression: 'gzip', bytes };
}

export interface Peek {
  isCapture: boolean;
  size: number;
  /// Microseconds since 1970; NaN if the first packet is not within reach.
  firstUs: number;
}

/// Looks at the beginning of a file: is it a capture, and when does it begin?
export async function peek(path: string): Promise<Peek> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = new Uint8Array(Math.min(PEEK_BYTES, size));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const stored = head.subarray(0, bytesRead);
    const reader = new CaptureReader(() => {});
    reader.push(isGzip(stored) ? unpackBeginning(stored) : stored);
    const { format, firstUs } = reader.summary;
    return { isCapture: format !== null, size, firstUs };
  } finally {
    await file.close();
  }
}

function unpackBeginning(stored: Uint8Array): Uint8Array {
  try {
    return gunzipSync(stored.subarray(0, PEEK_COMPRESSED_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(0);
  }
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === GZIP_MAGIC[0] && head[1] === GZIP_MAGIC[1];
}
