/// `npm run fuzz`: the whole campaign. `npm run fuzz -- SEED [TARGET...]` repeats a part of it.

import { join } from 'node:path';
import { ROOT, samples } from '../support/paths.js';
import { attack, cutEverywhere } from './campaign.js';
import { targets } from './targets.js';

const RUNS = 2000;
const CUTS = 1000;
const FAILURES = join(ROOT, 'build', 'fuzz-failures');

const [seedText = String(Date.now() % 2 ** 31), ...wanted] = process.argv.slice(2);
const seed = Number(seedText);
if (!Number.isInteger(seed)) throw new Error(`the seed is a whole number, not ${seedText}`);
console.log(`seed ${seed}; inputs that fail are written to ${FAILURES}`);
for (const target of targets()) {
  if (wanted.length > 0 && !wanted.includes(target.name)) continue;
  const before = performance.now();
  try {
    attack(target, RUNS, seed, FAILURES);
    report(target.name, `${target.seeds.length} x ${RUNS} inputs`, before);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
if (wanted.length === 0 || wanted.includes('cuts')) {
  for (const sample of samples()) {
    const before = performance.now();
    report(sample, `cut in ${cutEverywhere(sample, CUTS, seed)} places`, before);
  }
}

function report(name: string, what: string, before: number): void {
  const seconds = ((performance.now() - before) / 1000).toFixed(1);
  const megabytes = Math.round(process.memoryUsage().rss / 1e6);
  console.log(`${name}: ${what}, ${seconds} s, ${megabytes} MB resident`);
}
