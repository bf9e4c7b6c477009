/// What the command line asks for.

import { existsSync } from 'node:fs';
import type { Verdict } from '../detect/findings.js';
import type { ReaderName } from '../node/analysis.js';
import { MIN_MEMORY_BYTES } from '../node/memory-plan.js';
import { VERSION } from '../node/version.js';
import type { Zone } from '../report/time.js';
import type { Format } from '../report/writer.js';
import { type CommandLine, loudnessOf, numberOf, readCommandLine, single, zoneOf } from './command-line.js';
import type { LiveRequest } from './live-arguments.js';
import { isCommand } from './options.js';
import { type Output, planOutputs } from './outputs.js';
import { UsageError } from './usage-error.js';

export interface ScanRequest {
  kind: 'scan';
  paths: string[];
  outputs: Output[];
  quiet: boolean;
  verbose: boolean;
  zone: Zone | undefined;
  minVerdict: Verdict | undefined;
  failOn: Verdict | undefined;
  reader: ReaderName;
  jobs: number | undefined;
  memoryBytes: number | undefined;
}

export interface ExplainRequest {
  kind: 'explain';
  path: string;
  /// One of these two.
  session: string | undefined;
  flow: string | undefined;
  format: ExplainFormat;
  quiet: boolean;
  zone: Zone | undefined;
}

export type ExplainFormat = 'text' | 'json';

export interface DevicesRequest {
  kind: 'devices';
  format: 'table' | 'json';
  captureTool: string | undefined;
}

/// A command, or a text to print (help, version, completion), or nothing at all.
export type Request =
  | ScanRequest
  | LiveRequest
  | DevicesRequest
  | ExplainRequest
  | { kind: 'text'; text: string }
  | { kind: 'nothing' };

/// Far more than any machine has processors; `--memory` allows fewer threads.
const MAX_JOBS = 9_999;

const LATER_COMMANDS = ['extract'];

/// A shell asks for the words that fit, by way of the script that `completion` printed.
const COMPLETION_QUESTION = '--get-yargs-completions';

/// Reads the command line. Throws UsageError, with a sentence, for anything
/// that cannot be meant.
export async function readArguments(args: readonly string[], isTerminal: boolean): Promise<Request> {
  if (args[0] === 'completion' || args.includes(COMPLETION_QUESTION)) {
    const { completionFor } = await import('./help.js');
    return { kind: 'text', text: await completionFor(args) };
  }
  // As in 2004: the number of a device alone.
  const isDevice = /^\d+$/.test(args[0] ?? '') && !existsSync(args[0]!);
  const line = readCommandLine(isDevice ? ['live', ...args] : args);
  const { command, values } = line;
  if (values.has('help') || command === 'help') return { kind: 'text', text: await helpFor(line) };
  if (values.has('version')) return { kind: 'text', text: `${VERSION}\n` };
  if (command === undefined) return { kind: 'nothing' };
  if (!isCommand(command)) throw new UsageError(unknownCommandText(command));
  switch (command) {
    case 'scan':
      return scanRequestOf(line, isTerminal);
    case 'live': {
      const { liveRequestOf } = await import('./live-arguments.js');
      return liveRequestOf(line);
    }
    case 'devices':
      return devicesRequestOf(line);
    case 'explain':
      return explainRequestOf(line);
  }
}

/// The help that is asked for; without any command the general one.
export async function helpFor({ command, words }: Pick<CommandLine, 'command' | 'words'>): Promise<string> {
  const { helpOf } = await import('./help.js');
  const topic = command === 'help' ? words[0] : command;
  return helpOf(isCommand(topic) ? topic : undefined);
}

function scanRequestOf(line: CommandLine, isTerminal: boolean): ScanRequest {
  const paths = line.words;
  if (paths.length === 0) {
    throw new UsageError('scan needs at least one PATH: a capture file, a folder, or - for standard input.');
  }
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('Standard input (-) can be read only once.');
  }
  const { quiet, verbose } = loudnessOf(line);
  const zone = zoneOf(single(line, 'tz'));
  return {
    kind: 'scan',
    paths,
    outputs: planOutputs(
      (line.values.get('format') ?? []) as readonly Format[],
      line.values.get('output') ?? [],
      isTerminal,
    ),
    quiet,
    verbose,
    zone,
    minVerdict: single(line, 'min-verdict') as Verdict | undefined,
    failOn: single(line, 'fail-on') as Verdict | undefined,
    reader: (single(line, 'reader') as ReaderName | undefined) ?? 'sealert',
    jobs: numberOf(line, 'jobs', 1, MAX_JOBS),
    memoryBytes: memoryOf(single(line, 'memory')),
  };
}

function explainRequestOf(line: CommandLine): ExplainRequest {
  const paths = line.words;
  const [path] = paths;
  if (path === undefined || paths.length > 1) {
    throw new UsageError('explain takes one PATH: a capture file, a folder, or - for standard input.');
  }
  const session = single(line, 'session');
  const flow = single(line, 'flow');
  if ((session === undefined) === (flow === undefined)) {
    throw new UsageError('explain needs one of --session ID and --flow ENDS.');
  }
  return {
    kind: 'explain',
    path,
    session,
    flow,
    format: (single(line, 'format') as ExplainFormat | undefined) ?? 'text',
    quiet: line.values.has('quiet'),
    zone: zoneOf(single(line, 'tz')),
  };
}

function devicesRequestOf(line: CommandLine): DevicesRequest {
  if (line.words.length > 0) throw new UsageError('devices takes no words.');
  return {
    kind: 'devices',
    format: (single(line, 'format') as DevicesRequest['format'] | undefined) ?? 'table',
    captureTool: single(line, 'capture-tool'),
  };
}

const BYTES_OF_UNIT: Readonly<Record<string, number>> = { m: 2 ** 20, g: 2 ** 30 };

function memoryOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^([1-9][0-9]{0,5})([mg])b?$/i.exec(text) ?? [];
  const bytes = Number(number) * BYTES_OF_UNIT[unit?.toLowerCase() ?? '']!;
  if (bytes >= MIN_MEMORY_BYTES) return bytes;
  const least = MIN_MEMORY_BYTES / BYTES_OF_UNIT.m!;
  throw new UsageError(`--memory takes a size of at least ${least}MB, such as 512MB or 2GB, not "${text}".`);
}

function unknownCommandText(command: string): string {
  if (LATER_COMMANDS.includes(command)) {
    return `"${command}" comes with a later version; this one has scan, live, devices and explain.`;
  }
  const hint = existsSync(command) ? ` To read a capture: sealert scan ${command}` : '';
  return `Unknown command "${command}".${hint}`;
}
