/**
 * What each layer of the engine costs: the mixed input is read again and again
 * in this process, each time one layer further. Then what the TLS record walk
 * and each evaluator cost by themselves. README.md says how to start it.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ByteChunk, CHUNK_BYTES } from '#sealert/capture/byte-chunk.js';
import { CaptureReader } from '#sealert/capture/reader.js';
import { Engine } from '#sealert/engine.js';
import { FlowTable } from '#sealert/flow/flow-table.js';
import { DEFAULT_FLOW_LIMITS } from '#sealert/flow/flow-tracker.js';
import { chunkPool, readerPool } from '#sealert/node/buffer-pool.js';
import { IS_FRAGMENT, NO_PACKET } from '#sealert/wire/packet-batch.js';
import { evaluatorTable } from './micro-evaluators.js';
import { decodeOnly, type Pass } from './micro-layers.js';
import { walkTable } from './micro-walk.js';
import { median, table } from './table.js';

/** Each layer does all that the one before it does. */
const LAYERS: readonly (readonly [name: string, begin: () => Pass])[] = [
  ['reader', () => ({ sink: () => {} })],
  ['+ decode', () => decodeOnly(() => {})],
  ['+ flow table', withFlowTable],
  ['full engine', withEngine],
];

function withFlowTable(): Pass {
  const flows = new FlowTable(DEFAULT_FLOW_LIMITS, () => {});
  return decodeOnly((batch) => {
    const { count } = batch.frames;
    for (let i = flows.lookUp(batch, 0); i < count; i = flows.lookUp(batch, i + 1)) {
      if (flows.entry < 0 && (batch.flags[i]! & (IS_FRAGMENT | NO_PACKET)) === 0) flows.lookUpOne(batch, i);
    }
  });
}

function withEngine(): Pass {
  const engine = new Engine();
  engine.begin(0);
  return { sink: (batch) => engine.push(batch), end: () => engine.end() };
}

/** One pass over the file; returns nanoseconds per packet, and the packets. Without `begin` bytes are only read. */
function pass(file: string, chunk: ByteChunk, begin: (() => Pass) | undefined) {
  const started = performance.now();
  const descriptor = openSync(file, 'r');
  const { sink, end } = begin?.() ?? { sink: () => {} };
  const buffers = readerPool.take();
  const reader = new CaptureReader(sink, buffers);
  for (;;) {
    const length = readSync(descriptor, chunk.data, 0, CHUNK_BYTES, null);
    if (length === 0) break;
    if (begin !== undefined) reader.pushChunk(chunk, length);
  }
  if (begin !== undefined) reader.end();
  end?.();
  readerPool.give(buffers);
  closeSync(descriptor);
  return { ns: (performance.now() - started) * 1e6, packets: reader.summary.packets };
}

function layerTable(file: string, rounds: number): string {
  if (!existsSync(file)) throw new Error(`${file} is not there; npm run bench makes it`);
  const chunk = chunkPool.take();
  const layers = [['reading the file', undefined] as const, ...LAYERS];
  const { packets } = pass(file, chunk, LAYERS[0]![1]);
  const times = layers.map(() => [] as number[]);
  // One round more: the first lets the compiler see every layer.
  for (let round = 0; round <= rounds; round++) {
    layers.forEach(([, begin], i) => {
      const { ns } = pass(file, chunk, begin);
      if (round > 0) times[i]!.push(ns / packets);
    });
  }
  const medians = times.map(median);
  const rows = layers.map(([name], i) => [
    name,
    medians[i]!.toFixed(0),
    i === 0 ? '' : `+${(medians[i]! - medians[i - 1]!).toFixed(0)}`,
  ]);
  return table([`layer, ${packets} packets`, 'ns per packet', 'of which new'], rows);
}

const { values } = parseArgs({
  options: {
    input: { type: 'string' },
    size: { type: 'string', default: '1GB' },
    rounds: { type: 'string', default: '5' },
  },
});
const root = fileURLToPath(new URL('../../../', import.meta.url));
const file = values.input ?? join(root, 'build', 'bench-inputs', values.size, 'mixed.pcap');
const rounds = Number(values.rounds);
console.log(`${file}\n\n${layerTable(file, rounds)}\n`);
console.log(`TLS record walk\n\n${walkTable(rounds)}\n`);
console.log(`Recorded sessions, ns per packet\n\n${evaluatorTable(join(root, 'samples'), rounds)}`);
