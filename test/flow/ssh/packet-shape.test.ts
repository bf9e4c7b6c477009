import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  channelWireBytes,
  leastOverhead,
  mostOverhead,
  sshPacketShape,
  USUAL_SHAPES,
  wireBytes,
} from '#sealert/flow/ssh/packet-shape.js';

/// Bytes on the wire of 314 bytes of data and of a channel confirmation (17
/// bytes of payload), recorded with OpenSSH 9.2 (facts, hard cases A2).
const RECORDED: [cipher: string, mac: string, data314: number, confirmation: number, clear: boolean][] = [
  ['chacha20-poly1305@openssh.com', 'hmac-sha2-256', 348, 44, false],
  ['aes256-gcm@openssh.com', 'hmac-sha2-256', 356, 52, true],
  ['aes128-ctr', 'umac-128-etm@openssh.com', 356, 52, true],
  ['aes256-ctr', 'hmac-sha2-256-etm@openssh.com', 372, 68, true],
  ['aes256-ctr', 'hmac-sha2-256', 368, 64, false],
  ['aes128-cbc', 'hmac-sha1', 356, 52, false],
];

test('packets are as long as recorded', () => {
  for (const [cipher, mac, data, confirmation, clear] of RECORDED) {
    const shape = sshPacketShape(cipher, mac);
    assert(shape !== null, cipher);
    assert.equal(channelWireBytes(shape, 314), data, `${cipher} ${mac}`);
    assert.equal(wireBytes(shape, 17), confirmation, `${cipher} ${mac}`);
    assert.equal(shape.lengthInClear, clear, `${cipher} ${mac}`);
  }
});

test('the MAC does not matter to ciphers that authenticate', () => {
  assert.deepEqual(sshPacketShape('aes128-gcm@openssh.com', ''), sshPacketShape('AEAD_AES_128_GCM', 'none'));
  assert.deepEqual(
    sshPacketShape('chacha20-poly1305@openssh.com', 'hmac-sha1-etm@openssh.com'),
    sshPacketShape('chacha20-poly1305', ''),
  );
});

test('unknown names have no shape', () => {
  for (const [cipher, mac] of [
    ['', ''],
    ['aes256-ctr', ''],
    ['aes256-ctr', 'constructor'],
    ['toString', 'hmac-sha1'],
    ['rot13', 'hmac-sha1'],
  ] as const) {
    assert.equal(sshPacketShape(cipher, mac), null, `${cipher} ${mac}`);
  }
});

test('what a packet adds lies between the bounds, and both are reached', () => {
  for (const shape of USUAL_SHAPES) {
    const added = Array.from({ length: 64 }, (_, data) => channelWireBytes(shape, data) - data);
    assert.equal(Math.min(...added), leastOverhead(shape));
    assert.equal(Math.max(...added), mostOverhead(shape));
  }
});

test('several packets add as much as their number allows', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...USUAL_SHAPES),
      fc.array(fc.integer({ min: 1, max: 32_768 }), { minLength: 1, maxLength: 6 }),
      (shape, parts) => {
        const wire = parts.reduce((sum, part) => sum + channelWireBytes(shape, part), 0);
        const data = parts.reduce((sum, part) => sum + part, 0);
        assert(wire - parts.length * mostOverhead(shape) <= data);
        assert(wire - parts.length * leastOverhead(shape) >= data);
      },
    ),
  );
});
