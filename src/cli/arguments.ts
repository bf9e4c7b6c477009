/// The command line, read and checked.

import { existsSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { VERDICTS, type Verdict } from '../detect/findings.js';
import type { ReaderName } from '../node/scan.js';
import { VERSION } from '../node/version.js';
import { isZone, type Zone } from '../report/time.js';
import { FORMATS, type Format } from '../report/writer.js';
import { type Output, planOutputs } from './outputs.js';
import { EPILOGUE, EXPLAIN_USAGE, SCAN_USAGE, TOP_USAGE } from './usage.js';
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

/// What the command line asks for: a command, or a text that yargs has ready
/// (help, version, completion), or nothing at all.
export type Request = ScanRequest | ExplainRequest | { kind: 'text'; text: string } | { kind: 'nothing' };

const READERS: readonly ReaderName[] = ['sealert', 'pcap-ng-parser'];

const SCAN_DESCRIPTION = 'read captures and report SoftEther VPN sessions';

const EXPLAIN_DESCRIPTION = 'say why a session was reported, or why a flow was not';

const EXPLAIN_FORMATS: readonly ExplainFormat[] = ['text', 'json'];

const LATER_COMMANDS = ['live', 'devices', 'extract'];

/// Reads the command line. Throws UsageError, with a sentence, for anything
/// that cannot be meant.
export async function readArguments(args: readonly string[], isTerminal: boolean): Promise<Request> {
  let scanArguments: Arguments | undefined;
  let explainArguments: Arguments | undefined;
  const parser = createParser()
    .command('scan', SCAN_DESCRIPTION, addScanOptions, (argv) => {
      scanArguments = argv;
    })
    .command('explain', EXPLAIN_DESCRIPTION, addExplainOptions, (argv) => {
      explainArguments = argv;
    });
  let text = '';
  const argv = (await parser.parseAsync(args, {}, (_error, _argv, output) => {
    text = output;
  })) as Arguments;
  const [command] = argv._;
  if (argv.help === true || command === 'help') {
    const help = command === 'scan' ? scanHelp : command === 'explain' ? explainHelp : generalHelp;
    return { kind: 'text', text: await help() };
  }
  if (text !== '') return { kind: 'text', text: `${text}\n` };
  if (scanArguments !== undefined) return scanRequestOf(scanArguments, isTerminal);
  if (explainArguments !== undefined) return explainRequestOf(explainArguments);
  if (command === undefined) return { kind: 'nothing' };
  throw new UsageError(unknownCommandText(String(command)));
}

/// The general help, for a call without any argument.
export async function generalHelp(): Promise<string> {
  const parser = createParser().command('scan', SCAN_DESCRIPTION).command('explain', EXPLAIN_DESCRIPTION);
  return helpText(TOP_USAGE, await parser.getHelp());
}

async function scanHelp(): Promise<string> {
  return helpText(SCAN_USAGE, await addScanOptions(createParser()).getHelp());
}

async function explainHelp(): Promise<string> {
  return helpText(EXPLAIN_USAGE, await addExplainOptions(createParser()).getHelp());
}

// Around the list that yargs makes, because yargs removes the indentation of
// usage texts and forgets the epilogue below commands.
function helpText(usage: string, options: string): string {
  return `${usage}\n\n${options.trim()}\n\n${EPILOGUE}\n`;
}

function createParser(): Argv {
  return (
    yargs()
      .scriptName('sealert')
      // yargs would follow the language of the system, exit by itself, and with 1.
      .locale('en')
      .exitProcess(false)
      .fail((message, error) => {
        throw error instanceof UsageError ? error : new UsageError(failureText(message ?? error.message));
      })
      // Paths stay as they were typed; options have one spelling.
      .parserConfiguration({
        'boolean-negation': false,
        'camel-case-expansion': false,
        'dot-notation': false,
        'parse-numbers': false,
        'parse-positional-numbers': false,
      })
      .strictOptions()
      .usage('')
      .wrap(80)
      // The help of yargs would take a capture that is named "help" for a command.
      .help(false)
      .option('help', { alias: 'h', type: 'boolean', describe: 'show this help' })
      .version('version', 'show the version', VERSION)
      .alias('version', 'V')
      .completion('completion', 'print a script for shell completion')
  );
}

function addScanOptions(scan: Argv) {
  return scan
    .option('format', {
      type: 'string',
      requiresArg: true,
      coerce: splitList,
      choices: FORMATS,
      describe: 'what to write; several with commas or by repeating (default: table on a terminal, else log)',
    })
    .option('output', {
      alias: 'o',
      type: 'string',
      requiresArg: true,
      describe: 'write to this file, - for standard output; the n-th file gets the n-th format',
    })
    .option('min-verdict', {
      choices: VERDICTS,
      requiresArg: true,
      describe: 'leave out sessions below this (default: likely; json always has all)',
    })
    .option('fail-on', {
      choices: VERDICTS,
      requiresArg: true,
      describe: 'exit with 10 if a session reaches this verdict',
    })
    .option('tz', {
      type: 'string',
      requiresArg: true,
      describe:
        'zone of the times: UTC, local or a name such as Asia/Tokyo (default: local in table and log, UTC in csv; json and ndjson are always UTC)',
    })
    .option('jobs', {
      type: 'string',
      requiresArg: true,
      describe: 'at most so many analysing threads; this version uses one',
    })
    .option('reader', {
      choices: READERS,
      requiresArg: true,
      describe: 'what reads pcapng files; pcap-ng-parser serves as an independent check (default: sealert)',
    })
    .option('quiet', {
      alias: 'q',
      type: 'boolean',
      describe: 'no progress, and no warnings about damaged inputs (the report and the exit code still tell)',
    })
    .option('verbose', {
      alias: 'v',
      type: 'boolean',
      describe: 'notes on every input and on the whole run',
    });
}

function addExplainOptions(explain: Argv) {
  return explain
    .option('session', {
      type: 'string',
      requiresArg: true,
      describe: 'the id of the session, as the report has it',
    })
    .option('flow', {
      type: 'string',
      requiresArg: true,
      describe: "the ends of a flow in either order, such as 'tcp 10.1.0.10:36320 203.0.113.10:443'",
    })
    .option('format', {
      choices: EXPLAIN_FORMATS,
      requiresArg: true,
      describe: 'what to write (default: text)',
    })
    .option('tz', {
      type: 'string',
      requiresArg: true,
      describe: 'zone of the times: UTC, local or a name such as Asia/Tokyo (default: local; json is UTC)',
    })
    .option('quiet', { alias: 'q', type: 'boolean', describe: 'no warnings about damaged inputs' });
}

type Value = string | boolean | undefined;
interface Arguments {
  _: (string | number)[];
  [option: string]: unknown;
}

function splitList(value: string | string[]): string[] {
  return [value].flat().flatMap((item) => item.split(','));
}

function scanRequestOf(argv: Arguments, isTerminal: boolean): ScanRequest {
  const paths = argv._.slice(1).map(String);
  if (paths.length === 0) {
    throw new UsageError('scan needs at least one PATH: a capture file, a folder, or - for standard input.');
  }
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('Standard input (-) can be read only once.');
  }
  const quiet = argv.quiet === true;
  const verbose = argv.verbose === true;
  if (quiet && verbose) throw new UsageError('--quiet and --verbose exclude each other.');
  const zone = zoneOf(single(argv, 'tz'));
  checkJobs(single(argv, 'jobs'));
  return {
    kind: 'scan',
    paths,
    outputs: planOutputs(listOf(argv.format) as Format[], listOf(argv.output), isTerminal),
    quiet,
    verbose,
    zone,
    minVerdict: single(argv, 'min-verdict') as Verdict | undefined,
    failOn: single(argv, 'fail-on') as Verdict | undefined,
    reader: (single(argv, 'reader') as ReaderName | undefined) ?? 'sealert',
  };
}

function explainRequestOf(argv: Arguments): ExplainRequest {
  const paths = argv._.slice(1).map(String);
  const [path] = paths;
  if (path === undefined || paths.length > 1) {
    throw new UsageError('explain takes one PATH: a capture file, a folder, or - for standard input.');
  }
  const session = single(argv, 'session');
  const flow = single(argv, 'flow');
  if ((session === undefined) === (flow === undefined)) {
    throw new UsageError('explain needs one of --session ID and --flow ENDS.');
  }
  return {
    kind: 'explain',
    path,
    session,
    flow,
    format: (single(argv, 'format') as ExplainFormat | undefined) ?? 'text',
    quiet: argv.quiet === true,
    zone: zoneOf(single(argv, 'tz')),
  };
}

function listOf(value: unknown): string[] {
  return value === undefined ? [] : ([value].flat() as string[]);
}

function single(argv: Arguments, option: string): string | undefined {
  const value = argv[option] as Value | Value[];
  if (Array.isArray(value)) throw new UsageError(`--${option} can be given only once.`);
  return value as string | undefined;
}

function zoneOf(text: string | undefined): Zone | undefined {
  if (text === undefined || isZone(text)) return text;
  throw new UsageError(
    `"${text}" is no time zone known here; --tz takes UTC, local or a name such as Asia/Tokyo.`,
  );
}

function checkJobs(text: string | undefined): void {
  if (text !== undefined && !/^[1-9][0-9]{0,4}$/.test(text)) {
    throw new UsageError(`--jobs takes a whole number from 1, not "${text}".`);
  }
}

function unknownCommandText(command: string): string {
  if (LATER_COMMANDS.includes(command) || /^\d+$/.test(command)) {
    return `"${command}" comes with a later version; this one has scan and explain.`;
  }
  const hint = existsSync(command) ? ` To read a capture: sealert scan ${command}` : '';
  return `Unknown command "${command}".${hint}`;
}

/// The messages of yargs (18, English) as sentences.
function failureText(message: string): string {
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1];
  if (unknown !== undefined) {
    const names = unknown.split(', ').map(optionName);
    return `Unknown option ${names.join(', ')}.`;
  }
  const missing = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  if (missing !== undefined) return `${optionName(missing)} needs a value.`;
  const invalid = /Argument: (.*), Given: (.*), Choices: (.*)$/s.exec(message);
  if (invalid !== null) {
    const [, option, given, choices] = invalid;
    return `${optionName(option!)} cannot be ${given}; choose from ${choices!.replaceAll('"', '')}.`;
  }
  return message;
}

function optionName(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
