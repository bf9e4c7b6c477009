import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session, Verdict } from '#sealert/detect/findings.js';
import { LiveSessions, type SessionChange } from '#sealert/detect/live-sessions.js';
import type { Candidate } from '#sealert/detect/sessions.js';
import { softetherTls } from '#sealert/profiles/softether-tls.js';

const SECOND_US = 1_000_000;

function session(id: string, verdict: Verdict, features: readonly string[] = []): Session {
  const end = { ip: '10.1.0.10', port: 50_001 };
  return {
    id,
    verdict,
    carrier: 'tcp',
    software: { product: 'x', client: { generation: null }, server: { generation: null } },
    client: end,
    server: end,
    start: '2026-11-23T01:00:00.000000Z',
    end: '2026-11-23T01:00:00.000000Z',
    startCaptured: true,
    connections: [],
    evidence: features.map((feature) => ({ feature, detail: '', frames: [], strength: 'strong' })),
    against: [],
    caveats: [],
  };
}

let packets = 0;

/// What may be this session, with packets that were not there before.
function candidate(judged: Session | null, more: Partial<Candidate> = {}): Candidate {
  return {
    flows: ['flow'],
    lastUs: 0,
    packets: ++packets,
    ended: false,
    settledUs: 0,
    judge: () => (judged === null ? null : { session: judged, facts: null }),
    ...more,
  };
}

function watched() {
  const told: SessionChange[] = [];
  const sessions = new LiveSessions(softetherTls, (change) => told.push(change));
  const texts = () => told.splice(0).map(({ kind, session: { id, verdict } }) => `${kind} ${id} ${verdict}`);
  return { sessions, told, texts };
}

test('a verdict is told when it is reached and when it rises, more evidence as an update', () => {
  const { sessions, texts } = watched();
  sessions.compare([candidate(null)], 1);
  sessions.compare([candidate(session('a', 'suspected'))], 2);
  sessions.compare([candidate(session('a', 'suspected'))], 3);
  sessions.compare([candidate(session('a', 'likely', ['one']))], 4);
  sessions.compare([candidate(session('a', 'likely', ['one', 'two']))], 5);
  assert.deepEqual(texts(), ['reached a suspected', 'reached a likely', 'update a likely']);
});

test('nothing is judged before it is settled, nor again without new packets', () => {
  const { sessions, texts } = watched();
  const early = candidate(session('a', 'likely'), { settledUs: 10 });
  sessions.compare([early], 9);
  assert.deepEqual(texts(), []);
  sessions.compare([early], 10);
  assert.deepEqual(texts(), ['reached a likely']);
  const unchanged = { ...early, judge: () => assert.fail('judged again') };
  sessions.compare([unchanged], 11);
});

test('a verdict is never taken back: the last word says that it was kept', () => {
  const { sessions, told, texts } = watched();
  sessions.compare([candidate(session('a', 'likely'))], 1);
  sessions.compare([candidate(session('a', 'suspected'))], 2);
  assert.deepEqual(texts(), ['reached a likely']);
  sessions.compare([candidate(session('a', 'suspected'), { ended: true })], 200 * SECOND_US);
  assert.match(told[0]!.session.caveats.join(), /all of it taken together shows less/);
  assert.deepEqual(texts(), ['ended a likely']);
});

test('a session keeps the id that was told, though its first connection turns out to be another', () => {
  const { sessions, texts } = watched();
  sessions.compare([candidate(session('a', 'likely'), { flows: ['second'] })], 1);
  const both = candidate(session('b', 'confirmed'), { flows: ['first', 'second'] });
  sessions.compare([both], 2);
  sessions.compare([{ ...both, ended: true }], Number.POSITIVE_INFINITY);
  assert.deepEqual(texts(), ['reached a likely', 'reached a confirmed', 'ended a confirmed']);
});

test('a session that is no candidate any more ends as it was told', () => {
  const { sessions, texts } = watched();
  sessions.compare([candidate(session('a', 'likely'))], 1);
  sessions.compare([], 30 * SECOND_US);
  assert.deepEqual(texts(), ['reached a likely']);
  sessions.compare([], 61 * SECOND_US);
  sessions.compare([], 62 * SECOND_US);
  assert.deepEqual(texts(), ['ended a likely']);
});

test('a session is over when it can get no further connection, and then forgotten', () => {
  const { sessions, texts } = watched();
  const running = candidate(session('a', 'likely'));
  assert.deepEqual(sessions.compare([running], 1000 * SECOND_US), []);
  const ended = { ...running, ended: true, lastUs: 1000 * SECOND_US };
  assert.deepEqual(sessions.compare([ended], 1090 * SECOND_US), []);
  assert.deepEqual(sessions.compare([ended], 1091 * SECOND_US), [ended]);
  assert.deepEqual(texts(), ['reached a likely', 'ended a likely']);
  assert.deepEqual(
    sessions.takeFinished().map(({ session: { id } }) => id),
    ['a'],
  );
  assert.deepEqual(sessions.takeFinished(), []);
});

test('what shows only at its end is reached and ended at once', () => {
  const { sessions, texts } = watched();
  sessions.compare([candidate(session('a', 'suspected'), { ended: true })], Number.POSITIVE_INFINITY);
  assert.deepEqual(texts(), ['reached a suspected', 'ended a suspected']);
});
