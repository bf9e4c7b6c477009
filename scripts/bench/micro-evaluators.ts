/** What each evaluator costs: the engine on recorded sessions of its kind, again and again, from memory. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FrameBatch } from '#sealert/capture/frame-batch.js';
import { CaptureReader } from '#sealert/capture/reader.js';
import { Engine } from '#sealert/engine.js';
import { PcapFile } from './capture-file.js';
import { earlySession } from './early-session.js';
import { EventQueue } from './event-queue.js';
import { FrameBuilder } from './frame-builder.js';
import { SEED } from './inputs.js';
import { decodeOnly, type Pass } from './micro-layers.js';
import { play } from './play.js';
import { Weaver } from './recordings.js';
import { median, table } from './table.js';
import { BEGIN_US } from './traffic-mixed.js';

/** Most of the packets of these samples belong to sessions of one kind. */
const KINDS: readonly (readonly [name: string, samples: readonly string[]])[] = [
  ['TLS: log-in and tunnel', ['direct-noqos', 'direct-quiet', 'direct-443-compress', 'vlan', 'ipv6']],
  ['TLS, joined half-way', ['midstream']],
  ['TLS and UDP acceleration: nonce chain', ['direct-default', 'direct-tls12', 'udp-accel-late']],
  ['blocks in clear after the log-in', ['direct-443-noenc', 'direct-443-noenc-compress', 'idle-120-noenc']],
  ['R-UDP over UDP, DNS, ICMP', ['rudp-natt', 'rudp-dns', 'rudp-icmp']],
  ['inside SSH', ['ssh-L-22.client', 'ssh-L-ctr-etm.client', 'ssh-R-22.client']],
];

/** Passes over the samples of a kind in one round. */
const PASSES = 30;

export function evaluatorTable(samples: string, rounds: number): string {
  const kinds = KINDS.map(([name, names]): [string, FrameBatch[][]] => [
    name,
    names.map((sample) => batchesOf(readFileSync(join(samples, sample, 'capture.pcap')))),
  ]);
  kinds.push(['SoftEther 1.0, made up', [batchesOf(earlyCapture())]]);
  const rows = kinds.map(([name, captures]) => {
    const engine = new Engine();
    const decoding = () => readAll(captures, () => decodeOnly(() => {}));
    const analysing = () => readAll(captures, () => analysis(engine, name));
    const packets = captures.flat().reduce((sum, { count }) => sum + count, 0);
    const times = Array.from({ length: rounds + 1 }, () => [nanoseconds(decoding), nanoseconds(analysing)]);
    // The first lets the compiler see it.
    const [decode, all] = [0, 1].map((i) => median(times.slice(1).map((round) => round[i]!)) / packets);
    return [name, String(packets), decode!.toFixed(0), all!.toFixed(0), (all! - decode!).toFixed(0)];
  });
  return table(['sessions', 'packets', 'decoding', 'full engine', 'of which flows and evaluators'], rows);
}

/** The frames of a capture, kept. */
function batchesOf(capture: Uint8Array): FrameBatch[] {
  const batches: FrameBatch[] = [];
  const reader = new CaptureReader((batch) => batches.push(structuredClone(batch)));
  reader.push(capture);
  reader.end();
  return batches;
}

/** The full engine on one capture; what is in it has to be found. */
function analysis(engine: Engine, name: string): Pass {
  engine.begin(0);
  return {
    sink: (batch) => engine.push(batch),
    end: () => {
      if (engine.end().sessions.length === 0) throw new Error(`${name}: no session was found`);
    },
  };
}

function readAll(captures: readonly FrameBatch[][], begin: () => Pass): void {
  for (const batches of captures) {
    const { sink, end } = begin();
    for (const batch of batches) sink(batch);
    end?.();
  }
}

/** Time of one pass, over many. */
function nanoseconds(pass: () => void): number {
  const begin = performance.now();
  for (let i = 0; i < PASSES; i++) pass();
  return ((performance.now() - begin) * 1e6) / PASSES;
}

function earlyCapture(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'sealert-micro-'));
  try {
    const file = join(folder, 'early.pcap');
    const out = new PcapFile(file);
    const queue = new EventQueue<ReturnType<typeof earlySession>>();
    queue.push(BEGIN_US, earlySession(SEED));
    play(out, queue, new FrameBuilder(), new Weaver([]));
    out.close();
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
