/// Frames to packets, those of the kind that most are.

import {
  FRAME_CAPTURED,
  FRAME_LINK_TYPE,
  FRAME_OFFSET,
  FROM_B,
  HAS_PAYLOAD,
  IS_COMMON,
  LINKTYPE_ETHERNET,
  PACKET_ACKNOWLEDGEMENT,
  PACKET_ADDRESS_A,
  PACKET_ADDRESS_B,
  PACKET_FLAGS,
  PACKET_HASH,
  PACKET_KEY,
  PACKET_PORTS,
  PACKET_SEQUENCE,
  PACKET_TENANT,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../src/loops/layout';
import { isTunnelPort } from '../src/loops/tunnel-ports';
import { hashMore, hashOfKey } from './hash';

/// The last two bytes of an Ethernet header with EtherType IPv4, then version 4 with a header of
/// five words, as the machine reads them.
const COMMON_TYPE = 0x45_00_08;
/// Its headers up to the end of that of TCP.
const COMMON_HEADER_BYTES = 54;
/// More fragments, or not the first one: as the machine reads it.
const FRAGMENT_MASK = 0xff_3f;
const IPV4_BYTES = 20;
const TCP_BYTES = 20;
const UDP_BYTES = 8;

/// Takes the packets from this place on as long as they are of the kind that most are, and
/// returns the place of the next: Ethernet, IPv4 without options and fragments, TCP or UDP, no
/// tunnel. `column` is the length of a column of the packets in bytes.
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
    if (load<i32>(frame, FRAME_CAPTURED) < COMMON_HEADER_BYTES) return i;
    const at = bytes + <usize>load<i32>(frame, FRAME_OFFSET);
    if ((load<i32>(at, 12) & 0xff_ff_ff) !== COMMON_TYPE) return i;
    if ((load<u16>(at, 20) & FRAGMENT_MASK) !== 0) return i;
    const protocol = <i32>load<u8>(at, 23);
    const sentPorts = word(at + 34);
    const sourcePort = <i32>(<u32>sentPorts >> 16);
    const destinationPort = sentPorts & 0xffff;
    const packet = packets + ((<usize>i) << 2);
    let headerBytes = IPV4_BYTES + UDP_BYTES;
    let flags = 0;
    if (protocol === PROTOCOL_TCP) {
      const tcpBytes = (<i32>(load<u8>(at, 46) >> 4)) << 2;
      if (tcpBytes < TCP_BYTES) return i;
      headerBytes = IPV4_BYTES + tcpBytes;
      flags = <i32>load<u8>(at, 47);
      store<i32>(packet + column * PACKET_SEQUENCE, word(at + 38));
      store<i32>(packet + column * PACKET_ACKNOWLEDGEMENT, word(at + 42));
    } else if (protocol !== PROTOCOL_UDP || isTunnelPort(sourcePort, destinationPort)) return i;
    const payloadLen = <i32>bswap<u16>(load<u16>(at, 16)) - headerBytes;
    if (payloadLen < 0) return i;
    const source = word(at + 26);
    const destination = word(at + 30);
    const fromB = source > destination || (source === destination && sourcePort > destinationPort);
    const a = select<i32>(destination, source, fromB);
    const b = select<i32>(source, destination, fromB);
    const ports = select<i32>(rotl<i32>(sentPorts, 16), sentPorts, fromB);
    flags |= IS_COMMON | select<i32>(HAS_PAYLOAD, 0, payloadLen > 0) | select<i32>(FROM_B, 0, fromB);
    store<i32>(packet + column * PACKET_FLAGS, flags);
    store<i32>(packet + column * PACKET_KEY, protocol);
    store<i32>(packet + column * PACKET_TENANT, 0);
    store<i32>(packet + column * PACKET_PORTS, ports);
    store<i32>(packet + column * PACKET_ADDRESS_A, a);
    store<i32>(packet + column * PACKET_ADDRESS_B, b);
    store<i32>(packet + column * PACKET_HASH, hashOfKey(hashMore(seed, a, b), ports, protocol));
  }
  return count;
}

/// Four bytes in the order of the network.
function word(at: usize): i32 {
  return bswap<i32>(load<i32>(at));
}
