/** What a figure has to be read with: machine, system, versions. */

import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import type { Candidate } from './candidates.js';
import { formatBytes } from './sizes.js';

export function describeMachine(
  candidates: readonly Candidate[],
  missing: readonly string[],
  date: Date,
): (readonly [string, string])[] {
  const processors = cpus();
  return [
    ['date', date.toISOString().slice(0, 10)],
    ['processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['memory', formatBytes(totalmem())],
    ['system', `${distribution() ?? type()}, ${type()} ${release()}`],
    ['Node.js', process.version],
    ...candidates.map(({ name, version, task }) => [name, `${version}; ${task}`] as const),
    ...missing.map((name) => [name, 'left out: not installed'] as const),
  ];
}

function distribution(): string | undefined {
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
