/** The folder: thousands of small captures, as sensors and analysts collect them, a few with a VPN session. */
import { join } from 'node:path';
import { Random } from '../lab/random.js';
import { Applications } from './applications.js';
import { PcapFile } from './capture-file.js';
import type { Conversation } from './conversation.js';
import { EventQueue } from './event-queue.js';
import { FrameBuilder } from './frame-builder.js';
import { Noise } from './noise.js';
import { type Begin, play } from './play.js';
import { oneAfterTheOther, type Recording, Weaver } from './recordings.js';
import { BEGIN_US, beginAny } from './traffic-mixed.js';

/** Ten thousand captures to `--size 1GB`. */
const SIZE_PER_FILE = 100_000;
const MOST_CONVERSATIONS = 5;
/** Bytes answered in a conversation that carries any: a capture has a few KB to some tens of KB. */
const LEAST_BYTES = 200;
const MOST_BYTES = 12_000;
/** Conversations of a capture begin within this time; the next capture begins after it. */
const LENGTH_US = 30_000_000;

/** Writes the captures into `folder`; returns how many packets and flows they hold. */
export function writeFolder(folder: string, size: number, seed: number, recordings: readonly Recording[]) {
  const random = new Random(seed);
  const applications = new Applications(random, new Noise(random));
  const frame = new FrameBuilder();
  const count = Math.max(recordings.length, Math.round(size / SIZE_PER_FILE));
  const distance = Math.floor(count / recordings.length);
  let packets = 0;
  let flows = 0;
  for (let i = 0; i < count; i++) {
    const beginUs = BEGIN_US + i * LENGTH_US;
    const recorded = i % distance === 0 ? recordings.slice(i / distance, i / distance + 1) : [];
    const queue = new EventQueue<Conversation | Begin>();
    for (let left = random.int(1, MOST_CONVERSATIONS); left > 0; left--, flows++) {
      const bytes = random.int(LEAST_BYTES, MOST_BYTES);
      queue.push(beginUs + random.int(0, LENGTH_US), () => beginAny(applications, random, bytes));
    }
    const file = new PcapFile(join(folder, `${String(i + 1).padStart(6, '0')}.pcap`));
    play(file, queue, frame, new Weaver(oneAfterTheOther(recorded, beginUs).frames));
    file.close();
    packets += file.packets;
  }
  return { packets, flows };
}
