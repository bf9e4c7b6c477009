/**
 * The yardstick: the least that any program that looks at every packet has to
 * do. It reads a pcap file in large chunks, hops over the record headers, takes
 * ports and addresses out of Ethernet, IPv4, TCP and UDP, looks the 5-tuple up
 * in one typed array, and detects nothing.
 *
 * It imports nothing from src/ and is left alone: figures of different days are
 * comparable only as long as it stays what it is.
 *
 *     node build/scripts/bench/plain-loop.js FILE.pcap
 */
import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 20;
/**
 * Room in front of a chunk for the unfinished record of the one before. The 48
 * bytes put the chunk at the begin of a cache line, because allocators put 16
 * bytes of their own in front: some processors copy much faster to there.
 */
const HEADROOM = (1 << 18) + 48;

/** Slots of the table, a power of two: enough for 1.5 million flows. */
const SLOTS = 1 << 21;
/** Words of a slot: packets so far, ports, both addresses. */
const SLOT_WORDS = 4;

const bytes = new Uint8Array(HEADROOM + CHUNK_BYTES);
const view = new DataView(bytes.buffer);
const table = new Int32Array(SLOTS * SLOT_WORDS);
let packets = 0;
let flows = 0;

/** Counts a packet in the slot of its flow; both directions share one. */
function look(source: number, destination: number, sourcePort: number, destinationPort: number, tcp: number) {
  const swap = source > destination || (source === destination && sourcePort > destinationPort);
  const a = swap ? destination : source;
  const b = swap ? source : destination;
  const ports = swap ? (destinationPort << 16) | sourcePort : (sourcePort << 16) | destinationPort;
  let hash = Math.imul(a, 0x85ebca6b) ^ Math.imul(b, 0xc2b2ae35) ^ Math.imul(ports, 0x9e3779b1) ^ tcp;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash ^= hash >>> 13;
  for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
    const at = slot * SLOT_WORDS;
    const count = table[at]!;
    if (count === 0) {
      table[at] = 2 | tcp;
      table[at + 1] = ports;
      table[at + 2] = a;
      table[at + 3] = b;
      flows++;
      return;
    }
    if (table[at + 1] === ports && table[at + 2] === a && table[at + 3] === b && (count & 1) === tcp) {
      table[at] = count + 2;
      return;
    }
  }
}

/** Takes the whole records of [start, end) and returns where the next one begins. */
function readRecords(start: number, end: number): number {
  let at = start;
  while (end - at >= 16) {
    const length = view.getUint32(at + 8, true);
    const frame = at + 16;
    if (frame + length > end) return at;
    at = frame + length;
    packets++;
    if (length < 42 || view.getUint16(frame + 12, false) !== 0x0800) continue;
    const protocol = view.getUint8(frame + 23);
    if (protocol !== 6 && protocol !== 17) continue;
    const transport = frame + 14 + (view.getUint8(frame + 14) & 0x0f) * 4;
    const source = view.getInt32(frame + 26, false);
    const destination = view.getInt32(frame + 30, false);
    const sourcePort = view.getUint16(transport, false);
    const destinationPort = view.getUint16(transport + 2, false);
    look(source, destination, sourcePort, destinationPort, protocol === 6 ? 1 : 0);
  }
  return at;
}

const file = openSync(process.argv[2] ?? '', 'r');
readSync(file, bytes, 0, 24, null);
if (view.getUint32(0, true) !== 0xa1b2c3d4) throw new Error('a little-endian pcap file was expected');
let tail = 0;
for (;;) {
  const read = readSync(file, bytes, HEADROOM, CHUNK_BYTES, null);
  if (read === 0) break;
  const end = HEADROOM + read;
  const next = readRecords(HEADROOM - tail, end);
  tail = end - next;
  bytes.copyWithin(HEADROOM - tail, next, end);
}
closeSync(file);
if (tail > 0) throw new Error('the file ends inside a record');
console.log(`${packets} packets, ${flows} flows`);
