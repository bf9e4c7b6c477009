/// Puts the fragments of IPv4 and IPv6 datagrams together, in bounded memory.
///
/// A fragment that lies inside what is there is a copy and ignored; one that
/// overlaps otherwise ends its datagram, as RFC 5722 asks for IPv6 and Linux does
/// for both (inet_fragment.c: inet_frag_queue_insert).

import { DEFAULT_FRAGMENT_LIMITS, type FragmentLimits } from './limits.js';
import type { Packet } from './packet.js';

/// Room for the IP header in front of the payload; a longer one is refused.
const HEADER_ROOM = 512;
const FIRST_BUFFER_BYTES = 4096;
const MAX_DATAGRAM_BYTES = 65_535;
const IPV6_HEADER_BYTES = 40;
const IPV6_FRAGMENT_BYTES = 8;

/// Version and protocol, number of the datagram, tenant, and two addresses.
const KEY_WORDS = 11;

const NO_BYTES = new Uint8Array(0);

/// `whole` and `refused` ones only catch what comes after.
type DatagramState = 'open' | 'whole' | 'refused';

interface Datagram {
  hash: number;
  key: Int32Array;
  state: DatagramState;
  /// When its first fragment came, and when it was whole.
  timeUs: number;
  /// Fragments that gave something new.
  fragments: number;
  /// The header before HEADER_ROOM, the payload after it.
  bytes: Uint8Array<ArrayBuffer>;
  headerBytes: number;
  /// What is there, as [from, to) pairs in order and apart from each other.
  stretches: number[];
  /// Known from the last fragment on, else -1.
  payloadLen: number;
  /// Payload before this was captured, unless the snap length cut a fragment.
  capturedLen: number;
}

export interface FragmentCounts {
  received: number;
  /// Datagrams that became whole.
  reassembled: number;
  /// Datagrams of which the rest did not come in time or before the end.
  incomplete: number;
  /// Datagrams given up for overlapping fragments, false lengths or want of room.
  givenUp: number;
}

export class FragmentStore {
  counts = newCounts();
  /// Fragments of datagrams that never became whole.
  lost = 0;
  /// The datagram that became whole last: an IP packet from `at` to `end`, to
  /// `wireEnd` on the wire. Borrowed until the next call of `add`.
  bytes: Uint8Array = NO_BYTES;
  view = new DataView(NO_BYTES.buffer);
  at = 0;
  end = 0;
  wireEnd = 0;

  /// By hash, the oldest first.
  private readonly datagrams = new Map<number, Datagram>();
  /// Bytes held now.
  heldBytes = 0;
  private readonly key = new Int32Array(KEY_WORDS);
  /// Of the fragment at hand.
  private offset = 0;
  private hasMore = false;
  private payloadAt = 0;

  constructor(private readonly limits: FragmentLimits = DEFAULT_FRAGMENT_LIMITS) {}

  /// Takes the fragment that `packet` stopped at; `end` is the end of what was
  /// captured of the frame. True if its datagram is whole now.
  add(bytes: Uint8Array, view: DataView, end: number, packet: Packet, timeUs: number): boolean {
    this.counts.received++;
    this.expire(timeUs);
    this.readFragment(view, packet);
    const datagram = this.datagramOf(timeUs);
    if (datagram.state !== 'open') {
      if (datagram.state === 'refused') this.lost++;
      return false;
    }
    const length = packet.ipEnd - this.payloadAt;
    const captured = Math.max(0, Math.min(end, packet.ipEnd) - this.payloadAt);
    const added = this.place(datagram, length);
    if (added === 'copy') return false;
    datagram.fragments++;
    if (added === 'refused' || !this.keep(datagram, bytes, packet, captured)) {
      this.close(datagram, 'refused');
      return false;
    }
    if (captured < length) datagram.capturedLen = Math.min(datagram.capturedLen, this.offset + captured);
    this.makeRoom(datagram);
    const { stretches, payloadLen } = datagram;
    if (stretches.length !== 2 || stretches[0] !== 0 || stretches[1] !== payloadLen) return false;
    return this.finish(datagram, packet.version, timeUs);
  }

  /// The capture ends: what is not whole never will be.
  endAll(): void {
    for (const datagram of this.datagrams.values()) this.remove(datagram, 'incomplete');
  }

  /// Ready for another capture; `endAll` comes first.
  clear(): void {
    this.counts = newCounts();
    this.lost = 0;
  }

  private readFragment(view: DataView, packet: Packet): void {
    const { key } = this;
    const isV4 = packet.version === 4;
    const field = view.getUint16(isV4 ? packet.ipAt + 6 : packet.transportAt + 2, false);
    this.offset = isV4 ? (field & 0x1fff) * 8 : field & 0xfff8;
    this.hasMore = (field & (isV4 ? 0x2000 : 1)) !== 0;
    this.payloadAt = packet.transportAt + (isV4 ? 0 : IPV6_FRAGMENT_BYTES);
    key.fill(0);
    // RFC 8200 section 4.5: the protocol is no part of the key of IPv6.
    key[0] = isV4 ? 0x400 | packet.protocol : 0x600;
    key[1] = isV4 ? view.getUint16(packet.ipAt + 4, false) : view.getInt32(packet.transportAt + 4, false);
    key[2] = packet.layers.tenant;
    const words = isV4 ? 2 : 8;
    for (let i = 0; i < words; i++) key[3 + i] = view.getInt32(packet.addressesAt + 4 * i, false);
  }

  /// The datagram of the fragment at hand, begun if there is none.
  private datagramOf(timeUs: number): Datagram {
    const { datagrams, key, limits } = this;
    const hash = key.reduce((sum, word) => Math.imul(sum ^ word, 0x9e3779b1) ^ (sum >>> 15), 0);
    const known = datagrams.get(hash);
    if (known !== undefined) {
      const isSame = known.key.every((word, i) => word === key[i]);
      // Numbers come again: after a while it is another datagram.
      const isOver = known.state === 'whole' && Math.abs(timeUs - known.timeUs) > limits.duplicateUs;
      if (isSame && !isOver) return known;
      this.remove(known, 'givenUp');
    }
    if (datagrams.size >= limits.maxDatagrams) this.removeOldest();
    const datagram: Datagram = {
      hash,
      key: key.slice(),
      state: 'open',
      timeUs,
      fragments: 0,
      bytes: NO_BYTES,
      headerBytes: 0,
      stretches: [],
      payloadLen: -1,
      capturedLen: MAX_DATAGRAM_BYTES,
    };
    datagrams.set(hash, datagram);
    return datagram;
  }

  /// Notes where the fragment lies among the others.
  private place(datagram: Datagram, length: number): 'new' | 'copy' | 'refused' {
    const { stretches } = datagram;
    const from = this.offset;
    const to = from + length;
    if (length <= 0 || to > MAX_DATAGRAM_BYTES || (this.hasMore && length % 8 !== 0)) return 'refused';
    let i = 0;
    while (i < stretches.length && stretches[i + 1]! < from) i += 2;
    // The first stretch that ends at `from` or later.
    if (i < stretches.length && stretches[i]! <= from && to <= stretches[i + 1]!) return 'copy';
    const reachesLast = i < stretches.length && stretches[i + 1] === from;
    const next = reachesLast ? i + 2 : i;
    if (next < stretches.length && stretches[next]! < to) return 'refused';
    const lastEnd = Math.max(to, stretches.at(-1) ?? 0);
    if (!this.hasMore) {
      if (lastEnd > to || datagram.payloadLen >= 0) return 'refused';
      datagram.payloadLen = to;
    } else if (datagram.payloadLen >= 0 && to > datagram.payloadLen) return 'refused';
    const reachesNext = next < stretches.length && stretches[next] === to;
    const first = reachesLast ? stretches[i]! : from;
    const last = reachesNext ? stretches[next + 1]! : to;
    stretches.splice(i, next - i + (reachesNext ? 2 : 0), first, last);
    return stretches.length > 2 * this.limits.maxStretches ? 'refused' : 'new';
  }

  /// Copies the payload, and the header of the first fragment.
  private keep(datagram: Datagram, bytes: Uint8Array, packet: Packet, captured: number): boolean {
    const needed = HEADER_ROOM + this.offset + captured;
    if (needed > datagram.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * datagram.bytes.length, FIRST_BUFFER_BYTES));
      larger.set(datagram.bytes);
      this.heldBytes += larger.length - datagram.bytes.length;
      datagram.bytes = larger;
    }
    const { payloadAt, offset } = this;
    datagram.bytes.set(bytes.subarray(payloadAt, payloadAt + captured), HEADER_ROOM + offset);
    if (offset > 0) return true;
    datagram.headerBytes = payloadAt - packet.ipAt;
    if (datagram.headerBytes > HEADER_ROOM) return false;
    datagram.bytes.set(bytes.subarray(packet.ipAt, payloadAt), HEADER_ROOM - datagram.headerBytes);
    return true;
  }

  /// Writes the header as if there had been no fragments, and lends the datagram.
  private finish(datagram: Datagram, version: number, timeUs: number): boolean {
    const { bytes, headerBytes, payloadLen, capturedLen } = datagram;
    const total = headerBytes + payloadLen;
    if (total - (version === 4 ? 0 : IPV6_HEADER_BYTES) > MAX_DATAGRAM_BYTES) {
      this.close(datagram, 'refused');
      return false;
    }
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.at = HEADER_ROOM - headerBytes;
    this.end = HEADER_ROOM + Math.min(payloadLen, capturedLen);
    this.wireEnd = HEADER_ROOM + payloadLen;
    if (version === 4) {
      this.view.setUint16(this.at + 2, total, false);
      this.view.setUint16(this.at + 6, 0, false);
    } else {
      this.view.setUint16(this.at + 4, total - IPV6_HEADER_BYTES, false);
      // A fragment header that says: from the beginning, and no more.
      this.view.setUint16(HEADER_ROOM - IPV6_FRAGMENT_BYTES + 2, 0, false);
    }
    this.counts.reassembled++;
    datagram.timeUs = timeUs;
    this.close(datagram, 'whole');
    return true;
  }

  /// Keeps no more than what tells later fragments of the datagram.
  private close(datagram: Datagram, state: 'whole' | 'refused'): void {
    datagram.state = state;
    this.heldBytes -= datagram.bytes.length;
    datagram.bytes = NO_BYTES;
    if (state !== 'refused') return;
    this.counts.givenUp++;
    this.lost += datagram.fragments;
  }

  private expire(now: number): void {
    for (const datagram of this.datagrams.values()) {
      if (now - datagram.timeUs <= this.limits.timeoutUs) return;
      this.remove(datagram, 'incomplete');
    }
  }

  /// Lets the oldest go until there is room, but for the one at hand.
  private makeRoom(atHand: Datagram): void {
    for (const datagram of this.datagrams.values()) {
      if (this.heldBytes <= this.limits.maxBytes) return;
      if (datagram !== atHand) this.remove(datagram, 'givenUp');
    }
  }

  private removeOldest(): void {
    for (const datagram of this.datagrams.values()) {
      this.remove(datagram, 'givenUp');
      return;
    }
  }

  private remove(datagram: Datagram, why: 'incomplete' | 'givenUp'): void {
    this.datagrams.delete(datagram.hash);
    if (datagram.state !== 'open') return;
    this.heldBytes -= datagram.bytes.length;
    this.counts[why]++;
    this.lost += datagram.fragments;
  }
}

function newCounts(): FragmentCounts {
  return { received: 0, reassembled: 0, incomplete: 0, givenUp: 0 };
}
