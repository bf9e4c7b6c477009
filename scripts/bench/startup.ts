/** How long the program takes to begin at all. */
import { join } from 'node:path';
import { type Bench, say } from './bench.js';
import { type Measurement, measure } from './measure.js';
import { ratio } from './results.js';
import { programFile } from './scan.js';
import { median, table } from './table.js';

const ROUNDS = 20;

export async function measureStartup(bench: Bench): Promise<string> {
  const node = process.execPath;
  // What it takes to load the program, which --version does not need.
  const sample = join(bench.samples, 'direct-default', 'capture.pcap');
  const programs = [
    { name: 'node -e 0', command: [node, '-e', '0'], rounds: [] as Measurement[] },
    { name: 'sealert --version', command: [node, programFile(bench), '--version'], rounds: [] },
    { name: 'sealert scan, a sample', command: [node, programFile(bench), 'scan', sample], rounds: [] },
  ];
  say(`start-up, ${ROUNDS} rounds`);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { command, rounds } of programs) rounds.push(await measure(command));
  }
  const rows = programs.map(({ name, rounds }) => [
    name,
    (median(rounds.map(({ seconds }) => seconds)) * 1e3).toFixed(1),
    (Math.min(...rounds.map(({ seconds }) => seconds)) * 1e3).toFixed(1),
    ratio(rounds, programs[0]!.rounds).toFixed(2),
  ]);
  return [
    `## Start-up: ${ROUNDS} starts in turn`,
    table(['program', 'ms', 'ms at best', 'times node'], rows),
  ].join('\n\n');
}
