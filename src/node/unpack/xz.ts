/// xz, unpacked by xz-decompress: xz-embedded as WebAssembly.

import xzDecompress from 'xz-decompress';
import { BrokenStream, type PieceBytes, ReadFailure, type StoredBytes } from './stored-bytes.js';

/// The package's error numbers (`enum xz_ret` in xz-embedded) that are no damage.
const BEYOND: Record<string, string> = {
  3: 'there is no memory for its dictionary',
  4: 'its dictionary is too large',
  6: 'it uses a filter or a checksum that only xz itself knows',
};
const CODE_NO_XZ = '5';
const CODE_CUT = '8';

/// The unpacked bytes, from at most `pieceBytes` stored ones at a time: the package drops what it was
/// unpacking from the piece where an error shows.
export async function* unpackXz(input: StoredBytes, pieceBytes: PieceBytes): AsyncGenerator<Uint8Array> {
  let pieceAt = 0;
  let isAtEnd = false;
  const pieces = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        pieceAt = input.offset;
        const piece = await input.takeSome(pieceBytes(pieceAt));
        isAtEnd = piece.length === 0;
        if (isAtEnd) controller.close();
        else controller.enqueue(piece);
      },
    },
    // Only what is asked for: the offset is that of the piece being unpacked.
    { highWaterMark: 0 },
  );
  try {
    yield* new xzDecompress.XzReadableStream(pieces);
  } catch (error) {
    if (error instanceof ReadFailure) throw error;
    const code = /error code (\d+)/.exec((error as Error).message)?.[1] ?? '';
    if (isAtEnd || code === CODE_CUT) throw new BrokenStream(input.offset, 'it ends inside a block', 'cut');
    if (code in BEYOND) throw new BrokenStream(pieceAt, BEYOND[code]!, 'beyond');
    throw new BrokenStream(
      pieceAt,
      code === CODE_NO_XZ ? 'what follows is no xz stream' : 'its data do not fit together',
    );
  }
}
