/// The variants of classic pcap. Some say so with a magic of their own; others use libpcap's, and only
/// their record headers are longer, which shows in where the second record begins.

import { MAX_PACKET_BYTES } from './limits.js';

/// The file begins with one of these numbers, in the byte order of its writer.
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
/// Alexey Kuznetsov's patched libpcap: more in each record header.
const MAGIC_MODIFIED = 0xa1b2cd34;
/// IXIA's analysers, hardware and software: nanoseconds, and the length of all packets after the header.
const MAGIC_IXIA_HARDWARE = 0x1c0001ac;
const MAGIC_IXIA_SOFTWARE = 0x1c0001ab;

export const FILE_HEADER_BYTES = 24;
const IXIA_FILE_HEADER_BYTES = 28;

/// The four fields that all record headers begin with: two of the time, two lengths.
const COMMON_HEADER_BYTES = 16;

export interface PcapVariant {
  littleEndian: boolean;
  nanoseconds: boolean;
  fileHeaderBytes: number;
  /// Lengths that record headers may have, the likeliest first.
  recordHeaders: readonly number[];
}

/// With libpcap's magic: libpcap's; Red Hat 6.1's; Nokia's.
const STANDARD_HEADERS = [COMMON_HEADER_BYTES, 24, 20];
/// With the magic of the patched libpcap: its later form, which AVM's routers write too; SuSE 6.3's.
const MODIFIED_HEADERS = [24, 28];
const ONLY_STANDARD = [COMMON_HEADER_BYTES];

/// What the first four bytes say, or undefined if this is no classic pcap.
export function pcapVariant(view: DataView, at: number): PcapVariant | undefined {
  for (const littleEndian of [true, false]) {
    const plain = { littleEndian, nanoseconds: false, fileHeaderBytes: FILE_HEADER_BYTES };
    const fine = { ...plain, nanoseconds: true, recordHeaders: ONLY_STANDARD };
    switch (view.getUint32(at, littleEndian)) {
      case MAGIC_MICROSECONDS:
        return { ...plain, recordHeaders: STANDARD_HEADERS };
      case MAGIC_NANOSECONDS:
        return fine;
      case MAGIC_MODIFIED:
        return { ...plain, recordHeaders: MODIFIED_HEADERS };
      case MAGIC_IXIA_HARDWARE:
      case MAGIC_IXIA_SOFTWARE:
        return { ...fine, fileHeaderBytes: IXIA_FILE_HEADER_BYTES };
    }
  }
  return undefined;
}

/// AIX writes version 2.2 with its own interface types (RFC 1573) for link types, and nanoseconds.
const AIX_LINK_TYPES: Readonly<Record<number, number>> = {
  6: 1, // Ethernet
  9: 6, // token ring
  15: 10, // FDDI
  24: 0, // loopback
};

/// The LINKTYPE_ number if a file of this version and link type is one of AIX.
export function aixLinkType(minorVersion: number, linkType: number): number | undefined {
  return minorVersion === 2 ? AIX_LINK_TYPES[linkType] : undefined;
}

/// How long the record headers are, told by what stands where the second record would begin; undefined
/// if more bytes are needed and may come. `at` is where the first record begins. Without a second
/// record the usual length is taken: a cut file is likelier than a rare variant.
export function tellRecordHeader(
  { littleEndian, recordHeaders }: PcapVariant,
  view: DataView,
  at: number,
  end: number,
  isEndOfFile: boolean,
): number | undefined {
  const [usual = COMMON_HEADER_BYTES, ...others] = recordHeaders;
  if (others.length === 0) return usual;
  if (end - at < COMMON_HEADER_BYTES) return isEndOfFile ? usual : undefined;
  const capturedLen = Math.min(view.getUint32(at + 8, littleEndian), view.getUint32(at + 12, littleEndian));
  // Broken from the start: nothing can be told.
  if (capturedLen > MAX_PACKET_BYTES) return usual;
  const needed = Math.max(...recordHeaders) + capturedLen + COMMON_HEADER_BYTES;
  if (end - at < needed && !isEndOfFile) return undefined;
  const seconds = view.getUint32(at, littleEndian);
  const second = (headerBytes: number) => at + headerBytes + capturedLen;
  const fits = (headerBytes: number) => second(headerBytes) + COMMON_HEADER_BYTES <= end;
  if (!fits(usual) || isPossible(view, second(usual), littleEndian)) return usual;
  return (
    others.filter(fits).find((headerBytes) => isNext(view, second(headerBytes), littleEndian, seconds)) ??
    usual
  );
}

/// What is no header has a fraction of a second or a length that can not be.
function isPossible(view: DataView, at: number, littleEndian: boolean): boolean {
  return (
    view.getUint32(at + 4, littleEndian) < 1e6 && view.getUint32(at + 8, littleEndian) <= MAX_PACKET_BYTES
  );
}

/// Two packets of one capture are not further apart, in seconds.
const SANE_SECONDS_APART = 10 * 365 * 86_400;
/// 1990: the programs that write these variants are younger.
const SANE_SECONDS = 631_152_000;

function isNext(view: DataView, at: number, littleEndian: boolean, firstSeconds: number): boolean {
  return (
    isPossible(view, at, littleEndian) &&
    firstSeconds > SANE_SECONDS &&
    Math.abs(view.getUint32(at, littleEndian) - firstSeconds) < SANE_SECONDS_APART &&
    view.getUint32(at + 8, littleEndian) <= view.getUint32(at + 12, littleEndian)
  );
}
