/// The buffer between a source of bytes and a reader of records.
///
/// A record may begin in one chunk and end in the next. So that records are
/// always contiguous without copying the chunk, each chunk keeps room in front
/// of its data: the reader puts the unfinished tail of the chunk before there.
///
///     0 ............ CHUNK_HEADROOM .................... + CHUNK_BYTES
///          [tail of the last chunk][data from the source     ]

import { aligned, type Place, placeOutside } from '../loops/memory.js';
import { MAX_RECORD_BYTES, RESYNC_WINDOW_BYTES } from './limits.js';

/// Room in front of the data: the longest unfinished record, or what is held after damage. In a `Block` the data begins
/// at a cache line, where some processors copy faster to (scripts/bench/README.md).
export const CHUNK_HEADROOM = aligned(Math.max(MAX_RECORD_BYTES, RESYNC_WINDOW_BYTES));

/// Data bytes of one chunk. 1 MiB reads as fast as larger ones and stays in
/// the second-level cache of current machines (measured with `npm run bench`).
export const CHUNK_BYTES = 1 << 20;

export const CHUNK_BUFFER_BYTES = CHUNK_HEADROOM + CHUNK_BYTES;

export class ByteChunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /// Where a source writes: at most CHUNK_BYTES.
  readonly data: Uint8Array;

  /// In CHUNK_BUFFER_BYTES of this place.
  constructor(readonly place: Place = placeOutside(CHUNK_BUFFER_BYTES)) {
    this.bytes = new Uint8Array(place.buffer, place.at, CHUNK_BUFFER_BYTES);
    this.view = new DataView(place.buffer, place.at, CHUNK_BUFFER_BYTES);
    this.data = this.bytes.subarray(CHUNK_HEADROOM);
  }
}
