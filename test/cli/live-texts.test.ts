import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLine, eventMessage, sessionVariables, statusText } from '#sealert/cli/live-texts.js';
import { session as sessionWith } from '../support/report.js';

const NOON = new Date('2026-11-23T12:00:00Z');

test('the log tells of holes in the capture, and of nothing else', () => {
  const line = (event: Parameters<typeof eventLine>[0]) => eventLine(event, NOON, 'UTC');
  assert.equal(line({ kind: 'began', source: 'eth0' }), undefined);
  assert.equal(
    line({ kind: 'broke', source: 'eth0', reason: 'there is no such device', had: false, again: true }),
    undefined,
  );
  assert.equal(
    line({ kind: 'broke', source: 'eth0', reason: 'ended \x1b[31m', had: true, again: true }),
    '[2026/11/23 12:00:00] Capture Interrupted (device eth0: ended \\x1b[31m)',
  );
  assert.equal(
    line({ kind: 'resumed', source: 'eth0' }),
    '[2026/11/23 12:00:00] Capture Resumed (device eth0)',
  );
  assert.equal(
    line({ kind: 'dropped', kernel: 1234, tool: 5 }),
    '[2026/11/23 12:00:00] Packets Dropped (1,234 by the system, 5 by the capture tool): sessions may be missed',
  );
});

test('the messages, and the status line', () => {
  assert.equal(eventMessage({ kind: 'began', source: 'eth0' }), 'Starting Capture Packets at [eth0].');
  assert.equal(
    eventMessage({ kind: 'broke', source: 'eth0', reason: 'it ended.', had: true, again: false }),
    'eth0: the capture ended early: it ended.',
  );
  const status = {
    time: NOON.toISOString(),
    packets: 12345,
    bytes: 0,
    bitsPerSecond: 3_240_000,
    flows: 1,
    dropped: { kernel: 2, tool: 3 },
    sessions: 2,
    capturing: ['eth0'],
    interruptions: 0,
    memoryBytes: 64_000_000,
  };
  assert.equal(statusText(status), '12,345 packets, 3.2 Mbit/s, 1 flow, 2 sessions, 5 dropped, 64 MB');
});

test('the variables of a session hold nothing that a terminal obeys', () => {
  const session = sessionWith({ target: { host: 'a\x00b\x1b[2J', port: 443 } });
  const facts = sessionVariables(session, 'UTC');
  assert.equal(facts.SEALERT_TARGET_HOST, 'a\\x00b\\x1b[2J');
  assert.equal(facts.SEALERT_ID, session.id);
  for (const value of Object.values(facts)) assert.doesNotMatch(value, /[\x00-\x1f]/);
});
