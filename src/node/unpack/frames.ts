/// What the frames of lz4 and zstd have in common.

import xxhash, { type XXHashAPI } from 'xxhash-wasm';
import { BrokenStream, type StoredBytes } from './stored-bytes.js';

let hashes: Promise<XXHashAPI> | undefined;

/// What checksums are made with, ready when it is first asked for.
export function loadHashes(): Promise<XXHashAPI> {
  hashes ??= xxhash();
  return hashes;
}

/// The last four bits are free.
const MAGIC_SKIPPABLE = 0x184d_2a50;

export function isSkippable(magic: number): boolean {
  return (magic & ~15) >>> 0 === MAGIC_SKIPPABLE;
}

/// A frame that holds something else.
export async function passSkippable(input: StoredBytes): Promise<void> {
  const length = numberAt(await input.look(8), 4);
  if (length === undefined) throw cut(input);
  await input.pass(8 + length);
}

/// Takes the checksum (four bytes) of what was unpacked: whether it is another one.
export async function checksumBreak(
  input: StoredBytes,
  sum: number,
  of: 'block' | 'frame',
): Promise<BrokenStream | undefined> {
  const stored = numberAt(await input.look(4), 0);
  if (stored === undefined) throw cut(input);
  input.skip(4);
  if (stored === sum) return undefined;
  return new BrokenStream(input.offset - 4, `the checksum of the ${of} that ends here is wrong`);
}

/// The stream ends too early.
export function cut(input: StoredBytes): BrokenStream {
  return new BrokenStream(input.offset, 'it ends inside a frame', 'cut');
}

/// Four bytes, the least significant first; undefined if there are fewer.
export function numberAt(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length < at + 4) return undefined;
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
