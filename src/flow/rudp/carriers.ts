/// What R-UDP travels in: plain UDP datagrams, fake DNS messages, ICMP messages.
/// Source: S4 and S5 Network.c RUDPSendPacket (facts 7.2 to 7.4); all three
/// checked on recordings of 4.44.9807 and 5.01.9674.

import { sha1 } from '@noble/hashes/legacy.js';
import {
  ICMP_INFORMATION_REPLY,
  ICMP_INFORMATION_REQUEST,
  RUDP_OPENING_BYTES as OPENING_BYTES,
  RUDP_ICMP_OPENING_BYTES,
} from '../../loops/openings.js';

export { OPENING_BYTES };

export type RudpCarrier = 'udp' | 'dns' | 'icmp';

/// Where the carried bytes begin and end.
export interface Carried {
  at: number;
  captured: number;
  length: number;
}

/// Query: header 12, one label of 8 hexadecimal digits, type DNSKEY, class IN, and
/// an OPT record (RFC 6891) whose data are the carried bytes.
const DNS_QUERY_BYTES = 37;
/// Answer: header 12, the question 14, and a DNSKEY record (RFC 4034 section 2.1)
/// whose public key is the carried bytes.
const DNS_ANSWER_BYTES = 42;
const DNS_LABEL_AT = 12;
const DNS_LABEL_BYTES = 8;
const DNS_QUESTION_END = 26;
const TYPE_DNSKEY = 48;
const TYPE_OPT = 41;
const CLASS_IN = 1;
/// An answer's DNSKEY: flags 0x0100, protocol 3, algorithm 8 (facts 7.3).
const DNSKEY_HEAD = 0x0100_0308;

const ICMP_HEADER_BYTES = 8;
const HASH_BYTES = 20;
/// Echo reply and request, information request and reply (RFC 792).
const ICMP_TYPES = [0, 8, 15, 16];

/// Finds the carried bytes in a UDP payload, or for ICMP in the whole message
/// with its header. False if this is no such message. For ICMP the payload's
/// hash is checked: SHA1(rest) || rest.
export function findCarried(
  carrier: RudpCarrier,
  bytes: Uint8Array,
  at: number,
  captured: number,
  length: number,
  carried: Carried,
): boolean {
  const strip =
    carrier === 'udp'
      ? 0
      : carrier === 'dns'
        ? dnsHeadBytes(bytes, at, captured, length)
        : icmpHeadBytes(bytes, at, captured, length);
  if (strip < 0 || strip > length) return false;
  carried.at = at + strip;
  carried.captured = Math.max(0, captured - strip);
  carried.length = length - strip;
  return true;
}

function dnsHeadBytes(bytes: Uint8Array, at: number, captured: number, length: number): number {
  if (captured < DNS_QUERY_BYTES || !isFakeQuestion(bytes, at)) return -1;
  const flags = short(bytes, at + 2);
  const counts = [4, 6, 8, 10].map((field) => short(bytes, at + field)).join(' ');
  const record = at + DNS_QUESTION_END;
  if (flags === 0x0100 && counts === '1 0 0 1') {
    const isOpt = bytes[record] === 0 && short(bytes, record + 1) === TYPE_OPT;
    return isOpt && short(bytes, record + 9) === length - DNS_QUERY_BYTES ? DNS_QUERY_BYTES : -1;
  }
  if (flags === 0x8180 && counts === '1 1 0 0' && captured >= DNS_ANSWER_BYTES) {
    const keyAt = record + 12;
    const isKey = short(bytes, record + 2) === TYPE_DNSKEY && int(bytes, keyAt) === DNSKEY_HEAD;
    return isKey && short(bytes, keyAt - 2) === length - DNS_ANSWER_BYTES + 4 ? DNS_ANSWER_BYTES : -1;
  }
  return -1;
}

function isFakeQuestion(bytes: Uint8Array, at: number): boolean {
  const label = at + DNS_LABEL_AT;
  if (bytes[label] !== DNS_LABEL_BYTES || bytes[label + 1 + DNS_LABEL_BYTES] !== 0) return false;
  for (let i = label + 1; i <= label + DNS_LABEL_BYTES; i++) {
    const digit = bytes[i]!;
    if (!((digit >= 0x30 && digit <= 0x39) || (digit >= 0x61 && digit <= 0x66))) return false;
  }
  const typeAt = at + DNS_QUESTION_END - 4;
  return short(bytes, typeAt) === TYPE_DNSKEY && short(bytes, typeAt + 2) === CLASS_IN;
}

function icmpHeadBytes(bytes: Uint8Array, at: number, captured: number, length: number): number {
  const head = ICMP_HEADER_BYTES + HASH_BYTES;
  if (length <= head || captured < length || !ICMP_TYPES.includes(bytes[at]!)) return -1;
  const hash = sha1(bytes.subarray(at + head, at + length));
  for (let i = 0; i < HASH_BYTES; i++) {
    if (hash[i] !== bytes[at + ICMP_HEADER_BYTES + i]) return -1;
  }
  return head;
}

/// True if an ICMP message is worth hashing though nothing is known of its
/// flow: of the length of an opening, or of a type that nobody else sends any more
/// (information request and reply: RFC 6918).
export function isIcmpCandidate(bytes: Uint8Array, at: number, captured: number, length: number): boolean {
  if (captured < ICMP_HEADER_BYTES) return false;
  const type = bytes[at]!;
  const isUnusual = type === ICMP_INFORMATION_REQUEST || type === ICMP_INFORMATION_REPLY;
  return isUnusual || length === ICMP_HEADER_BYTES + RUDP_ICMP_OPENING_BYTES;
}

function short(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function int(bytes: Uint8Array, at: number): number {
  return short(bytes, at) * 0x1_0000 + short(bytes, at + 2);
}
