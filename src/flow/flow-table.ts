/// The flow table: every 5-tuple seen lately, in one typed array.
///
/// An entry is 64 bytes, one cache line, so that a packet of a flow that
/// nobody follows costs a single miss. Both directions share an entry: its A
/// end is the one with the smaller address (then port), B the other.
///
///     word  0      port A << 16 | port B
///           1      KIND: protocol, IP version, and the flow's flags (below)
///           2      packets so far; of a free entry the next free one
///           3      while STATE_NEW or STATE_ANSWER_DUE microseconds of the first packet (0..999,999),
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
///
/// What happens to each packet is written in `assembly/table.ts`; here is what happens to few.

import {
  ENDING_WORDS,
  ENTRY_WORDS,
  KEY_IPV6,
  MAX_ENDINGS,
  MAX_TENANTS,
  STATE_MASK,
  TABLE_BLOCK_WORDS,
  TABLE_CAPACITY,
  TABLE_CLOCK_MOVES_US,
  TABLE_CLOSED_IDLE,
  TABLE_ENDINGS,
  TABLE_ENDINGS_COUNT,
  TABLE_ENTRY,
  TABLE_EVICTED_FLOWS,
  TABLE_FOLLOWED_IDLE,
  TABLE_FREE_ENTRY,
  TABLE_FROM_B,
  TABLE_HIGH_WATER,
  TABLE_ICMP_FLOWS,
  TABLE_INDEX,
  TABLE_MASK,
  TABLE_MAX_FLOWS,
  TABLE_MIDSTREAM_FLOWS,
  TABLE_NEVER_OFFERED,
  TABLE_ONE_SIDED_FLOWS,
  TABLE_OTHER_IDLE,
  TABLE_SEED,
  TABLE_SHARE,
  TABLE_SHARES,
  TABLE_SHORTEST_IDLE,
  TABLE_SWEEP_AT,
  TABLE_TCP_FLOWS,
  TABLE_UDP_FLOWS,
  TABLE_USED,
  TABLE_WORDS,
  TENANT_SHIFT,
  WORD_ADDRESS_A,
  WORD_ADDRESS_B,
  WORD_FIRST_SECOND,
  WORD_KIND,
  WORD_PORTS,
  WORD_SLOT,
} from '../loops/layout.js';
import { Block, loopsFor, OutOfMemory, type TableOwner, wordsOf } from '../loops/memory.js';
import type { PacketBatch } from '../wire/packet-batch.js';
import { ALL_FLOWS, type FlowShare } from './flow-share.js';

export {
  ENTRY_WORDS,
  KIND_CLOSED,
  KIND_FIN_A,
  KIND_FIN_B,
  KIND_PAYLOAD,
  KIND_SEQUENCE_A,
  KIND_SEQUENCE_B,
  KIND_SYN_FROM_A,
  KIND_SYN_FROM_B,
  STATE_ANSWER_DUE,
  STATE_DISMISSED,
  STATE_FOLLOWED,
  STATE_MASK,
  STATE_NEW,
  WORD_KIND,
  WORD_PACKETS,
  WORD_SEQUENCE,
  WORD_SLOT,
} from '../loops/layout.js';

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

/// What the first payloads of flows are looked at for (`assembly/openings.ts`).
export interface Openings {
  /// A protocol of ALPN (RFC 7301), of at most three characters: a connection whose client offers it is none
  /// that is looked for, and only of interest for what its server says in clear.
  neverOffered: string;
  /// As `Listener` has them.
  nameEndings: readonly Uint8Array[];
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
/// have to be cleared where it is used again.
const FIRST_CAPACITY = 1 << 12;
const CAPACITY_STEP = 16;

/// The index grows so many times at once: entering every flow anew costs more than room.
const INDEX_STEP = 4;

/// The index has two slots for each flow that there is room for (a power of 2). A slot is 0, or the entry's
/// number + 1 in as many low bits as tell the slots apart, and in the bits above those
/// of the hash: so only the entry that is looked for is touched, with few exceptions. A flow's hash tells a group
/// of four slots, which are compared at once; it is in the first free one of these, or of the groups behind them.
const INDEX_BYTES = 2 * 4;

/// In front of it: the header of ICMP, and as much as the end of a name takes.
const COPY_HEADROOM = 64;
/// Payload that is looked at where the loops cannot read it: what an IP packet may hold.
const COPIED_BYTES = 65_536;

/// Characters of an ending that count.
const ENDING_BYTES = 8;
/// Letters differ from small ones by this.
const SMALL_LETTER = 0x20;
const DOT = 0x2e;

/// A block of so many `bytes` for each of `room(step)` flows, of a smaller step where there is no memory for it.
function largerBlock(
  largest: number,
  room: (step: number) => number,
  bytes: number,
): [block: Block | null, capacity: number] {
  for (let step = largest; step > 1; step /= 2) {
    try {
      const capacity = room(step);
      return [new Block(capacity * bytes), capacity];
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
    }
  }
  return [null, 0];
}

export class FlowTable {
  /// The entries; index with `entry * ENTRY_WORDS + WORD_...`. Replaced when the table grows.
  words: Int32Array;
  private readonly block = new Block(TABLE_BLOCK_WORDS * 4);
  /// TABLE_...
  private readonly state = wordsOf(this.block, TABLE_BLOCK_WORDS);
  private readonly clockMovesUs = new Float64Array(
    this.block.buffer,
    this.block.at + 4 * TABLE_CLOCK_MOVES_US,
    1,
  );
  private entries: Block;
  private index: Block;
  /// Where a payload is put that the loops could not read otherwise.
  private readonly copied = new Block(COPY_HEADROOM + COPIED_BYTES);
  private readonly tenants = new Map<number, number>();
  /// What the loops tell us of.
  private readonly owner: TableOwner;

  /// `release` is told of every followed flow that leaves the table, before it does. `seed` is
  /// that of the batches. Packets whose flow is not of the `share` only tell how late it is, and of their network.
  constructor(
    private readonly limits: FlowTableLimits,
    release: (entry: number) => void,
    seed = 0,
    share: FlowShare = ALL_FLOWS,
    openings: Openings | null = null,
  ) {
    this.owner = { release, growEntries: () => this.growEntries(), newIndex: () => this.newIndex() };
    const { state } = this;
    const { followedIdleSeconds, otherIdleSeconds, closedIdleSeconds } = limits;
    const capacity = Math.min(FIRST_CAPACITY, limits.maxFlows);
    this.entries = new Block(capacity * ENTRY_WORDS * 4);
    this.words = wordsOf(this.entries, capacity * ENTRY_WORDS);
    this.index = new Block(FIRST_CAPACITY * INDEX_BYTES);
    this.tellEntries(capacity);
    this.tellIndex(FIRST_CAPACITY);
    state[TABLE_FOLLOWED_IDLE] = followedIdleSeconds;
    state[TABLE_OTHER_IDLE] = otherIdleSeconds;
    state[TABLE_CLOSED_IDLE] = closedIdleSeconds;
    state[TABLE_SHORTEST_IDLE] = Math.min(followedIdleSeconds, otherIdleSeconds, closedIdleSeconds);
    state[TABLE_SEED] = seed;
    state[TABLE_SHARE] = share.index;
    state[TABLE_SHARES] = share.of;
    if (openings !== null) this.tellOpenings(openings);
    this.clear();
  }

  /// Flows kept now.
  get flows(): number {
    return this.state[TABLE_USED]!;
  }

  /// Flows seen since the last `clear`, by kind.
  get tcpFlows(): number {
    return this.state[TABLE_TCP_FLOWS]!;
  }

  get udpFlows(): number {
    return this.state[TABLE_UDP_FLOWS]!;
  }

  get icmpFlows(): number {
    return this.state[TABLE_ICMP_FLOWS]!;
  }

  /// TCP flows whose first packet was no SYN.
  get midstreamFlows(): number {
    return this.state[TABLE_MIDSTREAM_FLOWS]!;
  }

  /// TCP flows with payload, gone by now, of which only one direction was seen.
  get oneSidedFlows(): number {
    return this.state[TABLE_ONE_SIDED_FLOWS]!;
  }

  /// Flows given up because the table was full.
  get evictedFlows(): number {
    return this.state[TABLE_EVICTED_FLOWS]!;
  }

  /// After `lookUp` and `lookUpOne`: the flow of the packet, or -1.
  get entry(): number {
    return this.state[TABLE_ENTRY]!;
  }

  /// And true if it goes from B to A.
  get fromB(): boolean {
    return this.state[TABLE_FROM_B] !== 0;
  }

  /// Counts the packets of the batch from this place on, up to the first to which there is more, and returns
  /// its place: one whose flow is followed, or that says something in a new one. `entry` is -1 if it
  /// is none, or of a numbered network, which `lookUpOne` is for.
  lookUp(batch: PacketBatch, from: number): number {
    const { at, columnBytes, frames, place } = batch;
    const { bytesAt = 0, count } = frames;
    return loopsFor(this.owner).lookUp(this.block.at, at, columnBytes, place.at, from, count, bytesAt);
  }

  /// Counts the i-th packet. Returns true if there is more to it.
  lookUpOne(batch: PacketBatch, i: number): boolean {
    const { at, columnBytes, timeUs } = batch;
    const key = this.keyOf(batch, i);
    return loopsFor(this.owner).lookUpOne(this.block.at, at + 4 * i, columnBytes, timeUs[i]!, key) !== 0;
  }

  /// Looks at the payload of the i-th packet, the one that was looked up last, unless `lookUp` could. Returns true
  /// if there is no more to it. Only while its flow is new, or its answer due.
  look(batch: PacketBatch, i: number): boolean {
    if (this.state[TABLE_NEVER_OFFERED] === 0 || batch.payloadCaptured[i]! > COPIED_BYTES) return false;
    const { at, columnBytes, frames } = batch;
    const { bytes, bytesAt = 0 } = frames;
    const payloadAt = batch.payloadAt[i]!;
    let address = bytesAt + payloadAt;
    if (bytesAt === 0) {
      const { copied } = this;
      const from = Math.max(0, payloadAt - COPY_HEADROOM);
      const to = payloadAt + batch.payloadCaptured[i]!;
      new Uint8Array(copied.buffer, copied.at + COPY_HEADROOM - (payloadAt - from)).set(
        bytes.subarray(from, to),
      );
      address = copied.at + COPY_HEADROOM;
    }
    return loopsFor(this.owner).look(this.block.at, at + 4 * i, columnBytes, address) !== 0;
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

  setState(entry: number, state: number): void {
    const word = entry * ENTRY_WORDS + WORD_KIND;
    this.words[word] = (this.words[word]! & ~STATE_MASK) | state;
  }

  /// Time of the flow's first packet; only while it is new, or its answer due.
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
    loopsFor(this.owner).leaveAll(this.block.at);
  }

  /// Forgets all flows; keeps the memory.
  clear(): void {
    const { state } = this;
    if (this.flows > 0) wordsOf(this.index, state[TABLE_MASK]! + 1).fill(0);
    this.tenants.clear();
    this.clockMovesUs[0] = Number.NEGATIVE_INFINITY;
    state[TABLE_MAX_FLOWS] = this.limits.maxFlows;
    state[TABLE_USED] = 0;
    state[TABLE_HIGH_WATER] = 0;
    state[TABLE_FREE_ENTRY] = -1;
    state[TABLE_SWEEP_AT] = 0;
    state[TABLE_TCP_FLOWS] = 0;
    state[TABLE_UDP_FLOWS] = 0;
    state[TABLE_ICMP_FLOWS] = 0;
    state[TABLE_MIDSTREAM_FLOWS] = 0;
    state[TABLE_ONE_SIDED_FLOWS] = 0;
    state[TABLE_EVICTED_FLOWS] = 0;
  }

  /// Gives its memory back; nothing may be asked of it any more.
  dispose(): void {
    for (const block of [this.block, this.copied, this.entries, this.index]) block.giveBack();
  }

  /// It is so late at least, also if no packet says so.
  advance(timeUs: number): void {
    loopsFor(this.owner).advance(this.block.at, timeUs);
  }

  /// Removes a flow whose last packet is too long ago.
  removeIfSilent(entry: number): void {
    loopsFor(this.owner).removeIfSilent(this.block.at, entry);
  }

  /// Makes room for more entries; where there is no memory for them, these are all, and flows are given up.
  private growEntries(): void {
    const room = (step: number) => Math.min(this.state[TABLE_CAPACITY]! * step, this.limits.maxFlows);
    const [block, capacity] = largerBlock(CAPACITY_STEP, room, ENTRY_WORDS * 4);
    if (block === null) {
      this.state[TABLE_MAX_FLOWS] = this.flows;
      return;
    }
    const words = wordsOf(block, capacity * ENTRY_WORDS);
    words.set(this.words);
    this.words = words;
    this.entries.giveBack();
    this.entries = block;
    this.tellEntries(capacity);
  }

  /// The same for the index, which is empty then: the loop enters every flow anew.
  private newIndex(): void {
    const needed = 2 ** Math.ceil(Math.log2(this.limits.maxFlows));
    const room = (step: number) => Math.min(this.flows * step, needed);
    const [block, flows] = largerBlock(INDEX_STEP, room, INDEX_BYTES);
    if (block === null) {
      this.state[TABLE_MAX_FLOWS] = this.flows;
      return;
    }
    this.index.giveBack();
    this.index = block;
    this.tellIndex(flows);
  }

  private tellOpenings({ neverOffered, nameEndings }: Openings): void {
    const { state } = this;
    const protocol = [neverOffered.length, ...[...neverOffered].map((character) => character.charCodeAt(0))];
    if (protocol.length > 4 || nameEndings.length > MAX_ENDINGS) {
      throw new RangeError('there is no room for so much to look for in openings');
    }
    state[TABLE_NEVER_OFFERED] = protocol.reduce((word, byte, i) => word | (byte << (8 * i)), 0);
    state[TABLE_ENDINGS_COUNT] = nameEndings.length;
    nameEndings.forEach((ending, i) => {
      const at = this.block.at + (TABLE_ENDINGS + i * ENDING_WORDS) * 4;
      const count = Math.min(ending.length, ENDING_BYTES);
      const last = ending.subarray(ending.length - count);
      const bytes = new Uint8Array(this.block.buffer, at + ENDING_BYTES - count, count);
      const mask = new Uint8Array(this.block.buffer, at + 2 * ENDING_BYTES - count, count);
      // In DNS messages each label has its length in place of the dot before.
      last.forEach((byte, k) => {
        mask[k] = byte === DOT ? 0 : 0xff;
        bytes[k] = (byte | SMALL_LETTER) & mask[k]!;
      });
    });
  }

  private tellEntries(capacity: number): void {
    this.state[TABLE_CAPACITY] = capacity;
    this.state[TABLE_WORDS] = this.entries.at;
  }

  private tellIndex(flows: number): void {
    this.state[TABLE_INDEX] = this.index.at;
    this.state[TABLE_MASK] = 2 * flows - 1;
  }
}
