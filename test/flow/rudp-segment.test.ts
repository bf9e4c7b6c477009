import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rudpKeys } from '#sealert/flow/rudp/keys.js';
import { Rc4 } from '#sealert/flow/rudp/rc4.js';
import { SegmentReader } from '#sealert/flow/rudp/segment.js';
import { Random } from '../support/random.js';
import { hex, RudpSession } from '../support/rudp.js';

// RFC 6229 section 2: key, then the key stream by offset.
const RFC_6229: [key: string, stream: Record<number, string>][] = [
  [
    '0102030405',
    {
      0: 'b2396305f03dc027ccc3524a0a1118a8',
      16: '6982944f18fc82d589c403a47a0d0919',
      240: '28cb1132c96ce286421dcaadb8b69eae',
      4096: 'ff25b58995996707e51fbdf08b34d875',
    },
  ],
  [
    '0102030405060708090a0b0c0d0e0f10',
    {
      0: '9ac7cc9a609d1ef7b2932899cde41b97',
      16: '5248c4959014126a6e8a84f11d1a9e1c',
      240: '065902e4b620f6cc36c8589f66432f2b',
    },
  ],
  [
    '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
    {
      0: 'eaa6bd25880bf93d3f5d1e4ca2611d91',
      16: 'cfa45c9f7e714b54bdfa80027cb14380',
    },
  ],
];

test('RC4 gives the key streams of RFC 6229', () => {
  for (const [key, stream] of RFC_6229) {
    const rc4 = new Rc4();
    const out = new Uint8Array(4_112);
    rc4.setKey(hex(key));
    rc4.apply(new Uint8Array(out.length), 0, out.length, out);
    for (const [at, bytes] of Object.entries(stream)) {
      assert.deepEqual(out.slice(Number(at), Number(at) + 16), hex(bytes), `${key} at ${at}`);
    }
  }
});

// Recorded with 5.01.9674 (R-UDP found by NAT traversal): the opening, and the client's
// second segment, with which its stream begins.
const OPENING = '0490f6f517e5eaa404071da08391bd4a5e0de71bbd8c518f1aaec25771ac24f5f585ea488687a8';
const SECOND =
  'f88696da6d3d8708ee42e126df414bab730a074b3b1bde5c2b3f9d4e9b8515e1d28a15fa8656aada537b7d019bf38325bc24' +
  'ded2d9cb90109af75d6ecb7dc1d1aa0df204dea386071d97bd4d5fe659e2a5e7b11f854f613bce37f1b3374c701bf552c085' +
  '635be13ad6c98d55';

test('a recorded segment is read with the keys of its opening', () => {
  const reader = new SegmentReader();
  const segment = hex(SECOND);
  const keys = rudpKeys(hex(OPENING).slice(0, 20));
  assert.ok(reader.read(keys, true, false, segment, 0, segment.length));
  assert.deepEqual([reader.kind, reader.sequence, reader.maxAck], ['data', 2, 1]);
  const data = reader.plain.slice(reader.dataAt, reader.dataAt + reader.dataLen);
  assert.deepEqual(data, hex('ffffffffd4ceeb11'));
});

test('the keys follow from the opening, and a segment is read with them', () => {
  const random = new Random(1);
  const session = new RudpSession(random);
  const keys = rudpKeys(session.initial);
  assert.deepEqual(keys.client, session.keys.client);
  assert.deepEqual(keys.server, session.keys.server);
  assert.deepEqual(keys.keepAliveRequest, session.keepAlive('Request'));

  const reader = new SegmentReader();
  const data = random.bytes(512);
  const segment = session.segment('client', { sequence: 7, data, maxAck: 5, acks: [3, 4, 5] });
  assert.ok(reader.read(keys, true, false, segment, 0, segment.length));
  assert.equal(reader.kind, 'data');
  assert.deepEqual([reader.sequence, reader.maxAck], [7, 5]);
  assert.deepEqual(reader.plain.slice(reader.dataAt, reader.dataAt + reader.dataLen), data);
  assert.ok(!reader.read(keys, false, false, segment, 0, segment.length), 'the other side has another key');
  assert.ok(!reader.read(keys, true, true, segment, 0, segment.length), 'not masked');
  assert.ok(!reader.read(keys, true, false, segment, 0, segment.length - 1), 'cut');
});

test('what a segment is for', () => {
  const session = new RudpSession(new Random(2), true);
  const keys = rudpKeys(session.initial);
  const reader = new SegmentReader();
  const kinds = [
    { sequence: 3 },
    { sequence: 3, data: session.keepAlive('Request') },
    { sequence: 3, data: session.keepAlive('Response') },
    { sequence: 'disconnect' as const },
  ].map((fields) => {
    const segment = session.segment('server', fields);
    assert.ok(reader.read(keys, false, true, segment, 0, segment.length));
    return reader.kind;
  });
  assert.deepEqual(kinds, ['ack', 'keep-alive request', 'keep-alive response', 'disconnect']);
});

test('a byte changed anywhere, and the signature is wrong', () => {
  const session = new RudpSession(new Random(3));
  const keys = rudpKeys(session.initial);
  const reader = new SegmentReader();
  const segment = session.segment('client', { sequence: 1, data: Uint8Array.of(1, 2, 3) });
  fc.assert(
    fc.property(fc.nat(segment.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = segment.slice();
      changed[at]! ^= flip;
      assert.ok(!reader.read(keys, true, false, changed, 0, changed.length));
    }),
  );
});
