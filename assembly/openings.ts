/// What is said first in a new flow. Most of it is web pages and names looked up, thousands of times: what is
/// plainly of these goes no further. The others go to those who follow flows (`flow/`), who decide by
/// themselves: a datagram that is let go here they would let go too (test/flow/openings.test.ts).

import {
  ENDING_WORDS,
  FROM_B,
  KEY_PROTOCOL_MASK,
  KIND_PAYLOAD,
  KIND_SEQUENCE_A,
  KIND_SEQUENCE_B,
  KIND_SYN_FROM_A,
  KIND_SYN_FROM_B,
  PACKET_KEY,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PORTS,
  PACKET_SEQUENCE,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  STATE_ANSWER_DUE,
  STATE_DISMISSED,
  STATE_MASK,
  TABLE_ENDINGS,
  TABLE_ENDINGS_COUNT,
  TABLE_NEVER_OFFERED,
  TCP_SYN,
  WORD_KIND,
  WORD_PACKETS,
  WORD_SEQUENCE,
} from '../src/loops/layout';
import {
  DATAGRAMS_BEFORE,
  ICMP_INFORMATION_REPLY,
  ICMP_INFORMATION_REQUEST,
  isListenedTo,
  isQuicVersion,
  LETTER_G,
  LETTER_P,
  MIN_DATAGRAM_BYTES,
  mayBeginTcp,
  OPENVPN_RESET_BYTES,
  PORT_DNS,
  RUDP_ICMP_OPENING_BYTES,
  RUDP_OPENING_BYTES,
  TLS_CLIENT_HELLO,
  TLS_EXTENSION_ALPN,
  TLS_EXTENSION_SERVER_NAME,
  TLS_EXTENSION_SUPPORTED_VERSIONS,
  TLS_RECORD_HANDSHAKE,
  TLS_SERVER_HELLO,
  TLS_VERSION_1_3,
} from '../src/loops/openings';
import { field, long, setWord, short, word } from './words';

/// Header of a record and of its message, version and random bytes (RFC 8446 sections 4 and 5.1).
const HELLO_BEGIN_BYTES: i32 = 5 + 4 + 34;
const EXTENSION_HEADER_BYTES: usize = 4;

const DNS_HEADER_BYTES = 12;
const LONGEST_LABEL = 63;
/// R-UDP in DNS messages: one label of 8 digits, type DNSKEY (`flow/rudp/carriers.ts`).
const DNS_CARRIER_BYTES = 37;
const DNS_CARRIER_LABEL_BYTES = 8;
const DNS_CARRIER_TYPE_AT = DNS_HEADER_BYTES + 1 + DNS_CARRIER_LABEL_BYTES + 1;
const TYPE_DNSKEY = 48;

const ICMP_HEADER_BYTES = 8;

/// A line that begins with `Host: `, the byte in front of it included: its first and last four bytes, as the machine reads them.
const HOST_FIELD_BYTES: usize = 7;
const HOST_FIELD_BEGIN: u32 = 0x73_6f_48_0a;
const HOST_FIELD_END: u32 = 0x20_3a_74_73;
const SPACE = 0x20;
const COLON = 0x3a;

/// Makes letters small; what else it changes is only compared with what was changed in the same way.
const SMALL_LETTERS: u64 = ((<u64>0x2020_2020) << 32) | 0x2020_2020;

/// Looks at the payload of a packet whose flow, the entry at `at`, is not followed. True if that is all there is to it.
export function lookAt(
  table: usize,
  at: usize,
  packet: usize,
  column: usize,
  payload: usize,
  captured: i32,
): bool {
  const protocol = field(packet, column, PACKET_KEY) & KEY_PROTOCOL_MASK;
  if (protocol === PROTOCOL_TCP) return lookAtTcp(table, at, packet, column, payload, captured);
  const end = payload + <usize>captured;
  if (protocol === PROTOCOL_UDP && mayBeListenedTo(table, packet, column, payload, end)) return false;
  if (beginsLikeQuic(payload, captured)) {
    setState(at, STATE_DISMISSED);
    return true;
  }
  const length = field(packet, column, PACKET_PAYLOAD_LENGTH);
  if (protocol === PROTOCOL_UDP) return !mayBeFollowed(at, packet, column, payload, captured, length);
  const type = load<u8>(payload - ICMP_HEADER_BYTES);
  const isUnusual = type === ICMP_INFORMATION_REQUEST || type === ICMP_INFORMATION_REPLY;
  return !isUnusual && length !== RUDP_ICMP_OPENING_BYTES;
}

function setState(at: usize, state: i32): void {
  setWord(at, WORD_KIND, (word(at, WORD_KIND) & ~STATE_MASK) | state);
}

/// As `lookAt`, for TCP.
function lookAtTcp(
  table: usize,
  at: usize,
  packet: usize,
  column: usize,
  payload: usize,
  captured: i32,
): bool {
  const flags = load<i32>(packet);
  const kind = word(at, WORD_KIND);
  const fromB = (flags & FROM_B) !== 0;
  const isClient = (kind & (fromB ? KIND_SYN_FROM_B : KIND_SYN_FROM_A)) !== 0;
  const isServerToo = (kind & (fromB ? KIND_SYN_FROM_A : KIND_SYN_FROM_B)) !== 0;
  if ((kind & STATE_MASK) === STATE_ANSWER_DUE) {
    if (isClient && !isServerToo) return true;
    if (!isTls13(payload, captured)) return false;
    setState(at, STATE_DISMISSED);
    return true;
  }
  if ((flags & TCP_SYN) !== 0 || captured === 0) return false;
  const isNumbered = (kind & (fromB ? KIND_SEQUENCE_B : KIND_SEQUENCE_A)) !== 0;
  const ahead = field(packet, column, PACKET_SEQUENCE) - word(at, WORD_SEQUENCE + (fromB ? 1 : 0));
  if (!isOfInterest(table, payload, captured)) {
    // A client's segment that overtook its first is for those who put segments in order, and what comes of a
    // connection whose SYN nobody saw may be the middle of something.
    if (isClient ? isNumbered && ahead > 0 : !isServerToo) return false;
    setWord(at, WORD_KIND, (kind & ~STATE_MASK) | STATE_DISMISSED | KIND_PAYLOAD);
    return true;
  }
  if (!isClient || isServerToo || !isNumbered || ahead !== 0) return false;
  if (!rulesSoftEtherOut(table, payload, captured)) return false;
  setWord(at, WORD_KIND, (kind & ~STATE_MASK) | STATE_ANSWER_DUE | KIND_PAYLOAD);
  return true;
}

/// True if what is said first in a connection may be of interest to somebody.
function isOfInterest(table: usize, payload: usize, captured: i32): bool {
  const first = load<u8>(payload);
  if (first === LETTER_G || first === LETTER_P)
    return isRequestToHeard(table, payload, payload + <usize>captured);
  return mayBeginTcp(first);
}

/// True if this may be an HTTP request (RFC 9112 section 3.2) to a name that somebody listens for.
function isRequestToHeard(table: usize, payload: usize, end: usize): bool {
  for (let at = payload; at + HOST_FIELD_BYTES < end; at++) {
    if (load<u32>(at) !== HOST_FIELD_BEGIN || load<u32>(at, 3) !== HOST_FIELD_END) continue;
    let next = at + HOST_FIELD_BYTES;
    while (next < end && <i32>load<u8>(next) > SPACE && load<u8>(next) !== COLON) next++;
    return endsAsHeard(table, next);
  }
  return false;
}

function isHello(payload: usize, captured: i32, message: i32): bool {
  if (captured < HELLO_BEGIN_BYTES + 1) return false;
  const record = load<u8>(payload) === TLS_RECORD_HANDSHAKE && load<u8>(payload, 1) === 3;
  return record && load<u8>(payload, 5) === <u8>message;
}

/// True if this is a ClientHello that offers what is never offered, and its server name, if it has one, is none
/// that somebody listens for. Of a hello that goes on in another segment only what is here counts.
function rulesSoftEtherOut(table: usize, payload: usize, captured: i32): bool {
  if (!isHello(payload, captured, TLS_CLIENT_HELLO)) return false;
  let end = payload + <usize>captured;
  // Session, suites, compression: each behind its length.
  let next = payload + HELLO_BEGIN_BYTES;
  next += 1 + <usize>load<u8>(next);
  if (next + 2 > end) return false;
  next += 2 + <usize>short(next);
  if (next >= end) return false;
  next += 1 + <usize>load<u8>(next);
  if (next + 2 > end) return false;
  end = min<usize>(end, next + 2 + <usize>short(next));
  next += 2;
  let isSaid = false;
  let isOffered = false;
  while (next + EXTENSION_HEADER_BYTES <= end) {
    const type = short(next);
    const data = next + EXTENSION_HEADER_BYTES;
    next = data + <usize>short(next + 2);
    // Whose name is not all here, or in no form that is known, is heard by others.
    if (type === TLS_EXTENSION_SERVER_NAME && (next > end || mayBeHeard(table, data, next))) return false;
    if (type === TLS_EXTENSION_ALPN && !isSaid) {
      isSaid = true;
      isOffered = isInList(table, data + 2, min<usize>(next, end));
    }
  }
  return isOffered;
}

/// The server name of a hello, which lies in [data, end): a list, of which the first counts (RFC 6066 section 3).
function mayBeHeard(table: usize, data: usize, end: usize): bool {
  if (data + 5 > end || load<u8>(data, 2) !== 0) return true;
  const nameEnd = data + 5 + <usize>short(data + 3);
  return nameEnd > end || endsAsHeard(table, nameEnd);
}

function isInList(table: usize, from: usize, end: usize): bool {
  const wanted = word(table, TABLE_NEVER_OFFERED);
  for (let next = from; next < end; next += 1 + <usize>load<u8>(next)) {
    const length = <usize>load<u8>(next);
    if (length === (<usize>wanted & 0xff) && next + length < end && begins(next, wanted)) return true;
  }
  return false;
}

/// True if a name with its length in front is this one, a word of as many bytes.
function begins(at: usize, wanted: i32): bool {
  const bytes = 1 + (wanted & 0xff);
  for (let i = 0; i < bytes; i++) {
    if (<i32>load<u8>(at + <usize>i) !== ((wanted >> (8 * i)) & 0xff)) return false;
  }
  return true;
}

/// True if this is a ServerHello that chooses TLS 1.3: all that follows is encrypted.
function isTls13(payload: usize, captured: i32): bool {
  if (!isHello(payload, captured, TLS_SERVER_HELLO)) return false;
  let end = payload + <usize>captured;
  // Session behind its length; suite and compression; length of the extensions.
  let next = payload + HELLO_BEGIN_BYTES;
  next += 1 + <usize>load<u8>(next) + 3;
  if (next + 2 > end) return false;
  end = min<usize>(end, next + 2 + <usize>short(next));
  next += 2;
  while (next + EXTENSION_HEADER_BYTES + 2 <= end) {
    const type = short(next);
    if (type === TLS_EXTENSION_SUPPORTED_VERSIONS)
      return short(next + EXTENSION_HEADER_BYTES) === TLS_VERSION_1_3;
    next += EXTENSION_HEADER_BYTES + <usize>short(next + 2);
  }
  return false;
}

/// True if a name that ends here may be one that somebody listens for.
function endsAsHeard(table: usize, end: usize): bool {
  const last = load<u64>(end - 8) | SMALL_LETTERS;
  const first = table + (TABLE_ENDINGS << 2);
  const behind = first + <usize>word(table, TABLE_ENDINGS_COUNT) * (ENDING_WORDS << 2);
  for (let ending = first; ending < behind; ending += ENDING_WORDS << 2) {
    if (((last ^ load<u64>(ending)) & load<u64>(ending, 8)) === 0) return true;
  }
  return false;
}

/// True if somebody may listen to this datagram because of its ports.
function mayBeListenedTo(table: usize, packet: usize, column: usize, payload: usize, end: usize): bool {
  const source = sourcePort(packet, column);
  const destination = destinationPort(packet, column);
  if (!isListenedTo(source, destination)) return false;
  return destination !== PORT_DNS || asksForHeard(table, payload, end);
}

function sourcePort(packet: usize, column: usize): i32 {
  const ports = <u32>field(packet, column, PACKET_PORTS);
  return <i32>((load<i32>(packet) & FROM_B) !== 0 ? ports & 0xffff : ports >> 16);
}

function destinationPort(packet: usize, column: usize): i32 {
  const ports = <u32>field(packet, column, PACKET_PORTS);
  return <i32>((load<i32>(packet) & FROM_B) !== 0 ? ports >> 16 : ports & 0xffff);
}

/// True if a DNS question (RFC 1035 section 4.1) may be for a name that somebody listens for.
function asksForHeard(table: usize, payload: usize, end: usize): bool {
  let next = payload + DNS_HEADER_BYTES;
  while (next < end) {
    const label = <i32>load<u8>(next);
    if (label === 0) return endsAsHeard(table, next);
    if (label > LONGEST_LABEL) return false;
    next += 1 + <usize>label;
  }
  return false;
}

function beginsLikeQuic(payload: usize, captured: i32): bool {
  return captured >= 5 && (load<u8>(payload) & 0xc0) === 0xc0 && isQuicVersion(long(payload + 1));
}

/// True if this datagram may be reason to follow its flow.
function mayBeFollowed(
  at: usize,
  packet: usize,
  column: usize,
  payload: usize,
  captured: i32,
  length: i32,
): bool {
  if (sourcePort(packet, column) === PORT_DNS || destinationPort(packet, column) === PORT_DNS) {
    const isLong = captured >= DNS_CARRIER_BYTES;
    return (
      isLong &&
      load<u8>(payload, DNS_HEADER_BYTES) === DNS_CARRIER_LABEL_BYTES &&
      short(payload + DNS_CARRIER_TYPE_AT) === TYPE_DNSKEY
    );
  }
  if (length === RUDP_OPENING_BYTES || captured === OPENVPN_RESET_BYTES) return true;
  return word(at, WORD_PACKETS) >= DATAGRAMS_BEFORE && length >= MIN_DATAGRAM_BYTES;
}
