/// SoftEther 1.0, of which no recording exists: a conversation made up from
/// what is publicly known, and what must not be taken for one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLine } from '#sealert/report/log.js';
import { analyse } from '../support/analyse.js';
import { concat, pcap, type TestFrame } from '../support/capture-builder.js';
import { TcpDialogue } from '../support/dialogue.js';
import { Random } from '../support/random.js';
import { ascii } from '../support/rudp.js';
import * as tls from '../support/tls.js';

const RSA_RC4_128_MD5 = 0x0004;
const MD5_BYTES = 16;
/// 2004-08-28 11:01:00 UTC, when the manual's line was written (20:01 in Japan).
const MANUAL_US = 1_093_690_860_000_000;
const ALERT_ENDS = {
  client: '192.168.126.229',
  clientPort: 1027,
  server: '61.197.235.210',
  serverPort: 7777,
};

interface Conversation {
  hello?: tls.ClientHelloFields;
  /// The client's clock, in seconds against the packets' time.
  clockOffset?: number;
  login?: readonly number[];
  seconds?: number;
  serverIsMute?: boolean;
  /// The sizes of frames in the tunnel.
  frames?: readonly number[];
  pauseUs?: number;
  preamble?: readonly (readonly [fromClient: boolean, bytes: Uint8Array])[];
}

function converse(changes: Conversation = {}): TestFrame[] {
  const {
    login = [180, 420, 260, 900],
    seconds = 300,
    frames = [42, 54, 60, 66, 92],
    pauseUs = 1_200_000,
  } = changes;
  const dialogue = new TcpDialogue(ALERT_ENDS, { startUs: MANUAL_US }).open();
  for (const [fromClient, bytes] of changes.preamble ?? []) dialogue.send(fromClient, bytes).wait(5_000);
  const clock = Math.round(MANUAL_US / 1e6) + (changes.clockOffset ?? 3);
  const random = concat(tls.list16([clock >>> 16, clock & 0xffff]), new Random(3).bytes(28));
  const hello = { version: 0x0301, suites: [RSA_RC4_128_MD5], random, ...changes.hello };
  const say = (fromClient: boolean, ...messages: Uint8Array[]) =>
    dialogue
      .send(fromClient, concat(...messages.map((message) => tls.record(tls.HANDSHAKE, message, 0x0301))))
      .wait(1_000);
  say(true, tls.clientHello(hello));
  const answer = tls.serverHello({ version: 0x0301, suite: RSA_RC4_128_MD5 });
  say(
    false,
    answer,
    tls.certificateMessage(new Uint8Array(600)),
    tls.handshakeMessage(14, new Uint8Array(0)),
  );
  const finished = concat(
    tls.record(tls.CHANGE_CIPHER_SPEC, Uint8Array.of(1), 0x0301),
    tls.record(tls.HANDSHAKE, new Uint8Array(32).fill(0xe7), 0x0301),
  );
  dialogue.send(
    true,
    concat(tls.record(tls.HANDSHAKE, tls.handshakeMessage(16, new Uint8Array(130)), 0x0301), finished),
  );
  dialogue.wait(1_000).send(false, finished).wait(1_000);
  const send = (fromClient: boolean, plaintext: number) =>
    dialogue.send(fromClient, tls.applicationData(plaintext + MD5_BYTES)).wait(2_000);
  for (const [i, plaintext] of login.entries()) send(i % 2 === 0, plaintext);
  const draw = new Random(7);
  for (let us = 0; us < seconds * 1e6; us += pauseUs) {
    dialogue.wait(pauseUs);
    const fromClient = changes.serverIsMute === true || draw.between(0, 1) === 0;
    send(fromClient, 8 + frames[draw.between(0, frames.length - 1)]!);
    // What was asked is answered at once.
    if (draw.between(0, 2) === 0) send(!fromClient, 8 + 42);
  }
  return dialogue.close().frames;
}

const sessionsOf = (changes: Conversation = {}) => analyse(pcap(converse(changes))).sessions;

test('a conversation as SoftEther 1.0 may have had it is suspected, with the line of the manual', () => {
  const [session, ...others] = sessionsOf();
  assert.equal(others.length, 0);
  assert.equal(session!.verdict, 'suspected');
  assert.equal(
    logLine(session!, 'Asia/Tokyo'),
    '[2004/08/28 20:01:00] SoftEther 1.0 TCP Connection Detected (client 192.168.126.229:1027, server 61.197.235.210:7777)',
  );
  assert.match(session!.caveats[0]!, /experimental and unverified/);
  assert.ok(
    session!.evidence.every(({ frames, strength }) => frames.length > 0 && strength === 'supporting'),
  );
});

test('through an HTTP proxy', () => {
  const request = ascii('CONNECT hub.example:443 HTTP/1.0\r\n\r\n');
  const preamble = [
    [true, request],
    [false, ascii('HTTP/1.0 200 OK\r\n\r\n')],
  ] as const;
  const [session] = sessionsOf({ preamble });
  assert.equal(session?.carrier, 'http-proxy');
  assert.deepEqual(session.target, { host: 'hub.example', port: 443 });
});

const NEAR_MISSES: readonly (readonly [name: string, changes: Conversation])[] = [
  ['a server name in the hello', { hello: { serverName: 'vpn.example' } }],
  ['TLS 1.2 offered', { hello: { version: 0x0303 } }],
  ['a suite of a later time', { hello: { suites: [RSA_RC4_128_MD5, 0xc02f] } }],
  ['random bytes without a clock', { hello: { random: new Random(5).bytes(32) } }],
  ['a clock that is a week off', { clockOffset: -7 * 86_400 }],
  ['a log-in with a large answer', { login: [180, 4_500, 260, 900] }],
  ['a short life', { seconds: 120 }],
  ['a side that only answers', { serverIsMute: true }],
  ['records that are no frames', { frames: [3, 17, 30, 42, 100] }],
  ['one size of frame alone', { frames: [42] }],
  ['a side that is silent for longer than any keep-alive', { pauseUs: 65_000_000, seconds: 20_000 }],
];

for (const [name, changes] of NEAR_MISSES) {
  test(`no SoftEther 1.0: ${name}`, () => assert.deepEqual(sessionsOf(changes), []));
}

test('what logs in as a later version is reported as that alone', () => {
  const products = sessionsOf({ login: [2_000, 900, 3_000, 2_500] }).map(({ software }) => software.product);
  assert.deepEqual(products, ['SoftEther VPN']);
});
