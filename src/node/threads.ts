/// Several captures at a time, each analysed by a thread of its own.
///
/// Every thread may keep little by itself. An analysis that needs more waits
/// for the share, which one thread has at a time; so memory is bounded however
/// many threads there are, and no finding depends on their number. A thread
/// that has had the share ends with its capture, because only the end of a
/// thread gives memory back for certain.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type SpareBlocks, sharedMemory, takeOverSpare } from '../loops/memory.js';
import { type Analysed, endedEarly, type ReaderName } from './analysis.js';
import type { InputPath } from './inputs.js';
import { type MemoryPlan, THREAD_RESOURCES } from './memory-plan.js';

export interface ThreadOptions {
  reader: ReaderName;
  maskInstallation: boolean;
}

export interface ThreadData {
  options: ThreadOptions;
  plan: MemoryPlan;
  /// One element: the number of the thread that has the share, or 0.
  share: Int32Array;
  /// From 1.
  number: number;
  /// There are as many threads as processors.
  isCrowded: boolean;
  /// For a thread that cannot have one of its own.
  memory: object;
}

export type ThreadRequest = { path: InputPath; position: number } | 'stop';

export type ThreadAnswer =
  | { kind: 'read'; bytes: number; packets: number }
  /// What a thread had of the memory of this one, which it gives back.
  | { kind: 'spare'; spare: SpareBlocks }
  | { kind: 'done'; analysed: Analysed; hasShare: boolean };

export interface ThreadedRun {
  threads: number;
  plan: MemoryPlan;
  options: ThreadOptions;
  signal?: AbortSignal | undefined;
  onRead(path: string, bytes: number, packets: number): void;
  /// The program of a thread.
  program?: URL;
}

const THREAD_PROGRAM = new URL('./analysis-worker.js', import.meta.url);

/// Analyses captures that are regular files. Returns what they gave in their
/// order; if the run is stopped early, of those that were begun.
export async function analyseInThreads(paths: readonly InputPath[], run: ThreadedRun): Promise<Analysed[]> {
  const analysed: Analysed[] = [];
  const share = new Int32Array(new SharedArrayBuffer(4));
  let next = 0;
  const work = async (number: number) => {
    let thread: Thread | undefined;
    while (next < paths.length && !run.signal?.aborted) {
      const position = next++;
      thread ??= new Thread(run, share, number);
      analysed[position] = await thread.analyse(paths[position]!, position);
      if (!thread.isSpent) continue;
      await thread.end();
      thread = undefined;
    }
    await thread?.end();
  };
  await Promise.all(Array.from({ length: run.threads }, (_, i) => work(i + 1)));
  return analysed;
}

class Thread {
  /// It died, or has had the share.
  isSpent = false;
  private readonly worker: Worker;
  private readonly stop = () => this.request('stop');

  constructor(
    private readonly run: ThreadedRun,
    private readonly share: Int32Array,
    private readonly number: number,
  ) {
    const { plan, options } = run;
    const isCrowded = run.threads >= availableParallelism();
    const data: ThreadData = { options, plan, share, number, isCrowded, memory: sharedMemory() };
    this.worker = new Worker(run.program ?? THREAD_PROGRAM, {
      workerData: data,
      resourceLimits: THREAD_RESOURCES,
    });
    run.signal?.addEventListener('abort', this.stop);
  }

  /// A thread that dies is an error of the capture that it was reading.
  analyse(path: InputPath, position: number): Promise<Analysed> {
    return new Promise((resolve) => {
      const died = (error: unknown) => {
        this.isSpent = true;
        resolve(endedEarly(path, error));
      };
      this.worker.removeAllListeners();
      this.worker.on('error', died);
      this.worker.on('exit', (code) => died(new Error(`its thread ended with ${code}`)));
      this.worker.on('message', (answer: ThreadAnswer) => {
        if (answer.kind === 'read') this.run.onRead(path.path, answer.bytes, answer.packets);
        else if (answer.kind === 'spare') takeOverSpare(answer.spare);
        else {
          this.isSpent = answer.hasShare;
          resolve(answer.analysed);
        }
      });
      this.request({ path, position });
    });
  }

  /// Ends the thread, and gives the share back if it has it.
  async end(): Promise<void> {
    this.run.signal?.removeEventListener('abort', this.stop);
    this.worker.removeAllListeners();
    await this.worker.terminate();
    if (Atomics.compareExchange(this.share, 0, this.number, 0) === this.number) Atomics.notify(this.share, 0);
  }

  private request(request: ThreadRequest): void {
    this.worker.postMessage(request);
  }
}
