/// pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packets of three
/// kinds, drop counts. Blocks of other types are skipped.

import { type CaptureInterface, type CaptureSummary, noteLimit } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_INTERFACES, MAX_PACKET_BYTES, MAX_RECORD_BYTES, MAX_SKIPPED_BYTES } from './limits.js';
import { isPcapHeader } from './pcap.js';
import {
  DEFAULT_TSRESOL,
  isFinerThanMicroseconds,
  type TickConverter,
  tickConverter,
} from './pcapng-time.js';
import { BrokenRecord, NO_RECORD, type RecordParser, UNDECIDED } from './record-parser.js';
import { reachOf } from './resync.js';

const BLOCK_SECTION_HEADER = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_PACKET_OBSOLETE = 2;
const BLOCK_SIMPLE_PACKET = 3;
const BLOCK_INTERFACE_STATISTICS = 5;
const BLOCK_ENHANCED_PACKET = 6;

/// Blocks without a packet that Wireshark gives a frame number: custom blocks
/// (both forms), the systemd journal, and the event blocks of sysdig.
const NUMBERED_BLOCKS = new Set([
  0x0000_0bad, 0x4000_0bad, 9, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222, 0x223,
]);

/// Blocks that a search after damage takes for such: those above, and what else
/// capture programs write (name resolution, secrets).
const KNOWN_BLOCKS = new Set([
  BLOCK_INTERFACE,
  BLOCK_PACKET_OBSOLETE,
  BLOCK_SIMPLE_PACKET,
  4,
  BLOCK_INTERFACE_STATISTICS,
  BLOCK_ENHANCED_PACKET,
  10,
  BLOCK_SECTION_HEADER,
  ...NUMBERED_BLOCKS,
]);

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/// From here on a type may be the magic of a pcap file (and is nobody's else but of custom blocks).
const MIN_FOREIGN_TYPE = 0x1000_0000;

/// The length of a block stands at its end again.
export const TRAILING_LENGTH_BYTES = 4;

/// The fixed part of a section header with the lengths around it, and of an enhanced packet.
const SECTION_HEADER_BYTES = 28;
const ENHANCED_PACKET_BYTES = 32;

/// The longest block of a chain: the longest packet.
const MAX_CHAINED_BYTES = MAX_PACKET_BYTES + ENHANCED_PACKET_BYTES;

/// A packet's time may go back so far where it follows damage.
const MAX_BACK_US = 1_000_000;

/// Neighbouring packets further apart do not agree about the time.
const DAY_US = 86_400_000_000;

const OPTION_END = 0;
const OPTION_IF_TSRESOL = 9;
const OPTION_IF_TSOFFSET = 14;
const OPTION_EPB_DROPCOUNT = 4;
const OPTION_ISB_IFDROP = 5;
const OPTION_ISB_OSDROP = 7;

/// An interface of the present section.
interface Source extends CaptureInterface {
  toUs: TickConverter;
  /// Packets it says it lost, so far.
  dropped: number | null;
  /// The same as its packets say it, each of what was lost since the one before.
  droppedBetween: number;
}

/// In the obsolete packet block: it is not known how many were lost.
const DROPS_UNKNOWN = 0xffff;

/// True if a pcapng file can begin like this.
export function isSectionHeader(view: DataView, at: number): boolean {
  return view.getUint32(at, false) === BLOCK_SECTION_HEADER;
}

/// The same of 28 bytes that say more: the byte order too must be one.
export function isWholeSectionHeader(view: DataView, at: number): boolean {
  const isOrdered = [true, false].some((order) => view.getUint32(at + 8, order) === BYTE_ORDER_MAGIC);
  return isSectionHeader(view, at) && isOrdered;
}

export class PcapngParser implements RecordParser {
  /// A block whose lengths agree is not looked at again.
  previousAt = -1;
  private littleEndian = true;
  /// The byte order of the chain that is being measured.
  private chainLittleEndian = true;
  private longestBytes = 0;
  /// Time of the last packet that agreed with the one before it.
  private agreedUs = Number.NaN;
  /// The length of a block that was skipped, which has to stand at its end too; 0 if there is none.
  private skippedLength = 0;
  private sources: (Source | undefined)[] = [];
  private interfacesBeyondLimit = 0;

  constructor(
    private readonly writer: FrameWriter,
    private readonly summary: CaptureSummary,
  ) {}

  parse(_bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    if (this.skippedLength > 0) {
      if (end - at < TRAILING_LENGTH_BYTES) return at;
      this.endSkip(view, at);
      at += TRAILING_LENGTH_BYTES;
    }
    while (end - at >= 12) {
      // The type of a section header reads the same in both byte orders, and it
      // alone says which order its own length has.
      if (view.getUint32(at, false) === BLOCK_SECTION_HEADER) this.readByteOrder(view, at);
      const littleEndian = this.littleEndian;
      const type = view.getUint32(at, littleEndian);
      const length = view.getUint32(at + 4, littleEndian);
      if (length < 12 || length > MAX_SKIPPED_BYTES || type >= MIN_FOREIGN_TYPE) {
        checkHeader(view, at, type, length);
      }
      // Blocks are padded to four bytes; some writers leave the padding out of the length.
      const padded = length + (-length & 3);
      if (padded > MAX_RECORD_BYTES) {
        if (end - at < MAX_RECORD_BYTES) return at;
        at = this.beginLong(view, at, type, length, padded);
        if (end - at < TRAILING_LENGTH_BYTES) return at;
        this.endSkip(view, at);
        at += TRAILING_LENGTH_BYTES;
        continue;
      }
      if (end - at < padded) return at;
      const trailing = view.getUint32(at + padded - TRAILING_LENGTH_BYTES, littleEndian);
      if (trailing !== length) {
        throw new BrokenRecord(
          at,
          `a block of type ${hex(type)} begins with the length ${length} but ends with ${trailing}`,
        );
      }
      this.readBlock(view, at, type, at + padded - TRAILING_LENGTH_BYTES, at + padded);
      at += padded;
    }
    return at;
  }

  /// Reads the beginning of a block that is longer than we look at; returns where its trailing length stands.
  private beginLong(view: DataView, at: number, type: number, length: number, padded: number): number {
    const trailingAt = at + padded - TRAILING_LENGTH_BYTES;
    noteLimit(this.summary, 'longBlocks');
    this.skippedLength = length;
    this.readBlock(view, at, type, at + MAX_RECORD_BYTES, trailingAt);
    return trailingAt;
  }

  private endSkip(view: DataView, at: number): void {
    const length = this.skippedLength;
    this.skippedLength = 0;
    const trailing = view.getUint32(at, this.littleEndian);
    if (trailing === length) return;
    throw new BrokenRecord(
      at,
      `a long block was skipped that begins with the length ${length} but ends with ${trailing}`,
    );
  }

  measure(view: DataView, at: number, previousAt: number, end: number): number {
    if (end - at < 12) return UNDECIDED;
    if (previousAt < 0) this.chainLittleEndian = this.littleEndian;
    const isSection = isSectionHeader(view, at);
    if (isSection && !this.measureByteOrder(view, at)) return NO_RECORD;
    const littleEndian = this.chainLittleEndian;
    const type = view.getUint32(at, littleEndian);
    if (type === 0 || !KNOWN_BLOCKS.has(type)) return NO_RECORD;
    const length = view.getUint32(at + 4, littleEndian);
    if (length < 12 || length % 4 !== 0 || length > MAX_CHAINED_BYTES) return NO_RECORD;
    if (isSection && length < SECTION_HEADER_BYTES) return NO_RECORD;
    if (type === BLOCK_ENHANCED_PACKET) {
      if (length < ENHANCED_PACKET_BYTES) return NO_RECORD;
      if (end - at < ENHANCED_PACKET_BYTES) return UNDECIDED;
      if (view.getUint32(at + 20, littleEndian) > length - ENHANCED_PACKET_BYTES) return NO_RECORD;
    }
    if (end - at < length) return UNDECIDED;
    const trailing = view.getUint32(at + length - TRAILING_LENGTH_BYTES, littleEndian);
    return trailing === length ? length : NO_RECORD;
  }

  /// A chain that begins with anything but a packet has no time to go by.
  reachFrom(view: DataView, at: number): number {
    if (this.chainTimeUs(view, at) === undefined) return MAX_CHAINED_BYTES;
    return reachOf(this.longestBytes, MAX_PACKET_BYTES) + 2 * ENHANCED_PACKET_BYTES;
  }

  mayFollow(view: DataView, at: number): boolean | undefined {
    const timeUs = this.chainTimeUs(view, at);
    return timeUs === undefined ? undefined : !(timeUs < this.agreedUs - MAX_BACK_US);
  }

  /// The time of an enhanced packet of a known interface.
  private chainTimeUs(view: DataView, at: number): number | undefined {
    const { littleEndian } = this;
    if (view.getUint32(at, littleEndian) !== BLOCK_ENHANCED_PACKET) return undefined;
    const source = this.sources[view.getUint32(at + 8, littleEndian)];
    return source?.toUs(view.getUint32(at + 12, littleEndian), view.getUint32(at + 16, littleEndian));
  }

  private measureByteOrder(view: DataView, at: number): boolean {
    this.chainLittleEndian = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
    return this.chainLittleEndian || view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC;
  }

  describeUnfinished(view: DataView, start: number, end: number): string {
    if (this.skippedLength > 0) return 'the file ends inside a long block';
    if (end - start < 8) return 'the file ends inside the header of a block';
    const type = view.getUint32(start, this.littleEndian);
    const length = view.getUint32(start + 4, this.littleEndian);
    return `the file ends inside a block of type ${hex(type)}: ${length} bytes announced, ${end - start} there`;
  }

  private readByteOrder(view: DataView, at: number): void {
    if (view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) this.littleEndian = true;
    else if (view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC) this.littleEndian = false;
    else {
      this.sources = [];
      throw new BrokenRecord(
        at,
        `a section header has the byte-order magic ${hex(view.getUint32(at + 8, false))}; ${hex(BYTE_ORDER_MAGIC)} was expected`,
      );
    }
  }

  /// `bodyEnd` is the end of what may be read: before the trailing length, or
  /// before what was left out of an overlong block. `resumeAt` is where reading goes on if the
  /// contents are wrong: the lengths around them agree.
  private readBlock(view: DataView, at: number, type: number, bodyEnd: number, resumeAt: number): void {
    try {
      this.readContents(view, at, type, bodyEnd);
    } catch (error) {
      if (!(error instanceof WrongContents)) throw error;
      throw new BrokenRecord(at, error.message, resumeAt);
    }
  }

  private readContents(view: DataView, at: number, type: number, bodyEnd: number): void {
    switch (type) {
      case BLOCK_ENHANCED_PACKET:
        this.readPacket(view, at, bodyEnd, false);
        break;
      case BLOCK_SIMPLE_PACKET:
        this.readSimplePacket(view, at, bodyEnd);
        break;
      case BLOCK_PACKET_OBSOLETE:
        this.readPacket(view, at, bodyEnd, true);
        break;
      case BLOCK_INTERFACE:
        this.readInterface(view, at, bodyEnd);
        break;
      case BLOCK_INTERFACE_STATISTICS:
        this.readStatistics(view, at, bodyEnd);
        break;
      case BLOCK_SECTION_HEADER:
        this.readSectionHeader(view, at, bodyEnd);
        break;
      default:
        if (NUMBERED_BLOCKS.has(type)) this.writer.addNumberOnly();
    }
  }

  private readSectionHeader(view: DataView, at: number, bodyEnd: number): void {
    // Even if it is broken: what follows does not belong to the interfaces of the section before.
    this.sources = [];
    if (bodyEnd - at < 24) throw new WrongContents('a section header is shorter than its fixed part');
    const major = view.getUint16(at + 12, this.littleEndian);
    const minor = view.getUint16(at + 14, this.littleEndian);
    if (major !== 1) {
      throw new BrokenRecord(at, `pcapng version ${major}.${minor} is unknown; version 1 was expected`);
    }
    this.summary.format ??= 'pcapng';
  }

  private readInterface(view: DataView, at: number, bodyEnd: number): void {
    if (bodyEnd - at < 16) {
      // It takes a number all the same.
      this.sources.push(undefined);
      throw new WrongContents('an interface description is shorter than its fixed part');
    }
    if (this.sources.length === MAX_INTERFACES) {
      this.interfacesBeyondLimit++;
      noteLimit(this.summary, 'interfaces');
      return;
    }
    let tsresol = DEFAULT_TSRESOL;
    let offsetSeconds = 0;
    for (const option of options(view, at + 16, bodyEnd, this.littleEndian)) {
      if (option.code === OPTION_IF_TSRESOL && option.length >= 1) tsresol = view.getUint8(option.at);
      if (option.code === OPTION_IF_TSOFFSET && option.length >= 8) {
        offsetSeconds = Number(view.getBigInt64(option.at, this.littleEndian));
      }
    }
    if (isFinerThanMicroseconds(tsresol)) this.summary.finerThanMicroseconds = true;
    const described: CaptureInterface = {
      linkType: view.getUint16(at + 8, this.littleEndian),
      snapLen: view.getUint32(at + 12, this.littleEndian),
      tsresol,
      offsetSeconds,
    };
    this.sources.push({
      ...described,
      toUs: tickConverter(tsresol, offsetSeconds),
      dropped: null,
      droppedBetween: 0,
    });
    if (this.summary.interfaces.length < MAX_INTERFACES) this.summary.interfaces.push(described);
  }

  /// The enhanced packet block and its obsolete forerunner differ in the field
  /// that names the interface: 32 bits, or 16 and a drop count.
  private readPacket(view: DataView, at: number, bodyEnd: number, isObsolete: boolean): void {
    if (bodyEnd - at < 28) {
      const name = isObsolete ? 'a packet block' : 'an enhanced packet block';
      throw new WrongContents(`${name} is shorter than its fixed part`);
    }
    const littleEndian = this.littleEndian;
    const id = isObsolete ? view.getUint16(at + 8, littleEndian) : view.getUint32(at + 8, littleEndian);
    const source = this.interfaceOf(id);
    const capturedLen = view.getUint32(at + 20, littleEndian);
    this.addPacket(
      at + 28,
      bodyEnd,
      capturedLen,
      view.getUint32(at + 24, littleEndian),
      source.toUs(view.getUint32(at + 12, littleEndian), view.getUint32(at + 16, littleEndian)),
      source.linkType,
    );
    const optionsAt = at + 28 + capturedLen + (-capturedLen & 3);
    if (isObsolete) {
      const drops = view.getUint16(at + 10, littleEndian);
      if (drops !== DROPS_UNKNOWN) this.addDrops(source, drops);
    } else if (bodyEnd - optionsAt > 4) this.readDropCount(view, optionsAt, bodyEnd, source);
  }

  /// As `options` below, which would allocate for every packet.
  private readDropCount(view: DataView, start: number, bodyEnd: number, source: Source): void {
    const littleEndian = this.littleEndian;
    for (let at = start; bodyEnd - at >= 4; ) {
      const code = view.getUint16(at, littleEndian);
      const length = view.getUint16(at + 2, littleEndian);
      if (code === OPTION_END || at + 4 + length > bodyEnd) return;
      if (code === OPTION_EPB_DROPCOUNT && length === 8) {
        this.addDrops(source, Number(view.getBigUint64(at + 4, littleEndian)));
      }
      at += 4 + length + (-length & 3);
    }
  }

  private addDrops(source: Source, drops: number): void {
    source.droppedBetween += drops;
    this.noteDropped(source, source.droppedBetween);
  }

  /// Each count is the total so far; where several sides count, the largest is the one that saw most.
  private noteDropped(source: Source, total: number): void {
    const before = source.dropped ?? 0;
    source.dropped = Math.max(before, total);
    this.summary.dropped = (this.summary.dropped ?? 0) + source.dropped - before;
  }

  /// A simple packet has no time: it is given that of the packet before it.
  private readSimplePacket(view: DataView, at: number, bodyEnd: number): void {
    if (bodyEnd - at < 12) throw new WrongContents('a simple packet block is shorter than its fixed part');
    const source = this.interfaceOf(0);
    const originalLen = view.getUint32(at + 8, this.littleEndian);
    const snapLen = source.snapLen === 0 ? originalLen : source.snapLen;
    const capturedLen = Math.min(originalLen, snapLen, bodyEnd - (at + 12));
    const timeUs = this.summary.packets === 0 ? 0 : this.summary.lastUs;
    this.addPacket(at + 12, bodyEnd, capturedLen, originalLen, timeUs, source.linkType);
  }

  private addPacket(
    dataAt: number,
    bodyEnd: number,
    capturedLen: number,
    originalLen: number,
    timeUs: number,
    linkType: number,
  ): void {
    if (capturedLen > MAX_PACKET_BYTES || dataAt + capturedLen > bodyEnd) {
      throw new WrongContents(`a packet claims ${capturedLen} captured bytes, more than its block holds`);
    }
    if (capturedLen > this.longestBytes) this.longestBytes = capturedLen;
    if (Math.abs(timeUs - this.summary.lastUs) <= DAY_US) this.agreedUs = timeUs;
    this.writer.add(dataAt, capturedLen, originalLen, timeUs, linkType);
  }

  private interfaceOf(id: number): Source {
    const source = this.sources[id];
    if (source !== undefined) return source;
    const known = this.sources.length;
    throw new WrongContents(
      this.interfacesBeyondLimit > 0
        ? `a packet belongs to interface ${id}, beyond the limit of ${MAX_INTERFACES} interfaces`
        : `a packet belongs to interface ${id}, but the section describes ${known === 1 ? 'only one' : known}`,
    );
  }

  private readStatistics(view: DataView, at: number, bodyEnd: number): void {
    if (bodyEnd - at < 20) return;
    const source = this.sources[view.getUint32(at + 8, this.littleEndian)];
    if (source === undefined) return;
    for (const option of options(view, at + 20, bodyEnd, this.littleEndian)) {
      const counts = option.code === OPTION_ISB_IFDROP || option.code === OPTION_ISB_OSDROP;
      if (!counts || option.length < 8) continue;
      // The interface's own drops and the operating system's may both be given.
      this.noteDropped(source, Number(view.getBigUint64(option.at, this.littleEndian)));
    }
  }
}

/// The options in [at, end): code, and where the value lies. Ends quietly at
/// the first one that does not fit.
function* options(view: DataView, at: number, end: number, littleEndian: boolean) {
  while (end - at >= 4) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === OPTION_END || at + 4 + length > end) return;
    yield { code, length, at: at + 4 };
    at += 4 + length + (-length & 3);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

/// Throws if no block begins here.
function checkHeader(view: DataView, at: number, type: number, length: number): void {
  if (isPcapHeader(view, at)) {
    throw new BrokenRecord(at, 'a pcap file header stands where a block should begin');
  }
  const claim = `a block of type ${hex(type)} claims a length of ${length} bytes`;
  if (length < 12) throw new BrokenRecord(at, `${claim}, less than its own header`);
  if (length > MAX_SKIPPED_BYTES) {
    throw new BrokenRecord(
      at,
      `${claim}, more than the ${MAX_SKIPPED_BYTES} of the longest that is believed`,
    );
  }
}

/// What is wrong with a block whose lengths are right.
class WrongContents extends Error {}
