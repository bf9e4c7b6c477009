/// The campaign of `npm run fuzz` in its short form: a fixed seed, and another one each time.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, samples } from '../support/paths.js';
import { attack, cutEverywhere, MAX_RESIDENT_BYTES } from './campaign.js';
import { targets } from './targets.js';

const RUNS = 60;
/// Of what takes milliseconds rather than microseconds, less.
const RUNS_OF_CAPTURES: Record<string, number> = {
  pcap: 12,
  'pcap-variants': 6,
  pcapng: 8,
  snoop: 6,
  scan: 3,
};

const OWN_SEED = Date.now() % 2 ** 31;
const TARGETS = targets();

for (const target of TARGETS) {
  test(`changed bytes: ${target.name}`, (t) => {
    const runs = RUNS_OF_CAPTURES[target.name] ?? RUNS;
    for (const seed of [1, OWN_SEED]) attack(target, runs, seed);
    t.diagnostic(`seed ${OWN_SEED}; npm run fuzz -- ${OWN_SEED} ${target.name} goes on from there`);
    assert.ok(process.memoryUsage().rss < MAX_RESIDENT_BYTES);
  });
}

test('samples cut off: what was whole before is read as it was', (t) => {
  t.diagnostic(`seed ${OWN_SEED}`);
  for (const sample of samples()) cutEverywhere(sample, 4, OWN_SEED, 97);
});

/// `test/fixtures/fuzz/TARGET/*.bin`: inputs that once failed.
const FIXTURES = join(ROOT, 'test', 'fixtures', 'fuzz');

for (const name of readdirSync(FIXTURES)) {
  test(`inputs that once failed: ${name}`, () => {
    const target = TARGETS.find((one) => one.name === name);
    assert.ok(target !== undefined, `there is no target ${name}`);
    for (const file of readdirSync(join(FIXTURES, name))) {
      target.run(new Uint8Array(readFileSync(join(FIXTURES, name, file))));
    }
  });
}
