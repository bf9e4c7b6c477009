/// The benchmark's own arithmetic: medians, ratios within rounds, rows of what fails.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, PLAIN_LOOP, SEALERT } from '../../scripts/bench/candidates.js';
import type { Input } from '../../scripts/bench/inputs.js';
import { resultTable, type Series } from '../../scripts/bench/results.js';

const INPUT: Input = {
  name: 'mixed',
  format: 'pcap',
  path: 'mixed.pcap',
  files: ['mixed.pcap'],
  bytes: 1e9,
  packets: 1e6,
  flows: 10,
  sessions: [],
};

function series(name: string, seconds: readonly number[], failure: string | null = null): Series {
  const candidate: Candidate = { name, task: '', version: '', formats: [], command: () => [] };
  const rounds = seconds.map((each) => ({ seconds: each, cpuSeconds: each / 2, peakBytes: 5e6 }));
  return { candidate, rounds, failure };
}

/// The cells of each row, without the header.
function rows(all: readonly Series[], input = INPUT): string[][] {
  const yardstick = all.find(({ candidate }) => candidate.name === PLAIN_LOOP);
  const lines = resultTable({ input, series: all, yardstick }).split('\n').slice(2);
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const LOOP = series(PLAIN_LOOP, [1, 2, 4]);
const SCAN = series(SEALERT, [3, 4, 20]);

test('ratios are medians of the ratios within a round, not ratios of medians', () => {
  assert.deepEqual(rows([LOOP, SCAN]), [
    [PLAIN_LOOP, '3', '2.00', '1.00', '5 MB', '2000', '1.00', '0.33'],
    [SEALERT, '3', '4.00', '2.00', '5 MB', '4000', '3.00', '1.00'],
  ]);
});

test('what ran in the first round only is compared with the first round of the others', () => {
  const [slow] = rows([series('tshark', [60]), LOOP, SCAN]);
  assert.deepEqual(slow, ['tshark', '1', '60.00', '30.00', '5 MB', '60000', '60.00', '20.00']);
});

test('what failed has its message in the row and no figures', () => {
  const failed = series('tshark', [60], `tshark ended with 1:\n no | memory ${'x'.repeat(200)}`);
  const [cells] = rows([failed, LOOP, SCAN]);
  assert.match(cells![0]!, /^tshark: tshark ended with 1: no memory x{60,}$/);
  assert.ok(cells![0]!.length < 150);
  assert.deepEqual(cells!.slice(1), ['', '', '', '', '', '', '']);
});

test('a folder is counted in files, without a yardstick', () => {
  const folder: Input = { ...INPUT, format: 'folder', files: ['a', 'b'] };
  assert.deepEqual(rows([SCAN], folder), [[SEALERT, '3', '4.00', '2.00', '5 MB', '2000.000', '1.00']]);
});
