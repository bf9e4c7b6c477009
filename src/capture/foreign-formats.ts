/// Names what a file is that is no capture, or one of another kind, so that a message can say what
/// was found and what to do, and not only what was missing.

interface Format {
  name: string;
  magic: readonly number[] | string;
  /// Where the magic stands.
  at?: number;
  advice: string;
}

const EXPECTED = 'a pcap, pcapng or snoop capture was expected, plain or compressed';

const CONVERT = 'convert it with Wireshark: editcap -F pcapng FILE NEW.pcapng';
const UNPACK = 'unpack it and scan what is in it';
const UNPACK_AGAIN = 'scan unpacks one layer of compression, live none: unpack it first';
const NOT_PACKETS = 'it holds no network packets that could be read';

const FORMATS: readonly Format[] = [
  // What is compressed once is unpacked before this is asked.
  { name: 'a gzip stream where a capture was due', magic: [0x1f, 0x8b], advice: UNPACK_AGAIN },
  { name: 'a zstd stream where a capture was due', magic: [0x28, 0xb5, 0x2f, 0xfd], advice: UNPACK_AGAIN },
  { name: 'an lz4 stream where a capture was due', magic: [0x04, 0x22, 0x4d, 0x18], advice: UNPACK_AGAIN },
  {
    name: 'an xz stream where a capture was due',
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    advice: UNPACK_AGAIN,
  },
  { name: 'a bzip2 stream where a capture was due', magic: 'BZh', advice: UNPACK_AGAIN },
  {
    name: 'an lzma stream',
    magic: [0x5d, 0, 0],
    advice: 'unpack it with xz --format=lzma -d and scan the result',
  },
  {
    name: 'a compress (.Z) stream',
    magic: [0x1f, 0x9d],
    advice: 'unpack it with gzip -d and scan the result',
  },
  { name: 'an lzip stream', magic: 'LZIP', advice: UNPACK },
  { name: 'an lzop stream', magic: [0x89, 0x4c, 0x5a, 0x4f, 0], advice: UNPACK },
  { name: 'a zip archive', magic: 'PK\x03\x04', advice: UNPACK },
  { name: 'a 7z archive', magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], advice: UNPACK },
  { name: 'a rar archive', magic: 'Rar!\x1a\x07', advice: UNPACK },
  { name: 'a tar archive', magic: 'ustar', at: 257, advice: UNPACK },
  // Captures of other kinds; most magics as Wireshark's wiretap knows them.
  { name: 'a Microsoft Network Monitor 1 capture', magic: 'RTSS', advice: CONVERT },
  { name: 'a Microsoft Network Monitor 2 capture', magic: 'GMBU', advice: CONVERT },
  { name: 'a Windows event log', magic: 'ElfFile\0', advice: NOT_PACKETS },
  { name: 'a Sniffer capture', magic: 'TRSNIFF data    \x1a', advice: CONVERT },
  { name: 'a NetXRay or Windows Sniffer capture', magic: 'XCP\0', advice: CONVERT },
  { name: 'an old NetXRay capture', magic: 'VL\0\0', advice: CONVERT },
  { name: 'a 5Views capture', magic: [0xaa, 0xaa, 0xaa, 0xaa], advice: CONVERT },
  { name: 'a Bluetooth capture (BTSnoop)', magic: 'btsnoop\0', advice: NOT_PACKETS },
  { name: 'a Visual Networks capture', magic: [0x05, 0x56, 0x4e, 0x46], advice: CONVERT },
  { name: 'an AIX iptrace 1 capture', magic: 'iptrace 1.0', advice: CONVERT },
  { name: 'an AIX iptrace 2 capture', magic: 'iptrace 2.0', advice: CONVERT },
  { name: 'a Network Instruments Observer capture', magic: 'ObserverPktBuffer', advice: CONVERT },
  { name: 'a Tektronix K12 text capture', magic: '+---------+', advice: CONVERT },
  { name: 'a Tektronix K12 capture', magic: [0, 0, 0x02, 0, 0x12, 0x05, 0, 0x10], advice: CONVERT },
  { name: 'a LANalyzer capture', magic: [0x01, 0x10, 0x4c, 0, 0x01, 0x05], advice: CONVERT },
  { name: 'a LANalyzer capture', magic: [0x01, 0x10, 0x4e, 0, 0x01, 0x05], advice: CONVERT },
  { name: 'an HP-UX nettl capture', magic: [0x54, 0x52, 0, 0x64, 0], advice: CONVERT },
  { name: 'an HP-UX nettl capture', magic: [0, 0, 0, 1, 0, 0, 0, 0, 0, 7, 0xd0, 0], advice: CONVERT },
  { name: 'an EtherPeek or OmniPeek capture', magic: [0x7f, 0x76, 0x65, 0x72], advice: CONVERT },
  { name: 'a blktrace recording', magic: [0x07, 0x74, 0x61, 0x65], advice: NOT_PACKETS },
  { name: 'a blktrace recording', magic: [0x65, 0x61, 0x74, 0x07], advice: NOT_PACKETS },
  { name: 'a systemd journal', magic: 'LPKSHHRH', advice: NOT_PACKETS },
  // Anything else that is mistaken for a capture.
  { name: 'a PDF document', magic: '%PDF', advice: NOT_PACKETS },
  { name: 'an ELF program', magic: '\x7fELF', advice: NOT_PACKETS },
  { name: 'a Windows program', magic: 'MZ', advice: NOT_PACKETS },
  { name: 'a picture', magic: '\x89PNG', advice: NOT_PACKETS },
  { name: 'a SQLite database', magic: 'SQLite format 3\0', advice: NOT_PACKETS },
  {
    name: 'a NetFlow file (nfdump)',
    magic: [0x0c, 0xa5],
    advice: 'it holds flows, not packets; scan the capture itself',
  },
];

/// Bytes of a file's beginning that tell what it is.
export const FOREIGN_HEAD_BYTES = 512;

/// One sentence: what `head`, the first bytes of a file of `size` bytes, looks
/// like, what was expected instead, and what to do.
export function describeForeign(head: Uint8Array, size: number): string {
  if (size === 0) return `the file is empty; ${EXPECTED}`;
  const sample = head.subarray(0, FOREIGN_HEAD_BYTES);
  const known = FORMATS.find((format) => beginsWith(sample, format)) ?? describeByShape(sample);
  if (known !== undefined) return `found ${known.name}; ${EXPECTED}; ${known.advice}`;
  const first = Array.from(head.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `found a file that begins with the bytes ${first}; ${EXPECTED}`;
}

function beginsWith(head: Uint8Array, { magic, at = 0 }: Format): boolean {
  for (let i = 0; i < magic.length; i++) {
    if (head[at + i] !== (typeof magic === 'string' ? magic.charCodeAt(i) : magic[i])) return false;
  }
  return true;
}

/// What has no magic but a shape.
function describeByShape(head: Uint8Array): Pick<Format, 'name' | 'advice'> | undefined {
  if (head.length >= 16 && head.every((byte) => byte === 0)) {
    return {
      name: 'nothing but zeros',
      advice: 'its content was never written or is lost: find another copy',
    };
  }
  if (isErf(head)) return { name: 'an Endace ERF capture', advice: CONVERT };
  if (isCommView(head)) return { name: 'a TamoSoft CommView capture', advice: CONVERT };
  if (head.some((byte) => byte !== 9 && byte !== 10 && byte !== 13 && (byte < 32 || byte > 126)))
    return undefined;
  const text = String.fromCharCode(...head);
  if (/^\s*<(!doctype html|html|head)\b/i.test(text)) {
    return {
      name: 'an HTML page',
      advice: 'it may be an error that was saved instead of the capture: fetch that again',
    };
  }
  if (/^\s*[0-9a-f]{4,8}:?\s+([0-9a-f]{2}){1,2} ([0-9a-f]{2}){1,2} /i.test(text)) {
    return {
      name: 'a hex dump in text',
      advice: 'turn it into a capture with Wireshark: text2pcap FILE NEW.pcapng',
    };
  }
  return { name: 'text', advice: NOT_PACKETS };
}

/// Extensible Record Format (Endace): no magic, but a header of 16 bytes in front of each packet: time
/// (64 bits, little-endian, the upper half in seconds), type, flags, lengths of record and packet.
function isErf(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const looksRight = (at: number) => {
    const type = view.getUint8(at + 8) & 0x7f;
    const recordLen = view.getUint16(at + 10);
    const isKnown = (type >= 1 && type <= 27) || type === 48;
    // After 1996, when the format came up.
    return isKnown && recordLen >= 16 && recordLen <= 16_384 && view.getUint32(at + 4, true) > 820_454_400;
  };
  if (head.length < 16 || !looksRight(0)) return false;
  const next = view.getUint16(10);
  return head.length < next + 16 ? view.getUint16(14) + 16 <= next : looksRight(next);
}

/// Each packet of CommView begins with its length (16 bits twice and a version, or 32 bits) and its date.
function isCommView(head: Uint8Array): boolean {
  if (head.length < 12) return false;
  const isDate = (at: number) => {
    const year = head[at]! | (head[at + 1]! << 8);
    const [month, day, hour, minute] = [head[at + 2]!, head[at + 3]!, head[at + 4]!, head[at + 5]!];
    return (
      year >= 1998 &&
      year < 2100 &&
      month >= 1 &&
      month <= 12 &&
      day >= 1 &&
      day <= 31 &&
      hour < 24 &&
      minute < 60
    );
  };
  return (isDate(5) && head[4]! <= 1) || (isDate(4) && head[2] === 0 && head[3] === 0);
}
