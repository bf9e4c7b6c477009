/** The programs that are compared. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Format, Input } from './inputs.js';
import { type Place, programFile, scanCommand } from './scan.js';

export interface Candidate {
  readonly name: string;
  /** What it does with each packet. */
  readonly task: string;
  readonly version: string;
  readonly formats: readonly Format[];
  /** `scratch` is an empty folder for what it writes. */
  command(input: Input, scratch: string): readonly string[];
}

export const PLAIN_LOOP = 'plain loop';
export const SEALERT = 'sealert scan';

const UNCOMPRESSED: readonly Format[] = ['pcap', 'pcapng'];
const SINGLE: readonly Format[] = [...UNCOMPRESSED, 'gzip'];
const ALL_FORMATS: readonly Format[] = [...SINGLE, 'folder'];

/** A program that is found on this machine, or left out. */
interface Tool {
  /** The program and the options that matter. */
  readonly name: string;
  readonly task: string;
  readonly formats: readonly Format[];
  /** Options that make it say its version, and where the version stands. */
  readonly askVersion: readonly string[];
  readonly version: RegExp;
  arguments(files: readonly string[], scratch: string): readonly string[];
}

const TOOLS: readonly Tool[] = [
  {
    name: 'cat',
    task: 'passes the bytes on, to /dev/null',
    formats: ALL_FORMATS,
    askVersion: ['--version'],
    version: /coreutils\) (\S+)/,
    arguments: (files) => files,
  },
  {
    name: 'gzip -dc',
    task: 'unpacks the bytes, to /dev/null',
    formats: ['gzip'],
    askVersion: ['--version'],
    version: /gzip (\S+)/,
    arguments: (files) => ['-dc', ...files],
  },
  {
    name: 'capinfos -c',
    task: 'counts the packets',
    formats: ALL_FORMATS,
    askVersion: ['--version'],
    version: /Wireshark\) (\S+)/,
    arguments: (files) => ['-c', ...files],
  },
  {
    name: 'tcpdump --count',
    task: 'counts the packets',
    formats: UNCOMPRESSED,
    askVersion: ['--version'],
    version: /tcpdump version (\S+)/,
    arguments: ([file = '']) => ['--count', '-r', file],
  },
  {
    name: 'argus',
    task: 'writes a record of each flow',
    formats: UNCOMPRESSED,
    askVersion: ['-h'],
    version: /Argus Version (\S+)/,
    // Without the system's configuration, which may name another place to write to.
    arguments: ([file = ''], scratch) => ['-X', '-r', file, '-w', join(scratch, 'flows')],
  },
  {
    name: 'nfpcapd',
    task: 'writes a record of each flow',
    formats: UNCOMPRESSED,
    askVersion: ['-V'],
    version: /Version: ([\d.]+)/,
    arguments: ([file = ''], scratch) => ['-r', file, '-w', scratch],
  },
  {
    name: 'mercury',
    task: 'writes a fingerprint of each hello, to /dev/null',
    formats: UNCOMPRESSED,
    askVersion: ['--version'],
    version: /(\d+\.\d+\.\d+)/,
    arguments: ([file = '']) => ['-r', file],
  },
  {
    name: 'ndpiReader -q',
    task: 'tells the protocol of each flow',
    formats: UNCOMPRESSED,
    askVersion: ['-h'],
    version: /nDPI (\S+)/,
    arguments: ([file = '']) => ['-q', '-i', file],
  },
  {
    name: 'tshark -q -z conv,tcp',
    task: 'decodes every protocol; lists the TCP connections, to /dev/null',
    formats: SINGLE,
    askVersion: ['--version'],
    version: /Wireshark\) (\S+)/,
    arguments: ([file = '']) => ['-r', file, '-q', '-z', 'conv,tcp'],
  },
];

/** What of it all is on this machine, in the order in which it runs within a round, and what is not. */
export function findCandidates(place: Place) {
  const node = process.execPath;
  const script = (name: string) => join(place.root, 'build', 'scripts', 'bench', name);
  const npmParser = (name: string, formats: readonly Format[]): Candidate => ({
    name,
    task: 'npm package; counts the packets',
    version: createRequire(import.meta.url)(`${name}/package.json`).version,
    formats,
    command: ({ path }) => [node, script('count-packets.js'), name, path],
  });
  const found = TOOLS.map((tool) => ({ tool, version: versionOf(tool) }));
  const candidates: Candidate[] = [
    ...found.flatMap(({ tool, version }) => (version === undefined ? [] : [candidateOf(tool, version)])),
    npmParser('pcap-parser', ['pcap']),
    npmParser('pcap-ng-parser', ['pcapng']),
    {
      name: PLAIN_LOOP,
      task: 'looks every packet up in a flow table',
      version: `Node.js ${process.version}`,
      formats: ['pcap'],
      command: ({ path }) => [node, script('plain-loop.js'), path],
    },
    {
      name: SEALERT,
      task: 'finds VPN sessions',
      version: spawnSync(node, [programFile(place), '--version'], { encoding: 'utf8' }).stdout.trim(),
      formats: ALL_FORMATS,
      command: ({ path }) => scanCommand(place, [path]),
    },
  ];
  const missing = found.flatMap(({ tool, version }) => (version === undefined ? [tool.name] : []));
  return { candidates, missing };
}

function candidateOf(tool: Tool, version: string): Candidate {
  const { name, task, formats } = tool;
  const command = ({ files }: Input, scratch: string) => [programOf(tool), ...tool.arguments(files, scratch)];
  return { name, task, version, formats, command };
}

/** Undefined if the program is not there. */
function versionOf(tool: Tool): string | undefined {
  const { error, stdout, stderr } = spawnSync(programOf(tool), tool.askVersion, { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  return tool.version.exec(stdout + stderr)?.[1] ?? 'unknown';
}

function programOf({ name }: Tool): string {
  return name.split(' ')[0]!;
}
