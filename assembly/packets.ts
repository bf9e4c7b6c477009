/// Frames to packets, those of the kind that most are.

import {
  FRAME_CAPTURED,
  FRAME_LINK_TYPE,
  FRAME_OFFSET,
  FROM_B,
  HAS_PAYLOAD,
  IS_COMMON,
  KEY_IPV6,
  KEY_PROTOCOL_MASK,
  LINKTYPE_ETHERNET,
  PACKET_ACKNOWLEDGEMENT,
  PACKET_ADDRESS_A,
  PACKET_ADDRESS_B,
  PACKET_FLAGS,
  PACKET_HASH,
  PACKET_KEY,
  PACKET_MORE_A,
  PACKET_MORE_B,
  PACKET_PAYLOAD_AT,
  PACKET_PAYLOAD_CAPTURED,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PORTS,
  PACKET_SEQUENCE,
  PACKET_TENANT,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../src/loops/layout';
import { isTunnelPort } from '../src/loops/tunnel-ports';
import { hashMore, hashOfKey } from './hash';
import { long, short } from './words';

/// The last two bytes of an Ethernet header with EtherType IPv4, then version 4 with a header of
/// five words, as the machine reads them.
const BEGIN_IPV4 = 0x45_00_08;
/// The same with IPv6 and the version alone, and the bits that are looked at.
const BEGIN_IPV6 = 0x60_dd_86;
const BEGIN_IPV6_MASK = 0xf0_ff_ff;
/// More fragments, or not the first one: as the machine reads it.
const FRAGMENT_MASK = 0xff_3f;
const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const TCP_BYTES = 20;
const UDP_BYTES = 8;
const ICMP_BYTES = 8;
/// Shorter ones, which Ethernet would have padded, are left to `decodeFrame`.
const LEAST_BYTES = ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES;

/// Takes the packets from this place on as long as they are of the kind that most are, and
/// returns the place of the next: Ethernet, IPv4 without options and fragments or IPv6 without extension
/// headers, TCP, UDP or ICMP, no tunnel. `column` is the length of a column of the packets in bytes.
export function decodeCommon(
  bytes: usize,
  batch: usize,
  from: i32,
  count: i32,
  packets: usize,
  column: usize,
  seed: i32,
): i32 {
  for (let i = from; i < count; i++) {
    const frame = batch + ((<usize>i) << 2);
    if (load<i32>(frame, FRAME_LINK_TYPE) !== LINKTYPE_ETHERNET) return i;
    const captured = load<i32>(frame, FRAME_CAPTURED);
    if (captured < LEAST_BYTES) return i;
    const offset = load<i32>(frame, FRAME_OFFSET);
    const at = bytes + <usize>offset;
    const packet = packets + ((<usize>i) << 2);
    const typeAndVersion = load<i32>(at, 12);
    const isIpv4 = (typeAndVersion & 0xff_ff_ff) === BEGIN_IPV4;
    // Header up to that of TCP, UDP or ICMP, what the packet holds from there on, and whose it is.
    let headers = ETHERNET_BYTES + IPV4_BYTES;
    let length = 0;
    let key = 0;
    if (isIpv4) {
      if ((load<u16>(at, 20) & FRAGMENT_MASK) !== 0) return i;
      length = short(at + 16) - IPV4_BYTES;
      key = <i32>load<u8>(at, 23);
    } else {
      // An empty length is that of a jumbogram, or was left out.
      length = short(at + 18);
      if ((typeAndVersion & BEGIN_IPV6_MASK) !== BEGIN_IPV6 || length === 0) return i;
      headers = ETHERNET_BYTES + IPV6_BYTES;
      if (captured < headers + UDP_BYTES) return i;
      key = <i32>load<u8>(at, 20) | KEY_IPV6;
    }
    const transport = at + <usize>headers;
    const protocol = key & KEY_PROTOCOL_MASK;
    const isIcmp = protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
    const sentPorts = isIcmp ? 0 : long(transport);
    const sourcePort = <i32>(<u32>sentPorts >> 16);
    const destinationPort = sentPorts & 0xffff;
    let headerBytes = isIcmp ? ICMP_BYTES : UDP_BYTES;
    let flags = IS_COMMON;
    if (protocol === PROTOCOL_TCP) {
      if (captured < headers + TCP_BYTES) return i;
      headerBytes = (<i32>(load<u8>(transport, 12) >> 4)) << 2;
      if (headerBytes < TCP_BYTES) return i;
      flags |= <i32>load<u8>(transport, 13);
      store<i32>(packet + column * PACKET_SEQUENCE, long(transport + 4));
      store<i32>(packet + column * PACKET_ACKNOWLEDGEMENT, long(transport + 8));
    } else if (!isIcmp && (protocol !== PROTOCOL_UDP || isTunnelPort(sourcePort, destinationPort))) return i;
    const payloadLen = length - headerBytes;
    if (payloadLen < 0) return i;
    if (payloadLen > 0) {
      flags |= HAS_PAYLOAD;
      const before = headers + headerBytes;
      store<i32>(packet + column * PACKET_PAYLOAD_AT, offset + before);
      store<i32>(
        packet + column * PACKET_PAYLOAD_CAPTURED,
        max<i32>(0, min<i32>(payloadLen, captured - before)),
      );
      store<i32>(packet + column * PACKET_PAYLOAD_LENGTH, payloadLen);
    }
    let fromB = sourcePort > destinationPort;
    let hash = seed;
    if (isIpv4) {
      const source = long(at + 26);
      const destination = long(at + 30);
      fromB = source > destination || (source === destination && fromB);
      const a = select<i32>(destination, source, fromB);
      const b = select<i32>(source, destination, fromB);
      store<i32>(packet + column * PACKET_ADDRESS_A, a);
      store<i32>(packet + column * PACKET_ADDRESS_B, b);
      hash = hashMore(hash, a, b);
    } else {
      const order = orderOf(at + 22, at + 38);
      fromB = order > 0 || (order === 0 && fromB);
      hash = takeIpv6(
        select<usize>(at + 38, at + 22, fromB),
        select<usize>(at + 22, at + 38, fromB),
        packet,
        column,
        seed,
      );
    }
    const ports = select<i32>(rotl<i32>(sentPorts, 16), sentPorts, fromB);
    store<i32>(packet + column * PACKET_FLAGS, flags | select<i32>(FROM_B, 0, fromB));
    store<i32>(packet + column * PACKET_KEY, key);
    store<i32>(packet + column * PACKET_TENANT, 0);
    store<i32>(packet + column * PACKET_PORTS, ports);
    store<i32>(packet + column * PACKET_HASH, hashOfKey(hash, ports, key));
  }
  return count;
}

/// More than 0 if the first of two IPv6 addresses is the greater one.
function orderOf(one: usize, other: usize): i32 {
  for (let at: usize = 0; at < 16; at += 4) {
    const ofOne = long(one + at);
    const ofOther = long(other + at);
    if (ofOne !== ofOther) return ofOne > ofOther ? 1 : -1;
  }
  return 0;
}

/// Stores the IPv6 addresses of A and B and returns their hash.
function takeIpv6(atA: usize, atB: usize, packet: usize, column: usize, seed: i32): i32 {
  let hash = seed;
  for (let i = 0; i < 4; i++) {
    const a = long(atA + ((<usize>i) << 2));
    const b = long(atB + ((<usize>i) << 2));
    hash = hashMore(hash, a, b);
    store<i32>(packet + column * <usize>(i === 0 ? PACKET_ADDRESS_A : PACKET_MORE_A + i - 1), a);
    store<i32>(packet + column * <usize>(i === 0 ? PACKET_ADDRESS_B : PACKET_MORE_B + i - 1), b);
  }
  return hash;
}
