/// The commands and their options: one table, read by whatever parses the
/// command line, prints the help or completes a word.

import { VERDICTS } from '../detect/findings.js';
import { FORMATS } from '../report/writer.js';

export interface CliOption {
  /// A flag has no value, a value is given once, values may be repeated, and a
  /// list may besides hold several with commas between them.
  takes: 'flag' | 'value' | 'values' | 'list';
  alias?: string;
  choices?: readonly string[];
  describe: string;
}

export type CliOptions = Readonly<Record<string, CliOption>>;

export const COMMON_OPTIONS: CliOptions = {
  help: { takes: 'flag', alias: 'h', describe: 'show this help' },
  version: { takes: 'flag', alias: 'V', describe: 'show the version' },
};

const SCAN_OPTIONS: CliOptions = {
  format: {
    takes: 'list',
    choices: FORMATS,
    describe: 'what to write; several with commas or by repeating (default: table on a terminal, else log)',
  },
  output: {
    takes: 'values',
    alias: 'o',
    describe: 'write to this file, - for standard output; the n-th file gets the n-th format',
  },
  'min-verdict': {
    takes: 'value',
    choices: VERDICTS,
    describe: 'leave out sessions below this (default: likely; json always has all)',
  },
  'fail-on': {
    takes: 'value',
    choices: VERDICTS,
    describe: 'exit with 10 if a session reaches this verdict',
  },
  tz: {
    takes: 'value',
    describe:
      'zone of the times: UTC, local or a name such as Asia/Tokyo (default: local in table and log, UTC in csv; json and ndjson are always UTC)',
  },
  jobs: { takes: 'value', describe: 'at most so many analysing threads; this version uses one' },
  reader: {
    takes: 'value',
    choices: ['sealert', 'pcap-ng-parser'],
    describe: 'what reads pcapng files; pcap-ng-parser serves as an independent check (default: sealert)',
  },
  quiet: {
    takes: 'flag',
    alias: 'q',
    describe: 'no progress, and no warnings about damaged inputs (the report and the exit code still tell)',
  },
  verbose: { takes: 'flag', alias: 'v', describe: 'notes on every input and on the whole run' },
};

const EXPLAIN_OPTIONS: CliOptions = {
  session: { takes: 'value', describe: 'the id of the session, as the report has it' },
  flow: {
    takes: 'value',
    describe: "the ends of a flow in either order, such as 'tcp 10.1.0.10:36320 203.0.113.10:443'",
  },
  format: { takes: 'value', choices: ['text', 'json'], describe: 'what to write (default: text)' },
  tz: {
    takes: 'value',
    describe: 'zone of the times: UTC, local or a name such as Asia/Tokyo (default: local; json is UTC)',
  },
  quiet: { takes: 'flag', alias: 'q', describe: 'no warnings about damaged inputs' },
};

export interface CliCommand {
  describe: string;
  options: CliOptions;
}

export const COMMANDS = {
  scan: { describe: 'read captures and report SoftEther VPN sessions', options: SCAN_OPTIONS },
  explain: { describe: 'say why a session was reported, or why a flow was not', options: EXPLAIN_OPTIONS },
} as const satisfies Readonly<Record<string, CliCommand>>;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}
