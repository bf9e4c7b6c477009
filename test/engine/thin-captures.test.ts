/// Captures that were cut short, lost packets or hold one direction only: the
/// volumes of the turns have to do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '#sealert/detect/findings.js';
import { softetherTurns } from '#sealert/profiles/softether-turns.js';
import { analyse } from '../support/analyse.js';
import { pcap, type TestFrame } from '../support/capture-builder.js';
import { playScript, type Step, softetherDialogue } from '../support/dialogue.js';
import fc from '../support/property.js';
import { cutAt, onlyFrom, withoutSegments } from '../support/thin.js';

const sessionsOf = (frames: readonly TestFrame[]) => analyse(pcap(frames)).sessions;

function only(frames: readonly TestFrame[]): Session {
  const [session, ...more] = sessionsOf(frames);
  assert.ok(session !== undefined);
  assert.deepEqual(more, []);
  return session;
}

const features = ({ evidence }: Session) => evidence.map(({ feature }) => feature);

// Up to 58 bytes not a single header of a record shows.
for (const bytes of [54, 55, 58]) {
  for (const tls12 of [false, true]) {
    test(`packets cut at ${bytes} bytes, TLS 1.${tls12 ? 2 : 3}: likely by the turns, and said so`, () => {
      const session = only(cutAt(bytes, softetherDialogue({ additional: 2, tls12 })));
      assert.equal(session.verdict, 'likely');
      assert.equal(session.connections.length, 3);
      assert.ok(features(session).includes('start-turns'));
      assert.ok(session.caveats.some((text) => text.includes(`cut at ${bytes} bytes`)));
      assert.ok(session.caveats.some((text) => text.includes('Headers of TLS records')));
    });
  }
}

for (const bytes of [60, 64, 68, 96, 128, 256]) {
  test(`packets cut at ${bytes} bytes: records and turns find the session together`, () => {
    for (const tls12 of [false, true]) {
      const session = only(cutAt(bytes, softetherDialogue({ additional: 2, tls12 })));
      assert.notEqual(session.verdict, 'suspected');
      assert.equal(session.connections.length, 3);
    }
  });
}

test('one connection with keep-alives is suspected only', () => {
  const session = only(cutAt(58, softetherDialogue({ additional: 0, seconds: 40 })));
  assert.equal(session.verdict, 'suspected');
  assert.ok(features(session).includes('keep-alive'));
});

test('the turns and small first records, as of a web application, are nothing', () => {
  assert.deepEqual(sessionsOf(cutAt(58, softetherDialogue({ additional: 0, seconds: 3 }))), []);
});

test('the turns alone, with nothing that follows, are nothing', () => {
  const edit = (steps: Step[]) => steps.slice(0, steps.findIndex(({ name }) => name === 'welcome') + 1);
  assert.deepEqual(sessionsOf(cutAt(60, softetherDialogue({ additional: 0, edit }))), []);
});

for (const side of ['client', 'server'] as const) {
  for (const bytes of [60, 1500]) {
    test(`only packets from the ${side}, ${bytes} bytes of each: the acknowledgements tell the rest`, () => {
      const frames = onlyFrom(side, cutAt(bytes, softetherDialogue({ additional: 1 })));
      const session = only(frames);
      assert.equal(session.verdict, 'likely');
      assert.equal(session.connections.length, 2);
      assert.ok(session.caveats.some((text) => text.includes(`Only packets from the ${side}`)));
    });
  }
}

test('the other side’s bytes are counted although none was captured', () => {
  const whole = only(softetherDialogue({ seconds: 5 }));
  const half = only(onlyFrom('client', softetherDialogue({ seconds: 5 })));
  const bytes = ({ connections }: Session) =>
    connections.map(({ bytesFromClient, bytesFromServer }) => [bytesFromClient, bytesFromServer]);
  // The FIN, which nobody saw, counts for one.
  assert.deepEqual(
    bytes(half),
    bytes(whole).map(([client, server]) => [client, server! + 1]),
  );
});

test('lost segments of the log-in do not hide the session', () => {
  const frames = softetherDialogue({ additional: 1 });
  // Of the client: hello, Finished, probe, signature, log-in in 1 to 4 segments each.
  for (const lost of [3, 4, 5, 6]) {
    const session = only(withoutSegments('client', [lost], frames));
    assert.notEqual(session.verdict, 'suspected');
  }
  // The ClientHello itself: the server's first packet tells how long it was.
  const session = only(withoutSegments('client', [0], frames));
  assert.equal(session.connections.length, 2);
});

test('through a proxy: its conversation may be cut too', () => {
  const connect = new TextEncoder().encode(
    'CONNECT 203.0.113.10:443 HTTP/1.0\r\nUser-Agent: Mozilla/4.0\r\n\r\n',
  );
  const consent = new TextEncoder().encode('HTTP/1.1 200 Connection established\r\n\r\n');
  const preamble = [
    [true, connect],
    [false, consent],
  ] as const;
  for (const bytes of [58, 68, 96, 110]) {
    const session = only(cutAt(bytes, softetherDialogue({ preamble })));
    assert.equal(session.carrier, 'http-proxy');
    assert.equal(session.verdict, 'likely');
    assert.equal('target' in session, false);
  }
});

test('tickets that cross the signature do not break its turn', () => {
  const edit = (steps: Step[]) =>
    steps.flatMap((step): Step[] =>
      step.name === 'signature'
        ? [
            { ...step, records: [1_000] },
            { ...step, name: 'tickets', fromClient: false, afterUs: 20, records: [57, 57] },
            { ...step, name: 'rest', afterUs: 20, records: [900] },
          ]
        : step.name === 'tickets'
          ? []
          : [step],
    );
  const session = only(cutAt(60, softetherDialogue({ probe: false, edit })));
  assert.ok(features(session).includes('start-turns'));
});

test('no session: requests and answers of which only the volumes are known', () => {
  const anyExchange = fc.record({
    request: fc.integer({ min: 20, max: 6_000 }),
    answer: fc.array(fc.integer({ min: 20, max: 6_000 }), { minLength: 1, maxLength: 2 }),
  });
  fc.assert(
    fc.property(fc.array(anyExchange, { minLength: 3, maxLength: 8 }), (exchanges) => {
      const steps = exchanges.flatMap(({ request, answer }): Step[] => [
        { name: 'request', fromClient: true, afterUs: 1_000_000, records: [request] },
        { name: 'answer', fromClient: false, afterUs: 20_000, records: answer },
      ]);
      const sessions = sessionsOf(cutAt(60, playScript(steps)));
      assert.ok(sessions.every(({ verdict }) => verdict === 'suspected'));
    }),
    { numRuns: 100 },
  );
});

test('no verdict by turns rests on the windows of the log-in alone', () => {
  const { suspected, likely, confirmed } = softetherTurns.verdict;
  for (const { all, count } of [...suspected, ...likely]) assert.ok(all.length + count >= 2);
  assert.deepEqual(
    confirmed.flatMap(({ all }) => all),
    ['nonce-chain'],
  );
});
