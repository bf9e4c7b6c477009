/// Frame -> Packet: link layer, IP, transport. Pure; bytes are only read.

import { isTunnelPort } from '../loops/tunnel-ports.js';
import { findIp } from './link.js';
import {
  type DecodeStop,
  type Packet,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  STOP_IP_BAD_HEADER,
  STOP_IP_CUT,
  STOP_IP_FRAGMENT,
  STOP_IP_OTHER_PROTOCOL,
  STOP_NONE,
  STOP_NOT_IP,
  STOP_TOO_DEEP,
  STOP_TRANSPORT_BAD_HEADER,
  STOP_TRANSPORT_CUT,
} from './packet.js';
import { findInIp } from './tunnel.js';
import { findInUdp } from './udp-tunnel.js';

const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const TCP_HEADER_BYTES = 20;
/// Up to the flags; window, checksum and options may be cut off.
const TCP_HEADER_READ = 14;
const UDP_HEADER_BYTES = 8;
const ICMP_HEADER_BYTES = 8;

/// IPv6 extension headers (RFC 8200 section 4, RFC 4302, RFC 6275, RFC 7401, RFC 5533).
const EXT_HOP_BY_HOP = 0;
const EXT_ROUTING = 43;
const EXT_FRAGMENT = 44;
const EXT_AUTHENTICATION = 51;
const EXT_DESTINATION = 60;
const EXT_MOBILITY = 135;
const EXT_HIP = 139;
const EXT_SHIM6 = 140;

/// Longest chain of extension headers that is followed.
const MAX_EXTENSION_HEADERS = 16;

/// Fills `packet` from the frame at [at, at + capturedLen) and says where it
/// stopped. `originalLen` is the frame's length on the wire. After STOP_NONE
/// every field is valid; packets cut by the snap length decode as far as they
/// go, with `payloadLen` telling what was on the wire. Of tunnels the innermost
/// packet counts; what stands around it is in `packet.layers`.
export function decodeFrame(
  view: DataView,
  at: number,
  capturedLen: number,
  originalLen: number,
  linkType: number,
  packet: Packet,
): DecodeStop {
  packet.layers.clear();
  const end = at + capturedLen;
  const ipAt = findIp(view, at, end, linkType, packet.layers);
  return decodeIp(view, ipAt, end, at + originalLen, packet);
}

/// Goes on at the IP packet at [ipAt, end) of which `wireEnd` is the end on the
/// wire; a negative `ipAt` is the negative of a DecodeStop. Keeps `packet.layers`.
export function decodeIp(
  view: DataView,
  ipAt: number,
  end: number,
  wireEnd: number,
  packet: Packet,
): DecodeStop {
  const stop = decodeOne(view, ipAt, end, wireEnd, packet);
  if (stop === STOP_NONE) {
    const { protocol, sourcePort, destinationPort } = packet;
    const isTunnel = protocol === PROTOCOL_UDP && isTunnelPort(sourcePort, destinationPort);
    return isTunnel ? decodeUdpTunnel(view, ipAt, end, wireEnd, packet) : STOP_NONE;
  }
  return stop === STOP_IP_OTHER_PROTOCOL ? decodeIpTunnel(view, end, packet) : stop;
}

/// A packet that carries no transport but maybe another packet.
function decodeIpTunnel(view: DataView, end: number, packet: Packet): DecodeStop {
  const { ipEnd, transportAt } = packet;
  const captured = Math.min(end, ipEnd);
  const inner = findInIp(view, transportAt, captured, packet);
  // The packet is IP, whatever it carries.
  return inner === -STOP_NOT_IP ? STOP_IP_OTHER_PROTOCOL : decodeIp(view, inner, captured, ipEnd, packet);
}

/// A datagram on the port of a tunnel: what is inside, if that can be read, else
/// the datagram itself.
function decodeUdpTunnel(
  view: DataView,
  at: number,
  end: number,
  wireEnd: number,
  packet: Packet,
): DecodeStop {
  const { layers, ipEnd } = packet;
  const { count, tenant } = layers;
  const captured = Math.min(end, ipEnd);
  const inner = findInUdp(view, packet.payloadAt, captured, ipEnd, packet);
  if (inner === -STOP_TOO_DEEP) return STOP_TOO_DEEP;
  if (inner >= 0 && fits(view, inner, captured, ipEnd)) {
    const stop = decodeIp(view, inner, captured, ipEnd, packet);
    const isCut = captured < ipEnd && (stop === STOP_IP_CUT || stop === STOP_TRANSPORT_CUT);
    if (isCut || WHOLE_STOPS.includes(stop)) return stop;
  }
  layers.restore(count, tenant);
  return decodeOne(view, at, end, wireEnd, packet);
}

/// Where decoding may end if the bytes were read for what they are.
const WHOLE_STOPS: readonly DecodeStop[] = [
  STOP_NONE,
  STOP_IP_FRAGMENT,
  STOP_IP_OTHER_PROTOCOL,
  STOP_TOO_DEEP,
];

/// True if an IP packet that begins at `at` ends before `wireEnd`.
function fits(view: DataView, at: number, end: number, wireEnd: number): boolean {
  if (end - at < IPV4_HEADER_BYTES) return false;
  const version = view.getUint8(at) >> 4;
  const lengthAt = version === 4 ? at + 2 : at + 4;
  const bytes = view.getUint16(lengthAt, false) + (version === 4 ? 0 : IPV6_HEADER_BYTES);
  return (version === 4 || version === 6) && at + bytes <= wireEnd;
}

/// One IP packet and its transport header.
function decodeOne(view: DataView, at: number, end: number, wireEnd: number, packet: Packet): DecodeStop {
  if (at < 0) return -at;
  if (at >= end) return STOP_IP_CUT;
  packet.ipAt = at;
  const version = view.getUint8(at) >> 4;
  if (version === 4) return decodeIpv4(view, at, end, wireEnd, packet);
  if (version === 6) return decodeIpv6(view, at, end, wireEnd, packet);
  return STOP_IP_BAD_HEADER;
}

function decodeIpv4(view: DataView, at: number, end: number, wireEnd: number, packet: Packet): DecodeStop {
  if (end - at < IPV4_HEADER_BYTES) return STOP_IP_CUT;
  const headerBytes = (view.getUint8(at) & 0x0f) * 4;
  if (headerBytes < IPV4_HEADER_BYTES) return STOP_IP_BAD_HEADER;
  const totalLen = view.getUint16(at + 2, false);
  // Zero where segmentation offload left the length to the network card: the frame tells it then.
  const ipEnd = totalLen === 0 ? wireEnd : at + totalLen;
  if (ipEnd < at + headerBytes) return STOP_IP_BAD_HEADER;
  if (end - at < headerBytes) return STOP_IP_CUT;
  packet.version = 4;
  packet.ipEnd = ipEnd;
  packet.protocol = view.getUint8(at + 9);
  packet.source = view.getInt32(at + 12, false);
  packet.destination = view.getInt32(at + 16, false);
  packet.addressesAt = at + 12;
  // More-fragments flag or an offset: the transport header is missing or covers only a part.
  if ((view.getUint16(at + 6, false) & 0x3fff) !== 0) {
    packet.transportAt = at + headerBytes;
    return STOP_IP_FRAGMENT;
  }
  return decodeTransport(view, at + headerBytes, end, ipEnd, packet);
}

function decodeIpv6(view: DataView, at: number, end: number, wireEnd: number, packet: Packet): DecodeStop {
  if (end - at < IPV6_HEADER_BYTES) return STOP_IP_CUT;
  const payloadLen = view.getUint16(at + 4, false);
  // Zero for jumbograms (RFC 2675) and where segmentation offload left it out.
  const ipEnd = payloadLen === 0 ? wireEnd : at + IPV6_HEADER_BYTES + payloadLen;
  packet.version = 6;
  packet.ipEnd = ipEnd;
  packet.addressesAt = at + 8;
  let protocol = view.getUint8(at + 6);
  let next = at + IPV6_HEADER_BYTES;
  for (let i = 0; isExtensionHeader(protocol); i++) {
    if (i === MAX_EXTENSION_HEADERS) return STOP_IP_BAD_HEADER;
    if (end - next < 8) return STOP_IP_CUT;
    if (protocol === EXT_FRAGMENT && (view.getUint16(next + 2, false) & 0xfff9) !== 0) {
      packet.protocol = view.getUint8(next);
      packet.transportAt = next;
      return STOP_IP_FRAGMENT;
    }
    const lengthField = view.getUint8(next + 1);
    const bytes =
      protocol === EXT_FRAGMENT
        ? 8
        : protocol === EXT_AUTHENTICATION
          ? (lengthField + 2) * 4
          : (lengthField + 1) * 8;
    protocol = view.getUint8(next);
    next += bytes;
  }
  packet.protocol = protocol;
  if (next > ipEnd) return STOP_IP_BAD_HEADER;
  return decodeTransport(view, next, end, ipEnd, packet);
}

function isExtensionHeader(protocol: number): boolean {
  switch (protocol) {
    case EXT_HOP_BY_HOP:
    case EXT_ROUTING:
    case EXT_FRAGMENT:
    case EXT_AUTHENTICATION:
    case EXT_DESTINATION:
    case EXT_MOBILITY:
    case EXT_HIP:
    case EXT_SHIM6:
      return true;
    default:
      return false;
  }
}

function decodeTransport(view: DataView, at: number, end: number, ipEnd: number, packet: Packet): DecodeStop {
  let headerBytes: number;
  switch (packet.protocol) {
    case PROTOCOL_TCP: {
      if (end - at < TCP_HEADER_READ) return STOP_TRANSPORT_CUT;
      headerBytes = (view.getUint8(at + 12) >> 4) * 4;
      if (headerBytes < TCP_HEADER_BYTES) return STOP_TRANSPORT_BAD_HEADER;
      packet.sequence = view.getInt32(at + 4, false);
      packet.acknowledgement = view.getInt32(at + 8, false);
      packet.tcpFlags = view.getUint8(at + 13);
      break;
    }
    case PROTOCOL_UDP:
      if (end - at < UDP_HEADER_BYTES) return STOP_TRANSPORT_CUT;
      headerBytes = UDP_HEADER_BYTES;
      break;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
      if (end - at < ICMP_HEADER_BYTES) return STOP_TRANSPORT_CUT;
      headerBytes = ICMP_HEADER_BYTES;
      break;
    default:
      packet.transportAt = at;
      return STOP_IP_OTHER_PROTOCOL;
  }
  const payloadAt = at + headerBytes;
  const payloadLen = ipEnd - payloadAt;
  if (payloadLen < 0) return STOP_TRANSPORT_BAD_HEADER;
  const hasPorts = packet.protocol === PROTOCOL_TCP || packet.protocol === PROTOCOL_UDP;
  packet.sourcePort = hasPorts ? view.getUint16(at, false) : 0;
  packet.destinationPort = hasPorts ? view.getUint16(at + 2, false) : 0;
  packet.transportAt = at;
  packet.payloadAt = payloadAt;
  packet.payloadLen = payloadLen;
  // Bytes after the IP packet (Ethernet padding) and bytes not captured are no payload.
  packet.payloadCaptured = Math.max(0, Math.min(end, ipEnd) - payloadAt);
  return STOP_NONE;
}
