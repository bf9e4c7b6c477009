/// Tunnels: an IP packet whose payload is another packet. Each function gets
/// where the payload begins and returns where the IP packet inside begins, or
/// the negative of a DecodeStop.

import { LAYER_ERSPAN, LAYER_ETHERIP, LAYER_GRE, LAYER_IP, LAYER_NVGRE, LAYER_PPTP } from './layers.js';
import { afterEthernet, afterMpls, afterPpp, afterType } from './link-ether.js';
import { type Packet, STOP_NOT_IP, STOP_TOO_DEEP, STOP_TRANSPORT_CUT } from './packet.js';

/// IP protocol numbers of tunnels.
const PROTOCOL_IPV4 = 4;
const PROTOCOL_IPV6 = 41;
const PROTOCOL_GRE = 47;
const PROTOCOL_ETHERIP = 97;
const PROTOCOL_MPLS = 137;

/// EtherTypes that only GRE carries.
const ETHERTYPE_BRIDGED = 0x6558;
const ETHERTYPE_ERSPAN = 0x88be;
const ETHERTYPE_ERSPAN_III = 0x22eb;
const ETHERTYPE_PPP = 0x880b;
const ETHERTYPE_WCCP = 0x883e;

/// The first two bytes of GRE (RFC 2784, RFC 2890; the last two RFC 2637).
const GRE_CHECKSUM = 0x8000;
const GRE_ROUTING = 0x4000;
const GRE_KEY = 0x2000;
const GRE_SEQUENCE = 0x1000;
const GRE_ACKNOWLEDGEMENT = 0x0080;
const GRE_VERSION_MASK = 0x0007;

/// Smaller numbers of virtual subnets are reserved (RFC 7637 section 3.2): a
/// smaller key is an ordinary GRE key.
const MIN_NVGRE_SUBNET = 0x1000;

/// Frame types of ERSPAN type III (draft-foschiano-erspan section 4.3).
const ERSPAN_FRAME_ETHERNET = 0;
const ERSPAN_FRAME_IP = 2;

/// The packet inside what `packet.protocol` of IP says, between `at` and `end`.
export function findInIp(view: DataView, at: number, end: number, packet: Packet): number {
  switch (packet.protocol) {
    case PROTOCOL_IPV4:
    case PROTOCOL_IPV6:
      return pushTunnel(view, LAYER_IP, packet) ? at : -STOP_TOO_DEEP;
    case PROTOCOL_GRE:
      return afterGre(view, at, end, packet);
    case PROTOCOL_ETHERIP:
      // RFC 3378: version 3 and nothing else.
      if (end - at < 2) return -STOP_TRANSPORT_CUT;
      if (view.getUint16(at, false) !== 0x3000) return -STOP_NOT_IP;
      if (!pushTunnel(view, LAYER_ETHERIP, packet)) return -STOP_TOO_DEEP;
      return afterEthernet(view, at + 2, end, packet.layers);
    case PROTOCOL_MPLS:
      // RFC 4023.
      if (!pushTunnel(view, LAYER_IP, packet)) return -STOP_TOO_DEEP;
      return afterMpls(view, at, end, packet.layers);
    default:
      return -STOP_NOT_IP;
  }
}

/// Notes a tunnel between the addresses of the packet decoded last.
export function pushTunnel(view: DataView, kind: number, packet: Packet, id?: number): boolean {
  return packet.layers.pushTunnel(kind, view, packet.version, packet.addressesAt, id);
}

export function afterGre(view: DataView, at: number, end: number, packet: Packet): number {
  if (end - at < 4) return -STOP_TRANSPORT_CUT;
  const flags = view.getUint16(at, false);
  const type = view.getUint16(at + 2, false);
  const version = flags & GRE_VERSION_MASK;
  if (version === 1 && type === ETHERTYPE_PPP) return afterPptp(view, at, flags, end, packet);
  // Source routes (RFC 1701) are history; a keep-alive has type 0.
  if (version !== 0 || (flags & GRE_ROUTING) !== 0 || type === 0) return -STOP_NOT_IP;
  const keyAt = at + 4 + ((flags & GRE_CHECKSUM) === 0 ? 0 : 4);
  const sequenceAt = keyAt + ((flags & GRE_KEY) === 0 ? 0 : 4);
  const next = sequenceAt + ((flags & GRE_SEQUENCE) === 0 ? 0 : 4);
  if (end < next) return -STOP_TRANSPORT_CUT;
  if (type === ETHERTYPE_ERSPAN || type === ETHERTYPE_ERSPAN_III) {
    // Without a sequence number it is type I, which has no header.
    const isFirst = type === ETHERTYPE_ERSPAN && (flags & GRE_SEQUENCE) === 0;
    if (!isFirst) return afterErspan(view, next, type, end, packet);
    if (!pushTunnel(view, LAYER_ERSPAN, packet)) return -STOP_TOO_DEEP;
    return afterEthernet(view, next, end, packet.layers);
  }
  const key = (flags & GRE_KEY) === 0 ? undefined : view.getUint32(keyAt, false);
  if (!pushGre(view, flags, type, key, packet)) return -STOP_TOO_DEEP;
  if (type === ETHERTYPE_BRIDGED) return afterEthernet(view, next, end, packet.layers);
  if (type === ETHERTYPE_PPP) return afterPpp(view, next, end, packet.layers);
  if (type !== ETHERTYPE_WCCP) return afterType(view, type, next, end, packet.layers);
  // Version 2 of WCCP has a header of four bytes, version 1 has none.
  return end > next && view.getUint8(next) >> 4 === 4 ? next : next + 4;
}

/// NVGRE is GRE with a key and nothing else around Ethernet (RFC 7637).
function pushGre(
  view: DataView,
  flags: number,
  type: number,
  key: number | undefined,
  packet: Packet,
): boolean {
  const subnet = (key ?? 0) >>> 8;
  if (flags !== GRE_KEY || type !== ETHERTYPE_BRIDGED || subnet < MIN_NVGRE_SUBNET) {
    return pushTunnel(view, LAYER_GRE, packet, key);
  }
  packet.layers.setTenant(LAYER_NVGRE, subnet);
  return pushTunnel(view, LAYER_NVGRE, packet, subnet);
}

/// RFC 2637 section 4.1: payload length, call, and the two optional numbers.
function afterPptp(view: DataView, at: number, flags: number, end: number, packet: Packet): number {
  if (end - at < 8) return -STOP_TRANSPORT_CUT;
  if ((flags & GRE_SEQUENCE) === 0) return -STOP_NOT_IP;
  if (!pushTunnel(view, LAYER_PPTP, packet, view.getUint16(at + 6, false))) return -STOP_TOO_DEEP;
  const next = at + 12 + ((flags & GRE_ACKNOWLEDGEMENT) === 0 ? 0 : 4);
  return afterPpp(view, next, end, packet.layers);
}

/// draft-foschiano-erspan sections 4.2 and 4.3: the session is in the low ten
/// bits of the second pair of bytes.
function afterErspan(view: DataView, at: number, type: number, end: number, packet: Packet): number {
  const isThird = type === ETHERTYPE_ERSPAN_III;
  const bytes = isThird ? 12 : 8;
  if (end - at < bytes) return -STOP_TRANSPORT_CUT;
  if (view.getUint8(at) >> 4 !== (isThird ? 2 : 1)) return -STOP_NOT_IP;
  const session = view.getUint16(at + 2, false) & 0x03ff;
  if (!pushTunnel(view, LAYER_ERSPAN, packet, session)) return -STOP_TOO_DEEP;
  if (!isThird) return afterEthernet(view, at + bytes, end, packet.layers);
  const last = view.getUint16(at + 10, false);
  // The last bit announces another header of eight bytes.
  const next = at + bytes + ((last & 1) === 0 ? 0 : 8);
  const frameType = (last >> 10) & 0x1f;
  if (frameType === ERSPAN_FRAME_IP) return next;
  return frameType === ERSPAN_FRAME_ETHERNET ? afterEthernet(view, next, end, packet.layers) : -STOP_NOT_IP;
}
