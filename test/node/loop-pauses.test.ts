import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopPauses } from '#sealert/node/loop-pauses.js';

test('what waits for the event loop is heard between calls that do not return for long', async () => {
  const pauses = new LoopPauses();
  await pauses.ifDue();
  let heard = false;
  setImmediate(() => {
    heard = true;
  });
  const begunNs = process.hrtime.bigint();
  while (process.hrtime.bigint() - begunNs < 20_000_000n);
  await pauses.ifDue();
  assert.equal(heard, true);
});
