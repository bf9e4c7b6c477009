import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet, STOP_NONE } from '#sealert/wire/packet.js';
import { type HandshakeMessages, readHandshake } from '#sealert/wire/tls-hello.js';
import { concat } from '../support/capture-builder.js';
import { samplePath } from '../support/paths.js';
import fc from '../support/property.js';
import { readFrames } from '../support/read.js';
import {
  certificateMessage,
  clientHello,
  handshakeMessage,
  list16,
  serverHello,
  vector,
} from '../support/tls.js';

/// What the builder puts in place of the random bytes.
const RANDOM = '5a'.repeat(32);

const NOTHING: HandshakeMessages = { clientHello: null, serverHello: null, certificate: null };

test('a ClientHello with everything', () => {
  const hello = clientHello({
    versions: [0x7a7a, 0x0304, 0x0303],
    suites: [0x0a0a, 0x1302, 0xc030, 0x00ff],
    serverName: 'vpn.example.net',
    alpn: ['h2', 'http/1.1'],
    extensions: [
      [0x1a1a, new Uint8Array(0)],
      [35, new Uint8Array(3)],
    ],
  });
  assert.deepEqual(readHandshake(hello).clientHello, {
    version: 0x0303,
    random: RANDOM,
    versions: [0x0304, 0x0303],
    suites: [0x1302, 0xc030, 0x00ff],
    extensions: [35, 0, 16, 43],
    serverName: 'vpn.example.net',
    alpn: ['h2', 'http/1.1'],
  });
});

test('a ClientHello without extensions', () => {
  assert.deepEqual(readHandshake(clientHello({ version: 0x0301, suites: [0x002f, 0x0005] })).clientHello, {
    version: 0x0301,
    random: RANDOM,
    versions: [0x0301],
    suites: [0x002f, 0x0005],
    extensions: [],
    serverName: null,
    alpn: [],
  });
});

test('a ServerHello of TLS 1.3, of 1.2, and after a request to try again', () => {
  const tls13 = serverHello({ suite: 0x1301, selectedVersion: 0x0304 });
  const tls12 = serverHello({ suite: 0xc014, extensions: [[22, new Uint8Array(0)]] });
  const answer = (...messages: Uint8Array[]) => readHandshake(concat(...messages)).serverHello;
  assert.deepEqual(answer(tls13), {
    version: 0x0304,
    suite: 0x1301,
    extensions: [43],
    encryptThenMac: false,
  });
  assert.deepEqual(answer(tls12), { version: 0x0303, suite: 0xc014, extensions: [22], encryptThenMac: true });
  assert.equal(answer(serverHello({ suite: 0x1302, selectedVersion: 0x0304 }), tls13)!.suite, 0x1301);
});

test("the first certificate of a flight is the server's own", () => {
  const own = Uint8Array.of(0x30, 1, 2, 3);
  const flight = concat(
    serverHello(),
    certificateMessage(own, Uint8Array.of(0x30, 9)),
    handshakeMessage(14, own),
  );
  const { certificate, serverHello: hello } = readHandshake(flight);
  assert.deepEqual(certificate, own);
  assert.equal(hello!.suite, 0x1302);
  assert.equal(readHandshake(certificateMessage()).certificate, null);
});

test('what is cut is left out, what came before it is there', () => {
  const flight = concat(serverHello(), certificateMessage(new Uint8Array(100)));
  for (let length = 0; length < flight.length; length++) {
    const { serverHello: hello, certificate } = readHandshake(flight.subarray(0, length));
    assert.equal(hello !== null, length >= serverHello().length);
    assert.equal(certificate, null);
  }
});

test('lengths that do not fit', () => {
  const withExtension = (type: number, data: Uint8Array) =>
    readHandshake(clientHello({ suites: [0x1301], extensions: [[type, data]] })).clientHello!;
  // A server name list, a name, an ALPN list and versions that claim more than they have.
  assert.equal(withExtension(0, Uint8Array.of(0, 9, 0, 0, 1, 97)).serverName, null);
  assert.equal(withExtension(0, Uint8Array.of(0, 6, 0, 0, 9, 97)).serverName, null);
  assert.equal(withExtension(0, vector(2, Uint8Array.of(1, 0, 1, 97))).serverName, null);
  assert.deepEqual(withExtension(43, Uint8Array.of(9, 3, 4)).versions, []);
  assert.deepEqual(withExtension(16, new Uint8Array(0)).alpn, []);
  const cutSuites = handshakeMessage(
    1,
    concat(list16([0x0303]), new Uint8Array(33), list16([400]), list16([1])),
  );
  assert.deepEqual(readHandshake(cutSuites), NOTHING);
  assert.deepEqual(readHandshake(handshakeMessage(2, new Uint8Array(34))), NOTHING);
});

/// The handshake messages that a recorded conversation has in clear, by who sent them.
function recorded(sample: string) {
  const bodies: { client: Uint8Array[]; server: Uint8Array[] } = { client: [], server: [] };
  const packet = new Packet();
  let address = 0;
  for (const { bytes, linkType, originalLen } of readFrames(readFileSync(samplePath(sample))).frames) {
    const view = new DataView(bytes.buffer);
    if (decodeFrame(view, 0, bytes.length, originalLen, linkType, packet) !== STOP_NONE) continue;
    const segment = bytes.subarray(packet.payloadAt, packet.payloadAt + packet.payloadCaptured);
    // Handshake records at the beginning of a segment.
    let at = 0;
    while (segment[at] === 22 && segment[at + 1] === 3 && segment.length >= at + 5) {
      const end = at + 5 + ((segment[at + 3]! << 8) | segment[at + 4]!);
      const side = packet.destinationPort === 443 ? bodies.client : bodies.server;
      if (side === bodies.client) address = packet.destination;
      if (end <= segment.length) side.push(segment.subarray(at + 5, end));
      at = end;
    }
  }
  return {
    client: readHandshake(concat(...bodies.client)),
    server: readHandshake(concat(...bodies.server)),
    serverAddress: [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.'),
  };
}

test('the hellos of a recorded SoftEther session, TLS 1.3', () => {
  const { client, server, serverAddress } = recorded('direct-default');
  assert.ok(client.clientHello!.versions.includes(0x0304));
  // The account holds an address: SoftEther sends it as if it were a name.
  assert.equal(client.clientHello!.serverName, serverAddress);
  assert.deepEqual(client.clientHello!.alpn, []);
  assert.ok(client.clientHello!.suites.includes(0x1302));
  assert.deepEqual(
    [server.serverHello!.version, server.serverHello!.suite, server.serverHello!.encryptThenMac],
    [0x0304, 0x1302, false],
  );
  assert.equal(server.certificate, null);
});

test('the hellos of a recorded SoftEther session, TLS 1.2', () => {
  const { server } = recorded('direct-tls12');
  assert.deepEqual([server.serverHello!.version, server.serverHello!.suite], [0x0303, 0xc030]);
  // DER: a sequence with a length of two bytes that fits.
  const { certificate } = server;
  assert.deepEqual([certificate![0], certificate![1]], [0x30, 0x82]);
  assert.equal(4 + ((certificate![2]! << 8) | certificate![3]!), certificate!.length);
});

test('no bytes make it throw', () => {
  const whole = concat(
    clientHello({ serverName: 'a.example', alpn: ['h2'], versions: [0x0304] }),
    serverHello({ selectedVersion: 0x0304 }),
    certificateMessage(new Uint8Array(40)),
  );
  const anyChange = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  const mutated = fc
    .tuple(fc.array(anyChange, { maxLength: 10 }), fc.nat(whole.length))
    .map(([changes, length]) => {
      const bytes = whole.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes.subarray(0, length);
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (bytes) => {
      const { clientHello: hello, certificate } = readHandshake(bytes);
      assert.ok(certificate === null || certificate.length < bytes.length);
      if (hello !== null) assert.ok(hello.suites.every((suite) => suite >= 0 && suite <= 0xffff));
    }),
    { numRuns: 3000 },
  );
});
