/** `npm run bench`: measures the scan in several parts. README.md says how. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Part } from './bench.js';
import { findCandidates } from './candidates.js';
import { compare } from './compare.js';
import { document, keepPart } from './document.js';
import { measureGrowth } from './growth.js';
import { measureJobs } from './jobs.js';
import { describeMachine } from './machine.js';
import { MEMORY_FROM } from './measure.js';
import { parseSize } from './sizes.js';
import { measureStartup } from './startup.js';
import { list } from './table.js';

/** In the order of the document. */
const PARTS: Readonly<Record<string, Part>> = {
  startup: measureStartup,
  bulk: (bench) => compare(bench, 'bulk', ['pcap']),
  mixed: (bench) => compare(bench, 'mixed', ['pcap', 'pcapng', 'gzip']),
  small: (bench) => compare(bench, 'small', ['pcap']),
  folder: (bench) => compare(bench, 'folder', ['folder']),
  jobs: measureJobs,
  growth: measureGrowth,
};
const NAMES = Object.keys(PARTS);
/** These take long, and gigabytes of disk. */
const ONLY_BY_NAME: readonly string[] = ['jobs', 'growth'];

const USAGE = `usage: npm run bench -- [--size 1GB] [--rounds 3] [--quick] [--write] [--inputs DIR] [--samples DIR] [${NAMES.join('|')}|all ...]`;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function readSettings() {
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
  const { quick, write, inputs, samples } = values;
  const rounds = Number(values.rounds ?? (quick ? 1 : write ? 5 : 3));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1 on');
  const unknown = positionals.filter((name) => name !== 'all' && !NAMES.includes(name));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);
  const names = NAMES.filter((name) =>
    positionals.length === 0
      ? !ONLY_BY_NAME.includes(name)
      : positionals.includes('all') || positionals.includes(name),
  );
  const size = values.size ?? (quick ? '20MB' : '1GB');
  return { size, bytes: parseSize(size), rounds, write, inputs, samples, names };
}

async function main(settings: ReturnType<typeof readSettings>): Promise<void> {
  const { size, bytes, rounds, write, samples, names } = settings;
  const work = mkdtempSync(join(tmpdir(), 'sealert-bench-'));
  try {
    const place = { root: ROOT, work };
    const { candidates, missing } = findCandidates(place);
    const machine = describeMachine(candidates, missing, new Date());
    console.log(list(machine));
    const inputs = join(settings.inputs, size);
    const kept = join(ROOT, 'build', 'bench-results', size);
    for (const name of names) {
      const sections = await PARTS[name]!({ ...place, bytes, rounds, inputs, samples, candidates });
      console.log(`\n${sections}`);
      if (!write) continue;
      const command = `npm run bench -- --size ${size} --rounds ${rounds} ${name}`;
      keepPart(kept, name, command, new Date(), sections);
      writeFileSync(join(ROOT, 'docs', 'benchmarks.md'), document(kept, NAMES, MEMORY_FROM, machine));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

let settings: ReturnType<typeof readSettings> | undefined;
try {
  settings = readSettings();
  await main(settings);
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  if (settings === undefined) console.error(USAGE);
  process.exitCode = settings === undefined ? 2 : 1;
}
