/// bzip2: blocks of up to 900 kB, each sorted (Burrows-Wheeler), moved to front and Huffman-coded.
///
/// Written here because no package unpacks it block by block in bounded memory: unbzip2-stream makes
/// a JavaScript array of a block's bytes, which can be 46 million (it took 1 GB), and is several times
/// slower; the others take a whole file at once.

import { crc32Table } from './crc32.js';
import { type BreakKind, BrokenStream, type StoredBytes } from './stored-bytes.js';

const BLOCK_MAGIC = [0x3141_59, 0x2653_59] as const;
const END_MAGIC = [0x1772_45, 0x3850_90] as const;

const MAX_CODE_BITS = 20;
const SYMBOLS_PER_SELECTOR = 50;
/// The two digits of a run length come before all positions.
const RUN_A = 0;
const RUN_B = 1;

/// Most bytes that a block of this level can take: 20 bits a symbol, and its tables.
const storedBound = (level: number) => level * 250_000 + 40_000;

/// Unpacked bytes of a block that are kept back until its checksum is known. A longer block (a long
/// run unpacks to 46 MB) is handed on before.
const KEPT_BYTES = 8_388_608;
const PART_BYTES = 262_144;

/// The unpacked bytes.
export async function* unpackBzip2(input: StoredBytes): AsyncGenerator<Uint8Array> {
  for (;;) {
    const head = await input.look(4);
    if (head.length === 0) return;
    if (head.length < 4) throw new BrokenStream(input.offset, 'it ends inside a header', 'cut');
    const level = (head[3] ?? 0) - 0x30;
    if (head[0] !== 0x42 || head[1] !== 0x5a || head[2] !== 0x68 || level < 1 || level > 9) {
      throw new BrokenStream(input.offset, 'what follows is no bzip2 stream');
    }
    input.skip(4);
    yield* unpackStream(input, level);
  }
}

async function* unpackStream(input: StoredBytes, level: number): AsyncGenerator<Uint8Array> {
  const decoder = new BlockDecoder(level * 100_000);
  let bit = 0;
  for (;;) {
    const bits = new BitReader(await input.look(storedBound(level)), bit);
    try {
      const magic = [bits.read(24), bits.read(24)];
      if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) {
        bits.read(32);
        input.skip(bits.bytesBegun);
        return;
      }
      if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1])
        throw new Broken('no block begins here');
      decoder.read(bits);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      throw new BrokenStream(input.offset, error.message, error.kind);
    }
    yield* checked(decoder, input);
    bit = bits.at & 7;
    input.skip(bits.at >> 3);
  }
}

/// The bytes of a block, none of them if its checksum is wrong, unless it is very long.
function* checked(decoder: BlockDecoder, input: StoredBytes): Generator<Uint8Array> {
  const kept: Uint8Array[] = [];
  for (const part of decoder.parts()) {
    kept.push(part);
    if (kept.length * PART_BYTES >= KEPT_BYTES) yield* kept.splice(0);
  }
  if (!decoder.isSound) throw new BrokenStream(input.offset, 'the checksum of a block is wrong');
  yield* kept;
}

/// Why a block can not be read.
class Broken extends Error {
  constructor(
    reason: string,
    readonly kind: BreakKind = 'damaged',
  ) {
    super(reason);
  }
}

class BitReader {
  private readonly view: DataView;

  /// `at` counts bits.
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get bytesBegun(): number {
    return (this.at + 7) >> 3;
  }

  /// The next `count` bits (1 to 32) as a number.
  read(count: number): number {
    if (count > 24) return this.read(count - 16) * 65_536 + this.read(16);
    const value = this.look(count);
    this.take(count);
    return value;
  }

  /// The next `count` bits, at most 24, with zeros after the end.
  look(count: number): number {
    const { at, bytes } = this;
    const byte = at >> 3;
    const word =
      byte + 4 <= bytes.length
        ? this.view.getUint32(byte)
        : ((bytes[byte] ?? 0) << 24) | ((bytes[byte + 1] ?? 0) << 16) | ((bytes[byte + 2] ?? 0) << 8);
    return (word << (at & 7)) >>> (32 - count);
  }

  take(count: number): void {
    this.at += count;
    if (this.at > this.bytes.length * 8) throw new Broken('it ends inside a block', 'cut');
  }
}

/// A canonical Huffman code.
class Code {
  /// For each length the largest code word, left-aligned to MAX_CODE_BITS; and what turns a word into a symbol.
  private readonly limits = new Int32Array(MAX_CODE_BITS + 2);
  private readonly bases = new Int32Array(MAX_CODE_BITS + 2);
  private readonly symbols: Uint16Array;
  private readonly shortest: number;

  constructor(lengths: Uint8Array) {
    const order = Array.from(lengths.keys()).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
    this.symbols = Uint16Array.from(order);
    this.shortest = lengths[order[0]!]!;
    let word = 0;
    let used = 0;
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      const count = lengths.reduce((sum, other) => sum + Number(other === length), 0);
      this.bases[length] = used - word;
      word += count;
      used += count;
      this.limits[length] = word << (MAX_CODE_BITS - length);
      word <<= 1;
    }
  }

  read(bits: BitReader): number {
    const word = bits.look(MAX_CODE_BITS);
    let length = this.shortest;
    while (length <= MAX_CODE_BITS && word >= this.limits[length]!) length++;
    if (length > MAX_CODE_BITS) throw new Broken('a code word is not in the table');
    bits.take(length);
    return this.symbols[this.bases[length]! + (word >>> (MAX_CODE_BITS - length))]!;
  }
}

/// One block at a time; the same memory for all.
class BlockDecoder {
  /// First the sorted bytes; then above each byte the place of the one that follows it.
  private readonly chain: Uint32Array;
  private length = 0;
  private origin = 0;
  private checksum = 0;
  /// After all parts: whether the checksum is right.
  isSound = false;

  constructor(blockBytes: number) {
    this.chain = new Uint32Array(blockBytes);
  }

  /// Reads a block, its magic aside.
  read(bits: BitReader): void {
    this.checksum = bits.read(32);
    if (bits.read(1) === 1) throw new Broken('it was written by a bzip2 older than 0.9.5', 'beyond');
    this.origin = bits.read(24);
    const alphabet = readAlphabet(bits);
    const codeCount = bits.read(3);
    if (codeCount < 2 || codeCount > 6) throw new Broken(`a block claims ${codeCount} code tables`);
    const selectors = readSelectors(bits, codeCount);
    const codes = Array.from({ length: codeCount }, () => readCode(bits, alphabet.length + 2));
    const counts = this.readSymbols(bits, alphabet, selectors, codes);
    if (this.origin >= this.length) throw new Broken('a block begins outside itself');
    this.link(counts);
  }

  /// Undoes the Huffman code, the runs and the moves to front; returns how often each byte is there.
  private readSymbols(
    bits: BitReader,
    alphabet: Uint8Array,
    selectors: Uint8Array,
    codes: Code[],
  ): Int32Array {
    const { chain } = this;
    const counts = new Int32Array(256);
    const endOfBlock = alphabet.length + 1;
    let length = 0;
    let run = 0;
    let runDigit = 1;
    for (let group = 0; ; group++) {
      if (group === selectors.length) throw new Broken('a block has no end');
      const code = codes[selectors[group]!]!;
      for (let i = 0; i < SYMBOLS_PER_SELECTOR; i++) {
        const symbol = code.read(bits);
        if (symbol === RUN_A || symbol === RUN_B) {
          run += runDigit << symbol;
          runDigit <<= 1;
          if (run > chain.length) throw new Broken('a block is longer than its level allows');
          continue;
        }
        if (run > 0) {
          const byte = alphabet[0]!;
          if (length + run > chain.length) throw new Broken('a block is longer than its level allows');
          chain.fill(byte, length, length + run);
          counts[byte]! += run;
          length += run;
          run = 0;
          runDigit = 1;
        }
        if (symbol === endOfBlock) {
          this.length = length;
          return counts;
        }
        if (length === chain.length) throw new Broken('a block is longer than its level allows');
        const place = symbol - 1;
        const byte = alphabet[place]!;
        // copyWithin is the faster way only for a long one.
        if (place > 16) alphabet.copyWithin(1, 0, place);
        else for (let i = place; i > 0; i--) alphabet[i] = alphabet[i - 1]!;
        alphabet[0] = byte;
        counts[byte]!++;
        chain[length++] = byte;
      }
    }
  }

  /// Undoes the sorting: says of each byte where the next one is.
  private link(counts: Int32Array): void {
    const { chain, length } = this;
    let sum = 0;
    const places = counts.map((count) => {
      sum += count;
      return sum - count;
    });
    for (let i = 0; i < length; i++) {
      const place = places[chain[i]! & 0xff]!++;
      chain[place]! |= i << 8;
    }
  }

  /// Follows the chain and undoes the first run-length code: four equal bytes, then how many more.
  *parts(): Generator<Uint8Array> {
    const { chain, length } = this;
    let link = chain[this.origin]!;
    let crc = -1;
    let last = -1;
    let equal = 0;
    let part = new Uint8Array(PART_BYTES);
    let to = 0;
    for (let i = 0; i < length; i++) {
      link = chain[link >>> 8]!;
      const byte = link & 0xff;
      let copies = 1;
      let value = byte;
      if (equal === 4) {
        copies = byte;
        value = last;
        equal = 0;
        last = -1;
      } else if (byte === last) equal++;
      else {
        equal = 1;
        last = byte;
      }
      for (; copies > 0; copies--) {
        if (to === PART_BYTES) {
          yield part;
          part = new Uint8Array(PART_BYTES);
          to = 0;
        }
        part[to++] = value;
        crc = (crc << 8) ^ crc32Table[(crc >>> 24) ^ value]!;
      }
    }
    this.isSound = ~crc >>> 0 === this.checksum;
    yield part.subarray(0, to);
  }
}

/// The bytes that occur in the block: a map of 16 maps.
function readAlphabet(bits: BitReader): Uint8Array {
  const used: number[] = [];
  const ranges = bits.read(16);
  for (let range = 0; range < 16; range++) {
    if (((ranges >> (15 - range)) & 1) === 0) continue;
    const map = bits.read(16);
    for (let i = 0; i < 16; i++) if ((map >> (15 - i)) & 1) used.push(range * 16 + i);
  }
  if (used.length === 0) throw new Broken('a block uses no byte');
  return Uint8Array.from(used);
}

/// Which code table each 50 symbols use, moved to front.
function readSelectors(bits: BitReader, codeCount: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  const order = Uint8Array.from({ length: codeCount }, (_, i) => i);
  for (let i = 0; i < selectors.length; i++) {
    let place = 0;
    while (bits.read(1) === 1)
      if (++place === codeCount) throw new Broken('a code table is named that is not there');
    const selector = order[place]!;
    order.copyWithin(1, 0, place);
    order[0] = selector;
    selectors[i] = selector;
  }
  return selectors;
}

/// The length of each code word, as a difference from the one before.
function readCode(bits: BitReader, symbolCount: number): Code {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_BITS) throw new Broken('a code word has no length');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new Code(lengths);
}
