/// The smallest capture worth reading: classic pcap, microseconds, Ethernet.

const LINKTYPE_ETHERNET = 1;
const FRAME_BYTES = 60;

/// A capture of so many frames without any meaning, one per second.
export function tinyPcap(frames = 2): Uint8Array {
  const bytes = new Uint8Array(24 + frames * (16 + FRAME_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 65535, true);
  view.setUint32(20, LINKTYPE_ETHERNET, true);
  for (let i = 0; i < frames; i++) {
    const at = 24 + i * (16 + FRAME_BYTES);
    view.setUint32(at, Date.UTC(2026, 10, 23, 1, 1, 58) / 1000 + i, true);
    view.setUint32(at + 8, FRAME_BYTES, true);
    view.setUint32(at + 12, FRAME_BYTES, true);
  }
  return bytes;
}

/// The same, ended inside its last frame.
export function cutPcap(): Uint8Array {
  return tinyPcap().subarray(0, -30);
}
