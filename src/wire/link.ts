/// From a frame to the IP packet in it: link-layer headers by LINKTYPE_ number
/// (tcpdump.org/linktypes). A new link type is one more case in `findIp`.

import { LINKTYPE } from './link-types.js';
import { STOP_LINK_CUT, STOP_LINK_UNSUPPORTED, STOP_NOT_IP } from './packet.js';

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_QINQ = 0x88a8;
/// What some switches used for the outer tag before 802.1ad.
const ETHERTYPE_QINQ_OLD = 0x9100;

/// Deepest stack of VLAN tags that is followed.
const MAX_VLAN_TAGS = 8;

const ETHERNET_HEADER_BYTES = 14;
const SLL_HEADER_BYTES = 16;
const SLL2_HEADER_BYTES = 20;

/// Address families of IPv6 in NULL and LOOP headers differ between systems:
/// 10 Linux, 24 NetBSD and OpenBSD, 28 FreeBSD, 30 Darwin.
const AF_INET = 2;
const AF_INET6: readonly number[] = [10, 24, 28, 30];

/// Where the IP header begins, or the negative of a DecodeStop.
export function findIp(view: DataView, at: number, end: number, linkType: number): number {
  switch (linkType) {
    case LINKTYPE.ETHERNET:
      if (end - at < ETHERNET_HEADER_BYTES) return -STOP_LINK_CUT;
      return afterEtherType(view, at + 12, end);
    case LINKTYPE.RAW:
    case LINKTYPE.RAW_BSD:
    case LINKTYPE.RAW_OPENBSD:
    case LINKTYPE.IPV4:
    case LINKTYPE.IPV6:
      return at;
    case LINKTYPE.LINUX_SLL:
      if (end - at < SLL_HEADER_BYTES) return -STOP_LINK_CUT;
      return afterEtherType(view, at + 14, end);
    case LINKTYPE.LINUX_SLL2:
      if (end - at < SLL2_HEADER_BYTES) return -STOP_LINK_CUT;
      return afterSll2(view, at, end);
    case LINKTYPE.NULL:
      if (end - at < 4) return -STOP_LINK_CUT;
      return afterFamily(nullFamily(view, at), at + 4);
    case LINKTYPE.LOOP:
      if (end - at < 4) return -STOP_LINK_CUT;
      return afterFamily(view.getUint32(at, false), at + 4);
    default:
      return -STOP_LINK_UNSUPPORTED;
  }
}

/// `at` is where the EtherType stands; VLAN tags may follow it.
function afterEtherType(view: DataView, at: number, end: number): number {
  let type = view.getUint16(at, false);
  let next = at + 2;
  for (let tags = 0; isVlan(type); tags++) {
    if (tags === MAX_VLAN_TAGS) return -STOP_NOT_IP;
    if (end - next < 4) return -STOP_LINK_CUT;
    type = view.getUint16(next + 2, false);
    next += 4;
  }
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6 ? next : -STOP_NOT_IP;
}

function isVlan(type: number): boolean {
  return type === ETHERTYPE_VLAN || type === ETHERTYPE_QINQ || type === ETHERTYPE_QINQ_OLD;
}

/// SLL2 has its protocol in front, away from what follows the header; a VLAN
/// tag's remaining two bytes then begin the payload.
function afterSll2(view: DataView, at: number, end: number): number {
  const type = view.getUint16(at, false);
  const next = at + SLL2_HEADER_BYTES;
  if (isVlan(type)) {
    if (end - next < 4) return -STOP_LINK_CUT;
    return afterEtherType(view, next + 2, end);
  }
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6 ? next : -STOP_NOT_IP;
}

/// NULL headers are in the byte order of the recording host: families are
/// small numbers, so the order that gives one is the right one.
function nullFamily(view: DataView, at: number): number {
  const little = view.getUint32(at, true);
  return little < 0x1_0000 ? little : view.getUint32(at, false);
}

function afterFamily(family: number, next: number): number {
  return family === AF_INET || AF_INET6.includes(family) ? next : -STOP_NOT_IP;
}
