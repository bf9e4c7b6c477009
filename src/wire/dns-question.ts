/// The name that a DNS message asks for (RFC 1035 section 4.1).

import { latin1 } from './latin1.js';

const HEADER_BYTES = 12;
/// RFC 1035 section 2.3.4: a name has at most 255 bytes on the wire.
const MAX_NAME_BYTES = 255;

/// The name of the first question, labels joined by dots, or null if there is
/// none or it is malformed. One character a byte; captured text is never trusted.
export function readDnsQuestion(bytes: Uint8Array, at: number, length: number): string | null {
  const end = at + Math.min(length, HEADER_BYTES + MAX_NAME_BYTES);
  if (length < HEADER_BYTES || ((bytes[at + 4]! << 8) | bytes[at + 5]!) === 0) return null;
  let name = '';
  for (let next = at + HEADER_BYTES; next < end; ) {
    const labelBytes = bytes[next]!;
    if (labelBytes === 0) return name === '' ? null : name;
    // The first name of a message cannot point back to another.
    if (labelBytes > 63 || next + 1 + labelBytes > end) return null;
    const label = latin1(bytes, next + 1, next + 1 + labelBytes);
    name += name === '' ? label : `.${label}`;
    next += 1 + labelBytes;
  }
  return null;
}
