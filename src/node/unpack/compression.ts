/// The compressions that are unpacked, told by their first bytes.

import type { PieceBytes, StoredBytes } from './stored-bytes.js';

export type Compression = 'gzip' | 'zstd' | 'lz4' | 'bzip2' | 'xz';

/// Bytes of a file's beginning that tell its compression.
export const COMPRESSION_HEAD_BYTES = 6;

const MAGICS: readonly (readonly [Compression, ...magic: number[]])[] = [
  ['gzip', 0x1f, 0x8b],
  ['zstd', 0x28, 0xb5, 0x2f, 0xfd],
  ['lz4', 0x04, 0x22, 0x4d, 0x18],
  // Its older frame, of `lz4 -l`.
  ['lz4', 0x02, 0x21, 0x4c, 0x18],
  ['xz', 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  ...Array.from({ length: 9 }, (_, level) => bzip2Magic(0x31 + level, 0x31, 0x41)),
  // A stream without a block.
  ...Array.from({ length: 9 }, (_, level) => bzip2Magic(0x31 + level, 0x17, 0x72)),
  // Skippable frames: pzstd begins with one, lz4 never does.
  ...Array.from({ length: 16 }, (_, i) => ['zstd', 0x50 + i, 0x2a, 0x4d, 0x18] as const),
];

function bzip2Magic(...rest: number[]): readonly [Compression, ...number[]] {
  return ['bzip2', 0x42, 0x5a, 0x68, ...rest];
}

/// What `head`, the first bytes of a file, is compressed with.
export function compressionOf(head: Uint8Array): Compression | null {
  return MAGICS.find(([, ...magic]) => magic.every((byte, i) => head[i] === byte))?.[0] ?? null;
}

/// Gives the unpacked bytes in parts, each valid until the next one is asked for.
export type Decoder = (input: StoredBytes, pieceBytes: PieceBytes) => AsyncGenerator<Uint8Array>;

/// The decoder of a compression other than gzip, loaded when it is first needed.
export async function loadDecoder(compression: Exclude<Compression, 'gzip'>): Promise<Decoder> {
  switch (compression) {
    case 'zstd':
      return (await import('./zstd.js')).unpackZstd;
    case 'lz4':
      return (await import('./lz4.js')).unpackLz4;
    case 'bzip2':
      return (await import('./bzip2.js')).unpackBzip2;
    case 'xz':
      return (await import('./xz.js')).unpackXz;
  }
}
