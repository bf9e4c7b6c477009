/// Links between two points: HDLC, frame relay, and what Juniper routers put in
/// front of a frame. PPP is in link-ether.ts, because PPPoE carries it.

import type { LayerStack } from './layers.js';
import { afterEtherType, afterPpp, afterSnap } from './link-ether.js';
import { STOP_LINK_CUT, STOP_NOT_IP } from './packet.js';

/// First byte of Cisco HDLC: to one or to all (RFC 1547 section 4.3.1).
const HDLC_UNICAST = 0x0f;
const HDLC_BROADCAST = 0x8f;

/// Protocol numbers of one byte (ISO/IEC TR 9577, RFC 2427).
const NLPID_SNAP = 0x80;
const NLPID_IPV6 = 0x8e;
const NLPID_IPV4 = 0xcc;
const NLPID_PPP = 0xcf;

const JUNIPER_MAGIC = 0x4d4743;
const JUNIPER_NO_LINK = 0x02;
const JUNIPER_EXTENSIONS = 0x80;

export function afterHdlc(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 4) return -STOP_LINK_CUT;
  return afterEtherType(view, at + 2, end, layers);
}

/// LINKTYPE_PPP and LINKTYPE_PPP_HDLC hold either.
export function afterPppOrHdlc(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 4) return -STOP_LINK_CUT;
  const first = view.getUint8(at);
  const isHdlc = first === HDLC_UNICAST || first === HDLC_BROADCAST;
  return isHdlc ? afterHdlc(view, at, end, layers) : afterPpp(view, at, end, layers);
}

/// RFC 2427: an address of two to four bytes (its last one is odd), 0x03 and a
/// protocol number; or Cisco's way, an EtherType after the address.
export function afterFrameRelay(view: DataView, at: number, end: number, layers: LayerStack): number {
  let next = at;
  do {
    if (next - at === 4) return -STOP_NOT_IP;
    if (end - next < 5) return -STOP_LINK_CUT;
  } while ((view.getUint8(next++) & 1) === 0);
  if (view.getUint8(next) !== 0x03) return afterEtherType(view, next, end, layers);
  next++;
  if (view.getUint8(next) === 0) next++;
  switch (view.getUint8(next)) {
    case NLPID_IPV4:
    case NLPID_IPV6:
      return next + 1;
    case NLPID_SNAP:
      return afterSnap(view, next + 1, end, layers);
    case NLPID_PPP:
      return afterPpp(view, next + 1, end, layers);
    default:
      return -STOP_NOT_IP;
  }
}

/// Where the frame begins behind Juniper's magic number, flags and extensions,
/// or the negative of a DecodeStop. Frames recorded without their link header
/// are not read: what they are is in the extensions.
export function afterJuniper(view: DataView, at: number, end: number): number {
  if (end - at < 6) return -STOP_LINK_CUT;
  if (view.getUint32(at, false) >>> 8 !== JUNIPER_MAGIC) return -STOP_NOT_IP;
  const flags = view.getUint8(at + 3);
  if ((flags & JUNIPER_NO_LINK) !== 0) return -STOP_NOT_IP;
  return (flags & JUNIPER_EXTENSIONS) === 0 ? at + 4 : at + 6 + view.getUint16(at + 4, false);
}
