/** The programs that are compared. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Format } from './inputs.js';

export interface Candidate {
  readonly name: string;
  /** What it does with each packet. */
  readonly task: string;
  readonly version: string;
  readonly formats: readonly Format[];
  command(file: string): readonly string[];
}

export const PLAIN_LOOP = 'plain loop';
export const SEALERT = 'sealert scan';

const ALL_FORMATS: readonly Format[] = ['pcap', 'pcapng', 'gzip'];
const UNCOMPRESSED: readonly Format[] = ['pcap', 'pcapng'];

interface Tool {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly task: string;
  readonly formats: readonly Format[];
  /** Options that make it say its version, and where the version stands. */
  readonly askVersion: readonly string[];
  readonly version: RegExp;
}

const TOOLS: readonly Tool[] = [
  {
    program: 'cat',
    arguments: [],
    task: 'passes the bytes on, to /dev/null',
    formats: ALL_FORMATS,
    askVersion: ['--version'],
    version: /coreutils\) (\S+)/,
  },
  {
    program: 'gzip',
    arguments: ['-dc'],
    task: 'unpacks the bytes, to /dev/null',
    formats: ['gzip'],
    askVersion: ['--version'],
    version: /gzip (\S+)/,
  },
  {
    program: 'capinfos',
    arguments: ['-c'],
    task: 'counts the packets',
    formats: ALL_FORMATS,
    askVersion: ['--version'],
    version: /Wireshark\) (\S+)/,
  },
  {
    program: 'tcpdump',
    arguments: ['--count', '-r'],
    task: 'counts the packets',
    formats: UNCOMPRESSED,
    askVersion: ['--version'],
    version: /tcpdump version (\S+)/,
  },
  {
    program: 'ndpiReader',
    arguments: ['-q', '-i'],
    task: 'tells the protocol of each flow',
    formats: UNCOMPRESSED,
    askVersion: ['-h'],
    version: /nDPI (\S+)/,
  },
];

/** What of it all is on this machine, in the order in which it runs within a round. */
export function findCandidates(root: string, reportFile: string): Candidate[] {
  const node = process.execPath;
  const plainLoop = join(root, 'build', 'scripts', 'bench', 'plain-loop.js');
  const cli = join(root, 'dist', 'bin', 'sealert.js');
  return [
    ...TOOLS.flatMap(findTool),
    {
      name: PLAIN_LOOP,
      task: 'looks every packet up in a flow table',
      version: `Node.js ${process.version}`,
      formats: ['pcap'],
      command: (file) => [node, plainLoop, file],
    },
    {
      name: SEALERT,
      task: 'finds VPN sessions',
      version: versionOf(node, [cli, '--version'], /(\S+)/) ?? 'unknown',
      formats: ALL_FORMATS,
      command: (file) => [node, cli, 'scan', '--format', 'json', '-o', reportFile, file],
    },
  ];
}

function findTool({ program, arguments: options, task, formats, askVersion, version }: Tool): Candidate[] {
  const found = versionOf(program, askVersion, version);
  if (found === undefined) return [];
  const name = [program, ...options.filter((option) => option !== '-r' && option !== '-i')].join(' ');
  return [{ name, task, version: found, formats, command: (file) => [program, ...options, file] }];
}

/** Undefined if the program is not there. */
function versionOf(program: string, args: readonly string[], pattern: RegExp): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
}
