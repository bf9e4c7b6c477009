/// Sun snoop (RFC 1761), all numbers big-endian.

import type { CaptureSummary } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_PACKET_BYTES } from './limits.js';
import { BrokenRecord, NO_RECORD, type RecordParser, UNDECIDED } from './record-parser.js';
import { reachOf } from './resync.js';

/// "snoop" and three zeros.
const MAGIC = [0x736e_6f6f, 0x7000_0000] as const;
const VERSION = 2;

const FILE_HEADER_BYTES = 16;
const RECORD_HEADER_BYTES = 24;

/// Records are padded to four bytes; more than this is no padding.
const MAX_PADDING_BYTES = 64;

/// Neighbouring packets of a chain are not further apart.
const DAY_SECONDS = 86_400;

/// Snoop's datalink types as LINKTYPE_ numbers: RFC 1761, and Solaris for the last two.
const LINK_TYPES: Readonly<Record<number, number>> = {
  0: 1, // IEEE 802.3
  2: 6, // IEEE 802.5
  4: 1, // Ethernet
  5: 104, // HDLC
  8: 10, // FDDI
  18: 123, // IP over ATM
  26: 226, // IPNET
};
/// Stands for a datalink type without such a number; reserved by tcpdump.org/linktypes.
const LINKTYPE_UNKNOWN = 65_535;

/// True if a snoop file can begin like this: 8 bytes must be there.
export function isSnoop(view: DataView, at: number): boolean {
  return view.getUint32(at) === MAGIC[0] && view.getUint32(at + 4) === MAGIC[1];
}

export class SnoopParser implements RecordParser {
  previousAt = -1;
  private longestBytes = 0;
  /// Second of the last packet, and of the last that agreed with the one before it; NaN before them.
  private lastSeconds = Number.NaN;
  private agreedSeconds = Number.NaN;
  private headerRead = false;
  private linkType = LINKTYPE_UNKNOWN;

  constructor(
    private readonly writer: FrameWriter,
    private readonly summary: CaptureSummary,
  ) {}

  parse(_bytes: Uint8Array, view: DataView, start: number, end: number, isEnd: boolean): number {
    let at = start;
    if (!this.headerRead) {
      if (end - at < FILE_HEADER_BYTES) return at;
      this.readFileHeader(view, at);
      at += FILE_HEADER_BYTES;
    }
    while (end - at >= RECORD_HEADER_BYTES) {
      const originalLen = view.getUint32(at);
      const capturedLen = view.getUint32(at + 4);
      // Header, packet and padding.
      const recordLen = view.getUint32(at + 8);
      const padding = recordLen - RECORD_HEADER_BYTES - capturedLen;
      if (capturedLen > MAX_PACKET_BYTES || padding < 0 || padding > MAX_PADDING_BYTES) {
        throw new BrokenRecord(
          at,
          `a packet record of ${recordLen} bytes claims ${capturedLen} captured bytes`,
        );
      }
      const dataAt = at + RECORD_HEADER_BYTES;
      // The padding of the last record may be missing.
      if (dataAt + (isEnd ? capturedLen : capturedLen + padding) > end) return at;
      this.summary.dropped = view.getUint32(at + 12);
      const seconds = view.getUint32(at + 16);
      if (Math.abs(seconds - this.lastSeconds) <= DAY_SECONDS) this.agreedSeconds = seconds;
      this.lastSeconds = seconds;
      const timeUs = seconds * 1e6 + view.getUint32(at + 20);
      this.writer.add(dataAt, capturedLen, originalLen, timeUs, this.linkType);
      if (capturedLen > this.longestBytes) this.longestBytes = capturedLen;
      this.previousAt = at;
      at = Math.min(at + recordLen, end);
    }
    return at;
  }

  measure(view: DataView, at: number, previousAt: number, end: number): number {
    if (end - at < RECORD_HEADER_BYTES) return UNDECIDED;
    const originalLen = view.getUint32(at);
    const capturedLen = view.getUint32(at + 4);
    const recordLen = view.getUint32(at + 8);
    if (capturedLen === 0 || capturedLen > MAX_PACKET_BYTES || originalLen < capturedLen) return NO_RECORD;
    const padding = recordLen - RECORD_HEADER_BYTES - capturedLen;
    if (padding < 0 || padding > MAX_PADDING_BYTES || view.getUint32(at + 20) >= 1e6) return NO_RECORD;
    const apart = previousAt < 0 ? 0 : view.getUint32(at + 16) - view.getUint32(previousAt + 16);
    return Math.abs(apart) > DAY_SECONDS ? NO_RECORD : recordLen;
  }

  reachFrom(): number {
    return reachOf(this.longestBytes, MAX_PACKET_BYTES) + 2 * RECORD_HEADER_BYTES;
  }

  mayFollow(view: DataView, at: number): boolean {
    return !(view.getUint32(at + 16) < this.agreedSeconds - 1);
  }

  describeUnfinished(view: DataView, start: number, end: number): string {
    if (!this.headerRead) return 'the file ends inside its header';
    const left = end - start;
    if (left < RECORD_HEADER_BYTES) return 'the file ends inside the header of a packet record';
    const capturedLen = view.getUint32(start + 4);
    return `the file ends inside a packet record: ${capturedLen} bytes announced, ${left - RECORD_HEADER_BYTES} there`;
  }

  private readFileHeader(view: DataView, at: number): void {
    const version = view.getUint32(at + 8);
    if (version !== VERSION) {
      throw new BrokenRecord(at, `snoop version ${version} is unknown; version ${VERSION} was expected`);
    }
    this.linkType = LINK_TYPES[view.getUint32(at + 12)] ?? LINKTYPE_UNKNOWN;
    this.headerRead = true;
    this.summary.format ??= 'snoop';
  }
}
