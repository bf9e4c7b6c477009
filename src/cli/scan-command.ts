/// `sealert scan`: reads, reports, and says with its exit code how it went.

import { scan } from '../node/scan.js';
import { damageSentences, unreadableSentence } from '../report/input-problems.js';
import { type Input, isAtLeast, type Report } from '../report/model.js';
import { printable } from '../report/text.js';
import { formatClock } from '../report/time.js';
import { formatBytes, formatPlural } from '../report/units.js';
import { loadWriter, type WriteOptions } from '../report/writer.js';
import type { ScanRequest } from './arguments.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import { say, sayInternalError, systemErrorText } from './messages.js';
import { checkWritable, isSameFile, type Output, writeOutputFile, writeStandardOutput } from './outputs.js';
import { createProgressLine, type ProgressLine } from './progress.js';
import { listenForSignals } from './signals.js';
import { UsageError } from './usage-error.js';

/// Runs the scan and returns the exit code. Throws UsageError if the outputs
/// would overwrite the inputs.
export async function runScan(request: ScanRequest, command: string): Promise<number> {
  await checkOutputsAgainst(request.paths, request.outputs);
  if (request.paths.includes('-') && process.stdin.isTTY) {
    throw new UsageError('Standard input is this terminal; pipe a capture into it.');
  }
  const outputs = await writableOutputs(request.outputs);
  if (outputs.length === 0) return EXIT.outputFailed;

  const progress = await progressFor(request);
  const signals = listenForSignals(() => {
    progress?.stop();
    if (!request.quiet) say('interrupted; the report covers what has been read (once more ends at once).');
  });
  if (request.verbose) say(`reading ${request.paths.join(', ')}.`);
  let report: Report;
  try {
    report = await scan(request.paths, {
      command,
      reader: request.reader,
      signal: signals.abort,
      onProgress: (now) => {
        if (!signals.abort.aborted) progress?.update(now);
      },
    });
  } finally {
    progress?.stop();
  }

  sayInputProblems(report, request);
  if (request.verbose) sayCourse(report);
  const written = await writeOutputs(report, outputs, request);
  return exitCodeOf({
    signal: signals.received(),
    outputFailed: written.failed || outputs.length < request.outputs.length,
    pipeClosed: written.pipeClosed,
    nothingRead: !report.inputs.some(wasRead),
    verdictReached: report.sessions.some(
      ({ verdict }) => request.failOn !== undefined && isAtLeast(verdict, request.failOn),
    ),
    partial: report.inputs.some(({ error, damage }) => error !== undefined || damage.length > 0),
  });
}

function wasRead({ error, packets, damage }: Input): boolean {
  return error === undefined && (packets > 0 || damage.length === 0);
}

async function checkOutputsAgainst(paths: readonly string[], outputs: readonly Output[]): Promise<void> {
  for (const { file } of outputs) {
    if (file === null) continue;
    for (const path of paths) {
      if (await isSameFile(file, path))
        throw new UsageError(`${file} is an input; the output would overwrite it.`);
    }
  }
}

/// The outputs that can be written as far as one can know beforehand, so that
/// a mistyped folder is noticed before an hour of reading, not after.
async function writableOutputs(outputs: readonly Output[]): Promise<Output[]> {
  const writable: Output[] = [];
  for (const output of outputs) {
    try {
      if (output.file !== null) await checkWritable(output.file);
      writable.push(output);
    } catch (error) {
      sayUnwritable(output, error);
    }
  }
  return writable;
}

function sayUnwritable({ file, format }: Output, error: unknown): void {
  say(`${format} could not be written to ${file ?? 'standard output'}: ${systemErrorText(error)}.`);
}

async function progressFor({ quiet }: ScanRequest): Promise<ProgressLine | undefined> {
  const isShown = process.stderr.isTTY && process.env.TERM !== 'dumb' && !quiet;
  return isShown ? createProgressLine(process.stderr) : undefined;
}

/// Unreadable inputs are named even with --quiet: the user named the path, and
/// the report says nothing about what is in it. Where a table goes to the same
/// terminal, it says all this itself.
function sayInputProblems(report: Report, request: ScanRequest): void {
  const tableTells = request.outputs.some(({ format, file }) => format === 'table' && file === null);
  if (tableTells && process.stdout.isTTY && process.stderr.isTTY) return;
  for (const input of report.inputs) {
    const unreadable = unreadableSentence(input);
    if (unreadable !== undefined) say(unreadable);
    if (!request.quiet) for (const sentence of damageSentences(input)) say(sentence);
  }
}

function sayCourse({ inputs, run, diagnostics }: Report): void {
  for (const { path, format, compression, bytes, packets, error } of inputs) {
    if (error !== undefined) continue;
    const kind = [format, compression].filter((part) => part !== null).join(', ');
    say(`${printable(path)}: ${kind}, ${formatBytes(bytes)}, ${formatPlural(packets, 'packet')}.`);
  }
  const { tcp, udp, icmp } = diagnostics.flows;
  const flows = formatPlural(tcp + udp + icmp, 'flow');
  const [started, finished] = [run.startedAt, run.finishedAt].map((time) => formatClock(time, 'local'));
  say(
    `${formatPlural(diagnostics.packets, 'packet')} in ${flows}; started ${started}, finished ${finished}.`,
  );
}

interface Written {
  failed: boolean;
  pipeClosed: boolean;
}

async function writeOutputs(
  report: Report,
  outputs: readonly Output[],
  request: ScanRequest,
): Promise<Written> {
  const written = { failed: false, pipeClosed: false };
  for (const output of outputs) {
    const { format, file } = output;
    try {
      const writer = await loadWriter(format);
      const text = writer(report, writeOptionsFor(output, request));
      if (file === null) {
        if (!written.pipeClosed) await writeStandardOutput(text);
        continue;
      }
      // Inside a folder that was scanned, the output may be one of the captures.
      for (const { path } of report.inputs) {
        if (await isSameFile(file, path)) throw new Error('it is one of the captures');
      }
      await writeOutputFile(file, text);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (file === null && code === 'EPIPE') {
        written.pipeClosed = true;
        continue;
      }
      written.failed = true;
      if (error instanceof TypeError || error instanceof RangeError) sayInternalError(error);
      else sayUnwritable(output, error);
    }
  }
  return written;
}

function writeOptionsFor({ file }: Output, { minVerdict, zone }: ScanRequest): WriteOptions {
  const isTerminal = file === null && process.stdout.isTTY === true;
  const isDumb = process.env.TERM === 'dumb';
  return {
    ...(minVerdict === undefined ? {} : { minVerdict }),
    ...(zone === undefined ? {} : { zone }),
    ...(isTerminal ? { columns: process.stdout.columns } : {}),
    color: isTerminal && !isDumb && !process.env.NO_COLOR,
    ascii: isTerminal && isDumb,
  };
}
