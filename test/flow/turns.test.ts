import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Turn, TurnTracker } from '#sealert/flow/turns.js';
import fc from '../support/property.js';

test('turns are the maximal runs of one direction', () => {
  const anyPayload = fc.record({ fromClient: fc.boolean(), bytes: fc.integer({ min: 1, max: 3000 }) });
  fc.assert(
    fc.property(fc.array(anyPayload, { minLength: 1, maxLength: 40 }), (payloads) => {
      const tracker = new TurnTracker();
      const turns: Turn[] = [];
      payloads.forEach(({ fromClient, bytes }, i) => {
        const begins = i === 0 || payloads[i - 1]!.fromClient !== fromClient;
        const timeUs = 10 * i;
        const before = begins ? { fromClient, bytes: 0, startUs: timeUs, frame: i } : turns.pop()!;
        turns.push({ ...before, bytes: before.bytes + bytes, endUs: timeUs });
        tracker.payload(fromClient, bytes, timeUs, i);
        assert.equal(tracker.count, turns.length);
        assert.deepEqual({ ...tracker.current }, turns.at(-1));
      });
    }),
  );
});

test('after a reset a turn begins, whoever spoke last', () => {
  const tracker = new TurnTracker();
  tracker.payload(true, 100, 5, 1);
  tracker.reset();
  assert.equal(tracker.count, 0);
  tracker.payload(true, 7, 9, 2);
  assert.deepEqual({ ...tracker.current }, { fromClient: true, bytes: 7, startUs: 9, endUs: 9, frame: 2 });
  assert.equal(tracker.count, 1);
});
