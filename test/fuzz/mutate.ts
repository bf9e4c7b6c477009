/// Changes to bytes as damage and malice make them, for fast-check to choose and to shrink.

import { concat } from '../support/capture-builder.js';
import fc from '../support/property.js';

/// Numbers at which length fields, counts and signs go wrong.
const NUMBERS = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x40000, 0x7fff_ffff,
  0x8000_0000, 0xffff_fffc, 0xffff_ffff,
];

type Change = (bytes: Uint8Array, at: number) => Uint8Array;

const set = (bytes: Uint8Array, at: number, by: Uint8Array) => {
  const copy = bytes.slice();
  copy.set(by.subarray(0, copy.length - at), at);
  return copy;
};

function numberBytes(value: number, size: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  return littleEndian ? bytes.subarray(0, size) : bytes.subarray(4 - size);
}

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.nat(7).map(
    (bit): Change =>
      (bytes, at) =>
        set(bytes, at, Uint8Array.of((bytes[at] ?? 0) ^ (1 << bit))),
  ),
  fc.tuple(fc.constantFrom(...NUMBERS), fc.constantFrom(1, 2, 4), fc.boolean()).map(
    ([value, size, order]): Change =>
      (bytes, at) =>
        set(bytes, at, numberBytes(value, size, order)),
  ),
  fc.uint8Array({ maxLength: 64 }).map(
    (by): Change =>
      (bytes, at) =>
        set(bytes, at, by),
  ),
  fc.uint8Array({ maxLength: 64 }).map(
    (by): Change =>
      (bytes, at) =>
        concat(bytes.subarray(0, at), by, bytes.subarray(at)),
  ),
  fc.nat(600).map(
    (length): Change =>
      (bytes, at) =>
        concat(bytes.subarray(0, at), bytes.subarray(at + length)),
  ),
  fc.nat(600).map(
    (length): Change =>
      (bytes, at) =>
        concat(bytes.subarray(0, at + length), bytes.subarray(at)),
  ),
  fc.constant<Change>((bytes, at) => bytes.subarray(0, at)),
  fc.nat().map(
    (from): Change =>
      (bytes, at) =>
        concat(bytes.subarray(0, at), bytes.subarray(from % bytes.length)),
  ),
  fc.nat(4096).map(
    (length): Change =>
      (bytes, at) =>
        set(bytes, at, new Uint8Array(length)),
  ),
);

/// One to four changes. Half of them hit the first bytes, where most formats have their lengths.
export const anyMutation: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .array(fc.tuple(anyChange, fc.nat(0x7fff_ffff), fc.boolean()), { minLength: 1, maxLength: 4 })
  .map((changes) => (bytes) => {
    let changed = bytes;
    for (const [change, place, isNear] of changes) {
      if (changed.length === 0) break;
      changed = change(changed, place % (isNear ? Math.min(changed.length, 64) : changed.length));
    }
    // A copy of exactly this length: what reads beyond it, reads beyond its buffer.
    return Uint8Array.from(changed);
  });
