/// Names what a file is that is no capture, so that a message can say what was
/// found and not only what was missing.

/// First bytes of files that people mistake for captures, or that hold one.
const FORMATS: readonly (readonly [name: string, ...magic: number[]])[] = [
  ['a gzip stream inside a gzip stream', 0x1f, 0x8b],
  ['a zstd stream, which this version does not unpack', 0x28, 0xb5, 0x2f, 0xfd],
  ['an lz4 stream, which this version does not unpack', 0x04, 0x22, 0x4d, 0x18],
  ['an xz stream, which this version does not unpack', 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ['a bzip2 stream, which this version does not unpack', 0x42, 0x5a, 0x68],
  ['a zip archive', 0x50, 0x4b, 0x03, 0x04],
  ['a Sun snoop capture, which this version does not read', 0x73, 0x6e, 0x6f, 0x6f, 0x70],
  ['a Microsoft Network Monitor capture', 0x47, 0x4d, 0x42, 0x55],
  ['a Microsoft Network Monitor capture', 0x52, 0x54, 0x53, 0x53],
  ['an ELF program', 0x7f, 0x45, 0x4c, 0x46],
  ['a PDF document', 0x25, 0x50, 0x44, 0x46],
];

/// Bytes of a file's beginning that tell what it is.
export const FOREIGN_HEAD_BYTES = 64;

const EXPECTED = 'a pcap or pcapng capture was expected, plain or gzip-compressed';

/// One sentence: what `head`, the first bytes of a file of `size` bytes, looks
/// like, and what was expected instead.
export function describeForeign(head: Uint8Array, size: number): string {
  if (size === 0) return `the file is empty; ${EXPECTED}`;
  const known = FORMATS.find(([, ...magic]) => magic.every((byte, i) => head[i] === byte));
  if (known !== undefined) return `found ${known[0]}; ${EXPECTED}`;
  const sample = head.subarray(0, FOREIGN_HEAD_BYTES);
  if (sample.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))) {
    return `found text; ${EXPECTED}`;
  }
  const first = Array.from(head.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `found a file that begins with the bytes ${first}; ${EXPECTED}`;
}
