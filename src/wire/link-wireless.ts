/// IEEE 802.11 and the headers that monitoring puts in front of it.

import type { LayerStack } from './layers.js';
import { afterLlc } from './link-ether.js';
import { STOP_LINK_CUT, STOP_LINK_FRAGMENT, STOP_LINK_PROTECTED, STOP_NOT_IP } from './packet.js';

/// The frame control field (IEEE 802.11-2020 section 9.2.4.1), as its first byte ...
const TYPE_MASK = 0x0c;
const TYPE_DATA = 0x08;
const SUBTYPE_NO_DATA = 0x40;
const SUBTYPE_QOS = 0x80;
/// ... and its second.
const TO_DS = 0x01;
const FROM_DS = 0x02;
const PROTECTED = 0x40;
const ORDER = 0x80;

const HEADER_BYTES = 24;
const QOS_AGGREGATE = 0x80;
/// Two addresses and a length in front of each frame of an A-MSDU.
const SUBFRAME_HEADER_BYTES = 14;

const AVS_MAGIC = 0x80211;

const RADIOTAP_TSFT = 0x01;
const RADIOTAP_FLAGS = 0x02;
const RADIOTAP_MORE = 0x8000_0000;
const RADIOTAP_FLAG_PADDED = 0x20;

/// Where the IP packet of a data frame begins, or the negative of a DecodeStop.
/// `padded`: the header is filled up to four bytes, as some adapters do. Of an
/// A-MSDU only the first frame is read.
export function afterWireless(
  view: DataView,
  at: number,
  end: number,
  layers: LayerStack,
  padded = false,
): number {
  if (end - at < 2) return -STOP_LINK_CUT;
  const control = view.getUint8(at);
  const flags = view.getUint8(at + 1);
  if ((control & 0x03) !== 0 || (control & TYPE_MASK) !== TYPE_DATA) return -STOP_NOT_IP;
  if ((control & SUBTYPE_NO_DATA) !== 0) return -STOP_NOT_IP;
  const fourAddresses = (flags & (TO_DS | FROM_DS)) === (TO_DS | FROM_DS);
  const qosAt = at + HEADER_BYTES + (fourAddresses ? 6 : 0);
  const isQos = (control & SUBTYPE_QOS) !== 0;
  let next = qosAt;
  if (isQos) next += (flags & ORDER) !== 0 ? 6 : 2;
  if (padded) next = at + ((next - at + 3) & ~3);
  if (end - next < 8) return -STOP_LINK_CUT;
  // Adapters that decrypt leave the flag in place: what begins with SNAP is in clear.
  const isSnap = view.getUint16(next, false) === 0xaaaa && view.getUint8(next + 2) === 0x03;
  if ((flags & PROTECTED) !== 0 && !isSnap) return -STOP_LINK_PROTECTED;
  if ((view.getUint8(at + 22) & 0x0f) !== 0) return -STOP_LINK_FRAGMENT;
  if (isQos && (view.getUint8(qosAt) & QOS_AGGREGATE) !== 0) next += SUBFRAME_HEADER_BYTES;
  return afterLlc(view, next, end, layers);
}

/// radiotap.org: version, a byte, the length, and which fields there are.
export function afterRadiotap(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 8) return -STOP_LINK_CUT;
  const next = at + view.getUint16(at + 2, true);
  const isPadded = (radiotapFlags(view, at, Math.min(end, next)) & RADIOTAP_FLAG_PADDED) !== 0;
  return afterWireless(view, next, end, layers, isPadded);
}

/// The field of flags, the second one; 0 if there is none.
function radiotapFlags(view: DataView, at: number, end: number): number {
  const present = view.getUint32(at + 4, true);
  if ((present & RADIOTAP_FLAGS) === 0) return 0;
  let next = at + 4;
  while (next + 4 <= end && (view.getUint32(next, true) & RADIOTAP_MORE) !== 0) next += 4;
  next += 4;
  if ((present & RADIOTAP_TSFT) !== 0) next = at + ((next - at + 7) & ~7) + 8;
  return next < end ? view.getUint8(next) : 0;
}

/// The header of Prism II adapters, in the byte order of the recording host, or
/// AVS, which took its link type over.
export function afterPrism(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 8) return -STOP_LINK_CUT;
  if (view.getUint32(at, false) >>> 12 === AVS_MAGIC) return afterAvs(view, at, end, layers);
  const little = view.getUint32(at + 4, true);
  const length = little < 0x1_0000 ? little : view.getUint32(at + 4, false);
  return afterWireless(view, at + length, end, layers);
}

export function afterAvs(view: DataView, at: number, end: number, layers: LayerStack): number {
  if (end - at < 8) return -STOP_LINK_CUT;
  return afterWireless(view, at + view.getUint32(at + 4, false), end, layers);
}
