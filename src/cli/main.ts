/// From the arguments to the exit code.

import { helpFor, type Request, readArguments } from './arguments.js';
import { EXIT } from './exit-code.js';
import type { LiveRequest } from './live-arguments.js';
import { say, sayInternalError } from './messages.js';
import { isCommand } from './options.js';
import { writeText } from './outputs.js';
import { helpHint } from './usage.js';
import { UsageError } from './usage-error.js';

/// Runs the command line and sets the exit code. Never throws.
export async function main(args: readonly string[]): Promise<void> {
  process.on('uncaughtException', (error) => {
    sayInternalError(error);
    process.exit(EXIT.nothingRead);
  });
  // A write that fails also emits `error`; whoever wrote gets it and decides.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  const code = await run(args);
  process.exitCode = code;
  const isInterrupted = code === EXIT.interrupted.SIGINT || code === EXIT.interrupted.SIGTERM;
  // Where all is written, ending at once saves taking down what nobody uses any more: hundredths of a second.
  const isWritten = process.stdout.writableLength === 0 && process.stderr.writableLength === 0;
  // An interrupted run may have left standard input open, which would keep the process.
  if (isInterrupted || isWritten) process.exit(code);
}

async function run(args: readonly string[]): Promise<number> {
  try {
    const request = await readArguments(args, process.stdout.isTTY === true);
    if (request.kind === 'scan' || request.kind === 'explain' || request.kind === 'live') {
      const { hasFewAddresses, startWithFew } = await import('../node/few-addresses.js');
      if (hasFewAddresses()) return await startWithFew();
    }
    return await runRequest(request, args);
  } catch (error) {
    if (error instanceof UsageError) {
      say(`${error.message} ${helpHint(isCommand(args[0]) ? args[0] : undefined)}`);
      return EXIT.usage;
    }
    const { OutOfMemory } = await import('../node/few-addresses.js');
    if (error instanceof OutOfMemory) say(`${error.message}.`);
    else sayInternalError(error);
    return EXIT.nothingRead;
  }
}

async function runRequest(request: Request, args: readonly string[]): Promise<number> {
  switch (request.kind) {
    case 'scan': {
      const { runScan } = await import('./scan-command.js');
      return runScan(request, quoteCommand(args));
    }
    case 'explain': {
      const { runExplain } = await import('./explain-command.js');
      return runExplain(request, quoteCommand(args));
    }
    case 'text':
      return writeText(request.text);
    case 'live': {
      const { runLive } = await import('./live-command.js');
      return runLive(request, quoteCommand(args));
    }
    case 'devices': {
      const { runDevices } = await import('./devices-command.js');
      return runDevices(request);
    }
    case 'nothing':
      if (process.stdin.isTTY && process.stdout.isTTY) {
        const { runLive } = await import('./live-command.js');
        return runLive(await emptyLiveRequest(), quoteCommand(args));
      }
      process.stderr.write(await helpFor({ command: undefined, words: [] }));
      return EXIT.usage;
  }
}

/// What `sealert live` alone asks for.
async function emptyLiveRequest(): Promise<LiveRequest> {
  return (await readArguments(['live'], true)) as LiveRequest;
}

/// The command line as one would type it into a shell.
function quoteCommand(args: readonly string[]): string {
  const quoted = args.map((arg) =>
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`,
  );
  return ['sealert', ...quoted].join(' ');
}
