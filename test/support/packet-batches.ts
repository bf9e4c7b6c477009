/// Batches of a single packet.

import type { Packet } from '#sealert/wire/packet.js';
import { PacketBatch } from '#sealert/wire/packet-batch.js';

/// `view` holds the bytes that the packet was decoded from.
export function batchOf(packet: Packet, view: DataView, timeUs: number, frame = 1): PacketBatch {
  const batch = new PacketBatch(1);
  const frames = {
    count: 1,
    bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
    view,
    offset: new Int32Array(1),
    capturedLen: Int32Array.of(view.byteLength),
    originalLen: Int32Array.of(view.byteLength),
    timeUs: Float64Array.of(timeUs),
    linkType: Int32Array.of(1),
    frame: Uint32Array.of(frame),
  };
  batch.takeWhole(frames, packet);
  return batch;
}
