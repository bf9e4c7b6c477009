import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryBudget } from '#sealert/flow/memory-budget.js';
import { parseKexInit } from '#sealert/flow/ssh/kexinit.js';
import { channelWireBytes, sshPacketShape } from '#sealert/flow/ssh/packet-shape.js';
import { beginsLikeSsh, SshFlow } from '#sealert/flow/ssh/ssh-flow.js';
import {
  ascii,
  CLIENT_HELLO,
  joined,
  kexInit,
  NEW_KEYS,
  offer,
  SERVER_HELLO,
  SUITES,
} from '../../support/ssh.js';

type Told = [fromClient: boolean, wireBytes: number, packets: number];

function newFlow(budgetBytes = 1 << 20) {
  const told: Told[] = [];
  const flow = new SshFlow(
    { sshSent: (fromClient, wire, packets) => told.push([fromClient, wire, packets]) },
    new MemoryBudget(budgetBytes),
  );
  return { flow, told };
}

function feed(flow: SshFlow, fromClient: boolean, bytes: Uint8Array, cuts: readonly number[] = []): void {
  let at = 0;
  let frame = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut <= at || cut > bytes.length) continue;
    flow.bytes(fromClient, bytes, at, cut - at, 0, ++frame);
    at = cut;
  }
}

test('the first name of the client that the server knows is taken, for each direction', () => {
  const { flow } = newFlow();
  const client = kexInit({
    2: 'a,aes128-ctr,aes256-ctr',
    3: 'aes256-gcm@openssh.com',
    4: 'x,hmac-sha1',
    5: 'y',
    6: 'none',
    7: 'zlib,none',
  });
  const server = kexInit({
    2: 'aes256-ctr,aes128-ctr',
    3: 'b,aes256-gcm@openssh.com',
    4: 'hmac-sha1',
    5: 'z',
    6: 'none,zlib',
    7: 'none',
  });
  feed(flow, false, joined(ascii('be welcome\r\nto this host\n'), SERVER_HELLO, server));
  feed(flow, true, joined(CLIENT_HELLO, client));
  assert.equal(flow.client.identification, 'SSH-2.0-OpenSSH_9.2p1 Debian-2');
  assert.deepEqual(flow.clientAlgorithms, { cipher: 'aes128-ctr', mac: 'hmac-sha1', compression: 'none' });
  assert.deepEqual(flow.serverAlgorithms, {
    cipher: 'aes256-gcm@openssh.com',
    mac: '',
    compression: 'none',
  });
});

test('names of an offer are the same only as a whole', () => {
  const settled = (client: string, server: string) => {
    const { flow } = newFlow();
    feed(flow, true, joined(CLIENT_HELLO, kexInit({ 2: client })));
    feed(flow, false, joined(SERVER_HELLO, kexInit({ 2: server })));
    return flow.clientAlgorithms!.cipher;
  };
  const names = fc.array(fc.constantFrom('', 'a', 'aa', 'aes', 'aes128', 'aes128-ctr', 'r'), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(names, names, (...offers) => {
      const [client, server] = offers.map((offer) => offer.join(','));
      const known = server!.split(',');
      const expected = client!.split(',').find((name) => known.includes(name)) ?? '';
      assert.equal(settled(client!, server!), expected);
    }),
  );
});

test('packets are told one by one where their lengths are in clear, else what a segment holds', () => {
  for (const suite of SUITES) {
    const { flow, told } = newFlow();
    feed(flow, true, joined(CLIENT_HELLO, offer(suite), NEW_KEYS));
    feed(flow, false, joined(SERVER_HELLO, offer(suite), NEW_KEYS));
    const shape = sshPacketShape(suite.cipher, suite.mac)!;
    const packets = [30, 1400, 80].map((data) => new Uint8Array(channelWireBytes(shape, data)));
    for (const bytes of packets) {
      new DataView(bytes.buffer).setUint32(0, shape.lengthInClear ? bytes.length - shape.base : 0xa5a5a5a5);
    }
    feed(flow, true, joined(...packets));
    const sizes = packets.map(({ length }) => length);
    const whole = sizes.reduce((sum, size) => sum + size, 0);
    assert.deepEqual(
      told,
      shape.lengthInClear ? sizes.map((size) => [true, size, 1]) : [[true, whole, 0]],
      suite.cipher,
    );
  }
});

test('how the bytes are cut does not matter', () => {
  const suite = SUITES[1]!;
  const shape = sshPacketShape(suite.cipher, suite.mac)!;
  const bytes = new Uint8Array(channelWireBytes(shape, 100));
  new DataView(bytes.buffer).setUint32(0, bytes.length - shape.base);
  const sent = joined(CLIENT_HELLO, offer(suite), NEW_KEYS, bytes, bytes);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: sent.length }), { maxLength: 30 }), (cuts) => {
      const { flow, told } = newFlow();
      feed(flow, false, joined(SERVER_HELLO, offer(suite), NEW_KEYS));
      feed(
        flow,
        true,
        sent,
        cuts.sort((a, b) => a - b),
      );
      assert.deepEqual(told, [
        [true, bytes.length, 1],
        [true, bytes.length, 1],
      ]);
    }),
  );
});

test('missing bytes inside a packet do no harm; others leave the volumes', () => {
  const suite = SUITES[1]!;
  const shape = sshPacketShape(suite.cipher, suite.mac)!;
  const bytes = new Uint8Array(channelWireBytes(shape, 100));
  new DataView(bytes.buffer).setUint32(0, bytes.length - shape.base);
  const { flow, told } = newFlow();
  feed(flow, false, joined(SERVER_HELLO, offer(suite), NEW_KEYS));
  feed(flow, true, joined(CLIENT_HELLO, offer(suite), NEW_KEYS));
  feed(flow, true, bytes.subarray(0, 20));
  flow.missing(true, bytes.length - 20, 0, 9);
  feed(flow, true, bytes);
  assert.deepEqual(told, [
    [true, bytes.length, 1],
    [true, bytes.length, 1],
  ]);
  flow.missing(true, 10, 0, 10);
  feed(flow, true, bytes);
  assert.deepEqual(told.slice(2), [
    [true, 10, 0],
    [true, bytes.length, 0],
  ]);
});

test('SSH 1 and what is no SSH end the reading', () => {
  for (const text of ['SSH-1.5-OldSSH\n', `${'x'.repeat(20_000)}\n`]) {
    const { flow, told } = newFlow();
    feed(flow, true, ascii(text));
    feed(flow, true, ascii('anything'));
    assert(flow.notSsh);
    assert.deepEqual(told, []);
  }
  assert(beginsLikeSsh(ascii('SSH-2.0-x'), 0, 9));
  assert(!beginsLikeSsh(ascii('SMTP'), 0, 4));
  assert(!beginsLikeSsh(ascii(''), 0, 0));
});

test('nothing throws, and everything kept is given back', () => {
  const piece = fc.record({
    fromClient: fc.boolean(),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(CLIENT_HELLO, NEW_KEYS, offer(SUITES[0]!), offer(SUITES[3]!)),
    ),
    missing: fc.option(fc.integer({ min: 1, max: 5000 })),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 0, max: 4000 }), (pieces, bytes) => {
      const budget = new MemoryBudget(bytes);
      const flow = new SshFlow({ sshSent: (_, wire) => assert(wire > 0) }, budget);
      for (const { fromClient, bytes, missing } of pieces) {
        if (missing !== null) flow.missing(fromClient, missing, 0, 1);
        feed(flow, fromClient, bytes);
      }
      flow.reset();
      assert(budget.take(bytes));
      assert(!budget.take(1));
    }),
  );
});

test('a KEXINIT that is cut off or lies about its lengths is none', () => {
  const whole = offer(SUITES[0]!).subarray(5);
  assert(parseKexInit(whole, 0, whole.length) !== null);
  for (let end = 0; end < 60; end++) assert.equal(parseKexInit(whole, 0, end), null);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parseKexInit(bytes, 0, bytes.length);
    }),
  );
});
