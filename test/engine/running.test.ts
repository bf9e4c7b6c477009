/// Sessions that were running when the capture began, through the engine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '#sealert/detect/findings.js';
import { recordBytes } from '#sealert/detect/ssh-sizes.js';
import { channelWireBytes, sshPacketShape } from '#sealert/flow/ssh/packet-shape.js';
import { softetherSsh } from '#sealert/profiles/softether-ssh.js';
import { analyse } from '../support/analyse.js';
import { pcap, type TestFrame } from '../support/capture-builder.js';
import {
  ENDS,
  keepAliveScript,
  mergeByTime,
  playScript,
  START_US,
  type Step,
  TcpDialogue,
} from '../support/dialogue.js';
import { ethernet, hex, ip, udp } from '../support/frames.js';
import { Random } from '../support/random.js';
import { BulkSender, inDns, join, RudpSession } from '../support/rudp.js';

const sessionsOf = (frames: readonly TestFrame[]): Session[] => analyse(pcap(frames)).sessions;
const verdicts = (frames: readonly TestFrame[]) => sessionsOf(frames).map(({ verdict }) => verdict);
const features = ({ evidence }: Session) => evidence.map(({ feature }) => feature);

const step = (fromClient: boolean, plaintext: number, seconds = 0.001): Step => ({
  name: '',
  fromClient,
  afterUs: seconds * 1e6,
  records: [plaintext],
});

/// What the tunnel carries, joined after the handshake.
function joined(steps: readonly Step[], ends = ENDS, startUs = START_US): TestFrame[] {
  const waiting = steps.map((each, i) => (i === 0 ? { ...each, afterUs: each.afterUs + 2e6 } : each));
  return playScript(waiting, { ends, startUs }).filter(({ timeUs }) => timeUs > startUs + 1e6);
}

const arp = (seconds?: number) => [step(false, 50, seconds), step(true, 50)];
const neighbour = (seconds?: number) => [step(false, 94, seconds), step(true, 86)];
/// A small TCP connection inside the tunnel.
const inner = [82, 82, 74, 74, 74].map((size, i) => step(i % 2 === 0, size, 0.3));

test('two polls among frames are likely, whatever the time between them', () => {
  const [session, ...others] = sessionsOf(joined([...arp(), ...inner, ...neighbour(1), ...inner]));
  assert.deepEqual(others, []);
  assert.equal(session?.verdict, 'likely');
  assert.equal(session?.startCaptured, false);
  assert.deepEqual(session?.client, { ip: ENDS.client, port: ENDS.clientPort });
  assert.ok(features(session!).includes('repeated-poll'));
});

test('one poll among frames is less, and two among other records are nothing', () => {
  assert.deepEqual(verdicts(joined([...arp(), ...inner, ...inner])), ['suspected']);
  const others = Array.from({ length: 12 }, (_, i) => step(i % 2 === 0, 25 + 7 * i, 0.3));
  assert.deepEqual(verdicts(joined([...arp(), ...others, ...neighbour(1)])), []);
});

test('half duplex: what one connection carries up, the other carries down', () => {
  const frames = [50, 82, 74, 86, 74, 50, 94];
  const oneWay = (fromClient: boolean, clientPort: number) =>
    joined(
      frames.map((size) => step(fromClient, size, 1)),
      { ...ENDS, clientPort },
    );
  for (const clientPort of [ENDS.clientPort, 100]) {
    // The smaller port is not the server's here: the shared end tells.
    const up = oneWay(true, clientPort);
    const [session, ...others] = sessionsOf(mergeByTime(up, oneWay(false, clientPort + 1)));
    assert.deepEqual(others, []);
    assert.equal(session?.verdict, 'likely');
    assert.deepEqual(session?.server, { ip: ENDS.server, port: ENDS.serverPort });
    assert.ok(features(session!).includes('one-way-pair'));
    assert.deepEqual(sessionsOf(up), []);
  }
});

test('a keep-alive of any size does not speak against frames', () => {
  const steps = [...arp(), ...inner, step(true, 33, 4.5), ...inner, step(true, 117, 4.5), ...arp(1)];
  const [session] = sessionsOf(joined(steps));
  const sizes = session?.evidence.find(({ feature }) => feature === 'frame-sizes');
  assert.match(sizes?.detail ?? '', /^14 of 14 /);
});

type Packet = [fromClient: boolean, payload: Uint8Array];

/// Two packets a second between the ends.
function datagrams(packets: readonly Packet[], serverPort: number, clientPort = 40_123): TestFrame[] {
  return packets.map(([fromClient, payload], i) => {
    const carried = fromClient ? udp(clientPort, serverPort, payload) : udp(serverPort, clientPort, payload);
    const [source, destination] = fromClient ? [ENDS.client, ENDS.server] : [ENDS.server, ENDS.client];
    return { bytes: ethernet(ip({ source, destination }, carried)), timeUs: START_US + i * 5e5 };
  });
}

/// What both sides of an R-UDP session send once it runs: keep-alives that are acknowledged.
function segments(count: number, random: Random, sides = [true, false]): Packet[] {
  const session = new RudpSession(random, true);
  return Array.from({ length: count }, (_, i) => {
    const fromClient = sides[i % sides.length]!;
    const data = session.keepAlive('Request');
    return [fromClient, session.segment(fromClient ? 'client' : 'server', { sequence: i + 1, data })];
  });
}

const dns = (packets: readonly Packet[], random: Random): Packet[] =>
  packets.map(([fromClient, packet]) => [fromClient, inDns(packet, !fromClient, random)]);

test('R-UDP without its opening: its chain makes it likely once it has lasted, bulk packets certain', () => {
  const random = new Random(3);
  const bulk = new BulkSender('v1', random);
  const sent: Packet[] = Array.from({ length: 8 }, () => [false, bulk.next(900)]);
  assert.deepEqual(verdicts(datagrams(segments(20, random), 5000)), []);
  assert.deepEqual(verdicts(datagrams(segments(60, random), 5000)), ['likely']);
  assert.deepEqual(verdicts(datagrams([...segments(12, random), ...sent], 5000)), ['confirmed']);
  const [session] = sessionsOf(datagrams(dns(segments(60, random), random), 53));
  assert.equal(session?.verdict, 'likely');
  assert.equal(session?.carrier, 'dns');
  assert.deepEqual(session?.server, { ip: ENDS.server, port: 53 });
});

test('what an ordinary flow left in a chain does not reach the next flow', () => {
  const random = new Random(5);
  const ordinary = Array.from({ length: 30 }, (): Packet => [true, random.bytes(300)]);
  const before = datagrams(ordinary, 5000, 40_500);
  const after = datagrams(segments(60, random), 5000).map(({ bytes, timeUs }) => ({
    bytes,
    timeUs: timeUs + 8e6,
  }));
  const [session, ...others] = sessionsOf(mergeByTime(before, after));
  assert.deepEqual(others, []);
  assert.equal(session?.verdict, 'likely');
  assert.deepEqual(session?.client, { ip: ENDS.client, port: 40_123 });
});

test('R-UDP that shows late began inside the capture, with an opening that is missing here', () => {
  const random = new Random(5);
  const late = datagrams(segments(60, random), 5000).map(({ bytes, timeUs }) => ({
    bytes,
    timeUs: timeUs + 20e6,
  }));
  assert.deepEqual(sessionsOf(mergeByTime(joined(arp()), late)), []);
});

test('two such flows to one port are a session, and a server that goes on alone is none', () => {
  const random = new Random(4);
  const [one, two] = [40_123, 60_001].map((port) => datagrams(segments(20, random), 50_000, port));
  const [session, ...others] = sessionsOf(mergeByTime(one!, two!));
  assert.deepEqual(others, []);
  assert.equal(session?.verdict, 'likely');
  assert.deepEqual(session?.server, { ip: ENDS.server, port: 50_000 });
  assert.deepEqual(verdicts(datagrams(segments(60, random, [false]), 5000)), []);
});

/// Half-way inside an SSH connection that forwards the tunnel.
function insideSsh(rounds: number, serverPort: number): TestFrame[] {
  const shape = sshPacketShape('chacha20-poly1305@openssh.com', '')!;
  const random = new Random(6);
  const dialogue = new TcpDialogue({ ...ENDS, serverPort });
  const send = (fromClient: boolean, plaintext: number) => {
    const bytes = random.bytes(channelWireBytes(shape, recordBytes(softetherSsh.recordForms[0]!, plaintext)));
    dialogue.send(fromClient, bytes).wait(1_000);
  };
  for (let i = 0; i < rounds; i++) {
    dialogue.nowUs = START_US + i * 5.1e6;
    send(false, 50);
    send(true, 68);
    dialogue.nowUs = START_US + (i + 0.5) * 5.1e6;
    send(false, 94);
    send(true, 86);
  }
  return dialogue.frames;
}

test('inside SSH that was running, on any port: both kinds of poll, once more after 5.1 s', () => {
  for (const port of [22, 2222, 443]) {
    const [session] = sessionsOf(insideSsh(2, port));
    assert.equal(session?.verdict, 'likely');
    assert.equal(session?.carrier, 'ssh');
    assert.deepEqual(sessionsOf(insideSsh(1, port)), []);
  }
});

test('what was taken for SSH and is not is followed as what it is', () => {
  const random = new Random(7);
  const before = new TcpDialogue(ENDS, { startUs: START_US - 1e6 });
  // The end of a long record, as random as SSH and of such a length.
  before.send(false, random.bytes(400));
  const seconds = 60;
  const rest = joined(keepAliveScript(random, seconds));
  const [session] = sessionsOf(mergeByTime(before.frames, rest));
  assert.equal(session?.carrier, 'tcp');
  assert.ok(features(session!).includes('keep-alive-law'));
});

test('encryption is off: the blocks of both sides make it likely', () => {
  const random = new Random(8);
  const frame = (size: number) =>
    join(hex('00000001'), Uint8Array.of(0, 0, size >> 8, size & 255), random.bytes(size));
  const dialogue = new TcpDialogue(ENDS);
  for (const size of [42, 66, 98, 500]) dialogue.send(true, frame(size)).wait(2e6).send(false, frame(size));
  assert.deepEqual(verdicts(dialogue.frames), ['likely']);
});
