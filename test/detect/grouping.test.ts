import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConnection, type FlowFacts, type TlsConnection } from '#sealert/detect/connection.js';
import type { AccelerationChannel } from '#sealert/detect/datagram-analysis.js';
import {
  assignChannels,
  endedAtOnce,
  groupConnections,
  type SessionGroup,
} from '#sealert/detect/grouping.js';
import { NonceChain } from '#sealert/detect/nonce-chain.js';
import { SessionBuilder } from '#sealert/detect/sessions.js';
import { Tunnel } from '#sealert/detect/tunnel.js';
import type { FlowEnd } from '#sealert/flow/flow-table.js';
import { softetherTls } from '#sealert/profiles/softether-tls.js';
import fc from '../support/property.js';
import { Random } from '../support/random.js';

const CLIENT = Uint8Array.of(10, 1, 0, 10);
const SERVER = Uint8Array.of(203, 0, 113, 10);
const OTHER = Uint8Array.of(198, 51, 100, 7);
const MAX = softetherTls.additional.max.value;

const end = (address: Uint8Array, port: number): FlowEnd => ({ address: Uint8Array.from(address), port });

interface Told extends Partial<Omit<FlowFacts, 'client' | 'server'>> {
  /// Seconds: the SYN, the script's last message, the last packet.
  from?: number;
  begin?: number;
  to?: number;
  client?: FlowEnd;
  server?: FlowEnd;
  used?: boolean;
}

let nextPort = 1024;

function connection(kind: TlsConnection['kind'], told: Told = {}): TlsConnection {
  const { from = 0, begin = from + 0.3, to = from + 30, used = true, ...facts } = told;
  const tunnel = new Tunnel(begin * 1e6, softetherTls);
  if (used) tunnel.server.records = 1;
  const flow: FlowFacts = {
    input: 0,
    ended: true,
    carrier: 'tcp',
    protocol: 'tcp',
    client: end(CLIENT, nextPort++),
    server: end(SERVER, 443),
    layers: [],
    firstUs: from * 1e6,
    lastUs: to * 1e6,
    packets: 10,
    bytesFromClient: 1,
    bytesFromServer: 1,
    startSeen: true,
    closeSeen: false,
    missingBytes: 0,
    cutBytes: 0,
    onlySide: null,
    gaps: 0,
    handshake: null,
    proxy: null,
    ...facts,
  };
  return { ...emptyConnection(flow, softetherTls), kind, tunnel };
}

test('of very many connections without a log-in those are kept for which most speaks', () => {
  const builder = new SessionBuilder(softetherTls, { installationTraits: true });
  const loggedIn = connection('primary');
  const strong = connection('running');
  for (let i = 0; i < 100; i++) strong.tunnel.frameSized.add(i);
  const added = [loggedIn, ...Array.from({ length: 5_000 }, () => connection('running')), strong];
  for (let i = 0; i < 500; i++) added.push(connection('running'));
  for (const each of added) builder.add(each);
  const { connections } = builder.parts;
  assert.ok(connections.includes(loggedIn) && connections.includes(strong));
  assert.ok(connections.length < 1_100, `${connections.length} are kept`);
  assert.equal(connections.length + builder.leftOut, added.length);
});

const group = (connections: readonly TlsConnection[], max = MAX) => groupConnections(connections, max);

/// The groups as the client ports of their connections.
function ports(groups: readonly SessionGroup[]): number[][] {
  return groups.map(({ primary, additional }) => [primary, ...additional].map(({ client }) => client.port));
}

const portsOf = (...connections: TlsConnection[]) => connections.map(({ client }) => client.port);

test('a session: the one that logs in and those that attach, in the order of their starts', () => {
  const primary = connection('primary');
  const [second, third] = [1.5, 2.7].map((from) => connection('additional', { from }));
  const expected = [portsOf(primary, second!, third!)];
  for (const order of [
    [primary, second!, third!],
    [third!, second!, primary],
    [second!, primary, third!],
  ]) {
    assert.deepEqual(ports(group(order)), expected);
  }
  assert.deepEqual(group([]), []);
});

test('two clients behind one address: each connection goes where it was due', () => {
  const first = connection('primary', { from: 0 });
  const second = connection('primary', { from: 0.5 });
  const ofFirst = [1.45, 2.6].map((from) => connection('additional', { from }));
  const ofSecond = [1.95, 3.1].map((from) => connection('additional', { from }));
  const all = [first, second, ...ofFirst, ...ofSecond];
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      assert.deepEqual(ports(group(new Random(seed).shuffled(all))), [
        portsOf(first, ...ofFirst),
        portsOf(second, ...ofSecond),
      ]);
    }),
  );
});

test('no connection is lost or counted twice, whatever comes', () => {
  const anyConnection = fc.record({
    kind: fc.constantFrom('primary' as const, 'additional' as const, 'running' as const),
    from: fc.integer({ min: 0, max: 300 }),
    lasts: fc.integer({ min: 0, max: 200 }),
    used: fc.boolean(),
    closeSeen: fc.boolean(),
    port: fc.constantFrom(443, 992),
  });
  fc.assert(
    fc.property(fc.array(anyConnection, { maxLength: 30 }), fc.integer({ min: 0, max: 4 }), (told, max) => {
      const all = told.map(({ kind, from, lasts, used, closeSeen, port }) =>
        connection(kind, { from, to: from + lasts, used, closeSeen, server: end(SERVER, port) }),
      );
      const groups = group(all, max);
      const members = groups.flatMap(({ primary, additional, refused }) => [
        primary,
        ...additional,
        ...refused,
      ]);
      assert.equal(new Set(members).size, members.length);
      for (const one of all) {
        assert.ok(members.includes(one) || (one.kind !== 'primary' && endedAtOnce(one)));
      }
      for (const { additional, refused } of groups) {
        assert.ok(additional.length <= max);
        assert.ok(refused.every(endedAtOnce));
      }
    }),
  );
});

test('other parties, another capture or another target behind the proxy: another session', () => {
  const proxy = (host: string, port: number) => ({
    carrier: 'socks5' as const,
    host,
    port,
    authentication: 'none',
  });
  const OTHERS: [name: string, told: Told][] = [
    ['client', { client: end(OTHER, 2000) }],
    ['server', { server: end(OTHER, 443) }],
    ['server port', { server: end(SERVER, 992) }],
    ['capture', { input: 1 }],
    ['target', { proxy: proxy('vpn.example', 443) }],
  ];
  for (const [name, told] of OTHERS) {
    const pair = [connection('primary'), connection('additional', { from: 1.5, ...told })];
    assert.equal(group(pair).length, 2, name);
  }
  const at = (host: string, port: number, kind: TlsConnection['kind'], from: number) =>
    connection(kind, { from, proxy: proxy(host, port) });
  const same = [at('a.example', 443, 'primary', 0), at('a.example', 443, 'additional', 1.5)];
  const others = [at('b.example', 443, 'primary', 0.1), at('a.example', 992, 'primary', 0.2)];
  assert.deepEqual(ports(group([...others, ...same])), [
    portsOf(...same),
    portsOf(others[0]!),
    portsOf(others[1]!),
  ]);
});

test('R-UDP that carries its tunnel in bulk packets was not turned away', () => {
  const bulk = {
    carrier: 'udp',
    keyless: false,
    segments: 9,
    bulkPackets: 5,
    bulkLinks: 4,
    frames: [],
  } as const;
  const closed = connection('running', { used: false, closeSeen: true });
  assert.equal(group([closed]).length, 0);
  assert.equal(group([{ ...closed, rudp: bulk }]).length, 1);
});

test('connections that the server turned away stand aside', () => {
  const primary = connection('primary');
  const refused = connection('additional', { from: 1.5, to: 1.6, used: false, closeSeen: true });
  const taken = connection('additional', { from: 2.7 });
  const [found] = group([primary, refused, taken]);
  assert.deepEqual(found!.refused, [refused]);
  assert.deepEqual(found!.additional, [taken]);
  // Without its session it is nothing; still open, or used, it is a connection.
  assert.deepEqual(group([refused]), []);
  for (const told of [{ used: false }, { closeSeen: true }]) {
    const open = connection('additional', { from: 1.5, ...told });
    assert.deepEqual(group([primary, open])[0]!.additional, [open]);
  }
});

test('a log-in that ended at once is a session of its own still', () => {
  const redirected = connection('primary', { used: false, closeSeen: true });
  assert.deepEqual(ports(group([redirected])), [portsOf(redirected)]);
});

test('attached without a log-in: the first one stands for the session', () => {
  const all = [1.5, 2.7, 3.9].map((from) => connection('additional', { from }));
  assert.deepEqual(ports(group(all)), [portsOf(...all)]);
  // What attached before the welcome belongs to another session.
  const early = connection('additional', { from: 0 });
  const primary = connection('primary', { from: 0.1 });
  assert.deepEqual(ports(group([primary, early])), [portsOf(early), portsOf(primary)]);
});

test('running connections of the same parties are one session', () => {
  const running = [0, 0.2, 5].map((from) => connection('running', { from, begin: from + 9 }));
  assert.deepEqual(ports(group(running)), [portsOf(...running)]);
});

test('a session dies a minute after its last packet', () => {
  const primary = connection('primary', { to: 30 });
  const late = (from: number) => ports(group([primary, connection('additional', { from })])).length;
  assert.deepEqual([late(31), late(90), late(91)], [1, 1, 2]);
  const bridge = connection('additional', { from: 2, to: 80 });
  assert.equal(group([primary, bridge, connection('additional', { from: 140 })]).length, 1);
});

test('no session has more connections than allowed', () => {
  const all = [connection('primary'), ...[1, 2, 3].map((from) => connection('additional', { from }))];
  assert.deepEqual(
    group(all, 2).map(({ additional }) => additional.length),
    [2, 0],
  );
});

function channel(from: number, to: number, a: FlowEnd, b: FlowEnd, input = 0): AccelerationChannel {
  const reading = (fromA: boolean) => ({ ...new NonceChain().reading(fromA), links: fromA ? 3 : 4 });
  return {
    input,
    a,
    b,
    layers: [],
    firstUs: from * 1e6,
    lastUs: to * 1e6,
    packets: 20,
    ended: true,
    bytesFromA: 1,
    bytesFromB: 2,
    fromA: reading(true),
    fromB: reading(false),
  };
}

const CLIENT_UDP = end(CLIENT, 40_321);
const SERVER_UDP = end(SERVER, 40_000);

test('a channel belongs to the session between its hosts, whichever end is A', () => {
  for (const [a, b] of [
    [CLIENT_UDP, SERVER_UDP],
    [SERVER_UDP, CLIENT_UDP],
  ] as const) {
    const groups = group([connection('primary')]);
    const flow = channel(1, 20, a, b);
    assert.deepEqual(assignChannels(groups, [flow]), []);
    const clientIsA = a === CLIENT_UDP;
    assert.deepEqual(groups[0]!.channels, [
      {
        flow,
        client: CLIENT_UDP,
        server: SERVER_UDP,
        fromClient: clientIsA ? flow.fromA : flow.fromB,
        fromServer: clientIsA ? flow.fromB : flow.fromA,
      },
    ]);
  }
});

test('channels of nobody are left over', () => {
  const LEFT: [name: string, flow: AccelerationChannel][] = [
    ['another client', channel(1, 20, end(OTHER, 40_321), SERVER_UDP)],
    ['another server', channel(1, 20, CLIENT_UDP, end(OTHER, 40_000))],
    ['another capture', channel(1, 20, CLIENT_UDP, SERVER_UDP, 1)],
    ['over before the session', channel(1, 9, CLIENT_UDP, SERVER_UDP)],
    ['begun after it had died', channel(101, 120, CLIENT_UDP, SERVER_UDP)],
  ];
  for (const [name, flow] of LEFT) {
    const groups = group([connection('primary', { from: 10, to: 40 })]);
    assert.deepEqual(assignChannels(groups, [flow]), [flow], name);
    assert.deepEqual(groups[0]!.channels, [], name);
  }
  const groups = group([connection('primary', { from: 10, to: 40 })]);
  const running = [channel(1, 10, CLIENT_UDP, SERVER_UDP), channel(100, 120, CLIENT_UDP, SERVER_UDP)];
  assert.deepEqual(assignChannels(groups, running), []);
});

test('of several sessions, the one whose log-in was nearest', () => {
  const groups = group([0, 20, 40].map((from) => connection('primary', { from, to: 100 })));
  const flows = [1, 21, 41].map((from, i) => channel(from, 90, end(CLIENT, 40_000 + i), SERVER_UDP));
  assert.deepEqual(assignChannels(groups, flows), []);
  assert.deepEqual(
    groups.map(({ channels }) => channels.map(({ flow }) => flow)),
    flows.map((flow) => [flow]),
  );
});
