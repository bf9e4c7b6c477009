/// Clients that speak SoftEther's protocol and are not its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyse } from '../support/analyse.js';
import { pcap } from '../support/capture-builder.js';
import { type Step, softetherDialogue } from '../support/dialogue.js';

type Edit = (steps: Step[]) => Step[];

const sessionsOf = (edit: Edit, seconds: number) =>
  analyse(pcap(softetherDialogue({ probe: false, additional: 0, seconds, edit }))).sessions;

const withRecords = (changes: Record<string, number[]>): Edit => {
  return (steps) => steps.map((step) => ({ ...step, records: changes[step.name] ?? step.records }));
};

/// The server alone keeps the connection alive: seconds of silence, and the size that was drawn.
const withServerKeepAlives: Edit = (steps) => [
  ...steps,
  ...[
    [4.1, 300],
    [7.2, 41],
    [4.1, 512],
    [9.6, 120],
    [5.3, 222],
  ].map(
    ([seconds, bytes]): Step => ({
      name: 'keep-alive',
      fromClient: false,
      afterUs: seconds! * 1e6,
      records: [bytes!],
    }),
  ),
];

/// Every 5.1 s the hub asks, and the client answers.
const withPolls: Edit = (steps) => [
  ...steps,
  ...Array.from({ length: 5 }, (): Step[] => [
    { name: 'poll', fromClient: false, afterUs: 5_098_000, records: [50] },
    { name: 'reply', fromClient: true, afterUs: 1_000, records: [50] },
  ]).flat(),
];

const CLIENTS: [name: string, product: RegExp, changes: Record<string, number[]>][] = [
  ['MVC', /like MVC/, { 'log-in': [1_100] }],
  ['MVC with UDP acceleration', /like MVC/, { 'log-in': [1_900] }],
  ['VPNCONNECT', /VPNCONNECT/, { signature: [137], 'log-in': [900] }],
  ['VPNCONNECT, header and body apart', /VPNCONNECT/, { signature: [140, 10], 'log-in': [190, 2_100] }],
];

for (const [name, product, changes] of CLIENTS) {
  test(`${name}: likely by the law of the keep-alives, and said so`, () => {
    const [session, ...more] = sessionsOf(withRecords(changes), 60);
    assert.deepEqual(more, []);
    assert.equal(session?.verdict, 'likely');
    assert.match(session.software.client.product ?? '', product);
    assert.equal(session.software.client.generation, null);
    assert.ok(session.caveats.some((text) => text.includes("not that of SoftEther's own client")));
  });

  test(`${name}: likely by the rhythm of the polls`, () => {
    const [session] = sessionsOf((steps) => withPolls(withRecords(changes)(steps)), 3);
    assert.equal(session?.verdict, 'likely');
  });

  test(`${name}: the log-in alone is nothing`, () => {
    assert.deepEqual(sessionsOf(withRecords(changes), 3), []);
  });
}

test('the server’s keep-alives do where the client has none of its own', () => {
  const edit: Edit = (steps) => withServerKeepAlives(withRecords({ 'log-in': [1_100] })(steps));
  const [session] = sessionsOf(edit, 3);
  assert.equal(session?.verdict, 'suspected');
  assert.ok(session.evidence.some(({ feature }) => feature === 'server-keep-alive'));
});

test('a log-in in two records is no official client’s', () => {
  assert.deepEqual(sessionsOf(withRecords({ 'log-in': [2_500, 500] }), 60), []);
});

test('the official client stays what it is', () => {
  const [session] = sessionsOf((steps) => steps, 60);
  assert.equal(session?.verdict, 'confirmed');
  assert.equal('product' in session.software.client, false);
});
