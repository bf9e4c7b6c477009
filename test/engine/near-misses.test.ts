import assert from 'node:assert/strict';
import { test } from 'node:test';
import { softetherTls } from '#sealert/profiles/softether-tls.js';
import { analyse } from '../support/analyse.js';
import { pcap } from '../support/capture-builder.js';
import {
  ENDS,
  playScript,
  type SoftetherOptions,
  type Step,
  softetherDialogue,
} from '../support/dialogue.js';
import fc from '../support/property.js';
import { applicationData } from '../support/tls.js';

type Edit = (steps: Step[]) => Step[];

/// How many sessions the changed connection is part of, alone or beside another
/// that attached to its session. (That one is a session without it, too.)
function sessions(edit: Edit, seed: number, tls12 = false): number {
  const count = (additional: number) =>
    analyse(pcap(softetherDialogue({ seed, edit, tls12, additional }))).sessions.filter(({ connections }) =>
      connections.some(({ client }) => client.port === ENDS.clientPort),
    ).length;
  const alone = count(0);
  assert.equal(count(1), alone);
  return alone;
}

/// Replaces the records of one message.
const withRecords =
  (name: string, ...records: number[]): Edit =>
  (steps) =>
    steps.map((step) => (step.name === name ? { ...step, records } : step));

const { script } = softetherTls;
const WINDOWS = {
  probe: script.probe,
  'probe answer': script.probeAnswer,
  signature: script.signature,
  hello: script.hello,
  'log-in': script.login,
  welcome: script.welcome,
};

for (const [name, { min, max }] of Object.entries(WINDOWS)) {
  test(`${name}: ${min} and ${max} bytes are within its window, one byte beyond is not`, () => {
    for (const tls12 of [false, true]) {
      assert.equal(sessions(withRecords(name, min), 1, tls12), 1);
      assert.equal(sessions(withRecords(name, max), 2, tls12), 1);
      assert.equal(sessions(withRecords(name, min - 1), 3, tls12), 0);
      assert.equal(sessions(withRecords(name, max + 1), 4, tls12), 0);
    }
  });
}

const without =
  (...names: string[]): Edit =>
  (steps) =>
    steps.filter(({ name }) => !names.includes(name));

const before =
  (name: string, ...more: Step[]): Edit =>
  (steps) =>
    steps.flatMap((step) => (step.name === name ? [...more, step] : [step]));

const small = (fromClient: boolean): Step => ({ name: 'other', fromClient, afterUs: 1000, records: [100] });

/// Plaintext of the longest record that may be a ticket: TLS 1.3 adds 17 bytes.
const LONGEST_TICKET = script.maxTicketBytes.value - 17;

const NEAR_MISSES: [name: string, edit: Edit][] = [
  ['the signature in two records', withRecords('signature', 1600, 900)],
  ['the hello in two records', withRecords('hello', 400, 200)],
  ['the log-in in two records', withRecords('log-in', 2500, 500)],
  ['the welcome in two records that are too small', withRecords('welcome', 1400, 1400)],
  ['no signature', without('signature')],
  ['no hello', without('hello')],
  ['no log-in', without('log-in')],
  ['no welcome', without('welcome')],
  [
    'nothing after the log-in',
    (steps) =>
      steps.slice(
        0,
        steps.findIndex(({ name }) => name === 'welcome'),
      ),
  ],
  ['a probe without an answer', without('probe answer')],
  ['an answer without a probe', without('probe')],
  ['a further message of the client before the signature', before('signature', small(true))],
  ['a further exchange before the log-in', before('log-in', small(true), small(false))],
  ['five tickets', withRecords('tickets', 57, 57, 57, 57, 57)],
  ['an answer that is too long for a ticket', withRecords('tickets', LONGEST_TICKET + 1)],
  [
    'a welcome after half a minute',
    (steps) => steps.map((step) => (step.name === 'welcome' ? { ...step, afterUs: 30_000_000 } : step)),
  ],
  ...['signature', 'hello', 'log-in', 'welcome'].map((name): [string, Edit] => [
    `the ${name} from the other side`,
    (steps) => steps.map((step) => (step.name === name ? { ...step, fromClient: !step.fromClient } : step)),
  ]),
  [
    'the parts exchanged between the sides',
    (steps) => steps.map((step) => ({ ...step, fromClient: !step.fromClient })),
  ],
];

for (const [name, edit] of NEAR_MISSES) {
  test(`no session: ${name}`, () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (seed) => {
        assert.equal(sessions(edit, seed), 0);
      }),
      { numRuns: 10 },
    );
  });
}

test('the edits above leave a session alone if they change nothing', () => {
  assert.equal(
    sessions((steps) => steps, 1),
    1,
  );
  assert.equal(sessions(withRecords('tickets', 57), 1), 1);
  assert.equal(sessions(withRecords('tickets', 57, 57, 57, 57), 1), 1);
  assert.equal(sessions(withRecords('tickets', LONGEST_TICKET), 1), 1);
});

test('no session: ordinary requests and answers', () => {
  const anyExchange = fc.record({
    request: fc.integer({ min: 20, max: 1400 }),
    answer: fc.array(fc.integer({ min: 20, max: 16_000 }), { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(anyExchange, { minLength: 1, maxLength: 8 }), (exchanges) => {
      const steps = exchanges.flatMap(({ request, answer }): Step[] => [
        { name: 'request', fromClient: true, afterUs: 100_000, records: [request] },
        { name: 'answer', fromClient: false, afterUs: 20_000, records: answer },
      ]);
      assert.deepEqual(analyse(pcap(playScript(steps))).sessions, []);
    }),
    { numRuns: 50 },
  );
});

test('bodies of the bytes that a test writes can begin no record', () => {
  assert.ok(!applicationData(40).subarray(5).includes(23));
});

const PROXY = [
  [true, new TextEncoder().encode('CONNECT vpn.example.net:443 HTTP/1.1\r\n\r\n')],
  [false, new TextEncoder().encode('HTTP/1.1 200 Connection established\r\n\r\n')],
] as const;

test('a client that offers HTTP/2 is none of SoftEther, whatever its records', () => {
  const WAYS: [name: string, options: SoftetherOptions][] = [
    ['TLS 1.3', {}],
    ['TLS 1.2', { tls12: true }],
    ['behind a proxy', { preamble: PROXY, probe: false }],
    ['a hello of several segments', { mss: 100 }],
    ['IPv6', { ends: { ...ENDS, client: '2001:db8::9', server: '2001:db8::1' } }],
  ];
  for (const [name, options] of WAYS) {
    const found = (alpn: string[], maskInstallation = false) =>
      analyse(pcap(softetherDialogue({ ...options, hello: { alpn } })), { maskInstallation }).sessions.length;
    assert.equal(found(['h2', 'http/1.1']), 0, name);
    assert.equal(found(['http/1.1']), 1, name);
    assert.equal(found(['h2', 'http/1.1'], true), 1, name);
  }
});
