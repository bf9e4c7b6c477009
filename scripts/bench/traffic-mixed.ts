/** The mixed input: some 50,000 flows to the gigabyte, with real VPN sessions among them. */
import { Random } from '../lab/random.js';
import { Applications } from './applications.js';
import type { CaptureFile } from './capture-file.js';
import type { Conversation } from './conversation.js';
import { EventQueue } from './event-queue.js';
import { FrameBuilder } from './frame-builder.js';
import { Noise } from './noise.js';
import { type Begin, play } from './play.js';
import { oneAfterTheOther, type Recording, Weaver } from './recordings.js';

const BYTES_PER_FLOW = 20_000;

/** Conversations by kind, as shares of their number, and of the bytes to be answered. */
const KINDS: readonly { kind: Kind; share: number; carries: boolean }[] = [
  { kind: 'lookUp', share: 0.3, carries: false },
  { kind: 'web', share: 0.38, carries: true },
  { kind: 'quic', share: 0.1, carries: true },
  { kind: 'plainWeb', share: 0.06, carries: true },
  { kind: 'failure', share: 0.12, carries: false },
  { kind: 'ping', share: 0.035, carries: false },
  { kind: 'terminal', share: 0.005, carries: false },
];
type Kind = 'lookUp' | 'web' | 'quic' | 'plainWeb' | 'failure' | 'ping' | 'terminal';

/** Part of the file that the answers make; the rest is handshakes, requests, headers, acknowledgements. */
const ANSWERED = 0.745;
/** Sizes follow a Pareto law: many small, few that make most of the bytes. */
const PARETO_SHAPE = 1.15;
/** No answer is larger than this part of all. */
const LARGEST = 0.02;

/** Length of the capture; longer if the recordings need it. */
const SHORTEST_US = 600_000_000;
const ARP_EVERY_US = 500_000;

/** 2026-01-01T00:00:00Z */
export const BEGIN_US = 1_767_225_600_000_000;

interface Plan {
  kind: Kind;
  bytes: number;
}

export interface MixedOptions {
  /** About as many bytes as the file gets. */
  readonly size: number;
  readonly seed: number;
  readonly recordings: readonly Recording[];
  readonly beginUs?: number;
}

/** Writes the input; returns the number of flows made here, and the time of the last packet. */
export function writeMixed(out: CaptureFile, { size, seed, recordings, beginUs = BEGIN_US }: MixedOptions) {
  const random = new Random(seed);
  const applications = new Applications(random, new Noise(random));
  const { frames, endUs } = oneAfterTheOther(recordings, beginUs);
  const lengthUs = Math.max(SHORTEST_US, endUs - beginUs);
  const plans = makePlans(random, Math.round(size / BYTES_PER_FLOW), size * ANSWERED);
  const queue = new EventQueue<Conversation | Begin>();
  queue.push(beginUs, new Arp(random, lengthUs / ARP_EVERY_US));
  for (const plan of plans) {
    // The largest begin early, so that the capture does not end with them alone.
    const latest = plan.bytes > size / 2000 ? 0.5 : 0.97;
    const at = beginUs + Math.floor(random.next() * latest * lengthUs);
    queue.push(at, () => begin(applications, random, plan.kind, plan.bytes));
  }
  return { flows: plans.length, endUs: play(out, queue, new FrameBuilder(), new Weaver(frames)) };
}

/** The gateway asks for the hosts of its network, again and again. */
class Arp implements Conversation {
  constructor(
    private readonly random: Random,
    private left: number,
  ) {}

  step(frame: FrameBuilder): number {
    frame.arp(0x0a14_0001, 0x0a14_0000 + this.random.int(2, 3000));
    return --this.left > 0 ? ARP_EVERY_US : -1;
  }
}

function makePlans(random: Random, count: number, bytes: number): Plan[] {
  const plans: Plan[] = [];
  let sum = 0;
  for (const { kind, share, carries } of KINDS) {
    for (let i = Math.round(share * count); i > 0; i--) {
      const weight = carries ? Math.min(random.next() ** (-1 / PARETO_SHAPE), LARGEST * count) : 0;
      sum += weight;
      plans.push({ kind, bytes: weight });
    }
  }
  for (const plan of plans) plan.bytes = Math.round((plan.bytes / sum) * bytes);
  return plans;
}

/** A conversation; `bytes` are answered where its kind carries any. */
function begin(applications: Applications, random: Random, kind: Kind, bytes: number): Conversation {
  switch (kind) {
    case 'lookUp':
      return applications.lookUp();
    case 'web':
      return applications.web(bytes);
    case 'quic':
      return applications.quic(bytes);
    case 'plainWeb':
      return applications.plainWeb(bytes);
    case 'failure':
      return applications.failure();
    case 'ping':
      return applications.ping(random.int(2, 8));
    case 'terminal':
      return applications.terminal(random.int(20, 120));
  }
}

/** A conversation of any kind, each as often as it is in the mixed input. */
export function beginAny(applications: Applications, random: Random, bytes: number): Conversation {
  let drawn = random.next();
  const chosen = KINDS.find(({ share }) => {
    drawn -= share;
    return drawn < 0;
  });
  return begin(applications, random, chosen?.kind ?? 'lookUp', bytes);
}
