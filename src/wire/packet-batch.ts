/// What was decoded of a batch of frames, as a struct of arrays: what the flow
/// table asks of each packet, by the place of its frame in the batch.
///
/// Their flows lie anywhere in tens of megabytes. With the keys of many packets
/// at hand the table can ask for all of them at once, and memory is waited for
/// once instead of once a packet.

import { decodeFrame } from './decode.js';
import { LINKTYPE } from './link-types.js';
import {
  type DecodeStop,
  Packet,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  STOP_IP_FRAGMENT,
  STOP_NONE,
} from './packet.js';
import { isTunnelPort } from './udp-tunnel.js';

/// What tells flows apart besides addresses, ports and the network.
export const KEY_PROTOCOL_MASK = 0xff;
export const KEY_IPV6 = 1 << 8;
export const KEY_MASK = KEY_PROTOCOL_MASK | KEY_IPV6;

/// Bits of `flags` above those of the TCP header. Of a flow's two ends A is the one
/// with the smaller address (then port).
export const FROM_B = 1 << 8;
export const HAS_PAYLOAD = 1 << 9;
/// No packet yet, but a fragment of one: nothing else of it is known.
export const IS_FRAGMENT = 1 << 10;
/// The frame holds none that can be looked up.
export const NO_PACKET = 1 << 11;
/// One of the kind that most are, see `takeCommon`.
const IS_COMMON = 1 << 12;

const COLUMNS = 10;

/// The link type of an entry that takes a frame number but holds no packet, as `Frames` have it.
const NO_LINK_TYPE = -1;

/// An Ethernet frame with EtherType IPv4, then version 4 with a header of five words.
const COMMON_TYPE = 0x08_00_45;
/// Its headers up to the end of that of TCP.
const COMMON_HEADER_BYTES = 54;
const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const TCP_BYTES = 20;
const UDP_BYTES = 8;

/// The frames that packets are decoded from, as `capture/frame-batch.ts` has them; borrowed.
export interface Frames {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly offset: Int32Array;
  readonly capturedLen: Int32Array;
  readonly originalLen: Int32Array;
  readonly timeUs: Float64Array;
  readonly linkType: Int32Array;
  readonly frame: Uint32Array;
}

/// The packet of frame i:
///
///     flags[i]                     of the TCP header; FROM_B, HAS_PAYLOAD, IS_FRAGMENT, NO_PACKET and more
///     key[i], tenant[i]            protocol and IP version (KEY_...), network as `LayerStack.tenant`
///     ports[i]                     port of A << 16 | port of B; 0 for ICMP
///     addressA[i], addressB[i]     of IPv6 the first words, the others at addressesAt[i]
///     hash[i]                      of key, ports and addresses
///     sequence[i], acknowledgement[i]   of TCP
export class PacketBatch {
  frames: Frames = NO_FRAMES;
  readonly flags: Int32Array;
  readonly key: Int32Array;
  readonly tenant: Int32Array;
  readonly ports: Int32Array;
  readonly addressA: Int32Array;
  readonly addressB: Int32Array;
  readonly addressesAt: Int32Array;
  readonly hash: Int32Array;
  readonly sequence: Int32Array;
  readonly acknowledgement: Int32Array;
  private readonly packet = new Packet();
  /// The packet of the one frame where it was put together from fragments.
  private whole: Packet | null = null;

  /// For batches of up to `capacity` frames, their hashes begun with `seed`. Threads may share
  /// the `buffer`, of `bytesFor(capacity)`.
  constructor(
    capacity: number,
    private readonly seed = 0,
    buffer: ArrayBufferLike = new ArrayBuffer(PacketBatch.bytesFor(capacity)),
  ) {
    const column = (i: number) => new Int32Array(buffer, i * capacity * 4, capacity);
    this.flags = column(0);
    this.key = column(1);
    this.tenant = column(2);
    this.ports = column(3);
    this.addressA = column(4);
    this.addressB = column(5);
    this.addressesAt = column(6);
    this.hash = column(7);
    this.sequence = column(8);
    this.acknowledgement = column(9);
  }

  static bytesFor(capacity: number): number {
    return COLUMNS * 4 * capacity;
  }

  /// Decodes the packets of these frames. Counts in `stops` where that stopped, by DecodeStop:
  /// fragments and what was read to its end are no stops.
  decodeAll(frames: Frames, stops: Float64Array): void {
    this.frames = frames;
    const { count } = frames;
    for (let i = this.takeCommon(0); i < count; i = this.takeCommon(i + 1)) {
      const stop = this.take(i);
      if (stop !== STOP_NONE && stop !== STOP_IP_FRAGMENT) stops[stop]!++;
    }
  }

  private take(i: number): DecodeStop {
    const { frames, packet } = this;
    if (frames.linkType[i] === NO_LINK_TYPE) {
      this.skip(i, NO_PACKET);
      return STOP_NONE;
    }
    const stop = this.decode(i, packet);
    if (stop === STOP_NONE) this.set(i, packet, frames.view);
    else this.skip(i, stop === STOP_IP_FRAGMENT ? IS_FRAGMENT : NO_PACKET);
    return stop;
  }

  private skip(i: number, flags: number): void {
    this.flags[i] = flags;
    this.hash[i] = 0;
  }

  /// The only packet of these frames was put together; `frames` holds its bytes.
  takeWhole(frames: Frames, packet: Packet): void {
    this.frames = frames;
    this.whole = packet;
    this.set(0, packet, frames.view);
  }

  /// The packet of the i-th frame, decoded again: most packets are only looked up. Valid until the next call.
  packetAt(i: number): Packet {
    if (this.whole !== null) return this.whole;
    if ((this.flags[i]! & IS_COMMON) !== 0) this.readCommon(i, this.packet);
    else this.decode(i, this.packet);
    return this.packet;
  }

  /// Fills in what `decodeFrame` would, where all is known to be in its place.
  private readCommon(i: number, packet: Packet): void {
    const { view, offset, capturedLen } = this.frames;
    const at = offset[i]!;
    const ipAt = at + ETHERNET_BYTES;
    const transportAt = ipAt + IPV4_BYTES;
    const protocol = this.key[i]!;
    let headerBytes = UDP_BYTES;
    if (protocol === PROTOCOL_TCP) {
      headerBytes = (view.getUint8(transportAt + 12) >> 4) * 4;
      packet.sequence = this.sequence[i]!;
      packet.acknowledgement = this.acknowledgement[i]!;
      packet.tcpFlags = this.flags[i]! & 0xff;
    }
    packet.layers.clear();
    packet.version = 4;
    packet.protocol = protocol;
    packet.ipAt = ipAt;
    packet.ipEnd = ipAt + view.getUint16(ipAt + 2, false);
    packet.addressesAt = ipAt + 12;
    packet.source = view.getInt32(ipAt + 12, false);
    packet.destination = view.getInt32(ipAt + 16, false);
    packet.transportAt = transportAt;
    packet.sourcePort = view.getUint16(transportAt, false);
    packet.destinationPort = view.getUint16(transportAt + 2, false);
    packet.payloadAt = transportAt + headerBytes;
    packet.payloadLen = packet.ipEnd - packet.payloadAt;
    packet.payloadCaptured = Math.max(0, Math.min(at + capturedLen[i]!, packet.ipEnd) - packet.payloadAt);
  }

  /// Decodes the i-th frame into `packet`.
  decode(i: number, packet: Packet): DecodeStop {
    const { view, offset, capturedLen, originalLen, linkType } = this.frames;
    return decodeFrame(view, offset[i]!, capturedLen[i]!, originalLen[i]!, linkType[i]!, packet);
  }

  /// Takes the packets from this place on as long as they are of the kind that most are, and
  /// returns the place of the next: Ethernet, IPv4 without options and fragments, TCP or UDP, no
  /// tunnel. They are read here without a `Packet` in between and without a call, and so the
  /// benchmark's small input is decoded in half the time.
  private takeCommon(from: number): number {
    const { flags, key, tenant, ports, addressA, addressB, hash, sequence, acknowledgement, seed } = this;
    const { count, view, offset, capturedLen, linkType } = this.frames;
    for (let i = from; i < count; i++) {
      const at = offset[i]!;
      if (linkType[i] !== LINKTYPE.ETHERNET || capturedLen[i]! < COMMON_HEADER_BYTES) return i;
      if (view.getInt32(at + 12, false) >>> 8 !== COMMON_TYPE) return i;
      if ((view.getUint16(at + 20, false) & 0x3fff) !== 0) return i;
      const protocol = view.getUint8(at + 23);
      const sentPorts = view.getInt32(at + 34, false);
      let headerBytes = IPV4_BYTES + UDP_BYTES;
      let what = 0;
      if (protocol === PROTOCOL_TCP) {
        const tcpBytes = (view.getUint8(at + 46) >> 4) * 4;
        if (tcpBytes < TCP_BYTES) return i;
        headerBytes = IPV4_BYTES + tcpBytes;
        what = view.getUint8(at + 47);
        sequence[i] = view.getInt32(at + 38, false);
        acknowledgement[i] = view.getInt32(at + 42, false);
      } else if (protocol !== PROTOCOL_UDP || isTunnelPort(sentPorts >>> 16, sentPorts & 0xffff)) return i;
      const payloadLen = view.getUint16(at + 16, false) - headerBytes;
      if (payloadLen < 0) return i;
      const source = view.getInt32(at + 26, false);
      const destination = view.getInt32(at + 30, false);
      const fromB =
        source > destination || (source === destination && sentPorts >>> 16 > (sentPorts & 0xffff));
      const a = fromB ? destination : source;
      const b = fromB ? source : destination;
      const sorted = fromB ? (sentPorts << 16) | (sentPorts >>> 16) : sentPorts;
      flags[i] = IS_COMMON | what | (payloadLen > 0 ? HAS_PAYLOAD : 0) | (fromB ? FROM_B : 0);
      key[i] = protocol;
      tenant[i] = 0;
      ports[i] = sorted;
      addressA[i] = a;
      addressB[i] = b;
      hash[i] = hashOfKey(hashMore(seed, a, b), sorted, protocol);
    }
    return count;
  }

  /// Sets what `decodeFrame` or `decodeIp` has read to its end.
  private set(i: number, packet: Packet, view: DataView): void {
    const { protocol } = packet;
    const ports = (packet.sourcePort << 16) | packet.destinationPort;
    let flags = packet.payloadLen > 0 ? HAS_PAYLOAD : 0;
    if (protocol === PROTOCOL_TCP) {
      flags |= packet.tcpFlags;
      this.sequence[i] = packet.sequence;
      this.acknowledgement[i] = packet.acknowledgement;
    }
    this.tenant[i] = packet.layers.tenant;
    if (packet.version === 4) this.setIpv4(i, packet.source, packet.destination, ports, protocol, flags);
    else this.setIpv6(i, view, packet.addressesAt, ports, protocol | KEY_IPV6, flags);
  }

  private setIpv4(
    i: number,
    source: number,
    destination: number,
    ports: number,
    key: number,
    flags: number,
  ): void {
    const fromB = source > destination || (source === destination && ports >>> 16 > (ports & 0xffff));
    const a = fromB ? destination : source;
    const b = fromB ? source : destination;
    this.addressA[i] = a;
    this.addressB[i] = b;
    this.finish(i, hashMore(this.seed, a, b), fromB, ports, key, flags);
  }

  private setIpv6(i: number, view: DataView, at: number, ports: number, key: number, flags: number): void {
    let order = 0;
    for (let k = 0; k < 16 && order === 0; k += 4) {
      order = view.getInt32(at + k, false) - view.getInt32(at + 16 + k, false);
    }
    const fromB = order > 0 || (order === 0 && ports >>> 16 > (ports & 0xffff));
    const a = fromB ? at + 16 : at;
    const b = fromB ? at : at + 16;
    this.addressesAt[i] = at;
    this.addressA[i] = view.getInt32(a, false);
    this.addressB[i] = view.getInt32(b, false);
    let hash = this.seed;
    for (let k = 0; k < 16; k += 4) {
      hash = hashMore(hash, view.getInt32(a + k, false), view.getInt32(b + k, false));
    }
    this.finish(i, hash, fromB, ports, key, flags);
  }

  private finish(i: number, hash: number, fromB: boolean, ports: number, key: number, flags: number): void {
    const sorted = fromB ? (ports << 16) | (ports >>> 16) : ports;
    this.ports[i] = sorted;
    this.key[i] = key;
    this.flags[i] = fromB ? flags | FROM_B : flags;
    this.hash[i] = hashOfKey(hash, sorted, key);
  }
}

const NO_FRAMES: Frames = {
  count: 0,
  bytes: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
  offset: new Int32Array(0),
  capturedLen: new Int32Array(0),
  originalLen: new Int32Array(0),
  timeUs: new Float64Array(0),
  linkType: new Int32Array(0),
  frame: new Uint32Array(0),
};

/// The hash of two addresses, begun with the seed, with their next words. Each word passes
/// the mixing by itself: who does not know the seed cannot make flows whose hashes are alike.
export function hashMore(hash: number, a: number, b: number): number {
  return mix(mix(hash ^ a) ^ b);
}

export function hashOfKey(ofAddresses: number, ports: number, key: number): number {
  return mix(ofAddresses ^ Math.imul(ports, 0x9e3779b1) ^ key);
}

/// The finaliser of MurmurHash3 (32 bit): every input bit changes every output bit.
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
