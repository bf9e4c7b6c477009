/** `npm run bench`: compares the scan with other programs on inputs made for it. README.md says how. */
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Report } from '#sealert/report/model.js';
import { type Candidate, findCandidates, PLAIN_LOOP, SEALERT } from './candidates.js';
import { document } from './document.js';
import { INPUTS, type Input, type InputName, prepareInput } from './inputs.js';
import { describeMachine } from './machine.js';
import { MEMORY_FROM, type Measurement, measure } from './measure.js';
import { describeInput, type InputResult, resultTable, type Series } from './results.js';
import { parseSize } from './sizes.js';
import { list } from './table.js';
import { comparable, faultsOf } from './verify.js';

const USAGE = `usage: npm run bench -- [--size 1GB] [--rounds 3] [--quick] [--write] [--inputs DIR] [--samples DIR] [bulk|mixed|small ...]`;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Settings {
  /** As it was typed: the name of the folder. */
  size: string;
  bytes: number;
  rounds: number;
  write: boolean;
  inputs: string;
  samples: string;
  names: readonly string[];
}

function readSettings(): Settings {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      size: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      inputs: { type: 'string', default: join(ROOT, 'build', 'bench-inputs') },
      samples: { type: 'string', default: join(ROOT, 'samples') },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1 on');
  const names: readonly InputName[] = ['bulk', 'mixed', 'small'];
  const unknown = positionals.filter((name) => !names.includes(name as InputName));
  if (unknown.length > 0) throw new Error(`no such input: ${unknown.join(', ')}`);
  const { write, inputs, samples } = values;
  const size = values.size ?? (values.quick ? '100MB' : '1GB');
  return {
    size,
    bytes: parseSize(size),
    rounds,
    write,
    inputs,
    samples,
    names: positionals.length > 0 ? positionals : names,
  };
}

/** Reads the file once, so that every program finds it in memory. */
function warm(file: string): void {
  const buffer = new Uint8Array(1 << 20);
  const descriptor = openSync(file, 'r');
  while (readSync(descriptor, buffer) > 0);
  closeSync(descriptor);
}

/** Runs all candidates in turn, `rounds` times. The report of our scan is checked each time. */
async function measureAll(
  input: Input,
  candidates: readonly Candidate[],
  rounds: number,
  check: () => void,
): Promise<Series[]> {
  const measured = candidates.map((candidate) => ({ candidate, rounds: [] as Measurement[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { candidate, rounds: own } of measured) {
      process.stderr.write(`${input.name} ${input.format}, round ${round}: ${candidate.name}\n`);
      own.push(await measure(candidate.command(input.file)));
      if (candidate.name === SEALERT) check();
    }
  }
  return measured;
}

/** Makes and measures the inputs, one after the other. Throws if a scan did not find what is there. */
async function run(
  settings: Settings,
  candidates: readonly Candidate[],
  reportFile: string,
): Promise<InputResult[]> {
  const folder = join(settings.inputs, settings.size);
  const results: InputResult[] = [];
  const findings = new Map<InputName, string>();
  for (const [name, format] of INPUTS) {
    if (!settings.names.includes(name)) continue;
    const say = (text: string) => process.stderr.write(`${text}\n`);
    const input = await prepareInput(name, format, settings.bytes, folder, settings.samples, say);
    const twin = results.find((result) => result.input.name === name && result.input.format === 'pcap');
    const able = candidates.filter(({ formats }) => formats.includes(format));
    warm(input.file);
    const series = await measureAll(input, able, settings.rounds, () => {
      const report: Report = JSON.parse(readFileSync(reportFile, 'utf8'));
      const faults = faultsOf(report, input);
      const found = comparable(report);
      if ((findings.get(name) ?? found) !== found) faults.push('the findings are not those of the twin');
      findings.set(name, found);
      if (faults.length > 0) throw new Error(`${name} ${format}: ${faults.join('; ')}`);
    });
    const yardstick = series.find(({ candidate }) => candidate.name === PLAIN_LOOP) ?? twin!.yardstick;
    const result = { input, series, yardstick };
    results.push(result);
    console.log(`\n${describeInput(input)}\n\n${resultTable(result)}`);
  }
  return results;
}

async function main(settings: Settings): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'sealert-bench-'));
  try {
    const reportFile = join(work, 'report.json');
    const candidates = findCandidates(ROOT, reportFile);
    const machine = describeMachine(candidates, new Date());
    console.log(list(machine));
    const results = await run(settings, candidates, reportFile);
    if (settings.write) {
      const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
      const text = document(command, settings.rounds, MEMORY_FROM, machine, results);
      writeFileSync(join(ROOT, 'docs', 'benchmarks.md'), text);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

let settings: Settings | undefined;
try {
  settings = readSettings();
  await main(settings);
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  if (settings === undefined) console.error(USAGE);
  process.exitCode = settings === undefined ? 2 : 1;
}
