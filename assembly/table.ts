/// The flow table: finds the flow of each packet, counts it, makes and removes flows. What an
/// entry holds and when a flow has ended is described in `flow/flow-table.ts`.

import {
  ENTRY_WORDS,
  FLOW_KEY_MASK,
  FROM_B,
  GUESSED_PACKETS,
  HAS_PAYLOAD,
  IS_FRAGMENT,
  KEY_IPV6,
  KEY_MASK,
  KEY_PROTOCOL_MASK,
  KIND_CLOSED,
  KIND_FIN_A,
  KIND_FIN_B,
  KIND_FREE,
  KIND_PAYLOAD,
  KIND_SEEN_A,
  KIND_SEEN_B,
  KIND_SEQUENCE_A,
  KIND_SEQUENCE_B,
  KIND_SYN_FROM_A,
  KIND_SYN_FROM_B,
  NO_PACKET,
  PACKET_ACKNOWLEDGEMENT,
  PACKET_ADDRESS_A,
  PACKET_ADDRESS_B,
  PACKET_HASH,
  PACKET_KEY,
  PACKET_MORE_A,
  PACKET_MORE_B,
  PACKET_PAYLOAD_AT,
  PACKET_PAYLOAD_CAPTURED,
  PACKET_PORTS,
  PACKET_SEQUENCE,
  PACKET_TENANT,
  PROTOCOL_TCP,
  STATE_DISMISSED,
  STATE_FOLLOWED,
  STATE_MASK,
  TABLE_CAPACITY,
  TABLE_CLOCK,
  TABLE_CLOCK_MOVES_US,
  TABLE_CLOSED_IDLE,
  TABLE_ENTRY,
  TABLE_EVICTED_FLOWS,
  TABLE_FETCHED,
  TABLE_FOLLOWED_IDLE,
  TABLE_FREE_ENTRY,
  TABLE_FROM_B,
  TABLE_GUESSES,
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
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  WORD_ADDRESS_A,
  WORD_ADDRESS_B,
  WORD_FIRST_SECOND,
  WORD_KIND,
  WORD_LAST_SECOND,
  WORD_PACKETS,
  WORD_PORTS,
  WORD_SEQUENCE,
  WORD_SLOT,
} from '../src/loops/layout';
import { hashMore, hashOfKey } from './hash';
import { lookAt } from './openings';
import { addWord, field, setWord, word } from './words';

/// A followed flow leaves this table.
export declare function release(table: usize, entry: i32): void;
/// Replaces the block of the entries by a larger one, that of the index by an empty one. Where there is
/// no memory for it, there may be no more flows than there are (TABLE_MAX_FLOWS).
export declare function growEntries(table: usize): void;
export declare function newIndex(table: usize): void;

/// Slots of the index that are compared at once (SIMD): a group. The search for a hash begins with its home, and goes
/// on group by group up to one that has a free slot.
const GROUP_SLOTS = 4;
/// Slots of an index that is too large for the caches; a smaller one stays there as it is.
const FETCHED_SLOTS = 1 << 17;
/// Entries looked at for expiry with each new flow: two keep the table free of
/// flows that ended, however many come.
const SWEEP_PER_FLOW = 2;
/// Entries looked at for one to give up when the table is full.
const EVICTION_CANDIDATES = 32;

const SYN_FIN_RST = TCP_SYN | TCP_FIN | TCP_RST;

function clockMovesUs(table: usize): f64 {
  return load<f64>(table, TABLE_CLOCK_MOVES_US << 2);
}

function entryAt(table: usize, entry: i32): usize {
  return <usize>word(table, TABLE_WORDS) + <usize>entry * (ENTRY_WORDS * 4);
}

/// The first slot of the group where the search for a hash begins.
function homeOf(hash: i32, mask: i32): i32 {
  return hash & mask & -GROUP_SLOTS;
}

function groupAt(index: usize, group: i32): usize {
  return index + ((<usize>group) << 2);
}

/// The slots of a group whose entries may be of this hash, a bit for each.
function matches(group: usize, hash: i32, mask: i32): i32 {
  const others = v128.and(v128.xor(v128.load(group), i32x4.splat(hash)), i32x4.splat(~mask));
  return i32x4.bitmask(i32x4.eq(others, i32x4.splat(0)));
}

/// The same of those that are free.
function free(group: usize): i32 {
  return i32x4.bitmask(i32x4.eq(v128.load(group), i32x4.splat(0)));
}

/// Where the first of these slots is.
function firstOf(group: usize, slots: i32): usize {
  return group + ((<usize>ctz<i32>(slots)) << 2);
}

/// The entry that a hash may be of; -1 if there is none.
function candidate(index: usize, hash: i32, mask: i32): i32 {
  let next = homeOf(hash, mask);
  let group = groupAt(index, next);
  while (matches(group, hash, mask) === 0 && free(group) === 0) {
    next = (next + GROUP_SLOTS) & mask;
    group = groupAt(index, next);
  }
  const slots = matches(group, hash, mask);
  return slots === 0 ? -1 : (load<i32>(firstOf(group, slots)) & mask) - 1;
}

/// Looks for the flows of some packets, before these come one by one. Every
/// read here is independent of those for the packet before, so that the processor waits for many
/// at a time. What is found is a guess: flows may come and go until it is a packet's turn.
function guess(table: usize, hashes: usize, count: i32): void {
  const words = <usize>word(table, TABLE_WORDS);
  const index = <usize>word(table, TABLE_INDEX);
  const mask = word(table, TABLE_MASK);
  const first = table + (TABLE_GUESSES << 2);
  const end = hashes + ((<usize>count) << 2);
  // Three short loops: the more passes the processor sees ahead, the more reads it begins.
  let fetched = 0;
  if (mask >= FETCHED_SLOTS - 1) {
    for (let at = hashes; at < end; at += 4)
      fetched ^= load<i32>(index + ((<usize>(load<i32>(at) & mask)) << 2));
  }
  let guessed = first;
  for (let at = hashes; at < end; at += 4) {
    const own = load<i32>(at);
    const home = groupAt(index, homeOf(own, mask));
    const slots = matches(home, own, mask);
    // Nearly always at home: a short way, which decides nothing else.
    const entry = slots === 0 ? candidate(index, own, mask) : (load<i32>(firstOf(home, slots)) & mask) - 1;
    store<i32>(guessed, entry);
    guessed += 4;
  }
  while (guessed > first) {
    guessed -= 4;
    fetched ^= load<i32>(words + <usize>max<i32>(0, load<i32>(guessed)) * (ENTRY_WORDS * 4));
  }
  setWord(table, TABLE_FETCHED, fetched);
}

/// Takes the packets of a batch from this place on, up to the first to which there is more, and
/// returns its place: one that is none, or of a numbered network (TABLE_ENTRY is -1 then), or whose
/// flow is followed, or that says something in a new one which is not seen to here (see `look`).
/// `times` is where the times of the packets are, `column` the length of a column in bytes, `bytes` where those
/// of the frames are, or 0.
export function lookUp(
  table: usize,
  packets: usize,
  column: usize,
  times: usize,
  from: i32,
  count: i32,
  bytes: usize,
): i32 {
  const shortest = <u32>word(table, TABLE_SHORTEST_IDLE);
  let moves = clockMovesUs(table);
  for (let i = from; i < count; i++) {
    if ((i & (GUESSED_PACKETS - 1)) === 0) {
      guess(table, packets + column * PACKET_HASH + ((<usize>i) << 2), min<i32>(GUESSED_PACKETS, count - i));
    }
    const packet = packets + ((<usize>i) << 2);
    const flags = load<i32>(packet);
    if ((flags & (NO_PACKET | IS_FRAGMENT)) !== 0 || field(packet, column, PACKET_TENANT) !== 0) {
      setWord(table, TABLE_ENTRY, -1);
      return i;
    }
    const time = load<f64>(times + ((<usize>i) << 3));
    if (time >= moves) {
      advance(table, time);
      moves = clockMovesUs(table);
    }
    if (!isShared(table, field(packet, column, PACKET_HASH))) continue;
    let entry = load<i32>(table + ((TABLE_GUESSES + (i & (GUESSED_PACKETS - 1))) << 2));
    const at = entryAt(table, entry);
    const key = field(packet, column, PACKET_KEY);
    if (entry >= 0 && isOf(at, packet, column, key) && idleSeconds(table, at) <= shortest) {
      countPacket(table, at, flags);
    } else entry = find(table, packet, column, time, key);
    if (!takeCounted(table, entry, packet, column, time)) continue;
    if (bytes === 0 || !look(table, packet, column, bytes + field(packet, column, PACKET_PAYLOAD_AT)))
      return i;
  }
  return count;
}

/// Looks at the payload of the packet that was looked up last. True if there is no more to it. Of one without
/// payload, which only a followed flow has, `payload` is anywhere.
export function look(table: usize, packet: usize, column: usize, payload: usize): bool {
  if (word(table, TABLE_NEVER_OFFERED) === 0) return false;
  const at = entryAt(table, word(table, TABLE_ENTRY));
  if ((word(at, WORD_KIND) & STATE_MASK) === STATE_FOLLOWED) return false;
  return lookAt(table, at, packet, column, payload, field(packet, column, PACKET_PAYLOAD_CAPTURED));
}

/// Takes one packet whose key is told; true if there is more to it.
export function lookUpOne(table: usize, packet: usize, column: usize, time: f64, key: i32): bool {
  advance(table, time);
  if (!isShared(table, field(packet, column, PACKET_HASH))) return false;
  const entry = find(table, packet, column, time, key);
  return takeCounted(table, entry, packet, column, time);
}

/// The packet is counted. True if there is more to it: its flow is followed, or it says something in a new one.
function takeCounted(table: usize, entry: i32, packet: usize, column: usize, time: f64): bool {
  const flags = load<i32>(packet);
  if ((flags & SYN_FIN_RST) !== 0) noteTcp(table, entry, packet, column, time);
  setWord(table, TABLE_ENTRY, entry);
  setWord(table, TABLE_FROM_B, <i32>((flags & FROM_B) !== 0));
  const state = word(entryAt(table, entry), WORD_KIND) & STATE_MASK;
  return state !== STATE_DISMISSED && (state === STATE_FOLLOWED || (flags & HAS_PAYLOAD) !== 0);
}

/// True if a flow of this hash is of the table's share. The upper bits tell: the index goes by the lower ones.
function isShared(table: usize, hash: i32): bool {
  const shares = <u32>word(table, TABLE_SHARES);
  return shares === 1 || ((<u32>hash >> 16) * shares) >> 16 === <u32>word(table, TABLE_SHARE);
}

function isOf(at: usize, packet: usize, column: usize, key: i32): bool {
  if (word(at, WORD_PORTS) !== field(packet, column, PACKET_PORTS)) return false;
  if (word(at, WORD_ADDRESS_A) !== field(packet, column, PACKET_ADDRESS_A)) return false;
  if (word(at, WORD_ADDRESS_B) !== field(packet, column, PACKET_ADDRESS_B)) return false;
  if ((word(at, WORD_KIND) & FLOW_KEY_MASK) !== key) return false;
  return (key & KEY_IPV6) === 0 || isOfIpv6(at, packet, column);
}

function isOfIpv6(at: usize, packet: usize, column: usize): bool {
  for (let i = 0; i < 3; i++) {
    if (word(at, WORD_ADDRESS_A + 1 + i) !== field(packet, column, PACKET_MORE_A + i)) return false;
    if (word(at, WORD_ADDRESS_B + 1 + i) !== field(packet, column, PACKET_MORE_B + i)) return false;
  }
  return true;
}

function seen(flags: i32): i32 {
  return (flags & FROM_B) !== 0 ? KIND_SEEN_B : KIND_SEEN_A;
}

function countPacket(table: usize, at: usize, flags: i32): void {
  addWord(at, WORD_PACKETS, 1);
  setWord(at, WORD_LAST_SECOND, word(table, TABLE_CLOCK));
  setWord(at, WORD_KIND, word(at, WORD_KIND) | seen(flags));
}

/// The entry of the flow of a packet, made if there is none; counts the packet.
function find(table: usize, packet: usize, column: usize, time: f64, key: i32): i32 {
  const index = <usize>word(table, TABLE_INDEX);
  const mask = word(table, TABLE_MASK);
  const hash = field(packet, column, PACKET_HASH);
  for (let next = homeOf(hash, mask); ; next = (next + GROUP_SLOTS) & mask) {
    const group = groupAt(index, next);
    for (let slots = matches(group, hash, mask); slots !== 0; slots &= slots - 1) {
      const entry = (load<i32>(firstOf(group, slots)) & mask) - 1;
      const at = entryAt(table, entry);
      if (entry < 0 || !isOf(at, packet, column, key)) continue;
      if (isOver(table, at)) restart(table, entry, packet, column, time);
      else countPacket(table, at, load<i32>(packet));
      return entry;
    }
    if (free(group) !== 0) break;
  }
  return insert(table, packet, column, time, key);
}

/// Notes SYN, FIN and RST of a TCP packet. One that begins
/// a new flow on the ends of one that was there ends that one.
function noteTcp(table: usize, entry: i32, packet: usize, column: usize, time: f64): void {
  if (!noteTcpFlags(entryAt(table, entry), packet, column)) {
    restart(table, entry, packet, column, time);
    noteTcpFlags(entryAt(table, entry), packet, column);
  }
}

function noteTcpFlags(at: usize, packet: usize, column: usize): bool {
  const flags = load<i32>(packet);
  const fromB = (flags & FROM_B) !== 0;
  let kind = word(at, WORD_KIND);
  if ((flags & TCP_SYN) !== 0) {
    const known = fromB ? KIND_SEQUENCE_B : KIND_SEQUENCE_A;
    const own = WORD_SEQUENCE + (fromB ? 1 : 0);
    const next = field(packet, column, PACKET_SEQUENCE) + 1;
    const isFirstOfHandshake = (flags & TCP_ACK) === 0;
    // Another sequence number, or a SYN after the end: the port was used again.
    const reused = (kind & known) !== 0 ? word(at, own) !== next : (kind & KIND_CLOSED) !== 0;
    if (isFirstOfHandshake && reused) return false;
    setWord(at, own, next);
    kind |= known;
    if (isFirstOfHandshake) kind |= fromB ? KIND_SYN_FROM_B : KIND_SYN_FROM_A;
    else {
      kind |= fromB ? KIND_SYN_FROM_A : KIND_SYN_FROM_B;
      // The answer to a SYN tells its sequence number, should that not be in the capture.
      const asker = fromB ? KIND_SEQUENCE_A : KIND_SEQUENCE_B;
      if ((kind & asker) === 0) {
        setWord(at, WORD_SEQUENCE + (fromB ? 0 : 1), field(packet, column, PACKET_ACKNOWLEDGEMENT));
      }
      kind |= asker;
    }
  }
  if ((flags & TCP_RST) !== 0) kind |= KIND_CLOSED;
  if ((flags & TCP_FIN) !== 0) {
    kind |= fromB ? KIND_FIN_B : KIND_FIN_A;
    if ((kind & KIND_FIN_A) !== 0 && (kind & KIND_FIN_B) !== 0) kind |= KIND_CLOSED;
  }
  setWord(at, WORD_KIND, kind);
  return true;
}

/// Ends the flow of this entry and begins a new one on the same ends.
function restart(table: usize, entry: i32, packet: usize, column: usize, time: f64): void {
  const at = entryAt(table, entry);
  const kind = word(at, WORD_KIND);
  leave(table, entry);
  setWord(at, WORD_KIND, (kind & FLOW_KEY_MASK) | seen(load<i32>(packet)));
  begin(table, at, packet, column, time);
}

function insert(table: usize, packet: usize, column: usize, time: f64, key: i32): i32 {
  for (let i = 0; i < SWEEP_PER_FLOW && word(table, TABLE_HIGH_WATER) > 0; i++) {
    removeIfSilent(table, nextToSweep(table));
  }
  if (!isFull(table) && word(table, TABLE_USED) === word(table, TABLE_CAPACITY)) growEntries(table);
  if (!isFull(table) && word(table, TABLE_USED) * 2 === word(table, TABLE_MASK) + 1) growIndex(table);
  if (isFull(table)) evict(table);
  let entry = word(table, TABLE_FREE_ENTRY);
  if (entry >= 0) setWord(table, TABLE_FREE_ENTRY, word(entryAt(table, entry), WORD_PACKETS));
  else {
    entry = word(table, TABLE_HIGH_WATER);
    setWord(table, TABLE_HIGH_WATER, entry + 1);
  }
  addWord(table, TABLE_USED, 1);
  const at = entryAt(table, entry);
  setWord(at, WORD_PORTS, field(packet, column, PACKET_PORTS));
  setWord(at, WORD_KIND, key | seen(load<i32>(packet)));
  setWord(at, WORD_ADDRESS_A, field(packet, column, PACKET_ADDRESS_A));
  setWord(at, WORD_ADDRESS_B, field(packet, column, PACKET_ADDRESS_B));
  if ((key & KEY_IPV6) !== 0) {
    for (let i = 0; i < 3; i++) {
      setWord(at, WORD_ADDRESS_A + 1 + i, field(packet, column, PACKET_MORE_A + i));
      setWord(at, WORD_ADDRESS_B + 1 + i, field(packet, column, PACKET_MORE_B + i));
    }
  }
  begin(table, at, packet, column, time);
  place(table, entry, field(packet, column, PACKET_HASH));
  return entry;
}

function isFull(table: usize): bool {
  return word(table, TABLE_USED) === word(table, TABLE_MAX_FLOWS);
}

/// Begins a flow with its first packet, and counts it.
function begin(table: usize, at: usize, packet: usize, column: usize, time: f64): void {
  const second = Math.floor(time / 1e6);
  setWord(at, WORD_PACKETS, 1);
  setWord(at, WORD_SLOT, <i32>(time - second * 1e6));
  setWord(at, WORD_LAST_SECOND, word(table, TABLE_CLOCK));
  setWord(at, WORD_FIRST_SECOND, <i32>(<i64>second));
  if ((field(packet, column, PACKET_KEY) & KEY_PROTOCOL_MASK) === PROTOCOL_TCP) {
    addWord(table, TABLE_TCP_FLOWS, 1);
    if ((load<i32>(packet) & TCP_SYN) === 0) addWord(table, TABLE_MIDSTREAM_FLOWS, 1);
  } else if (field(packet, column, PACKET_PORTS) !== 0) addWord(table, TABLE_UDP_FLOWS, 1);
  else addWord(table, TABLE_ICMP_FLOWS, 1);
}

function place(table: usize, entry: i32, hash: i32): void {
  const index = <usize>word(table, TABLE_INDEX);
  const mask = word(table, TABLE_MASK);
  let next = homeOf(hash, mask);
  while (free(groupAt(index, next)) === 0) next = (next + GROUP_SLOTS) & mask;
  const group = groupAt(index, next);
  store<i32>(firstOf(group, free(group)), (entry + 1) | (hash & ~mask));
}

/// The hash of a stored entry: that of its packets.
function hashOf(table: usize, entry: i32): i32 {
  const at = entryAt(table, entry);
  const key = word(at, WORD_KIND) & KEY_MASK;
  const width = (key & KEY_IPV6) === 0 ? 1 : 4;
  let hash = word(table, TABLE_SEED);
  for (let i = 0; i < width; i++)
    hash = hashMore(hash, word(at, WORD_ADDRESS_A + i), word(at, WORD_ADDRESS_B + i));
  return hashOfKey(hash, word(at, WORD_PORTS), key);
}

function growIndex(table: usize): void {
  newIndex(table);
  if (isFull(table)) return;
  const highWater = word(table, TABLE_HIGH_WATER);
  for (let entry = 0; entry < highWater; entry++) {
    if (word(entryAt(table, entry), WORD_KIND) !== KIND_FREE) place(table, entry, hashOf(table, entry));
  }
}

/// It is so late at least, also if no packet says so.
export function advance(table: usize, time: f64): void {
  if (time < clockMovesUs(table)) return;
  const second = Math.floor(time / 1e6);
  setWord(table, TABLE_CLOCK, <i32>(<i64>second));
  store<f64>(table, (second + 1.0) * 1e6, TABLE_CLOCK_MOVES_US << 2);
}

/// Removes a flow whose last packet is too long ago.
export function removeIfSilent(table: usize, entry: i32): void {
  const at = entryAt(table, entry);
  if (word(at, WORD_KIND) !== KIND_FREE && isOver(table, at)) remove(table, entry);
}

function nextToSweep(table: usize): i32 {
  const at = word(table, TABLE_SWEEP_AT);
  const next = at >= word(table, TABLE_HIGH_WATER) ? 0 : at;
  setWord(table, TABLE_SWEEP_AT, next + 1);
  return next;
}

function idleSeconds(table: usize, at: usize): u32 {
  return <u32>(word(table, TABLE_CLOCK) - word(at, WORD_LAST_SECOND));
}

function isOver(table: usize, at: usize): bool {
  const idle = idleSeconds(table, at);
  if (idle <= <u32>word(table, TABLE_SHORTEST_IDLE)) return false;
  const kind = word(at, WORD_KIND);
  if ((kind & KIND_CLOSED) !== 0) return idle > <u32>word(table, TABLE_CLOSED_IDLE);
  if ((kind & STATE_MASK) === STATE_FOLLOWED) return idle > <u32>word(table, TABLE_FOLLOWED_IDLE);
  return idle > <u32>word(table, TABLE_OTHER_IDLE);
}

/// Gives up the flow that is missed least among some.
function evict(table: usize): void {
  let victim = -1;
  let worst: i64 = -1;
  for (let i = 0; i < EVICTION_CANDIDATES; i++) {
    const entry = nextToSweep(table);
    const at = entryAt(table, entry);
    const score = ((<i64>rankOf(word(at, WORD_KIND))) << 32) + <i64>idleSeconds(table, at);
    if (score > worst) {
      worst = score;
      victim = entry;
    }
  }
  addWord(table, TABLE_EVICTED_FLOWS, 1);
  remove(table, victim);
}

/// How little a flow is missed: a followed one most, then one that may still be
/// followed, least one that has said nothing yet, or cannot matter any more, or hardly.
function rankOf(kind: i32): i32 {
  const state = kind & STATE_MASK;
  if (state === STATE_FOLLOWED) return 0;
  const isHandshake = (kind & (KIND_SYN_FROM_A | KIND_SYN_FROM_B)) !== 0;
  return state === STATE_DISMISSED || isHandshake ? 2 : 1;
}

/// A flow ends: whoever follows it is told.
function leave(table: usize, entry: i32): void {
  const kind = word(entryAt(table, entry), WORD_KIND);
  if (kind === KIND_FREE) return;
  const bothSeen = (kind & KIND_SEEN_A) !== 0 && (kind & KIND_SEEN_B) !== 0;
  if ((kind & KIND_PAYLOAD) !== 0 && !bothSeen) addWord(table, TABLE_ONE_SIDED_FLOWS, 1);
  if ((kind & STATE_MASK) === STATE_FOLLOWED) release(table, entry);
}

/// Every flow leaves, as at the end of a capture.
export function leaveAll(table: usize): void {
  for (let entry = 0; entry < word(table, TABLE_HIGH_WATER); entry++) leave(table, entry);
}

function remove(table: usize, entry: i32): void {
  leave(table, entry);
  const index = <usize>word(table, TABLE_INDEX);
  const mask = word(table, TABLE_MASK);
  let hole = homeOf(hashOf(table, entry), mask);
  while ((load<i32>(index + ((<usize>hole) << 2)) & mask) !== entry + 1) hole = (hole + 1) & mask;
  // Close the gap: move back what had been pushed beyond the hole.
  let slot = (hole + 1) & mask;
  for (;;) {
    const found = load<i32>(index + ((<usize>slot) << 2));
    if (found === 0) break;
    const home = homeOf(hashOf(table, (found & mask) - 1), mask);
    if (((slot - home) & mask) >= ((slot - hole) & mask)) {
      store<i32>(index + ((<usize>hole) << 2), found);
      hole = slot;
    }
    slot = (slot + 1) & mask;
  }
  store<i32>(index + ((<usize>hole) << 2), 0);
  const at = entryAt(table, entry);
  setWord(at, WORD_KIND, KIND_FREE);
  setWord(at, WORD_PACKETS, word(table, TABLE_FREE_ENTRY));
  setWord(table, TABLE_FREE_ENTRY, entry);
  addWord(table, TABLE_USED, -1);
}
