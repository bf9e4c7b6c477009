/// PACK, SoftEther's list of named values, as it travels in clear to and from
/// NAT-T servers. Everything in it is what some sender claims.
///
///     count 4 | { name length + 1 4 | name | type 4 | value count 4 | values }
///     int 4 · int64 8 · data, text: length 4, bytes
///
/// Source: S4 and S5 Pack.c WritePack, WriteElement, WriteValue (facts 2.3).

import { latin1 } from '../../wire/latin1.js';

const TYPE_INT = 0;
const TYPE_DATA = 1;
const TYPE_TEXT = 2;
const TYPE_UNICODE = 3;
const TYPE_INT64 = 4;

/// Most elements read, and most characters kept of a name or text. NAT-T messages have at most 12 elements
/// (facts 7.1); Pack.h allows names of 63 characters.
const MAX_ELEMENTS = 64;
const MAX_NAME = 63;
const MAX_TEXT = 255;

export type PackValue = number | string | Uint8Array;

/// Values by name in small letters; of an element with several values the
/// first. Null if the bytes are no complete PACK. Text is one character a
/// byte and may hold anything.
export function readPack(bytes: Uint8Array, at: number, length: number): Map<string, PackValue> | null {
  const end = at + length;
  let next = at;
  const left = (): number => end - next;
  const int = (): number => {
    const value = ((bytes[next]! << 24) | (bytes[next + 1]! << 16) | (bytes[next + 2]! << 8)) >>> 0;
    next += 4;
    return value + bytes[next - 1]!;
  };

  if (left() < 4) return null;
  const count = int();
  if (count === 0 || count > MAX_ELEMENTS) return null;
  const values = new Map<string, PackValue>();
  for (let i = 0; i < count; i++) {
    if (left() < 4) return null;
    const nameLength = int() - 1;
    if (nameLength < 1 || nameLength > MAX_NAME || left() < nameLength + 8) return null;
    const name = text(bytes, next, nameLength).toLowerCase();
    next += nameLength;
    const type = int();
    const valueCount = int();
    // Each value takes four bytes at least.
    if (valueCount > left() / 4) return null;
    for (let v = 0; v < valueCount; v++) {
      if (left() < 4) return null;
      let value: PackValue;
      if (type === TYPE_INT) value = int();
      else if (type === TYPE_INT64) {
        if (left() < 8) return null;
        value = int() * 2 ** 32 + int();
      } else if (type === TYPE_DATA || type === TYPE_TEXT || type === TYPE_UNICODE) {
        const size = int();
        if (size > left()) return null;
        const kept = Math.min(size, MAX_TEXT);
        value = type === TYPE_DATA ? bytes.slice(next, next + kept) : text(bytes, next, kept);
        next += size;
      } else return null;
      if (v === 0 && !values.has(name)) values.set(name, value);
    }
  }
  return next === end ? values : null;
}

/// One character a byte, up to a NUL.
function text(bytes: Uint8Array, at: number, length: number): string {
  let end = at;
  while (end < at + length && bytes[end] !== 0) end++;
  return latin1(bytes, at, end);
}
