/** Several captures, and a single large one: the scan with one job and with two. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '#sealert/report/model.js';
import { type Bench, say, warm } from './bench.js';
import { PcapFile } from './capture-file.js';
import { type Contents, recordingsOf, SEED } from './inputs.js';
import type { Measurement } from './measure.js';
import type { ExpectedSession } from './recordings.js';
import { figures, ratio } from './results.js';
import { scan } from './scan.js';
import { formatBytes } from './sizes.js';
import { table } from './table.js';
import { BEGIN_US, writeMixed } from './traffic-mixed.js';
import { faultsOf } from './verify.js';

const FILES = 10;
/** Mixed inputs in the one large capture. */
const REPEATS = 8;
/** Between two mixed inputs: no session goes on for so long without a word. */
const DISTANCE_US = 600_000_000;
const JOBS = [1, 2];

/** The inputs of `--size 1GB` are ten captures of 500 MB and one of 4 GB; they are removed afterwards. */
export async function measureJobs(bench: Bench): Promise<string> {
  const captures = Array.from({ length: FILES }, (_, i) => join(bench.inputs, `jobs-${i + 1}.pcap`));
  const rows = [
    ...(await measureInput(bench, `${FILES} captures`, captures, 1)),
    ...(await measureInput(bench, 'one capture', [join(bench.inputs, 'jobs.pcap')], REPEATS)),
  ];
  return [
    '## Jobs: mixed traffic, one job and two',
    'The reports are the same for any number of jobs, byte for byte but for the run itself (command, times).',
    table(['input', '--jobs', 'rounds', 'seconds', 'CPU seconds', 'peak memory', 'speed-up'], rows),
  ].join('\n\n');
}

async function measureInput(bench: Bench, name: string, paths: readonly string[], parts: number) {
  try {
    const contents = write(bench, paths, parts);
    warm(paths);
    const series = JOBS.map((jobs) => ({ jobs, rounds: [] as Measurement[] }));
    let found: string | undefined;
    for (let round = 1; round <= bench.rounds; round++) {
      for (const { jobs, rounds } of series) {
        say(`${name}, round ${round}: --jobs ${jobs}`);
        const { measurement, report } = await scan(bench, paths, ['--jobs', String(jobs)]);
        rounds.push(measurement);
        const faults = faultsOf(report, contents);
        found ??= withoutRun(report);
        if (withoutRun(report) !== found) faults.push(`the report with --jobs ${jobs} is another one`);
        if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
      }
    }
    const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
    return series.map(({ jobs, rounds }) => [
      `${name}, ${formatBytes(bytes)}`,
      String(jobs),
      String(rounds.length),
      ...figures(rounds),
      ratio(series[0]!.rounds, rounds).toFixed(2),
    ]);
  } finally {
    for (const path of paths) rmSync(path, { force: true });
  }
}

/** Writes `parts` mixed inputs into each file, all of them one after the other in time. */
function write(bench: Bench, paths: readonly string[], parts: number): Contents {
  const recordings = recordingsOf(bench.samples);
  const sessions: ExpectedSession[] = [];
  let packets = 0;
  let flows = 0;
  let beginUs = BEGIN_US;
  mkdirSync(bench.inputs, { recursive: true });
  for (const [i, path] of paths.entries()) {
    say(`making ${path}`);
    const out = new PcapFile(path);
    for (let part = 0; part < parts; part++) {
      const made = writeMixed(out, { size: bench.bytes / 2, seed: SEED + i + part, recordings, beginUs });
      beginUs = made.endUs + DISTANCE_US;
      flows += made.flows;
      sessions.push(...recordings.flatMap((recording) => recording.sessions));
    }
    out.close();
    packets += out.packets;
  }
  return { packets, flows, sessions };
}

function withoutRun({ run: _, ...rest }: Report): string {
  return JSON.stringify(rest);
}
