/// Whole sessions in other ways than directly over TLS, through the engine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '#sealert/detect/findings.js';
import { analyse } from '../support/analyse.js';
import { pcap, type TestFrame } from '../support/capture-builder.js';
import {
  additionalScript,
  ENDS,
  keepAliveScript,
  mergeByTime,
  playScript,
  primaryScript,
  type SoftetherOptions,
  START_US,
  type Step,
  softetherDialogue,
} from '../support/dialogue.js';
import { ethernet, hex, ip, udp } from '../support/frames.js';
import { Random } from '../support/random.js';
import { AccelerationSender, type AccelerationVariant, ascii, join } from '../support/rudp.js';

const sessionsOf = (frames: readonly TestFrame[]): Session[] => analyse(pcap(frames)).sessions;

function theSession(frames: readonly TestFrame[]): Session {
  const sessions = sessionsOf(frames);
  assert.equal(sessions.length, 1);
  return sessions[0]!;
}

const features = ({ evidence }: Session) => evidence.map(({ feature }) => feature);
const roles = ({ connections }: Session) => connections.map(({ role, client }) => [role, client.port]);

type Preamble = NonNullable<SoftetherOptions['preamble']>;

const OK = ascii('HTTP/1.1 200 Connection established\r\n\r\n');
const SOCKS5_TO = { v4: '01 c6336407 15b3', v6: '04 20010db8000000000000000000000002 15b3' };
const SECRETS = ['dXNlcjpzZXNhbWU', 'sesame', 'mallory'];

const socks5 = (to: string): Preamble => [
  [true, hex('05 01 00')],
  [false, hex('05 00')],
  [true, hex(`05 01 00 ${to}`)],
  [false, hex('05 00 00 01 00000000 0000')],
];

const connect = (target: string, more = ''): Preamble => [
  [true, ascii(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${more}\r\n`)],
  [false, OK],
];

const PROXIES: [name: string, carrier: string, preamble: Preamble, host: string, port: number][] = [
  ['HTTP', 'http-proxy', connect('vpn.example:5555'), 'vpn.example', 5555],
  [
    'HTTP with Basic',
    'http-proxy',
    connect('198.51.100.7:443', 'Proxy-Authorization: Basic dXNlcjpzZXNhbWU=\r\n'),
    '198.51.100.7',
    443,
  ],
  ['HTTP to IPv6', 'http-proxy', connect('[2001:db8::2]:992'), '2001:db8::2', 992],
  [
    'SOCKS4',
    'socks4',
    [
      [true, join(hex('04 01 15b3 c6336407'), ascii('mallory\0'))],
      [false, hex('00 5a 0000 00000000')],
    ],
    '198.51.100.7',
    5555,
  ],
  [
    'SOCKS4a',
    'socks4',
    [
      [true, join(hex('04 01 15b3 00000001 00'), ascii('vpn.example\0'))],
      [false, hex('00 5a 0000 00000000')],
    ],
    'vpn.example',
    5555,
  ],
  ['SOCKS5', 'socks5', socks5(SOCKS5_TO.v4), '198.51.100.7', 5555],
  ['SOCKS5 to IPv6', 'socks5', socks5(SOCKS5_TO.v6), '2001:db8::2', 5555],
  [
    'SOCKS5 with a password',
    'socks5',
    [
      [true, hex('05 02 0002')],
      [false, hex('05 02')],
      [true, join(hex('01 07'), ascii('mallory'), hex('06'), ascii('sesame'))],
      [false, hex('01 00')],
      [true, hex(`05 01 00 ${SOCKS5_TO.v4}`)],
      [false, hex('05 00 00 03 03 616263 0438')],
    ],
    '198.51.100.7',
    5555,
  ],
];

const PROXY_ENDS = { ...ENDS, serverPort: 1080 };

for (const [name, carrier, preamble, host, port] of PROXIES) {
  test(`behind a proxy: ${name}`, () => {
    for (const options of [{}, { tls12: true }, { mss: 9 }]) {
      const dialogue = { ends: PROXY_ENDS, probe: false, seed: 3, preamble, ...options };
      const session = theSession(softetherDialogue(dialogue));
      assert.equal(session.verdict, 'confirmed');
      assert.equal(session.carrier, carrier);
      assert.deepEqual(session.target, { host, port });
      assert.deepEqual(session.server, { ip: ENDS.server, port: 1080 });
      assert.equal(session.startCaptured, true);
      assert.deepEqual(roles(session), [
        ['primary', ENDS.clientPort],
        ['additional', ENDS.clientPort + 1],
      ]);
      const text = JSON.stringify(session);
      for (const secret of SECRETS) assert.ok(!text.includes(secret), secret);
    }
  });

  test(`no session where the proxy refuses: ${name}`, () => {
    const refusal =
      carrier === 'http-proxy' ? ascii('HTTP/1.1 403 Forbidden\r\n\r\n') : hex('05 02 0001 0000');
    const refused = [...preamble.slice(0, -1), [false, refusal] as const];
    assert.deepEqual(
      sessionsOf(softetherDialogue({ ends: PROXY_ENDS, probe: false, preamble: refused })),
      [],
    );
  });
}

test('a direct session has no target', () => {
  const session = theSession(softetherDialogue());
  assert.equal(session.carrier, 'tcp');
  assert.ok(!('target' in session));
});

const int = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const keepAlive = (size: number) => join(int(0xffff_ffff), int(size), new Uint8Array(size).fill(0x99));
const block = (size: number) => join(int(1), int(size), new Uint8Array(size).fill(0x88));

/// A script whose tunnel goes on without TLS.
function withoutEncryption(script: readonly Step[], random: Random): Step[] {
  const login = script.filter(({ name }) => name !== 'first');
  const tunnel = keepAliveScript(random, 30).map((step, i): Step => {
    const size = random.between(40, 511);
    return { ...step, records: [], plain: i % 3 === 0 ? block(size) : keepAlive(size) };
  });
  return [...login, ...tunnel];
}

test('encryption is off: the blocks in clear make the session certain', () => {
  for (const seed of [1, 2, 3]) {
    for (const options of [{}, { tls12: true }, { mss: 100 }]) {
      const random = new Random(seed);
      const first = playScript(withoutEncryption(primaryScript(random), random), options);
      const further = playScript(withoutEncryption(additionalScript(random), random), {
        ...options,
        ends: { ...ENDS, clientPort: ENDS.clientPort + 1 },
        startUs: START_US + 1_200_000,
      });
      const session = theSession(mergeByTime(first, further));
      assert.equal(session.verdict, 'confirmed');
      assert.equal(session.carrier, 'tcp');
      assert.ok(features(session).includes('plain-blocks'));
      assert.deepEqual(
        roles(session).map(([role]) => role),
        ['primary', 'additional'],
      );
    }
  }
});

test('what leaves TLS after the log-in but has no blocks is not certain', () => {
  const random = new Random(5);
  const script = withoutEncryption(primaryScript(random), random).map((step) =>
    step.plain === undefined ? step : { ...step, plain: ascii('250 OK, what else can I do for you?\r\n') },
  );
  for (const session of sessionsOf(playScript(script))) {
    assert.ok(!features(session).includes('plain-blocks'));
    assert.notEqual(session.verdict, 'confirmed');
  }
});

test('joined midstream: the keep-alives tell, and the start is said to be missing', () => {
  for (const seed of [1, 2, 3]) {
    for (const options of [{}, { suite: 0x1301 }, { tls12: true }]) {
      const all = softetherDialogue({ seed, seconds: 180, ...options });
      const session = theSession(all.filter(({ timeUs }) => timeUs > START_US + 20e6));
      assert.equal(session.startCaptured, false);
      assert.ok(session.verdict !== 'suspected', `${seed}: ${session.verdict}`);
      assert.deepEqual(session.client, { ip: ENDS.client, port: session.client.port });
      assert.deepEqual(session.server, { ip: ENDS.server, port: ENDS.serverPort });
      assert.equal(session.connections.length, 2);
      assert.ok(!features(session).includes('start-script'));
    }
  }
});

test('the further connection alone: attached to a session whose log-in was not captured', () => {
  const all = softetherDialogue({ seconds: 120 });
  const session = theSession(all.filter(({ timeUs }) => timeUs > START_US + 1_100_000));
  assert.equal(session.startCaptured, false);
  assert.ok(features(session).includes('attach-script') || features(session).includes('siblings'));
});

/// UDP acceleration of both sides, from `seconds` after the start on.
function acceleration(seconds: number, variant: AccelerationVariant, clientPort = 41_234): TestFrame[] {
  const random = new Random(8);
  const senders = [new AccelerationSender(variant, random), new AccelerationSender(variant, random)];
  return Array.from({ length: 24 }, (_, i) => {
    const fromClient = i % 2 === 0;
    const payload = senders[i % 2]!.next(i % 5 === 0 ? 98 : 0);
    const carried = fromClient ? udp(clientPort, 40_000, payload) : udp(40_000, clientPort, payload);
    const [source, destination] = fromClient ? [ENDS.client, ENDS.server] : [ENDS.server, ENDS.client];
    return {
      bytes: ethernet(ip({ source, destination }, carried)),
      timeUs: START_US + seconds * 1e6 + i * 5e5,
    };
  });
}

for (const variant of ['v1', 'v2-4.x', 'v2-5.x'] as const) {
  test(`UDP acceleration joins its session: ${variant}`, () => {
    const session = theSession(mergeByTime(softetherDialogue(), acceleration(2, variant)));
    assert.equal(session.verdict, 'confirmed');
    assert.ok(features(session).includes('nonce-chain'));
    assert.deepEqual(roles(session).at(-1), ['udp-acceleration', 41_234]);
    assert.equal(session.connections.at(-1)!.packets, 24);
    if (variant !== 'v1') assert.equal(session.software.client.generation, variant.slice(3));
  });

  test(`UDP acceleration alone is a session without a start: ${variant}`, () => {
    // The client's port may lie among those of servers, too.
    for (const port of [1024, 41_234, 60_999]) {
      const session = theSession(acceleration(2, variant, port));
      assert.equal(session.verdict, 'confirmed');
      assert.equal(session.carrier, 'udp');
      assert.equal(session.startCaptured, false);
      assert.deepEqual(session.client, { ip: ENDS.client, port });
    }
  });
}
