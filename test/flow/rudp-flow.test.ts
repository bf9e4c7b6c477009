import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryBudget } from '#sealert/flow/memory-budget.js';
import type { RudpCarrier } from '#sealert/flow/rudp/carriers.js';
import { RudpFlow } from '#sealert/flow/rudp/rudp-flow.js';
import { Random } from '../support/random.js';
import { ascii, BulkSender, hex, inDns, inIcmp, join, RudpSession } from '../support/rudp.js';

type Side = 'client' | 'server';
type Sent = [from: Side, packet: Uint8Array];

/// A flow, and what came out of it.
class Followed {
  readonly got = { client: [] as number[], server: [] as number[] };
  readonly missing = { client: 0, server: 0 };
  established = 0;
  closed = 0;
  readonly flow: RudpFlow;
  private frame = 0;

  constructor(
    readonly carrier: RudpCarrier,
    private readonly random: Random,
    budgetBytes = 1_000_000,
  ) {
    const consumer = (side: Side) => ({
      bytes: (bytes: Uint8Array, at: number, length: number) => {
        this.got[side].push(...bytes.subarray(at, at + length));
      },
      missing: (length: number) => {
        this.missing[side] += length;
      },
    });
    this.flow = new RudpFlow(carrier, new MemoryBudget(budgetBytes), {
      established: () => {
        this.established++;
        return { client: consumer('client'), server: consumer('server') };
      },
      closed: () => {
        this.closed++;
      },
    });
  }

  /// The client is the flow's B end: nothing may depend on that.
  send([from, packet]: Sent): void {
    const { random, carrier } = this;
    const carried =
      carrier === 'dns'
        ? inDns(packet, from === 'server', random)
        : carrier === 'icmp'
          ? inIcmp(packet, from === 'server' ? 16 : 15)
          : packet;
    const bytes = join(new Uint8Array(3), carried);
    this.flow.datagram(from === 'server', bytes, 3, carried.length, carried.length, this.frame, ++this.frame);
  }
}

/// A session in which both sides say something, in the order in which it was sent.
function conversation(session: RudpSession, random: Random) {
  const said = { client: random.bytes(5_000), server: random.bytes(3_000) };
  const sent: Sent[] = [];
  const next = { client: 1, server: 1 };
  const say = (from: Side, data: Uint8Array) => {
    const other = from === 'client' ? 'server' : 'client';
    sent.push([from, session.segment(from, { sequence: next[from]++, data })]);
    sent.push([other, session.segment(other, { sequence: next[other], acks: [next[from] - 1] })]);
  };
  say('server', session.keepAlive('Request'));
  say('client', session.keepAlive('Response'));
  say('client', join(hex('ffffffff'), random.bytes(4)));
  for (const from of ['client', 'server'] as const) {
    for (let at = 0; at < said[from].length; at += 512) say(from, said[from].slice(at, at + 512));
  }
  return {
    said,
    sent,
    goodbye: (): Sent => ['client', session.segment('client', { sequence: 'disconnect' })],
  };
}

for (const carrier of ['udp', 'dns', 'icmp'] as const) {
  test(`${carrier}: opening, segments, streams in order`, () => {
    const random = new Random(1);
    const session = new RudpSession(random, carrier !== 'udp');
    const { said, sent, goodbye } = conversation(session, random);
    const followed = new Followed(carrier, random);
    for (let i = 0; i < 3; i++) followed.send(['client', session.opening()]);
    assert.equal(followed.flow.state, 'opening');
    for (const each of sent) followed.send(each);
    followed.send(goodbye());
    followed.flow.end();
    const { flow } = followed;
    assert.equal(flow.state, 'verified');
    assert.equal(flow.clientIsA, false);
    assert.deepEqual([flow.openingFrame, flow.closeSeen], [1, true]);
    assert.equal(flow.client.segments + flow.server.segments, sent.length + 1);
    assert.deepEqual(followed.got, { client: [...said.client], server: [...said.server] });
    assert.deepEqual([followed.established, followed.closed], [1, 1]);
  });
}

test('segments come late and twice: each byte comes once, in order', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = new Random(seed);
      const session = new RudpSession(random);
      const { said, sent } = conversation(session, random);
      const followed = new Followed('udp', random);
      followed.send(['client', session.opening()]);
      for (let i = 0; i < sent.length; i += 4) {
        const some = sent.slice(i, i + 4);
        for (const each of random.shuffled([...some, ...some.slice(0, random.between(0, 2))]))
          followed.send(each);
      }
      followed.flow.end();
      assert.deepEqual(followed.got, { client: [...said.client], server: [...said.server] });
      assert.deepEqual(followed.missing, { client: 0, server: 0 });
    }),
    { numRuns: 50 },
  );
});

test('a segment that was never captured is told as missing once the peer has it', () => {
  const random = new Random(2);
  const session = new RudpSession(random);
  const followed = new Followed('udp', random);
  const segment = (sequence: number) =>
    session.segment('server', { sequence, data: Uint8Array.of(sequence) });
  followed.send(['client', session.opening()]);
  for (const sequence of [1, 3, 4]) followed.send(['server', segment(sequence)]);
  assert.deepEqual(followed.got.server, [1]);
  followed.send(['client', session.segment('client', { sequence: 1, maxAck: 4 })]);
  assert.deepEqual(followed.got.server, [1, 3, 4]);
  assert.equal(followed.missing.server, 512);
  // The sender never goes more than its window of 64 ahead.
  followed.send(['server', segment(1_000_000)]);
  assert.deepEqual(followed.got.server, [1, 3, 4]);
  followed.flow.end();
  assert.deepEqual(followed.got.server, [1, 3, 4, 1_000_000 & 0xff]);
});

test('without room the streams go on with what is missing', () => {
  const random = new Random(3);
  const session = new RudpSession(random);
  const followed = new Followed('udp', random, 600);
  followed.send(['client', session.opening()]);
  for (const sequence of [2, 3, 4, 1]) {
    followed.send(['server', session.segment('server', { sequence, data: random.bytes(512) })]);
  }
  assert.deepEqual([followed.got.server.length, followed.missing.server], [1_024, 1_024]);
});

test('bulk packets after the log-in chain', () => {
  for (const variant of ['v1', 'v2'] as const) {
    const random = new Random(4);
    const session = new RudpSession(random);
    const { sent, goodbye } = conversation(session, random);
    const followed = new Followed('udp', random);
    followed.send(['client', session.opening()]);
    for (const each of sent) followed.send(each);
    const bulk = { client: new BulkSender(variant, random), server: new BulkSender(variant, random) };
    for (let i = 0; i < 30; i++) {
      const from = random.between(0, 1) ? 'client' : 'server';
      followed.send([from, bulk[from].next(random.between(42, 1_300))]);
      if (i === 15) followed.send(['server', session.segment('server', { sequence: 90 })]);
    }
    followed.send(goodbye());
    const { client, server } = followed.flow;
    assert.equal(client.bulkPackets + server.bulkPackets, 30);
    assert.equal(client.bulkLinks + server.bulkLinks, 28);
    assert.equal(followed.flow.closeSeen, true);
  }
});

test('goodbye before the opening: an attempt that was cancelled at once', () => {
  const random = new Random(5);
  const session = new RudpSession(random, true);
  const followed = new Followed('dns', random);
  followed.send(['client', session.segment('client', { sequence: 'disconnect' })]);
  followed.send(['client', session.opening()]);
  assert.deepEqual([followed.flow.state, followed.flow.closeSeen], ['verified', true]);
});

test('a second session on the same ends', () => {
  const random = new Random(6);
  const followed = new Followed('icmp', random);
  for (let i = 0; i < 2; i++) {
    const session = new RudpSession(random, true);
    followed.send(['client', session.opening()]);
    followed.send(['server', session.segment('server', { sequence: 1, data: ascii('hello') })]);
  }
  followed.flow.end();
  assert.deepEqual([followed.established, followed.closed], [2, 2]);
  assert.deepEqual(followed.got.server, [...ascii('hellohello')]);
});

test('without the opening the IVs chain, and so do bulk packets of version 1', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = new Random(seed);
      const { sent } = conversation(new RudpSession(random), random);
      const followed = new Followed('udp', random);
      for (const each of sent.slice(0, 12)) if (random.between(0, 9) > 0) followed.send(each);
      assert.equal(followed.flow.state, 'chained');
      const bulk = new BulkSender('v1', random);
      const later = new Followed('udp', random);
      for (let i = 0; i < 4; i++) later.send(['server', bulk.next(random.between(0, 1_300))]);
      assert.equal(later.flow.state, 'chained');
      // Version 2 looks like UDP acceleration, which never travels in DNS.
      const bulk2 = new BulkSender('v2', random);
      const inside = new Followed('dns', random);
      for (let i = 0; i < 4; i++) inside.send(['server', bulk2.next(random.between(0, 1_300))]);
      assert.equal(inside.flow.state, 'chained');
    }),
    { numRuns: 50 },
  );
});

test('ordinary flows are let go', () => {
  const random = new Random(7);
  const sip = (i: number) =>
    ascii(
      `INVITE sip:user${i}@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=${'x'.repeat(i)}`,
    );
  const kinds: Record<string, (i: number) => Uint8Array> = {
    noise: () => random.bytes(random.between(77, 1_400)),
    short: () => random.bytes(random.between(1, 60)),
    text: (i) => join(sip(i), sip(i)),
    'openings only': () => random.bytes(39),
    zeros: () => new Uint8Array(200),
  };
  for (const [name, make] of Object.entries(kinds)) {
    const followed = new Followed('udp', random);
    for (let i = 0; i < 40; i++) followed.send([i % 2 ? 'server' : 'client', make(i)]);
    assert.equal(followed.flow.state, 'hopeless', name);
  }
});

test('a flow that begins with real DNS is let go at once', () => {
  const { flow } = new Followed('dns', new Random(1));
  const query = join(hex('c0ff01000001000000000000'), hex('0377777707657861'), hex('6d706c6500000100010000'));
  assert.equal(flow.datagram(true, query, 0, query.length, query.length, 0, 1), 'hopeless');
});

test('pings beside it do no harm', () => {
  const random = new Random(8);
  const session = new RudpSession(random, true);
  const { sent, said } = conversation(session, random);
  const followed = new Followed('icmp', random);
  const ping = (bytes: number) => {
    const echo = join(Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1), random.bytes(bytes));
    followed.flow.datagram(true, echo, 0, echo.length, echo.length, 0, 9);
  };
  for (let i = 0; i < 100; i++) ping(56);
  followed.send(['client', session.opening()]);
  for (const each of sent) {
    followed.send(each);
    ping(random.between(0, 700));
  }
  assert.deepEqual(followed.got.client, [...said.client]);
});

test('whatever comes, it does not throw', () => {
  const session = new RudpSession(new Random(9));
  const datagram = fc.record({
    fromA: fc.boolean(),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.uint8Array({ minLength: 39, maxLength: 39 }),
      fc.constant(session.opening()),
      fc.constant(session.segment('client', { sequence: 5, data: Uint8Array.of(1) })),
      fc.uint8Array({ maxLength: 90 }).map((rest) => join(hex('070101000001000000000001'), rest)),
      fc.uint8Array({ maxLength: 90 }).map((rest) => inIcmp(rest, 15)),
    ),
    cut: fc.nat(60),
    more: fc.nat(3),
  });
  const carrier = fc.constantFrom<RudpCarrier>('udp', 'dns', 'icmp');
  fc.assert(
    fc.property(carrier, fc.array(datagram, { maxLength: 60 }), (carrier, datagrams) => {
      const { flow } = new Followed(carrier, new Random(1));
      datagrams.forEach(({ fromA, payload, cut, more }, i) => {
        const captured = more === 0 ? payload.length : Math.max(0, payload.length - cut);
        flow.datagram(fromA, payload, 0, captured, Math.max(payload.length, captured + more), i, i);
      });
      flow.end();
    }),
    { numRuns: 500 },
  );
});
