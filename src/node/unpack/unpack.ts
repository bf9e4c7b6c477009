/// Unpacks a compressed capture, whatever it is compressed with.

import { MAX_UNPACKED_RATIO, UNPACKED_BYTES_FREE } from '../limits.js';
import { type Compression, type Decoder, loadDecoder } from './compression.js';
import { BrokenStream, type PieceBytes, StoredBytes } from './stored-bytes.js';
import type { TakeBytes } from './take-bytes.js';

export type OpenStored = () => AsyncIterable<Uint8Array>;

/// Stored bytes given to a decoder at a time that drops what it was unpacking from them when an error
/// shows: from a file, which can then be read again with smaller pieces where it is broken, and from a
/// pipe, which can not.
const PIECE_BYTES = 1_048_576;
const SMALLER_PIECES = [4_096, 1];
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
    let broken = error;
    for (const bytes of SMALLER_PIECES) {
      broken = await unpackAgain(compression, reopen(), broken, bytes, unpackedBytes, takeCounted);
    }
    throw broken;
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

/// Unpacks a stream that is `broken` once more, from there on in pieces of so many bytes: then less is
/// dropped. The first `taken` bytes were handed on already. Returns where it shows to be broken now.
async function unpackAgain(
  compression: Compression,
  stored: AsyncIterable<Uint8Array>,
  broken: BrokenStream,
  bytes: number,
  taken: number,
  take: TakeBytes,
): Promise<BrokenStream> {
  let known = taken;
  const takeRest: TakeBytes = (unpacked) => {
    const rest = unpacked.subarray(known);
    known = Math.max(0, known - unpacked.length);
    if (rest.length > 0) take(rest);
  };
  const pieceBytes: PieceBytes = (offset) =>
    offset < broken.at ? Math.min(PIECE_BYTES, broken.at - offset) : bytes;
  try {
    await unpackOnce(compression, stored, takeRest, pieceBytes);
  } catch (error) {
    if (error instanceof BrokenStream) return error;
    throw error;
  }
  // It went well this time: the storage is not to be trusted.
  return broken;
}
