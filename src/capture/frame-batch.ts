/// Frames on their way from a capture to the engine, as a struct of arrays.

import {
  BATCH_FRAMES,
  FRAME_BATCH_BYTES,
  FRAME_CAPTURED,
  FRAME_LINK_TYPE,
  FRAME_NUMBER,
  FRAME_OFFSET,
  FRAME_ORIGINAL,
  FRAME_TIME,
} from '../loops/layout.js';
import { type Place, placeOutside } from '../loops/memory.js';

export { BATCH_FRAMES, FRAME_BATCH_BYTES, LINKTYPE_NO_PACKET } from '../loops/layout.js';

/// Frames in recorded order. The batch and the bytes that it points into are
/// borrowed: they are valid until the sink returns, then they are used again.
///
///     entry i:  bytes[offset[i] .. offset[i] + capturedLen[i])   the frame
///               originalLen[i]   its length on the wire, >= capturedLen[i]
///               timeUs[i]        microseconds since 1970, rounded down
///               linkType[i]      LINKTYPE_ number, or LINKTYPE_NO_PACKET
///               frame[i]         1-based number in its file, as Wireshark counts
export class FrameBatch {
  count = 0;
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  /// Address of the bytes, if these and the batch are in the memory of the loops; else 0.
  bytesAt = 0;
  readonly timeUs: Float64Array;
  readonly offset: Int32Array;
  readonly capturedLen: Int32Array;
  readonly originalLen: Int32Array;
  readonly linkType: Int32Array;
  readonly frame: Uint32Array;

  /// In FRAME_BATCH_BYTES of this place.
  constructor(readonly place: Place = placeOutside(FRAME_BATCH_BYTES)) {
    const { buffer, at } = place;
    const column = (from: number) => new Int32Array(buffer, at + from, BATCH_FRAMES);
    this.timeUs = new Float64Array(buffer, at + FRAME_TIME, BATCH_FRAMES);
    this.offset = column(FRAME_OFFSET);
    this.capturedLen = column(FRAME_CAPTURED);
    this.originalLen = column(FRAME_ORIGINAL);
    this.linkType = column(FRAME_LINK_TYPE);
    this.frame = new Uint32Array(buffer, at + FRAME_NUMBER, BATCH_FRAMES);
  }
}

/// Takes a batch and is done with it when it returns.
export type FrameSink = (batch: FrameBatch) => void;
