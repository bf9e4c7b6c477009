import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkPool } from '#sealert/node/buffer-pool.js';

test('what is read is copied to the begin of a cache line', () => {
  const chunk = chunkPool.take();
  assert.equal(chunk.data.byteOffset % 64, 0);
  chunkPool.give(chunk);
});
