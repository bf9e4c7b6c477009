/// The commands and their options: one table, read by whatever parses the
/// command line, prints the help or completes a word.

import { VERDICTS } from '../detect/findings.js';
import { CAPTURE_TOOLS } from '../node/live/capture-tool.js';
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
      'zone of the times: UTC, local, a name such as Asia/Tokyo or an offset such as +02:00 (default: local in table and log, UTC in csv; json and ndjson are always UTC)',
  },
  jobs: {
    takes: 'value',
    describe:
      'at most so many captures analysed at a time, or threads that share the flows of a single one where there are four processors (default: one for each processor if they are large)',
  },
  memory: {
    takes: 'value',
    describe:
      'how much memory to take, from 64MB (default: 256MB); the number of jobs and the sizes of tables follow from it',
  },
  reader: {
    takes: 'value',
    choices: ['sealert', 'pcap-ng-parser'],
    describe: 'what reads pcapng files; pcap-ng-parser serves as an independent check (default: sealert)',
  },
  quiet: {
    takes: 'flag',
    alias: 'q',
    describe:
      'no progress, no word that nothing was found, no warnings about damaged inputs (the report and the exit code still tell)',
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
    describe:
      'zone of the times: UTC, local, a name such as Asia/Tokyo or an offset such as +02:00 (default: local; json is UTC)',
  },
  quiet: { takes: 'flag', alias: 'q', describe: 'no warnings about damaged inputs' },
};

const LIVE_OPTIONS: CliOptions = {
  interface: {
    takes: 'values',
    alias: 'i',
    describe: 'capture on this device too, by number or name',
  },
  filter: { takes: 'value', alias: 'f', describe: "capture only this, in libpcap's filter language" },
  'no-promiscuous': {
    takes: 'flag',
    alias: 'p',
    describe: 'only what is sent to this machine or by it',
  },
  snaplen: {
    takes: 'value',
    alias: 's',
    describe: 'keep so many bytes of each packet (default: all)',
  },
  'buffer-size': {
    takes: 'value',
    alias: 'B',
    describe: "MiB of the operating system's buffer (default: 64)",
  },
  'capture-tool': {
    takes: 'value',
    describe: `what captures: ${CAPTURE_TOOLS.join(' or ')}, or the path of one (default: the first there is)`,
  },
  retry: {
    takes: 'value',
    describe: 'begin again so many seconds after a capture ended (default: 5; 0: never)',
  },
  wait: { takes: 'flag', describe: 'wait for devices that are not there yet' },
  log: { takes: 'value', describe: 'append a line per session to this file (default: sealert.log)' },
  'no-log': { takes: 'flag', describe: 'write no sealert.log' },
  ndjson: { takes: 'value', describe: 'append everything found to this file, a JSON object per line' },
  syslog: {
    takes: 'values',
    describe: 'send the log lines to udp://HOST, tcp://HOST or tls://HOST (with :PORT), or local',
  },
  'syslog-ca': {
    takes: 'value',
    describe: 'file with the certificates (PEM) that vouch for the tls:// collector',
  },
  exec: {
    takes: 'value',
    describe: 'run this program for each finding, which it gets as SEALERT_... variables',
  },
  write: { takes: 'value', alias: 'w', describe: 'keep all packets in this file (pcapng)' },
  ring: {
    takes: 'value',
    describe: 'keep the last packets in this folder, and those of every session as ID.pcapng',
  },
  'ring-size': { takes: 'value', describe: 'MB that the last packets may take (default: 256)' },
  'ring-time': { takes: 'value', describe: 'seconds that they reach back (default: 600)' },
  'status-interval': {
    takes: 'value',
    describe: 'say how it goes every so many seconds, as a JSON object on standard error',
  },
  status: { takes: 'value', describe: 'append that to this file instead' },
  metrics: {
    takes: 'value',
    describe: 'serve the counts to Prometheus on this port of 127.0.0.1, as /metrics',
  },
  format: {
    takes: 'list',
    choices: FORMATS,
    describe: 'formats of the report at the end (default: none)',
  },
  output: SCAN_OPTIONS.output!,
  'min-verdict': SCAN_OPTIONS['min-verdict']!,
  'fail-on': SCAN_OPTIONS['fail-on']!,
  tz: {
    takes: 'value',
    describe:
      'zone of the times: UTC, local, a name such as Asia/Tokyo or an offset such as +02:00 (default: local; JSON is UTC)',
  },
  quiet: { takes: 'flag', alias: 'q', describe: 'only errors on standard error' },
  verbose: {
    takes: 'flag',
    alias: 'v',
    describe: 'tell also what else is learned of a session, and what is SoftEther but no session',
  },
};

const DEVICES_OPTIONS: CliOptions = {
  format: { takes: 'value', choices: ['table', 'json'], describe: 'what to write (default: table)' },
  'capture-tool': LIVE_OPTIONS['capture-tool']!,
};

export interface CliCommand {
  describe: string;
  options: CliOptions;
}

export const COMMANDS = {
  scan: { describe: 'read captures and report SoftEther VPN sessions', options: SCAN_OPTIONS },
  live: { describe: 'report sessions on network devices while they run', options: LIVE_OPTIONS },
  devices: { describe: 'list the network devices', options: DEVICES_OPTIONS },
  explain: { describe: 'say why a session was reported, or why a flow was not', options: EXPLAIN_OPTIONS },
} as const satisfies Readonly<Record<string, CliCommand>>;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}
