import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NonceChain } from '#sealert/detect/nonce-chain.js';
import { Random } from '../support/random.js';
import { AccelerationSender, type AccelerationVariant, BulkSender, join } from '../support/rudp.js';

const VARIANTS: AccelerationVariant[] = ['v1', 'v2-4.x', 'v2-5.x'];
const STEP_US = 700_000;

/// Gives the datagrams of one direction to a new chain, each inside other bytes.
function follow(datagrams: readonly Uint8Array[], captured = Number.POSITIVE_INFINITY): NonceChain {
  const chain = new NonceChain();
  datagrams.forEach((datagram, i) => {
    const bytes = join(new Uint8Array(7).fill(0xaa), datagram, new Uint8Array(50).fill(0xaa));
    chain.datagram(true, bytes, 7, Math.min(captured, datagram.length), datagram.length, i * STEP_US, i + 1);
  });
  return chain;
}

function sent(variant: AccelerationVariant, count: number, seed: number): Uint8Array[] {
  const random = new Random(seed);
  const sender = new AccelerationSender(variant, random);
  return Array.from({ length: count }, () => sender.next(random.between(0, 3) === 0 ? 98 : 0));
}

for (const variant of VARIANTS) {
  test(`${variant}: each datagram but the first has its link`, () => {
    const chain = follow(sent(variant, 40, 1));
    const reading = chain.reading(true);
    assert.equal(chain.state, 'chained');
    assert.equal(reading.variant, variant);
    assert.deepEqual([reading.links, reading.pairs], [39, 39]);
    assert.deepEqual(reading.frames, [2, 3, 4, 5]);
    assert.equal(chain.reading(false).variant, null);
  });

  test(`${variant}: found under loss, repetition and reordering`, () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = new Random(seed);
        const datagrams: Uint8Array[] = [];
        for (const datagram of sent(variant, 60, seed)) {
          if (random.between(0, 9) === 0) continue;
          datagrams.push(datagram);
          if (random.between(0, 4) === 0) datagrams.push(datagram);
        }
        for (let i = 0; i + 1 < datagrams.length; i++) {
          if (random.between(0, 3) > 0) continue;
          [datagrams[i], datagrams[i + 1]] = [datagrams[i + 1]!, datagrams[i]!];
        }
        const reading = follow(datagrams).reading(true);
        assert.equal(reading.variant, variant);
        assert.ok(reading.links <= reading.pairs);
      }),
      { numRuns: 200 },
    );
  });
}

test('a datagram that was overtaken breaks no link', () => {
  const datagrams = sent('v2-5.x', 10, 3);
  [datagrams[4], datagrams[5]] = [datagrams[5]!, datagrams[4]!];
  const { links, pairs } = follow(datagrams).reading(true);
  assert.deepEqual([links, pairs], [9, 9]);
});

test('a lost datagram breaks one link', () => {
  const { links, pairs } = follow(sent('v1', 10, 3).toSpliced(4, 1)).reading(true);
  assert.deepEqual([links, pairs], [7, 8]);
});

test('cut by the snap length, the chain of 5.x is still seen', () => {
  assert.equal(follow(sent('v2-5.x', 10, 4), 24).reading(true).variant, 'v2-5.x');
  assert.equal(follow(sent('v2-4.x', 10, 4), 24).state, 'hopeless');
});

test('no chain in ordinary payloads, and let go after few datagrams', () => {
  const random = new Random(5);
  const counter = (i: number, length: number) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(8, i);
    return bytes;
  };
  const text = Array.from({ length: 600 }, (_, i) => `line ${i * 37} of it\n`).join('');
  const noise = random.bytes(4_000);
  const kinds: Record<string, (i: number) => Uint8Array> = {
    random: () => random.bytes(random.between(51, 1_400)),
    // Transport data of WireGuard: type 4, receiver, counter, ciphertext.
    wireguard: (i) => join(Uint8Array.of(4, 0, 0, 0, 9, 8, 7, 6), counter(i, 12).slice(8), random.bytes(92)),
    counter: (i) => counter(i, 80),
    constant: () => new Uint8Array(90).fill(0x5a),
    periodic: (i) => Uint8Array.from({ length: 96 }, (_, at) => (at + i * 12) % 12),
    zeros: (i) => new Uint8Array(60 + i),
    // A window that slides over text, or over random bytes, by 12: what follows moves along.
    'sliding text': (i) => new Uint8Array(Buffer.from(text.slice(i * 12, i * 12 + 96))),
    'sliding noise': (i) => noise.slice(i * 12, i * 12 + 96),
    repeated: (i) => noise.slice(0, 100 + (i % 2)),
    short: () => random.bytes(random.between(0, 20)),
  };
  for (const [name, make] of Object.entries(kinds)) {
    const chain = follow(Array.from({ length: 10 }, (_, i) => make(i)));
    assert.equal(chain.state, 'hopeless', name);
    assert.equal(chain.reading(true).variant, null, name);
  }
});

test('bulk packets of R-UDP of version 1 are no UDP acceleration', () => {
  const sender = new BulkSender('v1', new Random(6));
  assert.equal(follow(Array.from({ length: 12 }, () => sender.next(60))).state, 'hopeless');
});

test('plain mode: the header tells', () => {
  const random = new Random(7);
  const cookie = random.bytes(4);
  const chain = new NonceChain();
  const datagram = (i: number, data: number, tick = 5_000_000 + i * 700) => {
    const bytes = join(
      cookie,
      new Uint8Array(16),
      Uint8Array.of(data >> 8, data & 0xff, 0),
      random.bytes(data),
    );
    const view = new DataView(bytes.buffer);
    view.setBigUint64(4, BigInt(tick));
    return bytes;
  };
  for (let i = 0; i < 8; i++) {
    const bytes = datagram(i, i === 5 ? 98 : 0);
    chain.datagram(false, bytes, 0, bytes.length, bytes.length, i * STEP_US, i + 1);
  }
  const reading = chain.reading(false);
  assert.equal(chain.state, 'chained');
  assert.equal(reading.variant, 'plain');
  assert.deepEqual([reading.links, reading.pairs], [7, 7]);
  // Ticks that do not follow the time are no ticks.
  assert.equal(
    follow(Array.from({ length: 10 }, (_, i) => datagram(i, 0, 1 + i * 9_000_000))).state,
    'hopeless',
  );
});

test('whatever comes, it neither throws nor chains', () => {
  const payload = fc.uint8Array({ maxLength: 200 });
  const datagram = fc.record({ fromA: fc.boolean(), payload, missing: fc.nat(80), more: fc.nat(400) });
  fc.assert(
    fc.property(fc.array(datagram, { maxLength: 80 }), (datagrams) => {
      const chain = new NonceChain();
      datagrams.forEach(({ fromA, payload, missing, more }, i) => {
        const captured = Math.max(0, payload.length - missing);
        chain.datagram(fromA, payload, 0, captured, captured + more, i, i);
      });
      assert.notEqual(chain.state, 'chained');
    }),
    { numRuns: 500 },
  );
});

test('after a reset nothing is left', () => {
  const chain = follow(sent('v2-4.x', 10, 8));
  chain.reset();
  assert.equal(chain.state, 'undecided');
  assert.deepEqual([chain.reading(true).links, chain.reading(true).pairs], [0, 0]);
});
