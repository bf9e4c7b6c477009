/// What was decoded of a batch of frames, as a struct of arrays: what the flow
/// table asks of each packet, by the place of its frame in the batch.
///
/// Their flows lie anywhere in tens of megabytes. With the keys of many packets
/// at hand the table can ask for all of them at once, and memory is waited for
/// once instead of once a packet.

import {
  COLUMN_GAP_BYTES,
  FROM_B,
  HAS_PAYLOAD,
  IS_COMMON,
  IS_FRAGMENT,
  KEY_IPV6,
  KEY_PROTOCOL_MASK,
  LINKTYPE_NO_PACKET,
  NO_PACKET,
  PACKET_ACKNOWLEDGEMENT,
  PACKET_ADDRESS_A,
  PACKET_ADDRESS_B,
  PACKET_COLUMNS,
  PACKET_FLAGS,
  PACKET_HASH,
  PACKET_KEY,
  PACKET_MORE_A,
  PACKET_MORE_B,
  PACKET_PAYLOAD_AT,
  PACKET_PAYLOAD_CAPTURED,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PORTS,
  PACKET_SEQUENCE,
  PACKET_TENANT,
  PACKET_TIME_COLUMNS,
} from '../loops/layout.js';
import { Block, type Place, theLoops } from '../loops/memory.js';
import { decodeFrame } from './decode.js';
import {
  type DecodeStop,
  Packet,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  STOP_IP_FRAGMENT,
  STOP_NONE,
} from './packet.js';

export {
  FROM_B,
  HAS_PAYLOAD,
  IS_FRAGMENT,
  KEY_IPV6,
  KEY_MASK,
  KEY_PROTOCOL_MASK,
  NO_PACKET,
} from '../loops/layout.js';

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const UDP_BYTES = 8;
const ICMP_BYTES = 8;

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
  /// Where the frames are, and the address of the bytes if the loops can read both; else 0.
  readonly place?: Place;
  readonly bytesAt?: number;
}

function columnBytes(capacity: number): number {
  return 4 * capacity + COLUMN_GAP_BYTES;
}

/// The packet of frame i:
///
///     flags[i]                     of the TCP header; FROM_B, HAS_PAYLOAD, IS_FRAGMENT, NO_PACKET and more
///     key[i], tenant[i]            protocol and IP version (KEY_...), network as `LayerStack.tenant`
///     ports[i]                     port of A << 16 | port of B; 0 for ICMP
///     addressA[i], addressB[i]     of IPv6 the first words, the others in `moreA` and `moreB`
///     hash[i]                      of key, ports and addresses
///     sequence[i], acknowledgement[i]   of TCP
///     payloadAt[i], payloadCaptured[i], payloadLen[i]   of the payload, if there is any, as `Packet` has them
///     timeUs[i]                    of the frame
export class PacketBatch {
  frames: Frames = NO_FRAMES;
  /// Where the first column is, and how many bytes each takes.
  readonly at: number;
  readonly columnBytes: number;
  readonly place: Place;
  private readonly own: Block | undefined;
  readonly timeUs: Float64Array;
  readonly flags: Int32Array;
  readonly key: Int32Array;
  readonly tenant: Int32Array;
  readonly ports: Int32Array;
  readonly addressA: Int32Array;
  readonly addressB: Int32Array;
  readonly hash: Int32Array;
  readonly sequence: Int32Array;
  readonly acknowledgement: Int32Array;
  readonly payloadAt: Int32Array;
  readonly payloadCaptured: Int32Array;
  readonly payloadLen: Int32Array;
  readonly moreA: readonly Int32Array[];
  readonly moreB: readonly Int32Array[];
  private readonly packet = new Packet();
  /// The packet of the one frame where it was put together from fragments.
  private whole: Packet | null = null;

  /// For batches of up to `capacity` frames, their hashes begun with `seed`, in `bytesFor(capacity)`
  /// of a place in the memory of the loops.
  constructor(
    capacity: number,
    private readonly seed = 0,
    given?: Place,
  ) {
    const place = given ?? new Block(PacketBatch.bytesFor(capacity));
    this.own = place instanceof Block && given === undefined ? place : undefined;
    this.place = place;
    const { buffer, at } = place;
    this.columnBytes = columnBytes(capacity);
    this.at = at + PACKET_TIME_COLUMNS * this.columnBytes;
    const column = (i: number) => new Int32Array(buffer, this.at + i * this.columnBytes, capacity);
    this.timeUs = new Float64Array(buffer, at, capacity);
    this.flags = column(PACKET_FLAGS);
    this.key = column(PACKET_KEY);
    this.tenant = column(PACKET_TENANT);
    this.ports = column(PACKET_PORTS);
    this.addressA = column(PACKET_ADDRESS_A);
    this.addressB = column(PACKET_ADDRESS_B);
    this.hash = column(PACKET_HASH);
    this.sequence = column(PACKET_SEQUENCE);
    this.acknowledgement = column(PACKET_ACKNOWLEDGEMENT);
    this.payloadAt = column(PACKET_PAYLOAD_AT);
    this.payloadCaptured = column(PACKET_PAYLOAD_CAPTURED);
    this.payloadLen = column(PACKET_PAYLOAD_LENGTH);
    this.moreA = [0, 1, 2].map((i) => column(PACKET_MORE_A + i));
    this.moreB = [0, 1, 2].map((i) => column(PACKET_MORE_B + i));
  }

  /// Gives its memory back, if it is its own.
  dispose(): void {
    this.own?.giveBack();
  }

  static bytesFor(capacity: number): number {
    return (PACKET_TIME_COLUMNS + PACKET_COLUMNS) * columnBytes(capacity);
  }

  /// Decodes the packets of these frames. Counts in `stops` where that stopped, by DecodeStop:
  /// fragments and what was read to its end are no stops.
  decodeAll(frames: Frames, stops: Float64Array): void {
    this.frames = frames;
    const { count } = frames;
    this.timeUs.set(frames.timeUs.subarray(0, count));
    for (let i = this.takeCommon(0); i < count; i = this.takeCommon(i + 1)) {
      const stop = this.take(i);
      if (stop !== STOP_NONE && stop !== STOP_IP_FRAGMENT) stops[stop]!++;
    }
  }

  private take(i: number): DecodeStop {
    const { frames, packet } = this;
    if (frames.linkType[i] === LINKTYPE_NO_PACKET) {
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
    this.timeUs[0] = frames.timeUs[0]!;
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
    const protocol = this.key[i]! & KEY_PROTOCOL_MASK;
    packet.layers.clear();
    packet.protocol = protocol;
    packet.ipAt = ipAt;
    if ((this.key[i]! & KEY_IPV6) === 0) {
      packet.version = 4;
      packet.ipEnd = ipAt + view.getUint16(ipAt + 2, false);
      packet.addressesAt = ipAt + 12;
      packet.source = view.getInt32(ipAt + 12, false);
      packet.destination = view.getInt32(ipAt + 16, false);
      packet.transportAt = ipAt + IPV4_BYTES;
    } else {
      packet.version = 6;
      packet.ipEnd = ipAt + IPV6_BYTES + view.getUint16(ipAt + 4, false);
      packet.addressesAt = ipAt + 8;
      packet.transportAt = ipAt + IPV6_BYTES;
    }
    const { transportAt } = packet;
    const hasPorts = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
    let headerBytes = hasPorts ? UDP_BYTES : ICMP_BYTES;
    if (protocol === PROTOCOL_TCP) {
      headerBytes = (view.getUint8(transportAt + 12) >> 4) * 4;
      packet.sequence = this.sequence[i]!;
      packet.acknowledgement = this.acknowledgement[i]!;
      packet.tcpFlags = this.flags[i]! & 0xff;
    }
    packet.sourcePort = hasPorts ? view.getUint16(transportAt, false) : 0;
    packet.destinationPort = hasPorts ? view.getUint16(transportAt + 2, false) : 0;
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
  /// returns the place of the next; none if the loop cannot read their frames.
  private takeCommon(from: number): number {
    const { place, bytesAt, count } = this.frames;
    if (place === undefined || bytesAt === undefined || bytesAt === 0) return from;
    return theLoops().decodeCommon(bytesAt, place.at, from, count, this.at, this.columnBytes, this.seed);
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
    this.payloadAt[i] = packet.payloadAt;
    this.payloadCaptured[i] = packet.payloadCaptured;
    this.payloadLen[i] = packet.payloadLen;
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
    for (let k = 0; k < 3; k++) {
      this.moreA[k]![i] = view.getInt32(a + 4 + 4 * k, false);
      this.moreB[k]![i] = view.getInt32(b + 4 + 4 * k, false);
    }
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
