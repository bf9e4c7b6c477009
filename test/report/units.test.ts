import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatDuration, formatPlural } from '#sealert/report/units.js';

test('bytes in at most six characters', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [57_000_000_000, '57 GB'],
  ];
  for (const [bytes, expected] of cases) assert.equal(formatBytes(bytes), expected);
});

test('durations', () => {
  const cases: [number, string][] = [
    [0, '0.0 s'],
    [59.94, '59.9 s'],
    [59.96, '1m 0s'],
    [754, '12m 34s'],
    [3599.7, '1h 0m'],
    [12_300, '3h 25m'],
    [1_047_600, '12d 3h'],
  ];
  for (const [seconds, expected] of cases) assert.equal(formatDuration(seconds), expected);
});

test('counts and plurals', () => {
  assert.equal(formatCount(1234567), '1,234,567');
  assert.equal(formatPlural(1, 'session'), '1 session');
  assert.equal(formatPlural(0, 'session'), '0 sessions');
});
