/// A thread that analyses the captures it is given, one after the other.
/// Started by threads.ts, which explains the share.

import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { Engine } from '../engine.js';
import { handOverSpare, hasMemory, joinMemory } from '../loops/memory.js';
import { type Analyser, analyse } from './analysis.js';
import { newHashSeed } from './hash-seed.js';
import type { ThreadAnswer, ThreadData, ThreadRequest } from './threads.js';

const { options, plan, share, number, isCrowded, memory } = workerData as ThreadData;
const hasOwnMemory = hasMemory();
if (!hasOwnMemory) joinMemory(memory);
const engine = new Engine({
  limits: plan.limits,
  maskInstallation: options.maskInstallation,
  hashSeed: newHashSeed(),
});
const stop = new AbortController();
let hasShare = false;
const untold = { bytes: 0, packets: 0 };

/// A message for every chunk would cost a tenth of the time (measured).
const TELL_BYTES = 33_554_432;

/// Where every processor has a thread, the compiler takes one from another: it waits until code has run much
/// longer. Ten captures of 500 MB took two threads 1.45 s without that and 1.26 s with it, two hundred small ones 0.78
/// and 0.69 s; but a single thread 1.0 and 1.1 s. With Node.js 24, which has another compiler for the time until then,
/// 1.21 and 1.04 s. A flag of the whole process, set when this thread has begun: what was compiled when the program
/// was packed is refused where flags differ. Since V8 12 it has another name, and V8 complains of those it does not know.
const COMPILE_LATER = process.versions.v8.startsWith('11.')
  ? '--interrupt-budget=400000'
  : '--invocation-count-for-turbofan=200000';
if (isCrowded) setFlagsFromString(COMPILE_LATER);

const sharing: Analyser = {
  begin: (position) => engine.begin(position),
  push(batch) {
    engine.push(batch);
    if (!hasShare && engine.exceeds(plan.smallLimits)) waitForShare();
  },
  end: () => engine.end(),
};

function waitForShare(): void {
  for (;;) {
    const holder = Atomics.compareExchange(share, 0, 0, number);
    if (holder === 0) break;
    Atomics.wait(share, 0, holder);
  }
  hasShare = true;
}

function tellProgress(): void {
  answer({ kind: 'read', ...untold });
  untold.bytes = 0;
  untold.packets = 0;
}

function answer(message: ThreadAnswer): void {
  parentPort!.postMessage(message);
}

/// This thread ends with its capture; the memory that it has a part of does not.
function handOver(): void {
  engine.dispose();
  answer({ kind: 'spare', spare: handOverSpare() });
}

parentPort!.on('message', async (request: ThreadRequest) => {
  if (request === 'stop') {
    stop.abort();
    return;
  }
  const { path, position } = request;
  const analysed = await analyse(path, position, sharing, {
    reader: options.reader,
    signal: stop.signal,
    onRead(bytes, packets) {
      untold.bytes += bytes;
      untold.packets += packets;
      if (untold.bytes >= TELL_BYTES) tellProgress();
    },
  });
  tellProgress();
  if (hasShare && !hasOwnMemory) handOver();
  answer({ kind: 'done', analysed, hasShare });
});
