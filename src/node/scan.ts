/// Reads captures and reports: the main job, without a terminal.

import { availableParallelism } from 'node:os';
import type { ServerEntry } from '../detect/findings.js';
import { mergeServers } from '../detect/servers.js';
import { Engine } from '../engine.js';
import { sharedMemory } from '../loops/memory.js';
import { addDiagnostics, type Report } from '../report/model.js';
import { type Analysed, analyse, type ReaderName } from './analysis.js';
import { unreadable } from './describe-input.js';
import { GarbageWatch } from './garbage.js';
import { newHashSeed } from './hash-seed.js';
import { type InputPath, listInputs } from './inputs.js';
import { DEFAULT_MEMORY_BYTES, type MemoryPlan, planMemory } from './memory-plan.js';
import { newReport } from './new-report.js';

export type { ReaderName } from './analysis.js';

/// Stored bytes for which a thread is worth its start: each has to warm up, in
/// which time a warm one reads as much (docs/performance.md).
const BYTES_PER_THREAD = 500_000_000;

/// A single capture is shared by several threads where there are processors that would stand idle: two are
/// kept busy by one thread, its compiler and its reads. There it is shared if that is asked for and it is worth their
/// start, or if it is large (docs/performance.md).
const LEAST_SHARED_BYTES = 100_000_000;
const SHARED_BYTES = 1_000_000_000;
const SHARING_PROCESSORS = 4;

/// One thread reads for all of them; with more it is what they wait for (measured).
const MAX_SHARES = 4;

export interface Progress {
  /// Stored bytes read so far, over all inputs.
  bytesRead: number;
  /// Stored bytes of all inputs; null where an input has no known size (a pipe).
  bytesTotal: number | null;
  packets: number;
  /// The input being read.
  path: string;
}

export interface ScanOptions {
  /// The command line, as the report quotes it.
  command: string;
  reader?: ReaderName;
  /// Ends the run early; the report then covers what had been read and says so.
  signal?: AbortSignal;
  /// Called now and then while reading.
  onProgress?: (progress: Progress) => void;
  /// Let nothing that belongs to one installation show in sessions (see EngineOptions).
  maskInstallation?: boolean;
  /// Most captures analysed at a time; by default one for each processor if they are large.
  jobs?: number;
  /// Most bytes of memory that the run should take; 256 MiB by default.
  memoryBytes?: number;
  /// The engine to use, such as one that traces a flow; a new one by default.
  engine?: Engine;
}

/// Reads every path (capture file, folder, or `-` for standard input) and
/// returns the report. Never throws for what a path holds: a path that is
/// missing or no capture is an input with an `error`, a broken one an input
/// with `damage`. Throws OutOfMemory where the system has no room for the loops.
export async function scan(paths: readonly string[], options: ScanOptions): Promise<Report> {
  // Without it nothing can be read, whatever the paths hold.
  sharedMemory();
  const report = newReport(options.command);
  const list = await listInputs(paths, options.signal);
  report.run.otherFiles = list.otherFiles;
  const sizes = list.inputs.map(({ size }) => size);
  const progress: Progress = {
    bytesRead: 0,
    bytesTotal: sizes.includes(null) ? null : sizes.reduce((sum: number, size) => sum + (size ?? 0), 0),
    packets: 0,
    path: '',
  };
  const garbage = new GarbageWatch(options.memoryBytes ?? DEFAULT_MEMORY_BYTES);
  const onRead: OnRead = (path, bytes, packets) => {
    garbage.read(packets);
    progress.path = path;
    progress.bytesRead += bytes;
    progress.packets += packets;
    options.onProgress?.(progress);
  };
  const servers: ServerEntry[] = [];
  for (const { input, findings } of await analyseAll(list.inputs, options, onRead)) {
    report.inputs.push(input);
    report.sessions.push(...findings.sessions);
    report.sightings.push(...findings.sightings);
    servers.push(...findings.servers);
    addDiagnostics(report.diagnostics, findings.diagnostics);
  }
  report.servers = mergeServers(servers);
  for (const { path, reason } of list.unreadable) report.inputs.push(unreadable(path, reason));
  report.run.complete = options.signal?.aborted !== true;
  report.run.finishedAt = new Date().toISOString();
  return report;
}

type OnRead = (path: string, bytes: number, packets: number) => void;

/// What the captures gave, in their order; if the run is stopped early, of those that were begun.
async function analyseAll(
  inputs: readonly InputPath[],
  options: ScanOptions,
  onRead: OnRead,
): Promise<Analysed[]> {
  const { signal, reader = 'sealert', maskInstallation = false } = options;
  const plan = planMemory(options.memoryBytes ?? DEFAULT_MEMORY_BYTES);
  // Streams come last, and are read here: the process has only one standard input.
  const files = inputs.filter(({ size }) => size !== null);
  const analysed = options.engine === undefined ? await analyseByThreads(files, plan, options, onRead) : [];
  if (analysed.length === inputs.length) return analysed;
  const engine =
    options.engine ?? new Engine({ limits: plan.limits, maskInstallation, hashSeed: newHashSeed() });
  for (const input of inputs.slice(analysed.length)) {
    if (signal?.aborted) break;
    const onBytes = (bytes: number, packets: number) => onRead(input.path, bytes, packets);
    analysed.push(await analyse(input, analysed.length, engine, { reader, signal, onRead: onBytes }));
  }
  if (engine !== options.engine) engine.dispose();
  return analysed;
}

/// Several captures side by side, or a single one that threads share. Nothing if one thread is as good.
async function analyseByThreads(
  files: readonly InputPath[],
  plan: MemoryPlan,
  options: ScanOptions,
  onRead: OnRead,
): Promise<Analysed[]> {
  const { signal, jobs, reader = 'sealert', maskInstallation = false } = options;
  const [only] = files;
  if (only !== undefined && files.length === 1) {
    const shares = sharesFor(only, plan, options);
    if (shares < 2) return [];
    const { analyseInShards } = await import('./shards.js');
    const { limits } = plan;
    const onBytes = (bytes: number, packets: number) => onRead(only.path, bytes, packets);
    const alone = await analyseInShards(only, 0, {
      shares,
      limits,
      maskInstallation,
      signal,
      onRead: onBytes,
    });
    return alone === null ? [] : [alone];
  }
  const threads = threadsFor(files, plan, jobs);
  if (threads < 2) return [];
  const { analyseInThreads } = await import('./threads.js');
  return analyseInThreads(files, { threads, plan, options: { reader, maskInstallation }, signal, onRead });
}

function threadsFor(files: readonly InputPath[], plan: MemoryPlan, jobs: number | undefined): number {
  const bytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const wanted = jobs ?? Math.min(availableParallelism(), Math.floor(bytes / BYTES_PER_THREAD));
  return Math.min(wanted, files.length, plan.threads);
}

/// How many threads share the flows of the only capture. The independent reader has one thread.
function sharesFor({ size }: InputPath, plan: MemoryPlan, { jobs, reader }: ScanOptions): number {
  if (reader === 'pcap-ng-parser' || size === null || size < LEAST_SHARED_BYTES) return 1;
  if (availableParallelism() < SHARING_PROCESSORS) return 1;
  return Math.min(jobs ?? (size >= SHARED_BYTES ? 2 : 1), plan.threads, MAX_SHARES);
}
