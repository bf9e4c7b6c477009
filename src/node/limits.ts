/// What a compressed file may ask of the machine.

/// Most bytes that may come out of one stored byte. gzip can not reach it (1032 at most), lz4
/// neither (255). A capture could only with headers that say nothing: 64 KB packets of zeros, the
/// largest that segmentation offload makes, come out of 15 to 20 stored bytes each, some 4000 : 1.
export const MAX_UNPACKED_RATIO = 10_000;

/// Unpacked bytes that nobody asks about: reading them takes seconds, whatever they are.
export const UNPACKED_BYTES_FREE = 1_073_741_824;

/// Most bytes that a zstd frame may want to look back: what `zstd --ultra --long=27` writes, and the
/// most that `zstd -d` accepts unasked.
export const MAX_ZSTD_WINDOW_BYTES = 134_217_728;
