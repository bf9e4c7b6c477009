/// Classic pcap, as libpcap and its relatives write it (draft-ietf-opsawg-pcap).

import type { CaptureSummary } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_PACKET_BYTES } from './limits.js';
import { BrokenRecord, type RecordParser } from './record-parser.js';

/// The file begins with one of these numbers, in the byte order of its writer.
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
/// Alexey Kuznetsov's patched libpcap: 8 more bytes in each record header.
const MAGIC_MODIFIED = 0xa1b2cd34;

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const MODIFIED_RECORD_HEADER_BYTES = 24;

/// The upper bits of the link-type field hold the length of the frame check sequence.
const LINKTYPE_MASK = 0x03ff_ffff;

export interface PcapVariant {
  littleEndian: boolean;
  nanoseconds: boolean;
  recordHeaderBytes: number;
}

/// What the first four bytes say, or undefined if this is no classic pcap.
export function pcapVariant(view: DataView, at: number): PcapVariant | undefined {
  for (const littleEndian of [true, false]) {
    switch (view.getUint32(at, littleEndian)) {
      case MAGIC_MICROSECONDS:
        return { littleEndian, nanoseconds: false, recordHeaderBytes: RECORD_HEADER_BYTES };
      case MAGIC_NANOSECONDS:
        return { littleEndian, nanoseconds: true, recordHeaderBytes: RECORD_HEADER_BYTES };
      case MAGIC_MODIFIED:
        return { littleEndian, nanoseconds: false, recordHeaderBytes: MODIFIED_RECORD_HEADER_BYTES };
    }
  }
  return undefined;
}

export class PcapParser implements RecordParser {
  private readonly littleEndian: boolean;
  private readonly recordHeaderBytes: number;
  /// Divides the fraction of a record's time into microseconds.
  private readonly fractionsPerUs: number;
  private headerRead = false;
  private linkType = 0;
  /// Files of version 2.2 and before hold the two lengths the other way round.
  private swappedLengths = false;

  constructor(
    variant: PcapVariant,
    private readonly writer: FrameWriter,
    private readonly summary: CaptureSummary,
  ) {
    this.littleEndian = variant.littleEndian;
    this.recordHeaderBytes = variant.recordHeaderBytes;
    this.fractionsPerUs = variant.nanoseconds ? 1000 : 1;
    summary.finerThanMicroseconds = variant.nanoseconds;
  }

  parse(_bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    if (!this.headerRead) {
      if (end - at < FILE_HEADER_BYTES) return at;
      this.readFileHeader(view, at);
      at += FILE_HEADER_BYTES;
    }
    const { littleEndian, recordHeaderBytes, fractionsPerUs, linkType, writer } = this;
    while (end - at >= recordHeaderBytes) {
      let capturedLen = view.getUint32(at + 8, littleEndian);
      let originalLen = view.getUint32(at + 12, littleEndian);
      if (this.swappedLengths && capturedLen > originalLen) {
        [capturedLen, originalLen] = [originalLen, capturedLen];
      }
      if (capturedLen > MAX_PACKET_BYTES) {
        throw new BrokenRecord(
          at,
          `a packet record claims ${capturedLen} captured bytes, more than the ${MAX_PACKET_BYTES} that any capture program writes`,
        );
      }
      const next = at + recordHeaderBytes + capturedLen;
      if (next > end) return at;
      const seconds = view.getUint32(at, littleEndian);
      const fraction = view.getUint32(at + 4, littleEndian);
      const us = fractionsPerUs === 1 ? fraction : Math.floor(fraction / fractionsPerUs);
      // Some writers leave the original length zero or too small.
      const wireLen = originalLen > capturedLen && originalLen < 0x8000_0000 ? originalLen : capturedLen;
      writer.add(at + recordHeaderBytes, capturedLen, wireLen, seconds * 1e6 + us, linkType);
      at = next;
    }
    return at;
  }

  describeUnfinished(view: DataView, start: number, end: number): string {
    if (!this.headerRead) return 'the file ends inside its header';
    const left = end - start;
    if (left < this.recordHeaderBytes) return 'the file ends inside the header of a packet record';
    const capturedLen = view.getUint32(start + 8, this.littleEndian);
    return `the file ends inside a packet record: ${capturedLen} bytes announced, ${left - this.recordHeaderBytes} there`;
  }

  private readFileHeader(view: DataView, at: number): void {
    const major = view.getUint16(at + 4, this.littleEndian);
    const minor = view.getUint16(at + 6, this.littleEndian);
    if (major !== 2) {
      throw new BrokenRecord(at, `pcap version ${major}.${minor} is unknown; version 2 was expected`);
    }
    this.swappedLengths = minor < 4;
    this.linkType = view.getUint32(at + 20, this.littleEndian) & LINKTYPE_MASK;
    this.headerRead = true;
    this.summary.format = 'pcap';
  }
}
