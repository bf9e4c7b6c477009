/// pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packets of three
/// kinds, drop counts. Blocks of other types are skipped.

import type { CaptureInterface, CaptureSummary } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_INTERFACES, MAX_PACKET_BYTES, MAX_RECORD_BYTES } from './limits.js';
import {
  DEFAULT_TSRESOL,
  isFinerThanMicroseconds,
  type TickConverter,
  tickConverter,
} from './pcapng-time.js';
import { BrokenRecord, type RecordParser } from './record-parser.js';

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

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

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

export class PcapngParser implements RecordParser {
  private littleEndian = true;
  private sources: Source[] = [];
  private interfacesBeyondLimit = 0;

  constructor(
    private readonly writer: FrameWriter,
    private readonly summary: CaptureSummary,
  ) {}

  parse(_bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    while (end - at >= 12) {
      // The type of a section header reads the same in both byte orders, and it
      // alone says which order its own length has.
      if (view.getUint32(at, false) === BLOCK_SECTION_HEADER) this.readByteOrder(view, at);
      const littleEndian = this.littleEndian;
      const type = view.getUint32(at, littleEndian);
      const length = view.getUint32(at + 4, littleEndian);
      if (length < 12) {
        throw new BrokenRecord(
          at,
          `a block of type ${hex(type)} claims a length of ${length} bytes, less than its own header`,
        );
      }
      // Blocks are padded to four bytes; some writers leave the padding out of the length.
      const padded = length + (-length & 3);
      const seen = Math.min(padded, MAX_RECORD_BYTES);
      if (end - at < seen) return at;
      const cut = seen < padded;
      if (!cut && view.getUint32(at + padded - 4, littleEndian) !== length) {
        throw new BrokenRecord(
          at,
          `a block of type ${hex(type)} begins with the length ${length} but ends with ${view.getUint32(at + padded - 4, littleEndian)}`,
        );
      }
      this.readBlock(view, at, type, cut ? at + seen : at + padded - 4);
      at += padded;
    }
    return at;
  }

  describeUnfinished(view: DataView, start: number, end: number): string {
    if (end - start < 8) return 'the file ends inside the header of a block';
    const type = view.getUint32(start, this.littleEndian);
    const length = view.getUint32(start + 4, this.littleEndian);
    return `the file ends inside a block of type ${hex(type)}: ${length} bytes announced, ${end - start} there`;
  }

  private readByteOrder(view: DataView, at: number): void {
    if (view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) this.littleEndian = true;
    else if (view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC) this.littleEndian = false;
    else {
      throw new BrokenRecord(
        at,
        `a section header has the byte-order magic ${hex(view.getUint32(at + 8, false))}; ${hex(BYTE_ORDER_MAGIC)} was expected`,
      );
    }
  }

  /// `bodyEnd` is the end of what may be read: before the trailing length, or
  /// before what was left out of an overlong block.
  private readBlock(view: DataView, at: number, type: number, bodyEnd: number): void {
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
    if (bodyEnd - at < 24) throw new BrokenRecord(at, 'a section header is shorter than its fixed part');
    const major = view.getUint16(at + 12, this.littleEndian);
    const minor = view.getUint16(at + 14, this.littleEndian);
    if (major !== 1) {
      throw new BrokenRecord(at, `pcapng version ${major}.${minor} is unknown; version 1 was expected`);
    }
    this.sources = [];
    this.summary.format = 'pcapng';
  }

  private readInterface(view: DataView, at: number, bodyEnd: number): void {
    if (bodyEnd - at < 16)
      throw new BrokenRecord(at, 'an interface description is shorter than its fixed part');
    if (this.sources.length === MAX_INTERFACES) {
      this.interfacesBeyondLimit++;
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
      throw new BrokenRecord(at, `${name} is shorter than its fixed part`);
    }
    const littleEndian = this.littleEndian;
    const id = isObsolete ? view.getUint16(at + 8, littleEndian) : view.getUint32(at + 8, littleEndian);
    const source = this.interfaceOf(at, id);
    const capturedLen = view.getUint32(at + 20, littleEndian);
    this.addPacket(
      at,
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
    if (bodyEnd - at < 12) throw new BrokenRecord(at, 'a simple packet block is shorter than its fixed part');
    const source = this.interfaceOf(at, 0);
    const originalLen = view.getUint32(at + 8, this.littleEndian);
    const snapLen = source.snapLen === 0 ? originalLen : source.snapLen;
    const capturedLen = Math.min(originalLen, snapLen, bodyEnd - (at + 12));
    const timeUs = this.summary.packets === 0 ? 0 : this.summary.lastUs;
    this.addPacket(at, at + 12, bodyEnd, capturedLen, originalLen, timeUs, source.linkType);
  }

  private addPacket(
    at: number,
    dataAt: number,
    bodyEnd: number,
    capturedLen: number,
    originalLen: number,
    timeUs: number,
    linkType: number,
  ): void {
    if (capturedLen > MAX_PACKET_BYTES || dataAt + capturedLen > bodyEnd) {
      throw new BrokenRecord(at, `a packet claims ${capturedLen} captured bytes, more than its block holds`);
    }
    const wireLen = originalLen > capturedLen && originalLen < 0x8000_0000 ? originalLen : capturedLen;
    this.writer.add(dataAt, capturedLen, wireLen, timeUs, linkType);
  }

  private interfaceOf(at: number, id: number): Source {
    const source = this.sources[id];
    if (source !== undefined) return source;
    const known = this.sources.length;
    throw new BrokenRecord(
      at,
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
