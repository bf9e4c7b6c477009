/// Unpacks a compressed capture, whatever it is compressed with.

import { MAX_UNPACKED_RATIO, UNPACKED_BYTES_FREE } from '../limits.js';
import { type Compression, type Decoder, loadDecoder } from './compression.js';
import { BrokenStream, type PieceBytes, StoredBytes } from './stored-bytes.js';
import type { TakeBytes } from './take-bytes.js';

export type OpenStored = () => AsyncIterable<Uint8Array>;

/// Stored bytes given to a decoder at a time that drops what it was unpacking from them when an error
/// shows: from a file, which can then be read again, and from a pipe, which can not.
const PIECE_BYTES = 65_536;
const PIECE_BYTES_ONCE = 4_096;

/// Unpacked bytes after which other work gets its turn, such as a signal to stop.
const TURN_BYTES = 4_194_304;

/// Hands all that can be unpacked to `take`, then throws BrokenStream if it ended before its end.
/// `reopen` gives the stored bytes again, if they can be had again.
export async function unpack(
  compression: Compression,
  stored: AsyncIterable<Uint8Array>,
  take: TakeBytes,
  reopen?: OpenStored,
): Promise<void> {
  const pieceBytes = reopen === undefined ? PIECE_BYTES_ONCE : PIECE_BYTES;
  let unpackedBytes = 0;
  const takeCounted: TakeBytes = (bytes) => {
    unpackedBytes += bytes.length;
    take(bytes);
  };
  try {
    await unpackOnce(compression, stored, takeCounted, () => pieceBytes);
  } catch (error) {
    const canTellMore = compression === 'gzip' || compression === 'xz';
    if (!(error instanceof BrokenStream) || error.kind !== 'damaged' || !canTellMore) throw error;
    if (reopen === undefined) throw error;
    await unpackLastPiece(compression, reopen(), error.at, unpackedBytes, take);
    // It went well this time: the storage is not to be trusted.
    throw error;
  }
}

async function unpackOnce(
  compression: Compression,
  stored: AsyncIterable<Uint8Array>,
  take: TakeBytes,
  pieceBytes: PieceBytes,
): Promise<void> {
  const input = new StoredBytes(stored);
  try {
    if (compression === 'gzip') await (await import('./gzip.js')).unpackGzip(input, take, pieceBytes);
    else await unpackWith(await loadDecoder(compression), input, take, pieceBytes);
  } finally {
    await input.close();
  }
}

async function unpackWith(
  decoder: Decoder,
  input: StoredBytes,
  take: TakeBytes,
  pieceBytes: PieceBytes,
): Promise<void> {
  let unpackedBytes = 0;
  let nextTurn = TURN_BYTES;
  for await (const bytes of decoder(input, pieceBytes)) {
    take(bytes);
    unpackedBytes += bytes.length;
    if (unpackedBytes > UNPACKED_BYTES_FREE && unpackedBytes > input.offset * MAX_UNPACKED_RATIO) {
      const limit = `${MAX_UNPACKED_RATIO} bytes come out of each stored one, which no capture can need`;
      throw new BrokenStream(input.offset, `more than ${limit}`, 'beyond');
    }
    if (unpackedBytes < nextTurn) continue;
    nextTurn = unpackedBytes + TURN_BYTES;
    await new Promise(setImmediate);
  }
}

/// Unpacks a broken stream once more, from `pieceAt` on a byte at a time: then nothing is dropped but
/// what the broken byte itself stands for. The first `taken` bytes were handed on already.
async function unpackLastPiece(
  compression: Compression,
  stored: AsyncIterable<Uint8Array>,
  pieceAt: number,
  taken: number,
  take: TakeBytes,
): Promise<void> {
  let known = taken;
  const takeRest: TakeBytes = (bytes) => {
    const rest = bytes.subarray(known);
    known = Math.max(0, known - bytes.length);
    if (rest.length > 0) take(rest);
  };
  const pieceBytes: PieceBytes = (offset) => (offset < pieceAt ? Math.min(PIECE_BYTES, pieceAt - offset) : 1);
  await unpackOnce(compression, stored, takeRest, pieceBytes);
}
