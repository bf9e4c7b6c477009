/// One decoded packet. There is a single one, filled again for every frame:
/// whoever wants to keep something copies it.

import { LayerStack } from './layers.js';

/// Why decoding of a frame ended where it did.
export const STOP_NONE = 0;
export const STOP_NOT_IP = 1;
export const STOP_LINK_UNSUPPORTED = 2;
export const STOP_LINK_CUT = 3;
export const STOP_IP_CUT = 4;
export const STOP_IP_BAD_HEADER = 5;
export const STOP_IP_FRAGMENT = 6;
export const STOP_IP_OTHER_PROTOCOL = 7;
export const STOP_TRANSPORT_CUT = 8;
export const STOP_TRANSPORT_BAD_HEADER = 9;
export const STOP_LINK_PROTECTED = 10;
export const STOP_LINK_FRAGMENT = 11;
export const STOP_TOO_DEEP = 12;

export type DecodeStop = number;

/// Layer and reason of each stop that the report counts as undecodable, by
/// stop number. The others (no IP, another transport) are ordinary traffic.
export const UNDECODABLE: readonly (readonly [layer: string, reason: string] | null)[] = [
  null,
  null,
  ['link', 'unsupported link type'],
  ['link', 'header cut off'],
  ['ip', 'header cut off'],
  ['ip', 'invalid header'],
  ['ip', 'fragment'],
  null,
  ['transport', 'header cut off'],
  ['transport', 'invalid header'],
  ['link', 'encrypted wireless frame'],
  ['link', 'wireless fragment'],
  ['encapsulation', 'too many layers'],
];

export {
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from '../loops/layout.js';

/// Numbers from headers are signed 32-bit here (a sequence number above 2^31
/// is negative): V8 keeps those without allocating.
/// Offsets are indices into the bytes of the frame's batch.
export class Packet {
  /// What stands around the IP packet: VLAN tags, labels, tunnels.
  readonly layers = new LayerStack();
  /// 4 or 6.
  version = 0;
  protocol = 0;
  /// IPv4 addresses.
  source = 0;
  destination = 0;
  /// Where the source address begins, 4 or 16 bytes; the destination follows it.
  addressesAt = 0;
  /// Where the IP packet begins, and where it ends on the wire.
  ipAt = 0;
  ipEnd = 0;
  /// Where the TCP, UDP or ICMP header begins; of an IPv6 fragment its fragment header.
  transportAt = 0;
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgement = 0;
  tcpFlags = 0;
  payloadAt = 0;
  /// Payload bytes that were captured.
  payloadCaptured = 0;
  /// Payload bytes that were on the wire, >= payloadCaptured.
  payloadLen = 0;
}
