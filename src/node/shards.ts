/// One large capture, analysed by several threads: the main thread reads it and
/// decodes its packets, each of the others looks at its share of the flows. No
/// flow is ever cut, so nothing has to be guessed or mended where shares meet.

import { Worker } from 'node:worker_threads';
import type { ByteChunk } from '../capture/byte-chunk.js';
import { FRAME_BATCH_BYTES, FrameBatch } from '../capture/frame-batch.js';
import { ReaderBuffers } from '../capture/reader-buffers.js';
import { Engine, type EngineLimits, type EngineParts } from '../engine.js';
import type { FlowShare } from '../flow/flow-share.js';
import { Intake } from '../intake.js';
import { Block, divideSpare, type SpareBlocks, takeOverSpare } from '../loops/memory.js';
import { type Analysed, concluded, endedEarly, readCapture } from './analysis.js';
import type { InputPath } from './inputs.js';
import { THREAD_RESOURCES } from './memory-plan.js';
import { BatchSender, giveBack, newSharedBuffers, type SharedBuffers } from './shared-batches.js';

export interface ShardData {
  /// Of the capture, in the report's `inputs`.
  position: number;
  share: FlowShare;
  limits: EngineLimits;
  maskInstallation: boolean;
  buffers: SharedBuffers;
  /// Blocks of the memory that an earlier capture has left.
  spare: SpareBlocks;
}

/// With the memory that the thread has given back.
export type ShardAnswer = { spare: SpareBlocks } & (
  | { kind: 'parts'; parts: EngineParts }
  /// What was found would depend on the number of threads.
  | { kind: 'limit' }
);

export interface ShardedRun {
  /// How many threads share the flows.
  shares: number;
  /// What one thread alone may keep.
  limits: EngineLimits;
  maskInstallation: boolean;
  signal?: AbortSignal | undefined;
  /// Told of what was read since the last call; taken back, with negative numbers, if it has to be read again.
  onRead(bytes: number, packets: number): void;
  /// The program of a thread, and how long it may do nothing.
  program?: URL;
  silenceMs?: number;
}

/// While a thread is waited for, nothing that it says arrives; what it said last does so soon after.
const LAST_WORDS_MS = 200;

const THREAD_PROGRAM = new URL('./shard-worker.js', import.meta.url);

/// What all shares together may keep, of what one thread may. Flows that have ended are
/// found out in another order by several tables than by one, so less is left to chance.
const SHARED_PART = 0.75;

/// Returns null if a limit was reached: what is given up then depends on all flows
/// together, so one thread has to do it.
export async function analyseInShards(
  path: InputPath,
  position: number,
  run: ShardedRun,
): Promise<Analysed | null> {
  const { shares, maskInstallation, signal } = run;
  const told = { bytes: 0, packets: 0 };
  const onRead = (bytes: number, packets: number) => {
    told.bytes += bytes;
    told.packets += packets;
    run.onRead(bytes, packets);
  };
  const readAgain = () => {
    run.onRead(-told.bytes, -told.packets);
    return null;
  };
  const buffers = newSharedBuffers(shares);
  const limits = limitsOfShare(run.limits, shares);
  const sender = new BatchSender(buffers, run.silenceMs);
  const intake = new Intake(
    (batch) => sender.publish(batch, intake.counts.beganUs),
    () => sender.next(),
  );
  const engine = new Engine({ limits: run.limits, maskInstallation });
  const readerBlock = new Block(FRAME_BATCH_BYTES);
  // After all that this thread takes, which would be taken anew each time.
  const spares = divideSpare(shares);
  const workers = Array.from({ length: shares }, (_, index) => {
    const share = { index, of: shares };
    const spare = spares[index]!;
    const data: ShardData = { position, share, limits, maskInstallation, buffers, spare };
    return new Worker(run.program ?? THREAD_PROGRAM, {
      workerData: data,
      resourceLimits: THREAD_RESOURCES,
    });
  });
  // The rest need not be read once a thread has given up, or died.
  const enough = new AbortController();
  const answers = Promise.all(workers.map((worker) => answerOf(worker, enough)));
  // A thread that dies is told of when all are asked.
  answers.catch(() => {});
  try {
    const ending = AbortSignal.any(signal === undefined ? [enough.signal] : [signal, enough.signal]);
    const options = { reader: 'sealert', signal: ending, onRead, chunks: sender } as const;
    const read = await readCapture(
      path,
      (batch) => intake.push(batch),
      options,
      new SharedReaderBuffers(sender, readerBlock),
    );
    sender.end();
    engine.begin(position);
    engine.intakeIs(intake.counts);
    // Why a thread died says more than that it is silent, and is on its way then.
    const silent = sender.failure === null ? [] : [failAfter(LAST_WORDS_MS, sender.failure)];
    for (const answer of await Promise.race([answers, ...silent])) {
      if (answer.kind === 'limit') return readAgain();
      engine.absorb(answer.parts);
    }
    // What was read until a run was stopped cannot be read again.
    return engine.reachedLimit && !signal?.aborted ? readAgain() : concluded(read, engine.end());
  } catch (error) {
    return endedEarly(path, error);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    giveBack(buffers);
    intake.dispose();
    engine.dispose();
    readerBlock.giveBack();
  }
}

function failAfter(ms: number, failure: Error): Promise<never> {
  return new Promise((_, reject) => setTimeout(reject, ms, failure));
}

/// What a thread ends with. Rejects if it dies before. Without its part `enough` is aborted.
function answerOf(worker: Worker, enough: AbortController): Promise<ShardAnswer> {
  return new Promise((resolve, reject) => {
    const died = (error: unknown) => {
      enough.abort();
      reject(error);
    };
    worker.on('error', died);
    worker.on('exit', (code) => died(new Error(`a thread ended with ${code}`)));
    worker.on('message', (answer: ShardAnswer) => {
      takeOverSpare(answer.spare);
      if (answer.kind === 'limit') enough.abort();
      resolve(answer);
    });
  });
}

/// Every thread puts together all fragments, so the room for these is not divided.
function limitsOfShare(limits: EngineLimits, shares: number): EngineLimits {
  const part = (limit: number) => Math.max(1, Math.floor((limit * SHARED_PART) / shares));
  return {
    ...limits,
    maxFlows: part(limits.maxFlows),
    maxFollowedFlows: part(limits.maxFollowedFlows),
    maxFollowedDatagramFlows: part(limits.maxFollowedDatagramFlows),
    maxKeptBytes: part(limits.maxKeptBytes),
  };
}

/// Buffers that the threads see as well.
class SharedReaderBuffers extends ReaderBuffers {
  private current: ByteChunk | undefined;

  constructor(
    private readonly sender: BatchSender,
    frames: Block,
  ) {
    super(sender.tail, new FrameBatch(frames));
  }

  override nextChunk(): ByteChunk {
    if (this.current !== undefined) this.sender.give(this.current);
    this.current = this.sender.take();
    return this.current;
  }
}
