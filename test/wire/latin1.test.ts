import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latin1 } from '#sealert/wire/latin1.js';

test('a character for each byte, however many there are', () => {
  // More than a function takes as arguments.
  const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => i);
  assert.equal(latin1(bytes), Buffer.from(bytes).toString('latin1'));
  assert.equal(latin1(bytes, 250, 20_000), Buffer.from(bytes.subarray(250, 20_000)).toString('latin1'));
  assert.equal(latin1(bytes, 7, 7), '');
});
