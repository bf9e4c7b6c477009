/// gzip, unpacked by Node's zlib in a thread of its own.
///
/// zlib drops what it was unpacking when an error shows. Each piece of stored bytes is therefore
/// unpacked to its end before the next one is given: what is lost comes from one piece.

import { createGunzip } from 'node:zlib';
import { BrokenStream, type PieceBytes, type StoredBytes } from './stored-bytes.js';
import type { TakeBytes } from './take-bytes.js';

const UNPACKED_BYTES = 262_144;
/// Unpacked parts that may wait while the next one is made; then zlib has to wait.
const MOST_WAITING = 4;

/// Hands the unpacked bytes to `take`, from at most `pieceBytes` stored ones at a time.
export async function unpackGzip(input: StoredBytes, take: TakeBytes, pieceBytes: PieceBytes): Promise<void> {
  const gunzip = createGunzip({ chunkSize: UNPACKED_BYTES });
  const waiting: Uint8Array[] = [];
  let refused: unknown;
  const handOn = () => {
    try {
      while (waiting.length > 0 && refused === undefined) take(waiting.shift()!);
    } catch (error) {
      refused = error;
      gunzip.destroy();
    }
  };
  // Events rather than iteration: an iterator drops what was unpacked before an error. What came is
  // handed on later, so that zlib goes on meanwhile.
  gunzip.on('data', (part: Uint8Array) => {
    waiting.push(part);
    if (waiting.length > MOST_WAITING) handOn();
    else setImmediate(handOn);
  });
  let failure: NodeJS.ErrnoException | undefined;
  let isClosed = false;
  let wake = () => {};
  const close = (error?: Error) => {
    failure ??= error;
    isClosed = true;
    wake();
  };
  gunzip.once('error', close);
  gunzip.once('end', () => close());
  gunzip.once('close', () => close());
  let pieceAt = 0;
  try {
    while (!isClosed && refused === undefined) {
      pieceAt = input.offset;
      const piece = await input.takeSome(pieceBytes(pieceAt));
      if (piece.length === 0) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        gunzip.write(piece, (error) => (error ? close(error) : resolve()));
      });
    }
    gunzip.end();
    if (!isClosed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    handOn();
    gunzip.destroy();
  }
  if (refused !== undefined) throw refused;
  if (failure === undefined) return;
  if (failure.code === 'Z_BUF_ERROR') throw new BrokenStream(input.offset, 'it ends inside a member', 'cut');
  throw new BrokenStream(pieceAt, failure.message);
}
