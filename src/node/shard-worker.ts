/// A thread that looks at a share of the flows of one capture. Started by shards.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { Engine, type EngineParts } from '../engine.js';
import { IntakeCounts } from '../intake.js';
import { handOverSpare, joinMemory, takeOverSpare } from '../loops/memory.js';
import type { ShardAnswer, ShardData } from './shards.js';
import { BatchReceiver } from './shared-batches.js';

const { position, share, limits, maskInstallation, buffers, spare } = workerData as ShardData;
joinMemory(buffers.memory);
takeOverSpare(spare);
const receiver = new BatchReceiver(buffers, share.index);
try {
  parentPort!.postMessage(analyseShare());
} finally {
  receiver.leave();
}

function analyseShare(): ShardAnswer {
  const engine = new Engine({ limits, maskInstallation, share, hashSeed: buffers.hashSeed });
  const parts = partsOf(engine);
  const limited = parts === null || engine.reachedLimit;
  engine.dispose();
  const left = { spare: handOverSpare() };
  return limited ? { kind: 'limit', ...left } : { kind: 'parts', parts, ...left };
}

/// Null if a limit was reached.
function partsOf(engine: Engine): EngineParts | null {
  engine.begin(position);
  const counts = new IntakeCounts();
  engine.intakeIs(counts);
  for (let batch = receiver.next(); batch !== null; batch = receiver.next()) {
    counts.beganUs = receiver.beganUs;
    engine.take(batch);
    receiver.done();
    if (engine.reachedLimit) return null;
  }
  return engine.endShare();
}
