/// From a frame to the IP packet in it: link-layer headers by LINKTYPE_ number.
/// Each layout is the one that the registry (www.tcpdump.org/linktypes.html)
/// gives or refers to. A new link type is one more case in `findIp`; families
/// of them are in the link-*.ts files.

import type { LayerStack } from './layers.js';
import { afterEthernet, afterEtherType, afterLlc, afterPpp, afterPppoe, afterType } from './link-ether.js';
import { afterFrameRelay, afterHdlc, afterJuniper, afterPppOrHdlc } from './link-serial.js';
import { LINKTYPE } from './link-types.js';
import { afterAvs, afterPrism, afterRadiotap, afterWireless } from './link-wireless.js';
import { STOP_LINK_CUT, STOP_LINK_UNSUPPORTED, STOP_NOT_IP } from './packet.js';

const ETHERTYPE_IPV4 = 0x0800;

/// Address families of IPv6 in NULL and LOOP headers differ between systems:
/// 10 Linux, 24 NetBSD and OpenBSD, 26 Solaris, 28 FreeBSD, 30 Darwin.
const AF_INET = 2;
const AF_INET6: readonly number[] = [10, 24, 26, 28, 30];

const SLL_HEADER_BYTES = 16;
const SLL2_HEADER_BYTES = 20;
/// SLIP and PPP of BSD in front of the packet: direction, and a header before compression.
const SLIP_HEADER_BYTES = 16;
const ENC_HEADER_BYTES = 12;
const IPNET_HEADER_BYTES = 24;
/// Global routing header, EtherType, two bytes without use (RFC 4391).
const IPOIB_TYPE_AT = 40;
const SUNATM_LANE = 1;

/// Attribute of the packet itself in NFLOG (linux/netfilter/nfnetlink_log.h).
const NFULA_PAYLOAD = 9;

/// Types of ERF records that hold Ethernet or IP (Endace, erf(5)).
const ERF_ETHERNET: readonly number[] = [2, 11, 16, 20];
const ERF_IP: readonly number[] = [22, 23];

/// Where the IP header begins, or the negative of a DecodeStop. What stands in
/// between is noted in `layers`.
export function findIp(
  view: DataView,
  at: number,
  end: number,
  linkType: number,
  layers: LayerStack,
): number {
  switch (linkType) {
    case LINKTYPE.ETHERNET:
      // Most frames: seen at once, without a look at what else an EtherType may be.
      if (end - at > 14 && view.getUint16(at + 12, false) === ETHERTYPE_IPV4) return at + 14;
      return afterEthernet(view, at, end, layers);
    case LINKTYPE.RAW:
    case LINKTYPE.RAW_BSD:
    case LINKTYPE.RAW_OPENBSD:
    case LINKTYPE.IPV4:
    case LINKTYPE.IPV6:
      return at;
    case LINKTYPE.LINUX_SLL:
      return typeAfter(view, at, SLL_HEADER_BYTES - 2, end, layers);
    case LINKTYPE.LINUX_SLL2:
      // Its protocol stands in front, away from what follows the header.
      if (end - at < SLL2_HEADER_BYTES) return -STOP_LINK_CUT;
      return afterType(view, view.getUint16(at, false), at + SLL2_HEADER_BYTES, end, layers);
    case LINKTYPE.NULL:
      if (end - at < 4) return -STOP_LINK_CUT;
      return afterFamily(hostNumber(view, at), at + 4);
    case LINKTYPE.LOOP:
      if (end - at < 4) return -STOP_LINK_CUT;
      return afterFamily(view.getUint32(at, false), at + 4);
    default:
      return findIpElsewhere(view, at, end, linkType, layers);
  }
}

/// The link types of which few captures are.
function findIpElsewhere(
  view: DataView,
  at: number,
  end: number,
  linkType: number,
  layers: LayerStack,
): number {
  switch (linkType) {
    case LINKTYPE.IEEE802_11:
      return afterWireless(view, at, end, layers);
    case LINKTYPE.IEEE802_11_RADIOTAP:
      return afterRadiotap(view, at, end, layers);
    case LINKTYPE.IEEE802_11_PRISM:
      return afterPrism(view, at, end, layers);
    case LINKTYPE.IEEE802_11_AVS:
      return afterAvs(view, at, end, layers);
    case LINKTYPE.PPP:
    case LINKTYPE.PPP_HDLC:
      return afterPppOrHdlc(view, at, end, layers);
    case LINKTYPE.PPP_WITH_DIR:
      return afterPpp(view, at + 1, end, layers);
    case LINKTYPE.PPP_PPPD:
      // The direction stands in place of the address; its control byte follows, or all of PPP.
      return afterPpp(view, end - at > 2 && view.getUint8(at + 1) === 0x03 ? at + 2 : at + 1, end, layers);
    case LINKTYPE.PPP_ETHER:
      return afterPppoe(view, at, end, layers);
    case LINKTYPE.C_HDLC:
      return afterHdlc(view, at, end, layers);
    case LINKTYPE.C_HDLC_WITH_DIR:
      return afterHdlc(view, at + 1, end, layers);
    case LINKTYPE.FRELAY:
      return afterFrameRelay(view, at, end, layers);
    case LINKTYPE.FRELAY_WITH_DIR:
      return afterFrameRelay(view, at + 1, end, layers);
    case LINKTYPE.JUNIPER_ETHER:
    case LINKTYPE.JUNIPER_PPP:
    case LINKTYPE.JUNIPER_FRELAY:
    case LINKTYPE.JUNIPER_CHDLC: {
      const next = afterJuniper(view, at, end);
      return next < 0 ? next : findIp(view, next, end, JUNIPER_FRAMES[linkType], layers);
    }
    case LINKTYPE.FDDI:
      return afterLlc(view, at + 13, end, layers);
    case LINKTYPE.IEEE802_5:
      return afterTokenRing(view, at, end, layers);
    case LINKTYPE.IP_OVER_FC:
      return afterLlc(view, at + 16, end, layers);
    case LINKTYPE.ATM_RFC1483:
      return afterLlc(view, at, end, layers);
    case LINKTYPE.ATM_CLIP:
      return end - at >= 2 && view.getUint16(at, false) === 0xaaaa ? afterLlc(view, at, end, layers) : at;
    case LINKTYPE.SUNATM:
      return afterSunAtm(view, at, end, layers);
    case LINKTYPE.APPLE_IP_OVER_IEEE1394:
      return typeAfter(view, at, 16, end, layers);
    case LINKTYPE.IPOIB:
      if (end - at < IPOIB_TYPE_AT + 4) return -STOP_LINK_CUT;
      return afterType(view, view.getUint16(at + IPOIB_TYPE_AT, false), at + IPOIB_TYPE_AT + 4, end, layers);
    case LINKTYPE.SLIP:
      return at + SLIP_HEADER_BYTES;
    case LINKTYPE.ENC:
      if (end - at < ENC_HEADER_BYTES) return -STOP_LINK_CUT;
      return afterFamily(hostNumber(view, at), at + ENC_HEADER_BYTES);
    case LINKTYPE.PFLOG:
      // Its length without padding, and the address family.
      if (end - at < 2) return -STOP_LINK_CUT;
      return afterFamily(view.getUint8(at + 1), at + ((view.getUint8(at) + 3) & ~3));
    case LINKTYPE.IPNET:
      if (end - at < IPNET_HEADER_BYTES) return -STOP_LINK_CUT;
      return afterFamily(view.getUint8(at + 1), at + IPNET_HEADER_BYTES);
    case LINKTYPE.NFLOG:
      return afterNflog(view, at, end);
    case LINKTYPE.PPI:
      if (end - at < 8) return -STOP_LINK_CUT;
      return findWrapped(view, at, view.getUint16(at + 2, true), end, view.getUint32(at + 4, true), layers);
    case LINKTYPE.PKTAP:
      if (end - at < 12) return -STOP_LINK_CUT;
      return findWrapped(view, at, view.getUint32(at, true), end, view.getUint32(at + 8, true), layers);
    case LINKTYPE.ERF:
      return afterErf(view, at, end, layers);
    case LINKTYPE.NETANALYZER:
    case LINKTYPE.DSA_TAG_BRCM_PREPEND:
      return afterEthernet(view, at + 4, end, layers);
    case LINKTYPE.ETHERNET_MPACKET:
      return afterEthernet(view, at + 8, end, layers);
    case LINKTYPE.DSA_TAG_BRCM:
    case LINKTYPE.DSA_TAG_DSA:
      return typeAfter(view, at, 16, end, layers);
    case LINKTYPE.DSA_TAG_EDSA:
      return typeAfter(view, at, 20, end, layers);
    default:
      return -STOP_LINK_UNSUPPORTED;
  }
}

/// What follows Juniper's own header.
const JUNIPER_FRAMES = {
  [LINKTYPE.JUNIPER_ETHER]: LINKTYPE.ETHERNET,
  [LINKTYPE.JUNIPER_PPP]: LINKTYPE.PPP,
  [LINKTYPE.JUNIPER_FRELAY]: LINKTYPE.FRELAY,
  [LINKTYPE.JUNIPER_CHDLC]: LINKTYPE.C_HDLC,
} as const;

/// An EtherType behind so many bytes of addresses.
function typeAfter(view: DataView, at: number, bytes: number, end: number, layers: LayerStack): number {
  return afterEtherType(view, at + bytes, end, layers);
}

/// A frame of another link type behind a header of `length` bytes. The number
/// is a DLT_ of the recording system: the same for all that is known here.
function findWrapped(
  view: DataView,
  at: number,
  length: number,
  end: number,
  linkType: number,
  layers: LayerStack,
): number {
  if (length > end - at) return -STOP_LINK_CUT;
  if (linkType === LINKTYPE.PPI || linkType === LINKTYPE.PKTAP) return -STOP_NOT_IP;
  return findIp(view, at + length, end, linkType, layers);
}

/// IEEE 802.5: a set top bit of the source address announces a route.
function afterTokenRing(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 15) return -STOP_LINK_CUT;
  const hasRoute = (view.getUint8(at + 8) & 0x80) !== 0;
  return afterLlc(view, at + 14 + (hasRoute ? view.getUint8(at + 14) & 0x1f : 0), end, layers);
}

/// Four bytes in front: LAN emulation has a number and then Ethernet.
function afterSunAtm(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 6) return -STOP_LINK_CUT;
  const isLane = (view.getUint8(at) & 0x0f) === SUNATM_LANE;
  return isLane ? afterEthernet(view, at + 6, end, layers) : afterLlc(view, at + 4, end, layers);
}

/// Attributes of a length and a type, both in the byte order of the recording
/// host; types are small numbers.
function afterNflog(view: DataView, at: number, end: number): number {
  if (end - at < 8) return -STOP_LINK_CUT;
  for (let next = at + 4; end - next >= 4; ) {
    const little = view.getUint16(next + 2, true) < 0x100;
    const length = view.getUint16(next, little);
    if (view.getUint16(next + 2, little) === NFULA_PAYLOAD) return afterFamily(view.getUint8(at), next + 4);
    if (length < 4) return -STOP_NOT_IP;
    next += (length + 3) & ~3;
  }
  return -STOP_LINK_CUT;
}

/// A header of 16 bytes, extensions of 8 bytes each, then by its type.
function afterErf(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 18) return -STOP_LINK_CUT;
  const type = view.getUint8(at + 8) & 0x7f;
  let next = at + 16;
  for (let flagAt = at + 8; (view.getUint8(flagAt) & 0x80) !== 0; flagAt = next - 8) {
    next += 8;
    if (end - next < 2) return -STOP_LINK_CUT;
  }
  if (ERF_IP.includes(type)) return next;
  return ERF_ETHERNET.includes(type) ? afterEthernet(view, next + 2, end, layers) : -STOP_NOT_IP;
}

/// A number in the byte order of the recording host: those in question are
/// small, so the order that gives one is the right one.
function hostNumber(view: DataView, at: number): number {
  const little = view.getUint32(at, true);
  return little < 0x1_0000 ? little : view.getUint32(at, false);
}

function afterFamily(family: number, next: number): number {
  return family === AF_INET || AF_INET6.includes(family) ? next : -STOP_NOT_IP;
}
