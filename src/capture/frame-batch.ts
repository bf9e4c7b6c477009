/// Frames on their way from a capture to the engine, as a struct of arrays.

/// Most frames in one batch. A chunk of small packets is delivered as several.
export const BATCH_FRAMES = 2048;
export const FRAME_BATCH_BYTES = BATCH_FRAMES * (8 + 5 * 4);

/// Link type of an entry that takes a frame number but holds no packet
/// (Wireshark counts, for example, pcapng custom blocks).
export const LINKTYPE_NO_PACKET = -1;

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
  readonly timeUs: Float64Array;
  readonly offset: Int32Array;
  readonly capturedLen: Int32Array;
  readonly originalLen: Int32Array;
  readonly linkType: Int32Array;
  readonly frame: Uint32Array;

  /// In `buffer`, of FRAME_BATCH_BYTES, which threads may share.
  constructor(buffer: ArrayBufferLike = new ArrayBuffer(FRAME_BATCH_BYTES)) {
    const column = (i: number) => new Int32Array(buffer, (i + 2) * BATCH_FRAMES * 4, BATCH_FRAMES);
    this.timeUs = new Float64Array(buffer, 0, BATCH_FRAMES);
    this.offset = column(0);
    this.capturedLen = column(1);
    this.originalLen = column(2);
    this.linkType = column(3);
    this.frame = new Uint32Array(buffer, 6 * BATCH_FRAMES * 4, BATCH_FRAMES);
  }
}

/// Takes a batch and is done with it when it returns.
export type FrameSink = (batch: FrameBatch) => void;
