/// Classic pcap, as libpcap and its relatives write it (draft-ietf-opsawg-pcap).

import type { CaptureSummary } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_PACKET_BYTES } from './limits.js';
import { aixLinkType, type PcapVariant, tellRecordHeader } from './pcap-variants.js';
import { BrokenRecord, type RecordParser } from './record-parser.js';

/// The upper bits of the link-type field hold the length of the frame check sequence.
const LINKTYPE_MASK = 0x03ff_ffff;

export class PcapParser implements RecordParser {
  private readonly littleEndian: boolean;
  /// 0 until it is known, which takes the whole first record.
  private recordHeaderBytes = 0;
  /// Divides the fraction of a record's time into microseconds.
  private fractionsPerUs: number;
  private headerRead = false;
  private isEndOfFile = false;
  /// Records without a time or a byte in front of where the parser stands.
  private emptyRecords = 0;
  private linkType = 0;
  /// Files of version 2.2 and before hold the two lengths the other way round.
  private swappedLengths = false;

  constructor(
    private readonly variant: PcapVariant,
    private readonly writer: FrameWriter,
    private readonly summary: CaptureSummary,
  ) {
    this.littleEndian = variant.littleEndian;
    this.fractionsPerUs = variant.nanoseconds ? 1000 : 1;
    summary.finerThanMicroseconds = variant.nanoseconds;
  }

  parse(_bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    if (!this.headerRead) {
      if (end - at < this.variant.fileHeaderBytes) return at;
      this.readFileHeader(view, at);
      at += this.variant.fileHeaderBytes;
    }
    if (this.recordHeaderBytes === 0) {
      const known = tellRecordHeader(this.variant, view, at, end, this.isEndOfFile);
      if (known === undefined) return at;
      this.recordHeaderBytes = known;
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
      if (seconds === 0 && capturedLen === 0 && fraction === 0) this.emptyRecords++;
      else this.emptyRecords = 0;
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

  endOfFile(): void {
    this.isEndOfFile = true;
  }

  zerosAtEnd(): { records: number; bytes: number } {
    return { records: this.emptyRecords, bytes: this.emptyRecords * this.recordHeaderBytes };
  }

  private readFileHeader(view: DataView, at: number): void {
    const major = view.getUint16(at + 4, this.littleEndian);
    const minor = view.getUint16(at + 6, this.littleEndian);
    if (major !== 2) {
      throw new BrokenRecord(at, `pcap version ${major}.${minor} is unknown; version 2 was expected`);
    }
    this.swappedLengths = minor < 4;
    this.linkType = view.getUint32(at + 20, this.littleEndian) & LINKTYPE_MASK;
    const aix = aixLinkType(minor, this.linkType);
    if (aix !== undefined) {
      this.linkType = aix;
      this.fractionsPerUs = 1000;
      this.summary.finerThanMicroseconds = true;
    }
    this.headerRead = true;
    this.summary.format = 'pcap';
  }
}
