/** The scan beside other programs, on one input after the other. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, say, warm } from './bench.js';
import { PLAIN_LOOP, SEALERT } from './candidates.js';
import { type Format, type Input, type InputName, prepareInput } from './inputs.js';
import { measure } from './measure.js';
import { describeInput, resultTable, type Series } from './results.js';
import { readReport, scan } from './scan.js';
import { comparable, faultsOf, sessionIds } from './verify.js';

/** A program that takes longer runs in one round only. */
const SLOW_SECONDS = 30;
/** The least that `--memory` takes. */
const LEAST_MEMORY = '64MB';

/** Compares on an input in each of `formats`, the pcap first. Throws if a scan did not find what is there. */
export async function compare(bench: Bench, name: InputName, formats: readonly Format[]): Promise<string> {
  const sections: string[] = [];
  let yardstick: Series | undefined;
  let found: string | undefined;
  for (const format of formats) {
    const input = await prepareInput(name, format, bench.bytes, bench.inputs, bench.samples, say);
    warm(input.files);
    const series = await measureAll(bench, input, () => {
      const report = readReport(bench);
      failOn(input, faultsOf(report, input));
      found ??= comparable(report);
      if (comparable(report) !== found) failOn(input, ['the findings are not those of the twin']);
    });
    await checkLeastMemory(bench, input);
    yardstick ??= series.find(({ candidate }) => candidate.name === PLAIN_LOOP);
    sections.push(`## ${describeInput(input)}`, resultTable({ input, series, yardstick }));
  }
  return sections.join('\n\n');
}

/** Runs all candidates in turn. Our own must not fail; others may, and `check` is called after ours. */
async function measureAll(bench: Bench, input: Input, check: () => void): Promise<Series[]> {
  const able = bench.candidates.filter(({ formats }) => formats.includes(input.format));
  const measured = able.map((candidate): Series => ({ candidate, rounds: [], failure: null }));
  for (let round = 1; round <= bench.rounds; round++) {
    for (const series of measured.filter(runsAgain)) {
      const { candidate } = series;
      say(`${input.name} ${input.format}, round ${round}: ${candidate.name}`);
      const scratch = join(bench.work, 'scratch');
      mkdirSync(scratch);
      try {
        series.rounds.push(await measure(candidate.command(input, scratch)));
      } catch (error) {
        if (isOurs(series)) throw error;
        series.failure = (error as Error).message;
      }
      rmSync(scratch, { recursive: true });
      if (candidate.name === SEALERT) check();
    }
  }
  return measured;
}

function runsAgain(series: Series): boolean {
  const last = series.rounds.at(-1)?.seconds ?? 0;
  return series.failure === null && (isOurs(series) || last < SLOW_SECONDS);
}

/** Ratios are against these, in every round. */
function isOurs({ candidate }: Series): boolean {
  return candidate.name === PLAIN_LOOP || candidate.name === SEALERT;
}

/** No session may be lost for want of memory. */
async function checkLeastMemory(bench: Bench, input: Input): Promise<void> {
  if (input.sessions.length === 0) return;
  say(`${input.name} ${input.format}, not measured: --memory ${LEAST_MEMORY}`);
  const ids = sessionIds(readReport(bench));
  const { report } = await scan(bench, [input.path], ['--memory', LEAST_MEMORY]);
  if (sessionIds(report) !== ids) failOn(input, [`with --memory ${LEAST_MEMORY} other sessions are found`]);
}

function failOn({ name, format }: Input, faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(`${name} ${format}: ${faults.join('; ')}`);
}
