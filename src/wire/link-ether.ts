/// Ethernet and what follows an EtherType: tags, labels, LLC, PPPoE with its PPP.
///
/// Every function here takes where its header begins and returns where the IP
/// packet inside begins, or the negative of a DecodeStop. Layers are noted on the way.

import {
  LAYER_E_TAG,
  LAYER_MPLS,
  LAYER_PBB,
  LAYER_PPPOE,
  LAYER_VLAN,
  LAYER_VN_TAG,
  type LayerStack,
} from './layers.js';
import { STOP_LINK_CUT, STOP_NOT_IP, STOP_TOO_DEEP } from './packet.js';

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_MPLS = 0x8847;
const ETHERTYPE_MPLS_UPSTREAM = 0x8848;
const ETHERTYPE_PPPOE = 0x8864;
const ETHERTYPE_QINQ = 0x88a8;
/// What some switches used for the outer tag before 802.1ad.
const ETHERTYPE_QINQ_OLD = 0x9100;
const ETHERTYPE_QINQ_OLDER = 0x9200;
/// IEEE 802.1ah, MAC in MAC.
const ETHERTYPE_PBB = 0x88e7;
/// Cisco's group tags, and the times that Arista's taps write into frames.
const ETHERTYPE_CISCO_META_DATA = 0x8909;
const ETHERTYPE_ARISTA = 0xd28b;
const ARISTA_TIME_48_BITS = 0x20;
/// Cisco's tag between a virtual interface and its switch, and what became of it (802.1BR).
const ETHERTYPE_VN_TAG = 0x8926;
const ETHERTYPE_E_TAG = 0x893f;

/// A smaller number is no type but the length of an LLC frame (IEEE 802.3 section 3.2.6).
const MIN_ETHERTYPE = 0x0600;

const ETHERNET_HEADER_BYTES = 14;
const LLC_HEADER_BYTES = 3;
const SNAP_HEADER_BYTES = 8;
const PPPOE_HEADER_BYTES = 6;

export function afterEthernet(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < ETHERNET_HEADER_BYTES) return -STOP_LINK_CUT;
  return afterEtherType(view, at + 12, end, layers);
}

/// `at` is where the EtherType stands.
export function afterEtherType(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 2) return -STOP_LINK_CUT;
  return afterType(view, view.getUint16(at, false), at + 2, end, layers);
}

/// `at` is what follows a header that names this EtherType.
export function afterType(view: DataView, type: number, at: number, end: number, layers: LayerStack): number {
  if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return at;
  if (type < MIN_ETHERTYPE) return afterLlc(view, at, end, layers);
  switch (type) {
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_QINQ_OLD:
    case ETHERTYPE_QINQ_OLDER:
      return afterTag(view, at, 2, end, LAYER_VLAN, 0x0fff, layers);
    case ETHERTYPE_VN_TAG:
      return afterTag(view, at, 4, end, LAYER_VN_TAG, 0x0fff, layers);
    case ETHERTYPE_E_TAG:
      // The channel is in the third and fourth byte (802.1BR clause 7.5).
      return afterTag(view, at, 6, end, LAYER_E_TAG, 0x3fff, layers);
    case ETHERTYPE_CISCO_META_DATA:
      return afterEtherType(view, at + 6, end, layers);
    case ETHERTYPE_ARISTA:
      return afterAristaTime(view, at, end, layers);
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_UPSTREAM:
      return afterMpls(view, at, end, layers);
    case ETHERTYPE_PPPOE:
      return afterPppoe(view, at, end, layers);
    case ETHERTYPE_PBB:
      return afterPbb(view, at, end, layers);
    default:
      return -STOP_NOT_IP;
  }
}

/// A tag of so many bytes with its number under `mask` in the second pair of
/// them (the first of a VLAN tag); an EtherType follows it.
function afterTag(
  view: DataView,
  at: number,
  bytes: number,
  end: number,
  kind: number,
  mask: number,
  layers: LayerStack,
): number {
  if (end - at < bytes + 2) return -STOP_LINK_CUT;
  const number = view.getUint16(bytes === 2 ? at : at + 2, false) & mask;
  if (!layers.push(kind, number)) return -STOP_TOO_DEEP;
  return afterEtherType(view, at + bytes, end, layers);
}

/// A subtype, a format, and a time of 64 or 48 bits.
function afterAristaTime(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 4) return -STOP_LINK_CUT;
  const isShort = (view.getUint16(at + 2, false) & 0xf0) === ARISTA_TIME_48_BITS;
  return afterEtherType(view, at + 4 + (isShort ? 6 : 8), end, layers);
}

/// RFC 3032: labels of four bytes until the bottom of the stack.
export function afterMpls(view: DataView, at: number, end: number, layers: LayerStack): number {
  for (let next = at; ; ) {
    if (end - next < 4) return -STOP_LINK_CUT;
    const entry = view.getUint32(next, false);
    next += 4;
    if (!layers.push(LAYER_MPLS, entry >>> 12)) return -STOP_TOO_DEEP;
    if ((entry & 0x100) !== 0) return afterLabels(view, next, end, layers);
  }
}

/// Nothing says what labels carry. As routers guess (RFC 4928) 4 and 6 begin an
/// IP packet and 0 the control word of a pseudowire (RFC 4385), but Ethernet
/// addresses begin so, too: an EtherType where it has to be tells the frame.
function afterLabels(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < ETHERNET_HEADER_BYTES) return -STOP_LINK_CUT;
  const version = view.getUint8(at) >> 4;
  const isFrame = isCarriedType(view.getUint16(at + 12, false));
  if ((version === 4 || version === 6) && !(isFrame && isLongerThan(view, at, version, end))) return at;
  const hasControlWord = version === 0 && !isFrame;
  return afterEthernet(view, hasControlWord ? at + 4 : at, end, layers);
}

/// True for what a pseudowire's frames commonly carry.
function isCarriedType(type: number): boolean {
  return (
    type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6 || type === ETHERTYPE_VLAN || type === ETHERTYPE_ARP
  );
}

/// True if an IP packet at `at` would go on after `end`.
function isLongerThan(view: DataView, at: number, version: number, end: number): boolean {
  const bytes = version === 4 ? view.getUint16(at + 2, false) : 40 + view.getUint16(at + 4, false);
  return bytes > end - at;
}

/// IEEE 802.2 LLC: SNAP (RFC 1042), or IP with a number of its own (RFC 948).
export function afterLlc(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < LLC_HEADER_BYTES) return -STOP_LINK_CUT;
  const saps = view.getUint16(at, false);
  if (saps === 0x0606) return at + LLC_HEADER_BYTES;
  if (saps !== 0xaaaa || view.getUint8(at + 2) !== 0x03) return -STOP_NOT_IP;
  return afterSnap(view, at + LLC_HEADER_BYTES, end, layers);
}

/// What begins with the OUI of a SNAP header: EtherTypes with that of RFC 1042
/// or 802.1H, bridged frames with that of RFC 2427 and RFC 2684.
export function afterSnap(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < SNAP_HEADER_BYTES - LLC_HEADER_BYTES) return -STOP_LINK_CUT;
  const oui = (view.getUint8(at) << 16) | view.getUint16(at + 1, false);
  const type = view.getUint16(at + 3, false);
  if ((oui === 0 || oui === 0x0000f8) && type >= MIN_ETHERTYPE)
    return afterType(view, type, at + 5, end, layers);
  if (oui === 0x0080c2 && (type === 1 || type === 7)) return afterEthernet(view, at + 5, end, layers);
  return -STOP_NOT_IP;
}

/// IEEE 802.1ah clause 9.7: flags and service, then the customer's frame.
function afterPbb(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 4) return -STOP_LINK_CUT;
  const service = view.getUint32(at, false) & 0x00ff_ffff;
  if (!layers.push(LAYER_PBB, service)) return -STOP_TOO_DEEP;
  layers.setTenant(LAYER_PBB, service);
  return afterEthernet(view, at + 4, end, layers);
}

/// RFC 2516 section 4. Discovery (another code) carries no PPP.
export function afterPppoe(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < PPPOE_HEADER_BYTES) return -STOP_LINK_CUT;
  if (view.getUint16(at, false) !== 0x1100) return -STOP_NOT_IP;
  if (!layers.push(LAYER_PPPOE, view.getUint16(at + 2, false))) return -STOP_TOO_DEEP;
  return afterPpp(view, at + PPPOE_HEADER_BYTES, end, layers);
}

/// RFC 1661 and RFC 1662: address and control if they were not left out, and a
/// protocol of one byte (odd) or two.
export function afterPpp(view: DataView, at: number, end: number, layers: LayerStack): number {
  let next = at;
  if (end - next >= 2 && view.getUint16(next, false) === 0xff03) next += 2;
  if (end - next < 2) return -STOP_LINK_CUT;
  const isShort = (view.getUint8(next) & 1) !== 0;
  const protocol = isShort ? view.getUint8(next) : view.getUint16(next, false);
  next += isShort ? 1 : 2;
  switch (protocol) {
    case 0x0021:
    case 0x0057:
      return next;
    case 0x0281:
    case 0x0283:
      return afterMpls(view, next, end, layers);
    default:
      return -STOP_NOT_IP;
  }
}
