/// Reads captures and reports: the main job, without a terminal.

import { availableParallelism } from 'node:os';
import type { ServerEntry } from '../detect/findings.js';
import { mergeServers } from '../detect/servers.js';
import { Engine } from '../engine.js';
import { addDiagnostics, type Report } from '../report/model.js';
import { type Analysed, analyse, type ReaderName } from './analysis.js';
import { unreadable } from './describe-input.js';
import { type InputPath, listInputs } from './inputs.js';
import { DEFAULT_MEMORY_BYTES, type MemoryPlan, planMemory } from './memory-plan.js';
import { newReport } from './new-report.js';
import { analyseInThreads } from './threads.js';

export type { ReaderName } from './analysis.js';

/// Stored bytes for which a thread is worth its start: each has to warm up, in
/// which time a warm one reads as much (docs/performance.md).
const BYTES_PER_THREAD = 250_000_000;

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
/// with `damage`.
export async function scan(paths: readonly string[], options: ScanOptions): Promise<Report> {
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
  const onRead = (path: string, bytes: number, packets: number) => {
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

/// What the captures gave, in their order; if the run is stopped early, of those that were begun.
async function analyseAll(
  inputs: readonly InputPath[],
  options: ScanOptions,
  onRead: (path: string, bytes: number, packets: number) => void,
): Promise<Analysed[]> {
  const { signal, reader = 'sealert', maskInstallation = false } = options;
  const plan = planMemory(options.memoryBytes ?? DEFAULT_MEMORY_BYTES);
  // Streams come last, and are read here: the process has only one standard input.
  const files = inputs.filter(({ size }) => size !== null);
  const threads = options.engine === undefined ? threadsFor(files, plan, options.jobs) : 1;
  const analysed =
    threads > 1
      ? await analyseInThreads(files, {
          threads,
          plan,
          options: { reader, maskInstallation },
          signal,
          onRead,
        })
      : [];
  if (analysed.length === inputs.length) return analysed;
  const engine = options.engine ?? new Engine({ limits: plan.limits, maskInstallation });
  for (const input of inputs.slice(analysed.length)) {
    if (signal?.aborted) break;
    const onBytes = (bytes: number, packets: number) => onRead(input.path, bytes, packets);
    analysed.push(await analyse(input, analysed.length, engine, { reader, signal, onRead: onBytes }));
  }
  return analysed;
}

function threadsFor(files: readonly InputPath[], plan: MemoryPlan, jobs: number | undefined): number {
  const bytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const wanted = jobs ?? Math.min(availableParallelism(), Math.floor(bytes / BYTES_PER_THREAD));
  return Math.min(wanted, files.length, plan.threads);
}
