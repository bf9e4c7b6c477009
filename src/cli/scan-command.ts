/// `sealert scan`: reads, reports, and says with its exit code how it went.

import { scan } from '../node/scan.js';
import { isAtLeast, type Report } from '../report/model.js';
import { printable } from '../report/text.js';
import { formatClock } from '../report/time.js';
import { formatBytes, formatPlural } from '../report/units.js';
import { DEFAULT_MIN_VERDICT, shownSessions } from '../report/writer.js';
import type { ScanRequest } from './arguments.js';
import { EXIT, exitCodeOf, outcomeOf } from './exit-code.js';
import { say, sayInputProblems } from './messages.js';
import { isOneOf, type Output } from './outputs.js';
import { createProgressLine, type ProgressLine } from './progress.js';
import { writableOutputs, writeOutputs } from './report-outputs.js';
import { listenForSignals } from './signals.js';
import { UsageError } from './usage-error.js';

/// Runs the scan and returns the exit code. Throws UsageError if the outputs
/// would overwrite the inputs.
export async function runScan(request: ScanRequest, command: string): Promise<number> {
  checkOutputsAgainst(request.paths, request.outputs);
  if (request.paths.includes('-') && process.stdin.isTTY) {
    throw new UsageError('Standard input is this terminal; pipe a capture into it.');
  }
  const outputs = writableOutputs(request.outputs);
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
      ...(request.jobs === undefined ? {} : { jobs: request.jobs }),
      ...(request.memoryBytes === undefined ? {} : { memoryBytes: request.memoryBytes }),
      signal: signals.abort,
      onProgress: (now) => {
        if (!signals.abort.aborted) progress?.update(now);
      },
    });
  } finally {
    progress?.stop();
  }

  if (!tableTells(request)) sayInputProblems(report.inputs, request.quiet);
  if (!request.quiet && outputs.some(({ format }) => format === 'log')) sayIfNothing(report, request);
  if (request.verbose) sayCourse(report);
  const written = await writeOutputs(report, outputs, request);
  return exitCodeOf({
    signal: signals.received(),
    outputFailed: written.failed || outputs.length < request.outputs.length,
    pipeClosed: written.pipeClosed,
    verdictReached: report.sessions.some(
      ({ verdict }) => request.failOn !== undefined && isAtLeast(verdict, request.failOn),
    ),
    ...outcomeOf(report.inputs),
  });
}

function checkOutputsAgainst(paths: readonly string[], outputs: readonly Output[]): void {
  for (const { file } of outputs) {
    if (file !== null && isOneOf(file, paths)) {
      throw new UsageError(`${file} is an input; the output would overwrite it.`);
    }
  }
}

async function progressFor({ quiet }: ScanRequest): Promise<ProgressLine | undefined> {
  const isShown = process.stderr.isTTY && process.env.TERM !== 'dumb' && !quiet;
  return isShown ? createProgressLine(process.stderr) : undefined;
}

/// Where a table goes to the same terminal, it says of the inputs what messages would.
function tableTells({ outputs }: ScanRequest): boolean {
  const isOut = outputs.some(({ format, file }) => format === 'table' && file === null);
  return isOut && process.stdout.isTTY && process.stderr.isTTY;
}

/// A log without a line does not even show that something was read.
function sayIfNothing(report: Report, { minVerdict = DEFAULT_MIN_VERDICT }: ScanRequest): void {
  const captures = report.inputs.filter(({ error }) => error === undefined).length;
  if (captures === 0 || shownSessions(report, minVerdict).length > 0) return;
  const where = `${formatPlural(report.diagnostics.packets, 'packet')} of ${formatPlural(captures, 'capture')}`;
  say(
    report.sessions.length === 0
      ? `no SoftEther VPN session was found in ${where}.`
      : `nothing in ${where} reaches the verdict ${minVerdict}; --min-verdict suspected shows what does not.`,
  );
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
