/// Other VPN protocols that a SoftEther server speaks: sightings, never sessions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { softetherTraces } from '#sealert/profiles/softether-traces.js';
import { analyse } from '../support/analyse.js';
import { concat, pcap, type TestFrame } from '../support/capture-builder.js';
import { certificate } from '../support/certificate.js';
import { ENDS, START_US, TcpDialogue } from '../support/dialogue.js';
import { ethernet, hex, ip, udp } from '../support/frames.js';
import { Random } from '../support/random.js';
import * as tls from '../support/tls.js';

const SESSION = 'a1a2a3a4a5a6a7a8';
const RESET = hex(`38 ${SESSION} 00 00000000`);
const RESET_ANSWER = hex(`40 ${SESSION} 01 00000000 ${SESSION} 00000000`);

/// A message of the server's control channel.
function control(id: number, body: Uint8Array, acknowledges = true): Uint8Array {
  const acknowledgement = acknowledges ? `01 00000001 ${SESSION}` : '00';
  return concat(hex(`20 ${SESSION} ${acknowledgement} 000000${id.toString(16).padStart(2, '0')}`), body);
}

/// The server's first flight, cut in two messages as a certificate makes it.
function flight(serial: number, selectedVersion?: number): Uint8Array[] {
  const hello = tls.serverHello({
    suite: tls.ECDHE_RSA_AES_256_GCM_SHA384,
    ...(selectedVersion ? { selectedVersion } : {}),
  });
  const messages = [hello, tls.certificateMessage(certificate(serial, 'vm'))];
  const bytes = concat(...messages.map((message) => tls.record(tls.HANDSHAKE, message)));
  return [control(1, bytes.subarray(0, 150)), control(2, bytes.subarray(150), false)];
}

const framed = (message: Uint8Array) => tls.vector(2, message);

function overTcp(messages: readonly Uint8Array[], mss = 1448): TestFrame[] {
  const dialogue = new TcpDialogue(ENDS, { mss }).open().send(true, framed(RESET));
  dialogue.send(false, concat(framed(RESET_ANSWER), ...messages.map(framed)));
  return dialogue.close().frames;
}

function overUdp(
  messages: readonly Uint8Array[],
  question: Uint8Array = RESET,
  [clientPort, serverPort]: readonly [number, number] = [50_001, 1194],
): TestFrame[] {
  const asked = { source: ENDS.client, destination: ENDS.server };
  const answered = { source: ENDS.server, destination: ENDS.client };
  const packets = [
    ip(asked, udp(clientPort, serverPort, question)),
    ...messages.map((message) => ip(answered, udp(serverPort, clientPort, message))),
  ];
  return packets.map((packet, i) => ({ bytes: ethernet(packet), timeUs: START_US + i * 1_000 }));
}

const found = (frames: readonly TestFrame[]) => {
  const { sessions, sightings, servers } = analyse(pcap(frames));
  assert.equal(sessions.length, 0);
  return {
    sightings: sightings.map(({ kind, client, server }) => [kind, client.ip, server.ip, server.port]),
    offers: servers.flatMap(({ offers = [] }) => offers),
  };
};
const clone = (port: number) => [['clone', ENDS.client, ENDS.server, port]];
const NOTHING = { sightings: [], offers: [] };

test('OpenVPN with the certificate that SoftEther servers make, over TCP and UDP', () => {
  for (const mss of [1448, 16]) {
    assert.deepEqual(found(overTcp(flight(0), mss)), { sightings: clone(443), offers: ['openvpn'] });
  }
  const inOrder = overUdp([RESET_ANSWER, ...flight(0)]);
  assert.deepEqual(found(inOrder), { sightings: clone(1194), offers: ['openvpn'] });
});

test('messages of OpenVPN that are repeated or overtake one another', () => {
  const [first, second] = flight(0) as [Uint8Array, Uint8Array];
  const mixed = overUdp([RESET_ANSWER, second, second, first]);
  assert.deepEqual(found(mixed), { sightings: clone(1194), offers: ['openvpn'] });
});

test('OpenVPN with another certificate, with TLS 1.3, or cut short gives nothing', () => {
  for (const messages of [flight(5), flight(0, 0x0304), flight(0).slice(1), []]) {
    assert.deepEqual(found(overTcp(messages)), NOTHING);
    assert.deepEqual(found(overUdp([RESET_ANSWER, ...messages])), NOTHING);
  }
  const oversized = hex(`ffff ${'20'.repeat(64)}`);
  const dialogue = new TcpDialogue().open().send(true, framed(RESET)).send(false, oversized);
  assert.deepEqual(found(dialogue.close().frames), NOTHING);
});

test('damaged messages of OpenVPN are no more than not understood', () => {
  const messages = flight(0);
  const random = new Random(11);
  for (let i = 0; i < 300; i++) {
    const damaged = messages.map((message) => message.slice(0, random.between(0, message.length)));
    for (const message of damaged) message[random.between(0, 40)] = random.between(0, 255);
    analyse(pcap(overTcp(damaged)));
    analyse(pcap(overUdp([RESET_ANSWER, ...damaged])));
  }
});

const { vendorIds } = softetherTraces.ike;

/// Main mode with a proposal of eight bytes and these vendor IDs.
function mainMode(vendors: readonly string[], responder = '0102030405060708'): Uint8Array {
  const bodies = ['0000000100000001', ...vendors];
  const payloads = bodies.map((body, i) => {
    const next = i + 1 < bodies.length ? '0d' : '00';
    return `${next}00${(4 + body.length / 2).toString(16).padStart(4, '0')}${body}`;
  });
  const body = payloads.join('');
  const length = (28 + body.length / 2).toString(16).padStart(8, '0');
  return hex(`1112131415161718${responder}0110020000000000${length}${body}`);
}

const ike = (message: Uint8Array, port = 500) =>
  found(overUdp([message], mainMode([], '0000000000000000'), [50_500, port]));

test('an IPsec server by its vendor IDs', () => {
  assert.deepEqual(ike(mainMode(vendorIds)), { sightings: clone(500), offers: ['ipsec'] });
  const marked = concat(new Uint8Array(4), mainMode(vendorIds));
  assert.deepEqual(ike(marked, 4500), { sightings: clone(4500), offers: ['ipsec'] });
});

test('other vendor IDs, another order, or a first message give nothing', () => {
  assert.deepEqual(ike(mainMode(vendorIds.slice(1))), NOTHING);
  assert.deepEqual(ike(mainMode([...vendorIds].reverse())), NOTHING);
  assert.deepEqual(ike(mainMode([...vendorIds, '09002689dfd6b712'])), NOTHING);
  assert.deepEqual(ike(mainMode(vendorIds, '0000000000000000')), NOTHING);
  assert.deepEqual(ike(mainMode(vendorIds).subarray(0, 100)), NOTHING);
});

/// An L2TP attribute: length, IETF, type, value.
const attribute = (type: number, value: string) =>
  `80${(6 + value.length / 2).toString(16).padStart(2, '0')}0000${type.toString(16).padStart(4, '0')}${value}`;

function l2tpReply({ messageType = '0002', vendor = '4c325450', window = true } = {}): Uint8Array {
  const attributes = [
    attribute(0, messageType),
    attribute(2, '0100'),
    attribute(3, '00000003'),
    attribute(4, '00000003'),
    attribute(7, '766d'),
    attribute(8, vendor),
    attribute(9, '0001'),
    ...(window ? [attribute(10, '0010')] : []),
  ].join('');
  return hex(
    `c802${(12 + attributes.length / 2).toString(16).padStart(4, '0')}0001000000000001${attributes}`,
  );
}

test('an L2TP server by its answer', () => {
  const l2tp = (message: Uint8Array) =>
    found(overUdp([message], l2tpReply({ messageType: '0001' }), [50_501, 1701]));
  assert.deepEqual(l2tp(l2tpReply()), { sightings: clone(1701), offers: ['l2tp'] });
  assert.deepEqual(l2tp(l2tpReply({ messageType: '0001' })), NOTHING);
  assert.deepEqual(l2tp(l2tpReply({ vendor: '4d696372' })), NOTHING);
  assert.deepEqual(l2tp(l2tpReply({ window: false })), NOTHING);
  assert.deepEqual(l2tp(l2tpReply().subarray(0, 40)), NOTHING);
});
