/// A scan that misses or makes up sessions must not pass as a fast one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, Report, Session, Verdict } from '#sealert/report/model.js';
import { faultsOf } from '../../scripts/bench/verify.js';

const server = { ip: '192.0.2.1', port: 443 };
const clientOf = (port: number) => ({ ip: '10.0.0.1', port });
const expected = (port: number) => ({ sample: `s${port}`, client: clientOf(port), server });

function report(packets: number, ...found: readonly (readonly [port: number, verdict: Verdict])[]): Report {
  const sessions = found.map(([port, verdict]) => {
    const connections = [{ client: clientOf(port), server } as Connection];
    return { id: `id${port}`, verdict, connections } as Session;
  });
  return { sessions, diagnostics: { packets } } as Report;
}

const contents = { packets: 7, flows: 1, sessions: [expected(1), expected(2), expected(2)] };

test('every recorded session once, and as many packets as there are: no fault', () => {
  const found = report(7, [2, 'likely'], [1, 'confirmed'], [2, 'likely'], [9, 'suspected']);
  assert.deepEqual(faultsOf(found, contents), []);
});

test('packets that were not counted', () => {
  const found = report(6, [1, 'likely'], [2, 'likely'], [2, 'likely']);
  assert.deepEqual(faultsOf(found, contents), ['6 packets were read, 7 are there']);
});

test('one of two sessions with the same ends is missing, another is only suspected', () => {
  assert.deepEqual(faultsOf(report(7, [1, 'suspected'], [2, 'likely']), contents), [
    'the session of s1, 10.0.0.1:1 to 192.0.2.1:443, was not found',
    'the session of s2, 10.0.0.1:2 to 192.0.2.1:443, was not found',
  ]);
});

test('a session too many, and one that is none', () => {
  const found = report(7, [1, 'likely'], [1, 'likely'], [2, 'likely'], [2, 'likely'], [3, 'likely']);
  assert.deepEqual(faultsOf(found, contents), [
    'session id1, reported as likely, is none or one too many',
    'session id3, reported as likely, is none or one too many',
  ]);
});
