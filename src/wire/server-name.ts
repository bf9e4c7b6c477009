/// The server name of a ClientHello in the first segment of a connection
/// (RFC 6066 section 3), found without allocating anything.

const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const VERSION_AND_RANDOM_BYTES = 34;
const EXTENSION_SERVER_NAME = 0;

/// Where a name lies; length 0: there is none.
export interface NamePlace {
  at: number;
  length: number;
}

/// Finds the name in the `length` bytes at `at`, as far as they go.
export function findServerName(bytes: Uint8Array, at: number, length: number, found: NamePlace): boolean {
  found.length = 0;
  const end = at + length;
  let next = at + RECORD_HEADER_BYTES + MESSAGE_HEADER_BYTES + VERSION_AND_RANDOM_BYTES;
  if (next >= end) return false;
  next += 1 + bytes[next]!;
  if (next + 2 > end) return false;
  next += 2 + ((bytes[next]! << 8) | bytes[next + 1]!);
  if (next >= end) return false;
  next += 1 + bytes[next]! + 2;
  while (next + 4 <= end) {
    const type = (bytes[next]! << 8) | bytes[next + 1]!;
    const dataLength = (bytes[next + 2]! << 8) | bytes[next + 3]!;
    next += 4;
    if (type === EXTENSION_SERVER_NAME) {
      // List length, kind of name, length of the name.
      if (next + 5 > end || bytes[next + 2] !== 0) return false;
      const nameLength = (bytes[next + 3]! << 8) | bytes[next + 4]!;
      if (next + 5 + nameLength > end) return false;
      found.at = next + 5;
      found.length = nameLength;
      return nameLength > 0;
    }
    next += dataLength;
  }
  return false;
}
