/// Reads captures and reports: the main job, without a terminal.

import { createReadStream } from 'node:fs';
import type { CaptureSummary } from '../capture/capture-summary.js';
import { CaptureReader } from '../capture/reader.js';
import { addCaveats } from '../detect/caveats.js';
import { mergeServers } from '../detect/servers.js';
import { Engine } from '../engine.js';
import { addDiagnostics, type Input, newDiagnostics, type Report, SCHEMA_VERSION } from '../report/model.js';
import { describe, lossesOf, unreadable } from './describe-input.js';
import { describeError } from './errors.js';
import { readFile, readStream } from './file-source.js';
import { type InputPath, listInputs, STANDARD_INPUT } from './inputs.js';
import { VERSION } from './version.js';

/// Which implementation takes the packets out of a capture file: the
/// project's own, or the npm package that serves as an independent check.
export type ReaderName = 'sealert' | 'pcap-ng-parser';

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
  const engine = options.engine ?? new Engine({ maskInstallation: options.maskInstallation ?? false });
  const sizes = list.inputs.map(({ size }) => size);
  const progress: Progress = {
    bytesRead: 0,
    bytesTotal: sizes.includes(null) ? null : sizes.reduce((sum: number, size) => sum + (size ?? 0), 0),
    packets: 0,
    path: '',
  };
  for (const input of list.inputs) {
    if (options.signal?.aborted) break;
    progress.path = input.path;
    const packetsBefore = progress.packets;
    engine.begin(report.inputs.length);
    const { described, summary } = await readInput(input, engine, options, (bytes, packets) => {
      progress.bytesRead += bytes;
      progress.packets = packetsBefore + packets;
      options.onProgress?.(progress);
    });
    const findings = engine.end();
    report.inputs.push({ ...described, ...lossesOf(findings) });
    if (summary !== null) addCaveats(findings.sessions, { ...findings, ...summary });
    report.sessions.push(...findings.sessions);
    report.sightings.push(...findings.sightings);
    report.servers = mergeServers([...report.servers, ...findings.servers]);
    addDiagnostics(report.diagnostics, findings.diagnostics);
  }
  for (const { path, reason } of list.unreadable) report.inputs.push(unreadable(path, reason));
  report.run.complete = options.signal?.aborted !== true;
  report.run.finishedAt = new Date().toISOString();
  return report;
}

function newReport(command: string): Report {
  const now = new Date().toISOString();
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'sealert', version: VERSION },
    run: { command, startedAt: now, finishedAt: now, complete: false, otherFiles: 0 },
    inputs: [],
    sessions: [],
    sightings: [],
    servers: [],
    diagnostics: newDiagnostics(),
  };
}

async function readInput(
  input: InputPath,
  engine: Engine,
  options: ScanOptions,
  onRead: (bytes: number, packets: number) => void,
): Promise<{ described: Input; summary: CaptureSummary | null }> {
  const { path, location } = input;
  try {
    // What is no regular file is read as a stream; nothing is opened otherwise.
    const stream = () => (path === STANDARD_INPUT ? process.stdin : createReadStream(location));
    if (options.reader === 'pcap-ng-parser') {
      const { readWithPcapNgParser } = await import('./second-reader.js');
      const summary = await readWithPcapNgParser(stream(), (batch) => engine.push(batch), options.signal);
      onRead(summary.bytes, summary.packets);
      return { described: describe(path, summary, { compression: null, bytes: summary.bytes }), summary };
    }
    const reader = new CaptureReader((batch) => engine.push(batch));
    const source = {
      signal: options.signal,
      onBytes: (bytes: number) => onRead(bytes, reader.summary.packets),
    };
    const result =
      input.size === null
        ? await readStream(stream(), reader, source)
        : await readFile(location, reader, source);
    return { described: describe(path, reader.summary, result), summary: reader.summary };
  } catch (error) {
    return { described: unreadable(path, describeError(error)), summary: null };
  }
}
