/// Captures of any content, for fast-check.

import type { TestFrame } from './capture-builder.js';
import fc from './property.js';

/// Frames of any bytes with times that a pcap file can hold, in any order. None is
/// empty at the time zero: its header would be zero bytes, which are damage.
export function anyFrames(maxLength = 12): fc.Arbitrary<TestFrame[]> {
  const frame = fc
    .record({
      bytes: fc.uint8Array({ maxLength: 90 }),
      timeUs: fc.integer({ min: 1, max: 4_294_967_295 * 1e6 }),
      cutOff: fc.oneof(fc.constant(0), fc.nat(3000)),
    })
    .map(({ bytes, timeUs, cutOff }) => ({ bytes, timeUs, originalLen: bytes.length + cutOff }));
  return fc.array(frame, { maxLength });
}

/// Lengths of the pieces in which a capture may arrive, empty ones too.
export function anyChunks(): fc.Arbitrary<number[]> {
  return fc.array(fc.oneof(fc.nat(20), fc.nat(300)), { maxLength: 40 });
}
