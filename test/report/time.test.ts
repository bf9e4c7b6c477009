import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatClock, formatRfc3339, isZone, secondsBetween } from '#sealert/report/time.js';

const TIME = '2026-11-23T15:01:58.123456Z';

test('a time on the clock of a zone', () => {
  assert.equal(formatClock(TIME, 'UTC'), '2026/11/23 15:01:58');
  assert.equal(formatClock(TIME, 'Asia/Tokyo'), '2026/11/24 00:01:58');
  assert.equal(formatClock(TIME, 'America/St_Johns'), '2026/11/23 11:31:58');
  assert.equal(formatClock(TIME, '+02:00'), '2026/11/23 17:01:58');
  assert.equal(formatClock(TIME, '+0900'), '2026/11/24 00:01:58');
  assert.equal(formatClock(TIME, '-03:30'), '2026/11/23 11:31:58');
  assert.equal(formatClock('0033-04-03T12:00:00.000000Z', 'UTC'), '0033/04/03 12:00:00');
  assert.equal(formatClock('not a time', 'UTC'), 'not a time');
});

test('summer and winter time', () => {
  assert.equal(formatClock('2026-10-25T00:30:00.000000Z', 'Europe/Berlin'), '2026/10/25 02:30:00');
  assert.equal(formatClock('2026-10-25T01:30:00.000000Z', 'Europe/Berlin'), '2026/10/25 02:30:00');
});

test('RFC 3339 keeps microseconds and the instant', () => {
  const cases: [string, string][] = [
    ['UTC', TIME],
    ['Asia/Tokyo', '2026-11-24T00:01:58.123456+09:00'],
    ['America/St_Johns', '2026-11-23T11:31:58.123456-03:30'],
    ['-0330', '2026-11-23T11:31:58.123456-03:30'],
    ['+00:00', '2026-11-23T15:01:58.123456+00:00'],
  ];
  for (const [zone, expected] of cases) {
    assert.equal(formatRfc3339(TIME, zone), expected);
    assert.equal(Date.parse(expected), Date.parse(TIME));
  }
});

test('an offset that is no whole minute stays in UTC', () => {
  const time = '1971-01-01T00:00:00.000000Z';
  assert.equal(formatRfc3339(time, 'Africa/Monrovia'), time);
});

test('which zones there are', () => {
  for (const zone of ['local', 'UTC', 'Asia/Tokyo', '+02:00', '-0330', '+23:59'])
    assert.equal(isZone(zone), true, zone);
  for (const zone of ['', 'Mars/Olympus', '25:00', '+24:00', '+2:60', '+02:00x', 'Asia/Tokyo\x1b'])
    assert.equal(isZone(zone), false, zone);
});

test('seconds between two times, to the microsecond', () => {
  assert.equal(secondsBetween(TIME, '2026-11-23T15:01:59.123457Z').toFixed(6), '1.000001');
  assert.equal(secondsBetween(TIME, '2026-11-23T15:01:59.000000Z').toFixed(6), '0.876544');
});
