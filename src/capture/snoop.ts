/// Sun snoop (RFC 1761), all numbers big-endian.

import type { CaptureSummary } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_PACKET_BYTES } from './limits.js';
import { BrokenRecord, type RecordParser } from './record-parser.js';

/// "snoop" and three zeros.
const MAGIC = [0x736e_6f6f, 0x7000_0000] as const;
const VERSION = 2;

const FILE_HEADER_BYTES = 16;
const RECORD_HEADER_BYTES = 24;

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

/// True if a snoop file can begin like this.
export function isSnoop(view: DataView, at: number): boolean {
  return view.getUint32(at) === MAGIC[0] && view.getUint32(at + 4) === MAGIC[1];
}

export class SnoopParser implements RecordParser {
  private headerRead = false;
  private linkType = LINKTYPE_UNKNOWN;

  constructor(
    private readonly writer: FrameWriter,
    private readonly summary: CaptureSummary,
  ) {}

  parse(_bytes: Uint8Array, view: DataView, start: number, end: number): number {
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
      if (capturedLen > MAX_PACKET_BYTES || recordLen < RECORD_HEADER_BYTES + capturedLen) {
        throw new BrokenRecord(
          at,
          `a packet record of ${recordLen} bytes claims ${capturedLen} captured bytes, more than it holds`,
        );
      }
      const dataAt = at + RECORD_HEADER_BYTES;
      if (dataAt + capturedLen > end) return at;
      this.summary.dropped = view.getUint32(at + 12);
      const timeUs = view.getUint32(at + 16) * 1e6 + view.getUint32(at + 20);
      this.writer.add(dataAt, capturedLen, Math.max(originalLen, capturedLen), timeUs, this.linkType);
      at += recordLen;
    }
    return at;
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
    this.summary.format = 'snoop';
  }
}
