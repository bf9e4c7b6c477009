/// zstd (RFC 8878). Frames and blocks are walked here, so that a break can be named, a window too
/// large be refused, memory stay bounded and checksums be checked; what is in a block is unpacked by
/// fzstd.

import { Decompress } from 'fzstd';
import { MAX_ZSTD_WINDOW_BYTES } from '../limits.js';
import { checksumBreak, cut, isSkippable, loadHashes, passSkippable } from './frames.js';
import { BrokenStream, type StoredBytes } from './stored-bytes.js';

const MAGIC = 0xfd2f_b528;

const FLAG_SINGLE_SEGMENT = 0x20;
const FLAG_CHECKSUM = 0x04;
const MAX_HEADER_BYTES = 18;
const BLOCK_HEADER_BYTES = 3;
const BLOCK_IS_LAST = 1;
const BLOCK_TYPE_RLE = 1;
/// Block_Maximum_Size.
const MAX_BLOCK_BYTES = 131_072;

/// The unpacked bytes. Where a checksum is wrong, that is thrown at the end: what follows can be right.
export async function* unpackZstd(input: StoredBytes): AsyncGenerator<Uint8Array> {
  let wrong: BrokenStream | undefined;
  for (;;) {
    const head = await input.look(MAX_HEADER_BYTES);
    if (head.length === 0) {
      if (wrong !== undefined) throw wrong;
      return;
    }
    if (head.length < 4) throw cut(input);
    const magic = viewOf(head).getUint32(0, true);
    if (magic === MAGIC) wrong = (yield* unpackFrame(input, head)) ?? wrong;
    else if (isSkippable(magic)) await passSkippable(input);
    else throw new BrokenStream(input.offset, 'what follows is no zstd frame');
  }
}

async function* unpackFrame(
  input: StoredBytes,
  head: Uint8Array,
): AsyncGenerator<Uint8Array, BrokenStream | undefined> {
  const header = readHeader(input, head);
  const unpacked: Uint8Array[] = [];
  const content = header.hasChecksum ? (await loadHashes()).create64(0n) : undefined;
  const fzstd = new Decompress((bytes) => {
    content?.update(bytes);
    unpacked.push(bytes);
  });
  const push = (bytes: Uint8Array, isLast: boolean): Uint8Array[] => {
    try {
      fzstd.push(bytes, isLast);
    } catch (error) {
      throw new BrokenStream(input.offset, String((error as Error).message));
    }
    return unpacked.splice(0);
  };
  push(head.subarray(0, header.bytes), false);
  input.skip(header.bytes);
  // fzstd keeps what it was given for ever if that ends where a block does: it gets a byte more each time.
  let ahead = 0;
  for (let isLast = false; !isLast; ) {
    const start = await input.look(BLOCK_HEADER_BYTES);
    if (start.length < BLOCK_HEADER_BYTES) throw cut(input);
    const field = start[0]! | (start[1]! << 8) | (start[2]! << 16);
    const size = field >> 3;
    if (size > MAX_BLOCK_BYTES) throw new BrokenStream(input.offset, `a block claims ${size} bytes`);
    const length = BLOCK_HEADER_BYTES + (((field >> 1) & 3) === BLOCK_TYPE_RLE ? 1 : size);
    isLast = (field & BLOCK_IS_LAST) !== 0;
    const block = await input.look(length + Number(!isLast));
    if (block.length < length) throw cut(input);
    yield* push(block.subarray(ahead), false);
    ahead = block.length - length;
    input.skip(length);
  }
  const checksum = await input.look(header.hasChecksum ? 4 : 0);
  if (header.hasChecksum && checksum.length < 4) throw cut(input);
  yield* push(checksum, true);
  if (content === undefined) return undefined;
  return await checksumBreak(input, Number(content.digest() & 0xffff_ffffn), 'frame');
}

/// The length of the frame's header, and whether there is a checksum at its end.
function readHeader(input: StoredBytes, head: Uint8Array): { bytes: number; hasChecksum: boolean } {
  const flags = head[4] ?? 0;
  const isSingleSegment = (flags & FLAG_SINGLE_SEGMENT) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = flags >> 6 === 0 ? Number(isSingleSegment) : 1 << (flags >> 6);
  const windowAt = 5;
  const sizeAt = windowAt + Number(!isSingleSegment) + dictionaryBytes;
  const bytes = sizeAt + sizeBytes;
  if (head.length < bytes) throw cut(input);
  if (dictionaryBytes > 0) {
    throw new BrokenStream(
      input.offset,
      'it was packed with a dictionary, which only its maker has',
      'beyond',
    );
  }
  const window = isSingleSegment ? contentSize(head, sizeAt, sizeBytes) : windowSize(head[windowAt]!);
  if (window > MAX_ZSTD_WINDOW_BYTES) {
    const most = `${MAX_ZSTD_WINDOW_BYTES / 1_048_576} MiB`;
    throw new BrokenStream(
      input.offset,
      `it looks back more than ${most}, which zstd does only with --long=31`,
      'beyond',
    );
  }
  return { bytes, hasChecksum: (flags & FLAG_CHECKSUM) !== 0 };
}

/// Window_Descriptor: exponent and mantissa.
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/// Frame_Content_Size.
function contentSize(head: Uint8Array, at: number, length: number): number {
  const view = viewOf(head);
  if (length === 1) return view.getUint8(at);
  if (length === 2) return view.getUint16(at, true) + 256;
  return length === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
