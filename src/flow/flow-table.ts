/// The flow table: every 5-tuple seen lately, in one typed array.
///
/// An entry is 64 bytes, one cache line, so that a packet of a flow that
/// nobody follows costs a single miss. Both directions share an entry: its A
/// end is the one with the smaller address (then port), B the other.
///
///     word  0      port A << 16 | port B
///           1      KIND: protocol, IP version, and the flow's flags (below)
///           2      packets so far; of a free entry the next free one
///           3      while STATE_NEW microseconds of the first packet (0..999,999),
///                  while STATE_FOLLOWED the owner's slot number
///           4      second of the table's clock at the last packet
///           5, 6   initial sequence number + 1 of A and B, if their SYN was seen
///           7      second of the first packet
///           8-11   address A (IPv4: word 8 only)
///           12-15  address B (IPv4: word 12 only)
///
/// Seconds are kept modulo 2^32 and only ever compared by difference.
///
/// The table's clock is the latest packet time so far: it never goes back, so
/// that a flow which has been silent for too long stays so. Whether a flow has
/// ended is decided where its next packet looks it up. The entries removed
/// before only make room, and which of them are does not show in the findings.

import { PROTOCOL_TCP, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../wire/packet.js';
import {
  FROM_B,
  HAS_PAYLOAD,
  hashMore,
  hashOfKey,
  IS_FRAGMENT,
  KEY_IPV6,
  KEY_MASK,
  KEY_PROTOCOL_MASK,
  NO_PACKET,
  type PacketBatch,
} from '../wire/packet-batch.js';
import { type FlowShare, shareOf } from './flow-share.js';

export const ENTRY_WORDS = 16;
export const WORD_PORTS = 0;
export const WORD_KIND = 1;
export const WORD_PACKETS = 2;
export const WORD_SLOT = 3;
export const WORD_LAST_SECOND = 4;
export const WORD_SEQUENCE = 5;
export const WORD_FIRST_SECOND = 7;
export const WORD_ADDRESS_A = 8;
export const WORD_ADDRESS_B = 12;

/// Bits of the KIND word, beside those of the packets' key. Networks whose addresses may
/// overlap (VNIs and the like) are numbered as they are met: 10 bits, 0 for none.
/// Beyond these all share the last number.
const TENANT_SHIFT = 21;
const MAX_TENANTS = 0x3ff;
const FLOW_KEY_MASK = KEY_MASK | (MAX_TENANTS << TENANT_SHIFT);
/// Which end sent the SYN, if one did.
export const KIND_SYN_FROM_A = 1 << 9;
export const KIND_SYN_FROM_B = 1 << 10;
/// Word 5 (A) or 6 (B) holds a sequence number.
export const KIND_SEQUENCE_A = 1 << 11;
export const KIND_SEQUENCE_B = 1 << 12;
export const KIND_FIN_A = 1 << 13;
export const KIND_FIN_B = 1 << 14;
/// Reset, or finished by both ends.
export const KIND_CLOSED = 1 << 15;
const STATE_SHIFT = 16;
export const STATE_MASK = 3 << STATE_SHIFT;
/// No payload seen yet.
export const STATE_NEW = 0 << STATE_SHIFT;
/// Somebody keeps more about this flow under its slot number.
export const STATE_FOLLOWED = 1 << STATE_SHIFT;
/// Cannot be SoftEther any more: only counted.
export const STATE_DISMISSED = 2 << STATE_SHIFT;
/// A packet of this end was seen.
const KIND_SEEN_A = 1 << 18;
const KIND_SEEN_B = 1 << 19;
/// Somebody sent payload over TCP.
export const KIND_PAYLOAD = 1 << 20;
const KIND_FREE = -1;

/// A packet that begins or ends a flow, or is none.
const NOT_ONLY_COUNTED = NO_PACKET | IS_FRAGMENT | TCP_SYN | TCP_FIN | TCP_RST;

/// One end of a flow; an address is 4 or 16 bytes.
export interface FlowEnd {
  address: Uint8Array;
  port: number;
}

export interface FlowTableLimits {
  /// Most flows kept at once.
  maxFlows: number;
  /// Seconds without a packet after which a flow has ended, by how it stands.
  followedIdleSeconds: number;
  otherIdleSeconds: number;
  closedIdleSeconds: number;
}

/// 2^20 flows are 64 MiB of entries and 8 MiB of index. A SoftEther connection
/// is never silent for longer than half its time-out, which is 60 s at most
/// (facts: GenNextKeepAliveSpan), so five minutes of silence end any.
export const DEFAULT_FLOW_TABLE_LIMITS: FlowTableLimits = {
  maxFlows: 1 << 20,
  followedIdleSeconds: 300,
  otherIdleSeconds: 120,
  closedIdleSeconds: 10,
};

/// Entries that there is room for at first. What follows is made in few, large steps: memory
/// that was never written takes none, so only the copying counts. Everything at once would
/// be no better, because the language's collector goes by what is asked for.
const FIRST_CAPACITY = 1 << 12;
const CAPACITY_STEP = 16;

/// The index grows so many times at once: entering every flow anew costs more than room.
const INDEX_STEP = 4;

/// Slots of an index that is too large for the caches; a smaller one stays there as it is.
const FETCHED_SLOTS = 1 << 17;

/// Packets whose flows are looked for at a time (a power of 2): each touches two pages of memory, and
/// more pages than this the processor does not find again without looking them up (measured).
const GUESSED_PACKETS = 256;

/// Entries looked at for expiry with each new flow: two keep the table free of
/// flows that ended, however many come.
const SWEEP_PER_FLOW = 2;

/// Entries looked at for one to give up when the table is full.
const EVICTION_CANDIDATES = 32;

/// More than any silence: what parts flows of one rank from those of the next.
const RANK = 0x1_0000_0000;

export class FlowTable {
  /// The entries; index with `entry * ENTRY_WORDS + WORD_...`. Replaced when the table grows.
  words: Int32Array;
  /// After `find` and `countKnown`: true if the packet goes from B to A.
  fromB = false;
  /// After `countKnown`.
  counted = -1;
  /// Flows seen since the last `clear`, by kind.
  tcpFlows = 0;
  udpFlows = 0;
  icmpFlows = 0;
  /// TCP flows whose first packet was no SYN.
  midstreamFlows = 0;
  /// TCP flows with payload, gone by now, of which only one direction was seen.
  oneSidedFlows = 0;
  /// Flows given up because the table was full.
  evictedFlows = 0;

  private capacity: number;
  private index: Int32Array;
  private used = 0;
  private highWater = 0;
  private freeEntry = -1;
  private sweepAt = 0;
  private readonly tenants = new Map<number, number>();
  /// Second of the latest packet, modulo 2^32.
  private clock = 0;
  /// When it moves on, in microseconds: most packets come before that.
  private clockMovesUs = Number.NEGATIVE_INFINITY;
  private readonly shortestIdle: number;
  /// Entries of the packets that are looked for at a time, or -1.
  private readonly guesses = new Int32Array(GUESSED_PACKETS);
  /// What `guess` read: kept, or the compiler would leave the reading out.
  fetched = 0;

  /// `release` is told of every followed flow that leaves the table, before it does. `seed` is
  /// that of the batches.
  constructor(
    private readonly limits: FlowTableLimits,
    private readonly release: (entry: number) => void,
    private readonly seed = 0,
  ) {
    this.capacity = Math.min(FIRST_CAPACITY, limits.maxFlows);
    this.words = alignedWords(this.capacity * ENTRY_WORDS);
    this.index = newIndex(FIRST_CAPACITY);
    this.shortestIdle = Math.min(
      limits.followedIdleSeconds,
      limits.otherIdleSeconds,
      limits.closedIdleSeconds,
    );
  }

  /// Flows kept now.
  get flows(): number {
    return this.used;
  }

  /// Looks for the flows of some packets, from the `first` on, before these come one by one. Every
  /// read here is independent of those for the packet before, so that the processor waits for many
  /// at a time. What is found is a guess: flows may come and go until it is a packet's turn.
  private guess({ hash, frames }: PacketBatch, first: number): void {
    const { index, words, guesses } = this;
    const count = Math.min(GUESSED_PACKETS, frames.count - first);
    const mask = index.length - 1;
    // Three short loops: the more passes the processor sees ahead, the more reads it begins.
    let fetched = 0;
    if (index.length >= FETCHED_SLOTS) {
      for (let i = 0; i < count; i++) fetched ^= index[hash[first + i]! & mask]!;
    }
    for (let i = 0; i < count; i++) {
      const own = hash[first + i]!;
      let slot = own & mask;
      while (index[slot] !== 0 && ((index[slot]! ^ own) & ~mask) !== 0) slot = (slot + 1) & mask;
      guesses[i] = (index[slot]! & mask) - 1;
    }
    for (let i = count - 1; i >= 0; i--) fetched ^= words[Math.max(0, guesses[i]!) * ENTRY_WORDS]!;
    this.fetched = fetched;
  }

  /// The entry of the flow of the i-th packet, made if there is none; counts the packet.
  find(batch: PacketBatch, i: number): number {
    const { index, words } = this;
    this.advance(batch.frames.timeUs[i]!);
    const hash = batch.hash[i]!;
    const ports = batch.ports[i]!;
    const key = this.keyOf(batch, i);
    this.fromB = (batch.flags[i]! & FROM_B) !== 0;
    const mask = index.length - 1;
    for (let slot = hash & mask; index[slot] !== 0; slot = (slot + 1) & mask) {
      if (((index[slot]! ^ hash) & ~mask) !== 0) continue;
      const entry = (index[slot]! & mask) - 1;
      const at = entry * ENTRY_WORDS;
      if (
        words[at] === ports &&
        words[at + WORD_ADDRESS_A] === batch.addressA[i] &&
        words[at + WORD_ADDRESS_B] === batch.addressB[i] &&
        (words[at + WORD_KIND]! & FLOW_KEY_MASK) === key &&
        ((key & KEY_IPV6) === 0 || this.sameIpv6(at, batch, i))
      ) {
        const idle = this.idleSeconds(at);
        if (idle > this.shortestIdle && idle > this.idleLimit(words[at + WORD_KIND]!)) {
          this.restart(entry, batch, i);
        } else {
          words[at + WORD_PACKETS]!++;
          words[at + WORD_LAST_SECOND] = this.clock;
          words[at + WORD_KIND]! |= this.fromB ? KIND_SEEN_B : KIND_SEEN_A;
        }
        return entry;
      }
    }
    return this.insert(batch, i);
  }

  /// Counts the packets of the batch from this place on, up to the first to which there may be more,
  /// and returns its place: one that begins or ends a flow, whose flow is not known or followed, or
  /// that is the first to say something. `counted` is its entry, or -1 if `find` has to count it. Of
  /// packets that are not of the `share` it takes what `passOver` takes.
  ///
  /// Most packets go this way, in half the time of one `find` for each.
  countKnown(batch: PacketBatch, from: number, { index: share, of: shares }: FlowShare): number {
    const { words, guesses, shortestIdle } = this;
    const { flags, key, tenant, ports, addressA, addressB, hash } = batch;
    const { count, timeUs } = batch.frames;
    this.counted = -1;
    for (let i = from; i < count; i++) {
      if (i % GUESSED_PACKETS === 0) this.guess(batch, i);
      const what = flags[i]!;
      if ((what & NOT_ONLY_COUNTED) !== 0 || tenant[i] !== 0) return i;
      if (timeUs[i]! >= this.clockMovesUs) this.advance(timeUs[i]!);
      if (shares > 1 && shareOf(hash[i]!, shares) !== share) continue;
      const entry = guesses[i % GUESSED_PACKETS]!;
      const at = entry * ENTRY_WORDS;
      if (entry < 0 || words[at] !== ports[i]) return i;
      if (words[at + WORD_ADDRESS_A] !== addressA[i] || words[at + WORD_ADDRESS_B] !== addressB[i]) return i;
      const kind = words[at + WORD_KIND]!;
      if ((kind & FLOW_KEY_MASK) !== key[i]) return i;
      this.fromB = (what & FROM_B) !== 0;
      if ((kind & KEY_IPV6) !== 0 && !this.sameIpv6(at, batch, i)) return i;
      if (this.idleSeconds(at) > shortestIdle) return i;
      words[at + WORD_PACKETS]!++;
      words[at + WORD_LAST_SECOND] = this.clock;
      words[at + WORD_KIND] = kind | (this.fromB ? KIND_SEEN_B : KIND_SEEN_A);
      const state = kind & STATE_MASK;
      if (state === STATE_DISMISSED || (state === STATE_NEW && (what & HAS_PAYLOAD) === 0)) continue;
      this.counted = entry;
      return i;
    }
    return count;
  }

  /// Takes what the i-th packet tells of all flows, where its own is kept by another table:
  /// how late it is, and that there is its network.
  passOver({ frames, tenant }: PacketBatch, i: number): void {
    this.advance(frames.timeUs[i]!);
    if (tenant[i] !== 0) this.tenantNumber(tenant[i]!);
  }

  private keyOf(batch: PacketBatch, i: number): number {
    const key = batch.key[i]!;
    const tenant = batch.tenant[i]!;
    return tenant === 0 ? key : key | (this.tenantNumber(tenant) << TENANT_SHIFT);
  }

  private tenantNumber(tenant: number): number {
    const known = this.tenants.get(tenant);
    if (known !== undefined) return known;
    const number = this.tenants.size + 1;
    if (number >= MAX_TENANTS) return MAX_TENANTS;
    this.tenants.set(tenant, number);
    return number;
  }

  /// Notes SYN, FIN and RST of a TCP packet. Returns false if the packet begins
  /// a new flow on the ends of one that was there: `restart` is due then.
  noteTcpFlags(entry: number, batch: PacketBatch, i: number): boolean {
    const at = entry * ENTRY_WORDS;
    const words = this.words;
    const flags = batch.flags[i]!;
    let kind = words[at + WORD_KIND]!;
    if (flags & TCP_SYN) {
      const known = this.fromB ? KIND_SEQUENCE_B : KIND_SEQUENCE_A;
      const word = at + WORD_SEQUENCE + (this.fromB ? 1 : 0);
      const next = (batch.sequence[i]! + 1) | 0;
      const isFirstOfHandshake = (flags & TCP_ACK) === 0;
      // Another sequence number, or a SYN after the end: the port was used again.
      const reused = (kind & known) !== 0 ? words[word] !== next : (kind & KIND_CLOSED) !== 0;
      if (isFirstOfHandshake && reused) return false;
      words[word] = next;
      kind |= known;
      if (isFirstOfHandshake) kind |= this.fromB ? KIND_SYN_FROM_B : KIND_SYN_FROM_A;
      else {
        kind |= this.fromB ? KIND_SYN_FROM_A : KIND_SYN_FROM_B;
        // The answer to a SYN tells its sequence number, should that not be in the capture.
        const asker = this.fromB ? KIND_SEQUENCE_A : KIND_SEQUENCE_B;
        if ((kind & asker) === 0) {
          words[at + WORD_SEQUENCE + (this.fromB ? 0 : 1)] = batch.acknowledgement[i]!;
        }
        kind |= asker;
      }
    }
    if (flags & TCP_RST) kind |= KIND_CLOSED;
    if (flags & TCP_FIN) {
      kind |= this.fromB ? KIND_FIN_B : KIND_FIN_A;
      if ((kind & KIND_FIN_A) !== 0 && (kind & KIND_FIN_B) !== 0) kind |= KIND_CLOSED;
    }
    words[at + WORD_KIND] = kind;
    return true;
  }

  /// Ends the flow of this entry and begins a new one on the same ends.
  restart(entry: number, batch: PacketBatch, i: number): void {
    const at = entry * ENTRY_WORDS;
    const kind = this.words[at + WORD_KIND]!;
    this.leave(entry);
    this.words[at + WORD_KIND] = (kind & FLOW_KEY_MASK) | (this.fromB ? KIND_SEEN_B : KIND_SEEN_A);
    this.begin(at, batch, i);
  }

  setState(entry: number, state: number): void {
    const word = entry * ENTRY_WORDS + WORD_KIND;
    this.words[word] = (this.words[word]! & ~STATE_MASK) | state;
  }

  /// Time of the flow's first packet; only while it is new.
  firstUs(entry: number): number {
    const at = entry * ENTRY_WORDS;
    return (this.words[at + WORD_FIRST_SECOND]! >>> 0) * 1e6 + this.words[at + WORD_SLOT]!;
  }

  /// Copies of both ends of a flow.
  endsOf(entry: number): { a: FlowEnd; b: FlowEnd } {
    const at = entry * ENTRY_WORDS;
    const ports = this.words[at + WORD_PORTS]!;
    return {
      a: { address: this.addressOf(at, WORD_ADDRESS_A), port: ports >>> 16 },
      b: { address: this.addressOf(at, WORD_ADDRESS_B), port: ports & 0xffff },
    };
  }

  private addressOf(at: number, word: number): Uint8Array {
    const length = (this.words[at + WORD_KIND]! & KEY_IPV6) !== 0 ? 16 : 4;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < length; i += 4) view.setInt32(i, this.words[at + word + i / 4]!, false);
    return bytes;
  }

  /// Releases every followed flow, as at the end of a capture; `clear` is due then.
  endAll(): void {
    for (let entry = 0; entry < this.highWater; entry++) this.leave(entry);
  }

  /// Forgets all flows; keeps the memory.
  clear(): void {
    if (this.used > 0) this.index.fill(0);
    this.tenants.clear();
    this.used = 0;
    this.highWater = 0;
    this.freeEntry = -1;
    this.sweepAt = 0;
    this.clockMovesUs = Number.NEGATIVE_INFINITY;
    this.tcpFlows = 0;
    this.udpFlows = 0;
    this.icmpFlows = 0;
    this.midstreamFlows = 0;
    this.oneSidedFlows = 0;
    this.evictedFlows = 0;
  }

  private sameIpv6(at: number, { frames: { view }, addressesAt }: PacketBatch, place: number): boolean {
    const { words } = this;
    const a = addressesAt[place]! + (this.fromB ? 16 : 0);
    const b = addressesAt[place]! + (this.fromB ? 0 : 16);
    for (let i = 1; i < 4; i++) {
      if (words[at + WORD_ADDRESS_A + i] !== view.getInt32(a + 4 * i, false)) return false;
      if (words[at + WORD_ADDRESS_B + i] !== view.getInt32(b + 4 * i, false)) return false;
    }
    return true;
  }

  private insert(batch: PacketBatch, i: number): number {
    this.sweep();
    if (this.used === this.limits.maxFlows) this.evict();
    else if (this.used === this.capacity) this.grow();
    if (this.used * 2 === this.index.length) this.growIndex();
    let entry = this.freeEntry;
    const words = this.words;
    if (entry >= 0) this.freeEntry = words[entry * ENTRY_WORDS + WORD_PACKETS]!;
    else entry = this.highWater++;
    this.used++;
    const at = entry * ENTRY_WORDS;
    const key = this.keyOf(batch, i);
    words[at + WORD_PORTS] = batch.ports[i]!;
    words[at + WORD_KIND] = key | (this.fromB ? KIND_SEEN_B : KIND_SEEN_A);
    words[at + WORD_ADDRESS_A] = batch.addressA[i]!;
    words[at + WORD_ADDRESS_B] = batch.addressB[i]!;
    if ((key & KEY_IPV6) !== 0) this.keepIpv6(at, batch, i);
    this.begin(at, batch, i);
    this.place(entry, batch.hash[i]!);
    return entry;
  }

  /// Keeps what of the addresses is not in the batch.
  private keepIpv6(at: number, { frames: { view }, addressesAt }: PacketBatch, place: number): void {
    const a = addressesAt[place]! + (this.fromB ? 16 : 0);
    const b = addressesAt[place]! + (this.fromB ? 0 : 16);
    for (let i = 1; i < 4; i++) {
      this.words[at + WORD_ADDRESS_A + i] = view.getInt32(a + 4 * i, false);
      this.words[at + WORD_ADDRESS_B + i] = view.getInt32(b + 4 * i, false);
    }
  }

  /// Begins a flow with its first packet, and counts it.
  private begin(at: number, batch: PacketBatch, i: number): void {
    const timeUs = batch.frames.timeUs[i]!;
    const second = Math.floor(timeUs / 1e6);
    const words = this.words;
    words[at + WORD_PACKETS] = 1;
    words[at + WORD_SLOT] = timeUs - second * 1e6;
    words[at + WORD_LAST_SECOND] = this.clock;
    words[at + WORD_FIRST_SECOND] = second | 0;
    if ((batch.key[i]! & KEY_PROTOCOL_MASK) === PROTOCOL_TCP) {
      this.tcpFlows++;
      if ((batch.flags[i]! & TCP_SYN) === 0) this.midstreamFlows++;
    } else if (batch.ports[i] !== 0) this.udpFlows++;
    else this.icmpFlows++;
  }

  private place(entry: number, hash: number): void {
    const index = this.index;
    const mask = index.length - 1;
    let slot = hash & mask;
    while (index[slot] !== 0) slot = (slot + 1) & mask;
    index[slot] = (entry + 1) | (hash & ~mask);
  }

  /// The hash of a stored entry: the same as `find` computes.
  private hashOf(entry: number): number {
    const words = this.words;
    const at = entry * ENTRY_WORDS;
    const key = words[at + WORD_KIND]! & KEY_MASK;
    const a = at + WORD_ADDRESS_A;
    const b = at + WORD_ADDRESS_B;
    const width = (key & KEY_IPV6) === 0 ? 1 : 4;
    let hash = this.seed;
    for (let i = 0; i < width; i++) hash = hashMore(hash, words[a + i]!, words[b + i]!);
    return hashOfKey(hash, words[at]!, key);
  }

  private grow(): void {
    this.capacity = Math.min(this.capacity * CAPACITY_STEP, this.limits.maxFlows);
    const words = alignedWords(this.capacity * ENTRY_WORDS);
    words.set(this.words);
    this.words = words;
  }

  private growIndex(): void {
    const { words } = this;
    const needed = 2 ** Math.ceil(Math.log2(this.limits.maxFlows));
    this.index = newIndex(Math.min(this.used * INDEX_STEP, needed));
    for (let entry = 0; entry < this.highWater; entry++) {
      if (words[entry * ENTRY_WORDS + WORD_KIND] !== KIND_FREE) this.place(entry, this.hashOf(entry));
    }
  }

  /// Takes a few entries in turn and removes those whose flow has ended.
  private sweep(): void {
    for (let i = 0; i < SWEEP_PER_FLOW && this.highWater > 0; i++) {
      this.removeIfSilent(this.nextToSweep());
    }
  }

  /// It is so late at least, also if no packet says so.
  advance(timeUs: number): void {
    if (timeUs < this.clockMovesUs) return;
    const second = Math.floor(timeUs / 1e6);
    this.clock = second | 0;
    this.clockMovesUs = (second + 1) * 1e6;
  }

  /// Removes a flow whose last packet is too long ago.
  removeIfSilent(entry: number): void {
    const at = entry * ENTRY_WORDS;
    const kind = this.words[at + WORD_KIND]!;
    if (kind !== KIND_FREE && this.idleSeconds(at) > this.idleLimit(kind)) this.remove(entry);
  }

  private nextToSweep(): number {
    if (this.sweepAt >= this.highWater) this.sweepAt = 0;
    return this.sweepAt++;
  }

  private idleSeconds(at: number): number {
    return (this.clock - this.words[at + WORD_LAST_SECOND]!) >>> 0;
  }

  private idleLimit(kind: number): number {
    if ((kind & KIND_CLOSED) !== 0) return this.limits.closedIdleSeconds;
    if ((kind & STATE_MASK) === STATE_FOLLOWED) return this.limits.followedIdleSeconds;
    return this.limits.otherIdleSeconds;
  }

  /// Gives up the flow that is missed least among some.
  private evict(): void {
    let victim = -1;
    let worst = -1;
    for (let i = 0; i < EVICTION_CANDIDATES; i++) {
      const entry = this.nextToSweep();
      const at = entry * ENTRY_WORDS;
      const score = rankOf(this.words[at + WORD_KIND]!) * RANK + this.idleSeconds(at);
      if (score > worst) {
        worst = score;
        victim = entry;
      }
    }
    this.evictedFlows++;
    this.remove(victim);
  }

  /// A flow ends: whoever follows it is told.
  private leave(entry: number): void {
    const kind = this.words[entry * ENTRY_WORDS + WORD_KIND]!;
    if (kind === KIND_FREE) return;
    const bothSeen = (kind & KIND_SEEN_A) !== 0 && (kind & KIND_SEEN_B) !== 0;
    if ((kind & KIND_PAYLOAD) !== 0 && !bothSeen) this.oneSidedFlows++;
    if ((kind & STATE_MASK) === STATE_FOLLOWED) this.release(entry);
  }

  private remove(entry: number): void {
    this.leave(entry);
    const { index } = this;
    const mask = index.length - 1;
    let hole = this.hashOf(entry) & mask;
    while ((index[hole]! & mask) !== entry + 1) hole = (hole + 1) & mask;
    // Close the gap: move back what had been pushed beyond the hole.
    for (let slot = (hole + 1) & mask; index[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.hashOf((index[slot]! & mask) - 1) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        index[hole] = index[slot]!;
        hole = slot;
      }
    }
    index[hole] = 0;
    const at = entry * ENTRY_WORDS;
    this.words[at + WORD_KIND] = KIND_FREE;
    this.words[at + WORD_PACKETS] = this.freeEntry;
    this.freeEntry = entry;
    this.used--;
  }
}

/// How little a flow is missed: a followed one most, then one that may still be
/// followed, least one that has said nothing yet or cannot matter any more.
function rankOf(kind: number): number {
  const state = kind & STATE_MASK;
  if (state === STATE_FOLLOWED) return 0;
  const isHandshake = (kind & (KIND_SYN_FROM_A | KIND_SYN_FROM_B)) !== 0;
  return state === STATE_DISMISSED || isHandshake ? 2 : 1;
}

/// Slots for so many entries (a power of 2), at most half of them full. A slot is 0, or the entry's
/// number + 1 in as many low bits as tell the slots apart, and in the bits above those
/// of the hash: so only the entry that is looked for is touched, with few exceptions.
function newIndex(capacity: number): Int32Array {
  return new Int32Array(capacity * 2);
}

/// Zeroes that begin at a cache line: allocators put 16 bytes of their own in
/// front of a large block, which would spread every entry over two lines.
function alignedWords(length: number): Int32Array {
  return new Int32Array(length + 12).subarray(12);
}
