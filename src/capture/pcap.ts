/// Classic pcap, as libpcap and its relatives write it (draft-ietf-opsawg-pcap).

import {
  DAY_SECONDS,
  RECORDS_COUNT,
  RECORDS_LAST_SECOND,
  RECORDS_LONGEST,
  RECORDS_PREVIOUS_AT,
} from '../loops/layout.js';
import { Block, theLoops, wordsOf } from '../loops/memory.js';
import type { CaptureSummary } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_PACKET_BYTES } from './limits.js';
import {
  aixLinkType,
  FILE_HEADER_BYTES,
  type PcapVariant,
  pcapVariant,
  tellRecordHeader,
} from './pcap-variants.js';
import { BrokenRecord, NO_RECORD, type RecordParser, UNDECIDED } from './record-parser.js';
import { reachOf } from './resync.js';

/// The upper bits of the link-type field hold the length of the frame check sequence.
const LINKTYPE_MASK = 0x03ff_ffff;

const STATE_WORDS = 4;

/// More than any packet has on the wire: of a length that is looked at twice.
const MAX_ORIGINAL_BYTES = 1 << 24;

/// True if a classic pcap file begins at `at`: the first 24 bytes must be there.
export function isPcapHeader(view: DataView, at: number): boolean {
  const variant = pcapVariant(view, at);
  return variant !== undefined && view.getUint16(at + 4, variant.littleEndian) === 2;
}

export class PcapParser implements RecordParser {
  previousAt = -1;
  private readonly littleEndian: boolean;
  /// 0 until it is known, which takes the whole first record.
  private recordHeaderBytes = 0;
  /// Divides the fraction of a record's time into microseconds.
  private fractionsPerUs: number;
  private headerRead = false;
  private linkType = 0;
  /// Files of version 2.2 and before hold the two lengths the other way round.
  private swappedLengths = false;
  private magic = 0;
  private maxCapturedBytes = MAX_PACKET_BYTES;
  private longestBytes = 0;
  /// Second of the last packet; NaN before the first.
  private lastSeconds = Number.NaN;
  /// The same of the last packet whose time agreed with the one before it.
  private agreedSeconds = Number.NaN;
  /// What the loop is told and tells.
  private state: { block: Block; words: Int32Array } | undefined;

  constructor(
    private readonly variant: PcapVariant,
    private readonly writer: FrameWriter,
    private readonly summary: CaptureSummary,
  ) {
    this.littleEndian = variant.littleEndian;
    this.fractionsPerUs = variant.nanoseconds ? 1000 : 1;
    summary.finerThanMicroseconds = variant.nanoseconds;
  }

  parse(_bytes: Uint8Array, view: DataView, start: number, end: number, isEnd: boolean): number {
    let at = start;
    if (!this.headerRead) {
      if (end - at < this.variant.fileHeaderBytes) return at;
      this.readFileHeader(view, at);
      at += this.variant.fileHeaderBytes;
    }
    if (this.recordHeaderBytes === 0) {
      const known = tellRecordHeader(this.variant, view, at, end, isEnd);
      if (known === undefined) return at;
      this.recordHeaderBytes = known;
    }
    while (end - at >= this.recordHeaderBytes) {
      const plain = this.readPlain(at, end);
      const next = plain > at ? plain : this.readOne(view, at, end, isEnd);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  /// Takes the record at this place. Returns the place after it; the same if that takes more bytes.
  private readOne(view: DataView, at: number, end: number, isEnd: boolean): number {
    const { littleEndian, recordHeaderBytes, fractionsPerUs, linkType, writer } = this;
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
    const agrees = Math.abs(seconds - this.lastSeconds) <= DAY_SECONDS && us < 1e6;
    if ((!agrees || originalLen === 0) && !this.isConfirmed(view, at, next, end, isEnd)) return at;
    if (agrees) this.agreedSeconds = seconds;
    writer.add(at + recordHeaderBytes, capturedLen, originalLen, seconds * 1e6 + us, linkType);
    if (capturedLen > this.longestBytes) this.longestBytes = capturedLen;
    this.lastSeconds = seconds;
    this.previousAt = at;
    return next;
  }

  /// Takes the records from here on about which nothing is doubtful, if they are such as most files have. Returns
  /// the place after them.
  private readPlain(at: number, end: number): number {
    const { fractionsPerUs, linkType, recordHeaderBytes, writer } = this;
    const { batch } = writer;
    if (batch.bytesAt === 0 || Number.isNaN(this.lastSeconds) || !this.littleEndian || this.swappedLengths) {
      return at;
    }
    this.state ??= newState();
    const { block, words: state } = this.state;
    state[RECORDS_COUNT] = batch.count;
    state[RECORDS_LONGEST] = this.longestBytes;
    state[RECORDS_PREVIOUS_AT] = this.previousAt;
    state[RECORDS_LAST_SECOND] = this.lastSeconds;
    const next = theLoops().readRecords(
      batch.bytesAt,
      at,
      end,
      block.at,
      batch.place.at,
      writer.frameCount,
      recordHeaderBytes,
      fractionsPerUs,
      linkType,
      MAX_PACKET_BYTES,
    );
    if (next === at) return at;
    this.longestBytes = state[RECORDS_LONGEST]!;
    this.previousAt = state[RECORDS_PREVIOUS_AT]!;
    this.lastSeconds = state[RECORDS_LAST_SECOND]! >>> 0;
    this.agreedSeconds = this.lastSeconds;
    writer.addedUpTo(state[RECORDS_COUNT]!);
    return next;
  }

  /// A doubtful record is confirmed if it is the first, if another may begin where it ends, or if the file ends there.
  /// False if that takes more bytes. Throws if it is none.
  private isConfirmed(view: DataView, at: number, next: number, end: number, isEnd: boolean): boolean {
    if (end - at < FILE_HEADER_BYTES && !isEnd) return false;
    if (end - at >= FILE_HEADER_BYTES && isPcapHeader(view, at)) {
      throw new BrokenRecord(at, 'a pcap file header stands where a packet record should begin');
    }
    if (isZero(view, at, this.recordHeaderBytes)) {
      throw new BrokenRecord(at, 'zero bytes stand where a packet record should begin');
    }
    if (Number.isNaN(this.lastSeconds)) return true;
    if (end - next < this.recordHeaderBytes) return isEnd;
    const captured = view.getUint32(next + 8, this.littleEndian);
    const original = view.getUint32(next + 12, this.littleEndian);
    const mayBegin =
      Math.min(captured, original) <= MAX_PACKET_BYTES && Math.max(captured, original) <= MAX_ORIGINAL_BYTES;
    const isEmpty = isZero(view, next, this.recordHeaderBytes);
    if (mayBegin && !isEmpty && (this.swappedLengths || captured <= MAX_PACKET_BYTES)) return true;
    if (isPcapHeader(view, next)) return true;
    throw new BrokenRecord(
      at,
      'a packet record has no length, or a time that cannot be or is a day or more away from the one before it, and none follows where it ends',
    );
  }

  measure(view: DataView, at: number, previousAt: number, end: number): number {
    if (end - at < this.recordHeaderBytes) return UNDECIDED;
    const { littleEndian } = this;
    const seconds = view.getUint32(at, littleEndian);
    // The header of a file that was joined to this one.
    if (seconds === this.magic && isPcapHeader(view, at)) {
      const { fileHeaderBytes } = this.variant;
      return end - at < fileHeaderBytes + this.recordHeaderBytes ? UNDECIDED : fileHeaderBytes;
    }
    let captured = view.getUint32(at + 8, littleEndian);
    let original = view.getUint32(at + 12, littleEndian);
    if (this.swappedLengths && captured > original) [captured, original] = [original, captured];
    if (captured === 0 || captured > this.maxCapturedBytes) return NO_RECORD;
    if (original < captured || original > MAX_ORIGINAL_BYTES) return NO_RECORD;
    if (view.getUint32(at + 4, littleEndian) >= 1e6 * this.fractionsPerUs) return NO_RECORD;
    const before = previousAt < 0 ? this.magic : view.getUint32(previousAt, littleEndian);
    if (before !== this.magic && Math.abs(seconds - before) > DAY_SECONDS) return NO_RECORD;
    return this.recordHeaderBytes + captured;
  }

  reachFrom(): number {
    return reachOf(this.longestBytes, this.maxCapturedBytes) + 2 * this.recordHeaderBytes;
  }

  /// What a packet carries can end where the next record begins. But a capture
  /// that was sent through this one is older than the packets that carry it.
  mayFollow(view: DataView, at: number): boolean {
    const isHeader = view.getUint32(at, this.littleEndian) === this.magic && isPcapHeader(view, at);
    const seconds = view.getUint32(isHeader ? at + this.variant.fileHeaderBytes : at, this.littleEndian);
    return !(seconds < this.agreedSeconds - 1);
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
    const aix = aixLinkType(minor, this.linkType);
    if (aix !== undefined) {
      this.linkType = aix;
      this.fractionsPerUs = 1000;
      this.summary.finerThanMicroseconds = true;
    }
    const snapLen = view.getUint32(at + 16, this.littleEndian);
    if (snapLen > 0 && snapLen < MAX_PACKET_BYTES) this.maxCapturedBytes = snapLen;
    this.magic = view.getUint32(at, this.littleEndian);
    this.headerRead = true;
    this.summary.format ??= 'pcap';
  }
}

function isZero(view: DataView, at: number, length: number): boolean {
  for (let i = 0; i < length; i += 4) if (view.getUint32(at + i, true) !== 0) return false;
  return true;
}

function newState() {
  const block = new Block(4 * STATE_WORDS);
  return { block, words: wordsOf(block, STATE_WORDS) };
}
