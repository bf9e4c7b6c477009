/// lz4 (LZ4 Frame Format 1.6.4): frames, legacy frames, skippable frames, one after the other.
///
/// Written here because the packages for it either take a whole file at once (lz4js), with no check
/// of where a match points to, or are native code.

import { checksumBreak, cut, isSkippable, loadHashes, numberAt, passSkippable } from './frames.js';
import { BrokenStream, type StoredBytes } from './stored-bytes.js';

const MAGIC_FRAME = 0x184d_2204;
const MAGIC_LEGACY = 0x184c_2102;

const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_DICTIONARY = 0x01;

const BLOCK_IS_STORED = 0x8000_0000;

/// How far back a match can point.
const HISTORY_BYTES = 65_536;
const LEGACY_BLOCK_BYTES = 8_388_608;

/// The longest that a block can become by packing: LZ4_COMPRESSBOUND.
const packedBound = (bytes: number) => bytes + Math.ceil(bytes / 255) + 16;

const NOT_LZ4 = 'what follows is no lz4 frame';

/// The unpacked bytes, in parts that are valid until the next one is asked for. Where a checksum is
/// wrong, that is thrown at the end: what follows can be right.
export async function* unpackLz4(input: StoredBytes): AsyncGenerator<Uint8Array> {
  let wrong: BrokenStream | undefined;
  for (;;) {
    const magic = numberAt(await input.look(4), 0);
    if (magic === undefined) {
      if ((await input.look(1)).length > 0) throw cut(input);
      if (wrong !== undefined) throw wrong;
      return;
    }
    if (magic === MAGIC_FRAME) wrong = (yield* unpackFrame(input)) ?? wrong;
    else if (magic === MAGIC_LEGACY) yield* unpackLegacy(input);
    else if (isSkippable(magic)) await passSkippable(input);
    else throw new BrokenStream(input.offset, NOT_LZ4);
  }
}

async function* unpackFrame(input: StoredBytes): AsyncGenerator<Uint8Array, BrokenStream | undefined> {
  const head = await input.look(7);
  if (head.length < 7) throw cut(input);
  const flags = head[4]!;
  const blockBytes = 1 << (8 + 2 * ((head[5]! >> 4) & 7));
  if (flags >> 6 !== 1 || blockBytes < 65_536)
    throw new BrokenStream(input.offset, 'its header makes no sense');
  if (flags & FLAG_DICTIONARY) {
    throw new BrokenStream(
      input.offset,
      'it was packed with a dictionary, which only its maker has',
      'beyond',
    );
  }
  await input.pass(flags & FLAG_CONTENT_SIZE ? 15 : 7);
  const { create32, h32Raw } = await loadHashes();
  const content = flags & FLAG_CONTENT_CHECKSUM ? create32(0) : undefined;
  let wrong: BrokenStream | undefined;
  const block = new BlockDecoder(blockBytes);
  for (;;) {
    const field = numberAt(await input.look(4), 0);
    if (field === undefined) throw cut(input);
    if (field === 0) break;
    input.skip(4);
    const length = field & ~BLOCK_IS_STORED;
    if (length > blockBytes) throw new BrokenStream(input.offset - 4, `a block claims ${length} bytes`);
    const stored = await input.look(length);
    for await (const bytes of block.unpack(input, length, field >>> 31 === 1)) {
      content?.update(bytes);
      yield bytes;
    }
    if (flags & FLAG_BLOCK_CHECKSUM)
      wrong = (await checksumBreak(input, h32Raw(stored, 0), 'block')) ?? wrong;
  }
  input.skip(4);
  if (content !== undefined) wrong = (await checksumBreak(input, content.digest(), 'frame')) ?? wrong;
  return wrong;
}

/// What `lz4 -l` and the Linux kernel write: blocks up to the end, or up to the next frame.
async function* unpackLegacy(input: StoredBytes): AsyncGenerator<Uint8Array> {
  input.skip(4);
  const block = new BlockDecoder(LEGACY_BLOCK_BYTES);
  for (;;) {
    const length = numberAt(await input.look(4), 0);
    if (length === undefined || length > packedBound(LEGACY_BLOCK_BYTES)) return;
    input.skip(4);
    block.forget();
    yield* block.unpack(input, length, false);
  }
}

/// Unpacks the blocks of one frame into one buffer, behind what they may refer back to.
class BlockDecoder {
  private readonly out: Uint8Array;
  private historyBytes = 0;

  constructor(blockBytes: number) {
    this.out = new Uint8Array(HISTORY_BYTES + blockBytes);
  }

  forget(): void {
    this.historyBytes = 0;
  }

  /// Unpacks a block of `length` stored bytes. What could be unpacked of a broken one comes first.
  async *unpack(input: StoredBytes, length: number, isStored: boolean): AsyncGenerator<Uint8Array> {
    const { out } = this;
    const stored = await input.look(length);
    const start = HISTORY_BYTES;
    let end: number;
    let isWhole = true;
    if (isStored) {
      out.set(stored, start);
      end = start + stored.length;
    } else {
      end = decodeBlock(stored, out, start, start - this.historyBytes);
      isWhole = end >= 0;
      if (!isWhole) end = ~end;
    }
    if (end > start) yield out.subarray(start, end);
    if (stored.length < length)
      throw new BrokenStream(input.offset + stored.length, 'it ends inside a block', 'cut');
    if (!isWhole) throw new BrokenStream(input.offset, 'the block that begins here makes no sense');
    input.skip(length);
    const kept = Math.min(HISTORY_BYTES, this.historyBytes + end - start);
    out.copyWithin(start - kept, end - kept, end);
    this.historyBytes = kept;
  }
}

/// Unpacks `stored` into `out` from `start` on; matches may reach back to `historyAt`. Returns the
/// end of what was unpacked, or its complement (`~end`) if the block is broken there.
function decodeBlock(stored: Uint8Array, out: Uint8Array, start: number, historyAt: number): number {
  const end = stored.length;
  let at = 0;
  let to = start;
  while (at < end) {
    const token = stored[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at === end) return ~to;
        more = stored[at++]!;
        literals += more;
      } while (more === 255);
    }
    if (at + literals > end || to + literals > out.length) return ~to;
    if (literals > 32) {
      out.set(stored.subarray(at, at + literals), to);
      at += literals;
      to += literals;
    } else for (const stop = at + literals; at < stop; ) out[to++] = stored[at++]!;
    // The last sequence of a block has no match.
    if (at === end) return to;
    if (at + 2 > end) return ~to;
    const distance = stored[at]! | (stored[at + 1]! << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more: number;
      do {
        if (at === end) return ~to;
        more = stored[at++]!;
        length += more;
      } while (more === 255);
    }
    let from = to - distance;
    if (distance === 0 || from < historyAt || to + length > out.length) return ~to;
    if (length > 32 && distance >= length) {
      out.copyWithin(to, from, from + length);
      to += length;
    } else if (distance === 1) {
      out.fill(out[from]!, to, to + length);
      to += length;
    } else for (const stop = to + length; to < stop; ) out[to++] = out[from++]!;
  }
  return to;
}
