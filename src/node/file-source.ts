/// Bytes of a file or of standard input on their way to a reader: large reads
/// into a few buffers used in turn; compression told by its magic.

import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { CHUNK_BYTES } from '../capture/byte-chunk.js';
import { CaptureReader } from '../capture/reader.js';
import { type ChunkPool, chunkPool, readerPool } from './buffer-pool.js';
import { describeError } from './errors.js';
import { FileChunks, type FilledChunk } from './file-chunks.js';
import type { SystemPath } from './system-path.js';
import { COMPRESSION_HEAD_BYTES, type Compression, compressionOf } from './unpack/compression.js';
import { BrokenStream, ReadFailure } from './unpack/stored-bytes.js';
import { type OpenStored, unpack } from './unpack/unpack.js';

/// Enough for the header of a capture and its first packet.
const PEEK_BYTES = 65_536;

export interface SourceOptions {
  signal?: AbortSignal | undefined;
  /// Stored bytes read since the last call.
  onBytes?: ((bytes: number) => void) | undefined;
  /// Where chunks to read into come from and go back to.
  chunks?: ChunkPool | undefined;
}

/// What was read, and how it was stored.
export interface SourceResult {
  compression: Compression | null;
  /// Stored bytes; of a compressed file, the compressed ones.
  bytes: number;
}

/// Where frames come from: takes bytes, ends with an optional reason why more can not be had.
export type ByteTaker = Pick<CaptureReader, 'pushChunk' | 'push' | 'end' | 'isHopeless' | 'summary'>;

/// Reads a whole regular file into `reader`. Throws if it cannot be opened; a read
/// error later on becomes damage.
export async function readFile(
  path: SystemPath,
  reader: ByteTaker,
  options: SourceOptions,
): Promise<SourceResult> {
  const { chunks = chunkPool } = options;
  const file = new FileChunks(path, chunks);
  try {
    const first = await file.next();
    if (first.failure !== undefined && first.length === 0) {
      chunks.give(first.chunk);
      throw first.failure;
    }
    const head = first.chunk.data.subarray(0, Math.min(first.length, COMPRESSION_HEAD_BYTES));
    const compression = compressionOf(head);
    if (compression !== null) {
      chunks.give(first.chunk);
      const openStored = () => createReadStream(path, { highWaterMark: CHUNK_BYTES });
      const result = await readCompressed(compression, openStored(), reader, options, openStored);
      // Where it is broken, the rest of it is not read, but it is there.
      return options.signal?.aborted ? result : { compression, bytes: file.size };
    }
    return { compression: null, bytes: await readPlain(file, first, reader, options) };
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
  let compression: Compression | null = null;
  try {
    // The first bytes tell the compression, even if they come one by one.
    while (Buffer.concat(head).length < COMPRESSION_HEAD_BYTES) {
      const next = await chunks.next();
      if (next.done) break;
      head.push(next.value);
    }
    compression = compressionOf(Buffer.concat(head));
    for await (const chunk of compression === null ? rejoin(head, chunks) : []) {
      bytes += chunk.length;
      options.onBytes?.(chunk.length);
      reader.push(chunk);
      if (reader.isHopeless) {
        // It may never end.
        stream.destroy();
        break;
      }
    }
  } catch (error) {
    reason = `reading failed: ${describeError(error)}`;
  }
  if (compression !== null) return readCompressed(compression, rejoin(head, chunks), reader, options);
  endUnlessAborted(reader, reason, options);
  return { compression, bytes };
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

/// Reads on after the first chunk, which is there.
async function readPlain(
  file: FileChunks,
  first: FilledChunk,
  reader: ByteTaker,
  options: SourceOptions,
): Promise<number> {
  const { chunks = chunkPool } = options;
  let total = 0;
  let reason: string | undefined;
  try {
    for (let { chunk, length, failure } = first; ; { chunk, length, failure } = await file.next()) {
      total += length;
      options.onBytes?.(length);
      if (length > 0 && !options.signal?.aborted) reader.pushChunk(chunk, length);
      chunks.give(chunk);
      if (failure !== undefined) throw failure;
      if (length < CHUNK_BYTES || options.signal?.aborted) break;
    }
  } catch (error) {
    reason = `reading failed: ${describeError(error)}`;
  }
  endUnlessAborted(reader, reason, options);
  return total;
}

/// Thrown where nothing more is wanted.
class Enough extends Error {}

async function readCompressed(
  compression: Compression,
  stored: AsyncIterable<Buffer>,
  reader: ByteTaker,
  options: SourceOptions,
  reopen?: OpenStored,
): Promise<SourceResult> {
  let bytes = 0;
  async function* counted() {
    for await (const piece of stored) {
      bytes += piece.length;
      options.onBytes?.(piece.length);
      yield piece;
    }
  }
  const take = (unpacked: Uint8Array) => {
    if (options.signal?.aborted) throw new Enough();
    reader.push(unpacked);
    // Whatever it is, it need not be unpacked to its end.
    if (reader.summary.notACapture !== null) throw new Enough();
  };
  let reason: string | undefined;
  try {
    await unpack(compression, counted(), take, reopen);
  } catch (error) {
    reason = describeBreak(error, compression);
  }
  endUnlessAborted(reader, reason, options);
  return { compression, bytes };
}

/// Why the rest could not be unpacked, and what to do; nothing if it was not wanted.
function describeBreak(error: unknown, compression: Compression): string | undefined {
  if (error instanceof Enough) return undefined;
  if (error instanceof ReadFailure) return `reading failed: ${describeError(error.cause)}`;
  if (!(error instanceof BrokenStream)) throw error;
  const stream = `the ${compression} stream`;
  const place = `byte ${error.at} of the compressed file (${error.message})`;
  switch (error.kind) {
    case 'damaged':
      return `${stream} shows damage at ${place}; what came before was read, for the rest find an undamaged copy`;
    case 'cut':
      return `${stream} is cut off at ${place}; if there is a longer copy, scan that one`;
    case 'beyond':
      return `${stream} is not unpacked beyond ${place}; unpack it with ${compression} -d and scan the result`;
  }
}

export interface Peek {
  isCapture: boolean;
  size: number;
  /// Microseconds since 1970; NaN if the first packet is not within reach.
  firstUs: number;
}

/// Looks at the beginning of a regular file: is it a capture, and when does it begin?
export async function peek(path: SystemPath): Promise<Peek> {
  const file = openSync(path, 'r');
  const buffers = readerPool.take();
  try {
    const { size } = fstatSync(file);
    const chunk = buffers.nextChunk();
    const bytesRead = readSync(file, chunk.data, 0, PEEK_BYTES, 0);
    const compression = compressionOf(chunk.data.subarray(0, bytesRead));
    const reader = new CaptureReader(() => {}, buffers);
    if (compression === null) reader.pushChunk(chunk, bytesRead);
    else await peekCompressed(compression, createReadStream(path, { highWaterMark: PEEK_BYTES }), reader);
    reader.end();
    const { format, firstUs } = reader.summary;
    return { isCapture: format !== null, size, firstUs };
  } finally {
    readerPool.give(buffers);
    closeSync(file);
  }
}

/// Unpacks no more than it takes to see the first packet.
async function peekCompressed(
  compression: Compression,
  stored: Readable,
  reader: CaptureReader,
): Promise<void> {
  let unpackedBytes = 0;
  try {
    await unpack(compression, stored, (bytes) => {
      unpackedBytes += bytes.length;
      reader.push(bytes.subarray(0, PEEK_BYTES));
      const { packets, notACapture } = reader.summary;
      if (packets > 0 || notACapture !== null || unpackedBytes >= PEEK_BYTES) throw new Enough();
    });
  } catch (error) {
    // A beginning that is broken shows in the reading.
    if (!(error instanceof Enough || error instanceof BrokenStream || error instanceof ReadFailure))
      throw error;
  }
}
