/// Runs the targets with changed bytes, and the samples cut off everywhere.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { samplePath } from '../support/paths.js';
import fc from '../support/property.js';
import { Random } from '../support/random.js';
import { readFrames } from '../support/read.js';
import { anyMutation } from './mutate.js';
import type { Target } from './targets.js';

/// Longer than any input of these sizes may take: a hang. Generous, for machines that do other things too.
const MAX_MS = 10_000;

/// Resident memory that the program may take for inputs of these sizes.
export const MAX_RESIDENT_BYTES = 1_500_000_000;

/// Changes every seed of the target `runs` times. Where a run fails, the input
/// is written to `failures` (if given), shrunk.
export function attack({ name, seeds, run }: Target, runs: number, seed: number, failures?: string): void {
  assert.ok(seeds.length > 0, `${name} has no seeds`);
  for (const [number, original] of seeds.entries()) {
    let last = original;
    const property = fc.property(anyMutation, (mutate) => {
      const input = mutate(original);
      const before = performance.now();
      try {
        run(input);
        const took = performance.now() - before;
        assert.ok(took < MAX_MS, `took ${took} ms`);
      } catch (error) {
        last = input;
        throw error;
      }
    });
    const { failed, errorInstance } = fc.check(property, { numRuns: runs, seed: seed + number });
    if (!failed) continue;
    if (failures !== undefined) {
      mkdirSync(join(failures, name), { recursive: true });
      writeFileSync(join(failures, name, `${seed}-${number}.bin`), last);
    }
    const bytes = Buffer.from(last.subarray(0, 400)).toString('hex');
    throw new Error(`${name}, seed ${seed}, input ${number}: ${bytes}`, { cause: errorInstance });
  }
}

/// Cuts a sample off after each of its records and at `places` more: what was whole before is read as it was.
export function cutEverywhere(sample: string, places: number, seed: number, every = 1): number {
  const capture = new Uint8Array(readFileSync(samplePath(sample)));
  const whole = readFrames(capture).frames;
  const ends = [24];
  for (const { bytes } of whole) ends.push(ends.at(-1)! + 16 + bytes.length);
  assert.equal(ends.at(-1), capture.length, `${sample} is a plain pcap`);
  const random = new Random(seed);
  const cuts = ends.filter((_, i) => i % every === 0);
  for (let i = 0; i < places; i++) cuts.push(random.between(24, capture.length));
  for (const cut of cuts) {
    const { frames, summary } = readFrames(capture.subarray(0, cut));
    const count = ends.filter((end) => end <= cut).length - 1;
    assert.equal(frames.length, count, `${sample} cut at ${cut}`);
    for (let i = 0; i < count; i++) {
      const same =
        frames[i]!.timeUs === whole[i]!.timeUs && Buffer.compare(frames[i]!.bytes, whole[i]!.bytes) === 0;
      assert.ok(same, `${sample} cut at ${cut}: frame ${i + 1}`);
    }
    assert.equal(summary.damage.length, ends.includes(cut) ? 0 : 1, `${sample} cut at ${cut}`);
  }
  return cuts.length;
}
