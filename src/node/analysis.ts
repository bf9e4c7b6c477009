/// One capture through the engine: what it is, and what it gave.

import { closeSync, constants, createReadStream, openSync, type ReadStream } from 'node:fs';
import type { CaptureSummary } from '../capture/capture-summary.js';
import type { FrameSink } from '../capture/frame-batch.js';
import { CaptureReader } from '../capture/reader.js';
import type { ReaderBuffers } from '../capture/reader-buffers.js';
import { addCaveats } from '../detect/caveats.js';
import { Engine, type Findings } from '../engine.js';
import type { Input } from '../report/model.js';
import { type ChunkPool, readerPool } from './buffer-pool.js';
import { describe, lossesOf, unreadable } from './describe-input.js';
import { describeError } from './errors.js';
import { readFile, readStream } from './file-source.js';
import { type InputPath, STANDARD_INPUT } from './inputs.js';
import type { SystemPath } from './system-path.js';

/// Which implementation takes the packets out of a capture file: the
/// project's own, or the npm package that serves as an independent check.
export type ReaderName = 'sealert' | 'pcap-ng-parser';

export interface AnalysisOptions {
  reader: ReaderName;
  signal?: AbortSignal | undefined;
  /// Told of the stored bytes and the packets read since the last call.
  onRead: (bytes: number, packets: number) => void;
  /// Where chunks to read into come from, if not from this thread's own.
  chunks?: ChunkPool;
}

export type Analyser = Pick<Engine, 'begin' | 'push' | 'end'>;

export interface Analysed {
  input: Input;
  findings: Findings;
}

/// Reads one capture; `position` is its place in the report's `inputs`. Never
/// throws for what the path holds.
export async function analyse(
  path: InputPath,
  position: number,
  engine: Analyser,
  options: AnalysisOptions,
): Promise<Analysed> {
  const buffers = readerPool.take();
  engine.begin(position);
  const read = await readCapture(path, (batch) => engine.push(batch), options, buffers);
  readerPool.give(buffers);
  return concluded(read, engine.end());
}

/// A capture with what was found in it.
export function concluded({ described, summary }: ReadCapture, findings: Findings): Analysed {
  if (summary !== null) addCaveats(findings.sessions, { ...findings, ...summary });
  return { input: { ...described, ...lossesOf(findings) }, findings };
}

/// A capture whose thread has died: an error of its own, not of the run.
export function endedEarly({ path }: InputPath, error: unknown): Analysed {
  const reason = `its analysis ended early: ${describeError(error)}`;
  return { input: unreadable(path, reason), findings: nothingFound() };
}

function nothingFound(): Findings {
  const engine = new Engine();
  const findings = engine.end();
  engine.dispose();
  return findings;
}

/// What a capture is, and what was learned of it if it is one.
export interface ReadCapture {
  described: Input;
  summary: CaptureSummary | null;
}

/// Reads one capture into the sink. Never throws for what the path holds.
export async function readCapture(
  { path, location, size }: InputPath,
  sink: FrameSink,
  options: AnalysisOptions,
  buffers: ReaderBuffers,
): Promise<ReadCapture> {
  const { signal, onRead } = options;
  try {
    // What is no regular file is read as a stream; nothing is opened otherwise.
    const stream = () => (path === STANDARD_INPUT ? process.stdin : openStream(location, signal));
    if (options.reader === 'pcap-ng-parser') {
      const { readWithPcapNgParser } = await import('./second-reader.js');
      const summary = await readWithPcapNgParser(stream(), sink, signal);
      onRead(summary.bytes, summary.packets);
      return { described: describe(path, summary, { compression: null, bytes: summary.bytes }), summary };
    }
    const reader = new CaptureReader(sink, buffers);
    let packets = 0;
    const onBytes = (bytes: number) => {
      onRead(bytes, reader.summary.packets - packets);
      packets = reader.summary.packets;
    };
    const source = { signal, onBytes, chunks: options.chunks };
    const result =
      size === null ? await readStream(stream(), reader, source) : await readFile(location, reader, source);
    onBytes(0);
    return { described: describe(path, reader.summary, result), summary: reader.summary };
  } catch (error) {
    return { described: unreadable(path, describeError(error)), summary: null };
  }
}

/// Opening a named pipe waits for a writer, and nothing but a writer ends that.
function openStream(location: SystemPath, signal: AbortSignal | undefined): ReadStream {
  const wake = () => {
    try {
      closeSync(openSync(location, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch {
      // No pipe, or one that is being read.
    }
  };
  const stream = createReadStream(location);
  signal?.addEventListener('abort', wake);
  stream.on('open', () => signal?.removeEventListener('abort', wake));
  return stream;
}
