/// Tunnels in UDP, told by their port and a header that checks out. Ports are
/// free: another program's datagrams on them have to stay what they are, so
/// every fixed bit is compared, and what follows has to be IP.

import {
  PORT_CAPWAP_DATA,
  PORT_GENEVE,
  PORT_GRE,
  PORT_GTP_U,
  PORT_L2TP,
  PORT_MPLS,
  PORT_TEREDO,
  PORT_TZSP,
  PORT_VXLAN,
  PORT_VXLAN_GPE,
  PORT_VXLAN_LINUX,
} from '../loops/tunnel-ports.js';
import {
  LAYER_CAPWAP,
  LAYER_GENEVE,
  LAYER_GTP_U,
  LAYER_IP,
  LAYER_L2TP,
  LAYER_TEREDO,
  LAYER_TZSP,
  LAYER_VXLAN,
} from './layers.js';
import { afterEthernet, afterMpls, afterPpp, afterType } from './link-ether.js';
import { afterWireless } from './link-wireless.js';
import { type Packet, STOP_NOT_IP, STOP_TOO_DEEP } from './packet.js';
import { afterGre, pushTunnel } from './tunnel.js';

const ETHERTYPE_BRIDGED = 0x6558;

/// Where the IP packet inside the UDP payload begins, or the negative of a
/// DecodeStop if this is no tunnel. `wireEnd` is where the payload ended on the wire.
export function findInUdp(view: DataView, at: number, end: number, wireEnd: number, packet: Packet): number {
  switch (packet.destinationPort) {
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX:
      return afterVxlan(view, at, end, packet);
    case PORT_VXLAN_GPE:
      return afterVxlanGpe(view, at, end, packet);
    case PORT_GENEVE:
      return afterGeneve(view, at, end, packet);
    case PORT_GTP_U:
      return afterGtp(view, at, end, wireEnd, packet);
    case PORT_TZSP:
      return afterTzsp(view, at, end, packet);
    case PORT_GRE:
      return afterGre(view, at, end, packet);
    case PORT_MPLS:
      if (!pushTunnel(view, LAYER_IP, packet)) return -STOP_TOO_DEEP;
      return afterMpls(view, at, end, packet.layers);
    case PORT_TEREDO:
      return afterTeredo(view, at, end, wireEnd, packet);
    case PORT_CAPWAP_DATA:
      return afterCapwap(view, at, end, packet);
    case PORT_L2TP:
      return afterL2tp(view, at, end, packet);
  }
  if (packet.sourcePort === PORT_TEREDO) return afterTeredo(view, at, end, wireEnd, packet);
  if (packet.sourcePort === PORT_CAPWAP_DATA) return afterCapwap(view, at, end, packet);
  return afterL2tp(view, at, end, packet);
}

/// RFC 7348 section 5: one flag, the network in 24 bits, the rest is zero. Group
/// policies (draft-smith-vxlan-group-policy) use some of the rest.
function afterVxlan(view: DataView, at: number, end: number, packet: Packet): number {
  if (end - at < 8) return -STOP_NOT_IP;
  const flags = view.getUint32(at, false);
  const hasGroup = flags >>> 24 === 0x88;
  const isPlain = hasGroup ? (flags & 0x00b7_0000) === 0 : flags === 0x0800_0000;
  if (!isPlain || view.getUint8(at + 7) !== 0) return -STOP_NOT_IP;
  if (!pushNetwork(view, LAYER_VXLAN, view.getUint32(at + 4, false) >>> 8, packet)) return -STOP_TOO_DEEP;
  return afterEthernet(view, at + 8, end, packet.layers);
}

/// draft-ietf-nvo3-vxlan-gpe section 3: the payload's kind is in the fourth byte.
function afterVxlanGpe(view: DataView, at: number, end: number, packet: Packet): number {
  if (end - at < 8) return -STOP_NOT_IP;
  const flags = view.getUint32(at, false);
  const kind = flags & 0xff;
  if ((flags & 0xf8ff_ff00) >>> 0 !== 0x0800_0000 || view.getUint8(at + 7) !== 0) return -STOP_NOT_IP;
  const network = view.getUint32(at + 4, false) >>> 8;
  if (!pushNetwork(view, LAYER_VXLAN, network, packet)) return -STOP_TOO_DEEP;
  if (kind === 1 || kind === 2) return at + 8;
  return kind === 3 || kind === 0 ? afterEthernet(view, at + 8, end, packet.layers) : -STOP_NOT_IP;
}

/// RFC 8926 section 3.4: options in words of four bytes, an EtherType, the network.
function afterGeneve(view: DataView, at: number, end: number, packet: Packet): number {
  if (end - at < 8) return -STOP_NOT_IP;
  const first = view.getUint16(at, false);
  const isGeneve = (first & 0xc03f) === 0 && view.getUint8(at + 7) === 0;
  const next = at + 8 + 4 * ((first >> 8) & 0x3f);
  if (!isGeneve || next > end) return -STOP_NOT_IP;
  const network = view.getUint32(at + 4, false) >>> 8;
  if (!pushNetwork(view, LAYER_GENEVE, network, packet)) return -STOP_TOO_DEEP;
  return afterBridgedOrType(view, view.getUint16(at + 2, false), next, end, packet);
}

/// 3GPP TS 29.281 section 5: a user's packet (message 255), of version 1 of GTP
/// and not of its charging sister; the optional fields are there all or none,
/// and extension headers say their length in words.
function afterGtp(view: DataView, at: number, end: number, wireEnd: number, packet: Packet): number {
  if (end - at < 8 || (view.getUint8(at) & 0xf8) !== 0x30 || view.getUint8(at + 1) !== 255)
    return -STOP_NOT_IP;
  if (at + 8 + view.getUint16(at + 2, false) !== wireEnd) return -STOP_NOT_IP;
  if (!pushTunnel(view, LAYER_GTP_U, packet, view.getUint32(at + 4, false))) return -STOP_TOO_DEEP;
  const flags = view.getUint8(at) & 0x07;
  if (flags === 0) return at + 8;
  if (end - at < 12) return -STOP_NOT_IP;
  let next = at + 12;
  let extension = (flags & 0x04) === 0 ? 0 : view.getUint8(at + 11);
  while (extension !== 0) {
    const bytes = next < end ? 4 * view.getUint8(next) : 0;
    if (bytes === 0 || next + bytes > end) return -STOP_NOT_IP;
    extension = view.getUint8(next + bytes - 1);
    next += bytes;
  }
  return next;
}

/// RFC 4380 section 5.1.1: authentication and origin may stand before the IPv6
/// packet, which fills the rest and has an end in Teredo's prefix 2001::/32.
function afterTeredo(view: DataView, at: number, end: number, wireEnd: number, packet: Packet): number {
  let next = at;
  if (end - next >= 4 && view.getUint16(next, false) === 0x0001) {
    next += 13 + view.getUint8(next + 2) + view.getUint8(next + 3);
  }
  if (end - next >= 8 && view.getUint16(next, false) === 0x0000) next += 8;
  if (end - next < 40 || view.getUint8(next) >> 4 !== 6) return -STOP_NOT_IP;
  if (next + 40 + view.getUint16(next + 4, false) !== wireEnd) return -STOP_NOT_IP;
  const isTeredo = view.getUint32(next + 8, false) === 0x2001_0000;
  if (!isTeredo && view.getUint32(next + 24, false) !== 0x2001_0000) return -STOP_NOT_IP;
  return pushTunnel(view, LAYER_TEREDO, packet) ? next : -STOP_TOO_DEEP;
}

/// TaZmen Sniffer Protocol, as Mikrotik's mirrors send it: version 1, a received
/// or sent frame, its link type, fields until one of type 1.
function afterTzsp(view: DataView, at: number, end: number, packet: Packet): number {
  if (end - at < 5 || view.getUint8(at) !== 1 || view.getUint8(at + 1) > 1) return -STOP_NOT_IP;
  const kind = view.getUint16(at + 2, false);
  let next = at + 4;
  while (next < end && view.getUint8(next) !== 1) {
    // Type 0 is padding and has no length.
    if (view.getUint8(next) === 0) next++;
    else if (end - next < 2) return -STOP_NOT_IP;
    else next += 2 + view.getUint8(next + 1);
  }
  if (++next >= end) return -STOP_NOT_IP;
  if (!pushTunnel(view, LAYER_TZSP, packet)) return -STOP_TOO_DEEP;
  if (kind === 1) return afterEthernet(view, next, end, packet.layers);
  return kind === 18 ? afterWireless(view, next, end, packet.layers) : -STOP_NOT_IP;
}

/// RFC 5415 section 4.3: header length in words, what it binds to, and whether
/// the frame is of that kind or Ethernet. Encrypted and fragmented ones are not read.
function afterCapwap(view: DataView, at: number, end: number, packet: Packet): number {
  if (end - at < 8 || view.getUint8(at) !== 0) return -STOP_NOT_IP;
  const header = view.getUint32(at, false);
  const headerBytes = 4 * ((header >> 19) & 0x1f);
  const isNative = (header & 0x0100) !== 0;
  const isFragment = (header & 0x0080) !== 0;
  const isKeepAlive = (header & 0x0008) !== 0;
  if (headerBytes < 8 || isFragment || isKeepAlive || (header & 0x0007) !== 0) return -STOP_NOT_IP;
  if (at + headerBytes > end) return -STOP_NOT_IP;
  if (!pushTunnel(view, LAYER_CAPWAP, packet)) return -STOP_TOO_DEEP;
  const next = at + headerBytes;
  return isNative
    ? afterWireless(view, next, end, packet.layers)
    : afterEthernet(view, next, end, packet.layers);
}

/// RFC 2661 section 3.1: a data message of version 2; flags say which fields there are.
function afterL2tp(view: DataView, at: number, end: number, packet: Packet): number {
  if (end - at < 6) return -STOP_NOT_IP;
  const flags = view.getUint16(at, false);
  if ((flags & 0xb4ff) !== 0x0002) return -STOP_NOT_IP;
  const tunnelAt = at + ((flags & 0x4000) === 0 ? 2 : 4);
  let next = tunnelAt + 4 + ((flags & 0x0800) === 0 ? 0 : 4);
  if ((flags & 0x0200) !== 0) {
    if (end - next < 2) return -STOP_NOT_IP;
    next += 2 + view.getUint16(next, false);
  }
  if (next > end || !pushTunnel(view, LAYER_L2TP, packet, view.getUint16(tunnelAt + 2, false)))
    return -STOP_NOT_IP;
  return afterPpp(view, next, end, packet.layers);
}

function afterBridgedOrType(view: DataView, type: number, at: number, end: number, packet: Packet): number {
  if (type === ETHERTYPE_BRIDGED) return afterEthernet(view, at, end, packet.layers);
  return afterType(view, type, at, end, packet.layers);
}

/// A tunnel with a number that is the same for both directions of a network.
function pushNetwork(view: DataView, kind: number, network: number, packet: Packet): boolean {
  packet.layers.setTenant(kind, network);
  return pushTunnel(view, kind, packet, network);
}
