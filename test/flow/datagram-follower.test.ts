import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatagramAnalysis, DatagramFlow } from '#sealert/flow/datagram-flow.js';
import type { FlowEnd } from '#sealert/flow/flow-table.js';
import { DEFAULT_FLOW_LIMITS, FlowTracker, type FlowTrackerLimits } from '#sealert/flow/flow-tracker.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet } from '#sealert/wire/packet.js';
import type { TestFrame } from '../support/capture-builder.js';
import { START_US } from '../support/dialogue.js';
import { ethernet, icmp, ip, type Transport, udp } from '../support/frames.js';
import { batchOf } from '../support/packet-batches.js';
import { Random } from '../support/random.js';
import { inDns, inIcmp } from '../support/rudp.js';

/// Writes down what it gets; lets the flow go at a datagram of this length.
class Witness implements DatagramAnalysis {
  readonly said: string[] = [];
  readonly frames: number[] = [];
  dismissed = false;
  /// Facts of the flow when it ended; the flow itself is used again.
  facts: Record<string, unknown> | null = null;

  constructor(private readonly unwanted: number) {}

  datagram(
    _flow: DatagramFlow,
    fromA: boolean,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    _timeUs: number,
    frame: number,
  ): boolean {
    const first = captured > 0 ? bytes[at] : 'nothing';
    this.said.push(`${fromA ? 'A' : 'B'}${length}${captured < length ? ` cut to ${captured}` : ''} ${first}`);
    this.frames.push(frame);
    return length !== this.unwanted;
  }

  end({ a, b, packets, bytesFromA, bytesFromB, firstUs, lastUs, isIcmp }: DatagramFlow): void {
    const text = ({ address, port }: FlowEnd) => `${address.join('.')}:${port}`;
    this.facts = {
      ends: [text(a!), text(b!)],
      packets,
      bytes: [bytesFromA, bytesFromB],
      times: [firstUs - START_US, lastUs - START_US],
      isIcmp,
    };
  }

  dismiss(): void {
    this.dismissed = true;
  }
}

function track(frames: readonly TestFrame[], limits: Partial<FlowTrackerLimits> = {}, unwanted = -1) {
  const witnesses: Witness[] = [];
  const tracker = new FlowTracker(
    {
      tls: () => assert.fail('no TCP in these tests'),
      ssh: () => assert.fail('no TCP in these tests'),
      plain: () => assert.fail('no TCP in these tests'),
      openVpn: () => assert.fail('no TCP in these tests'),
      datagrams: () => {
        witnesses.push(new Witness(unwanted));
        return witnesses.at(-1)!;
      },
    },
    { ...DEFAULT_FLOW_LIMITS, ...limits },
  );
  const packet = new Packet();
  frames.forEach(({ bytes, timeUs, originalLen = bytes.length }, i) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    assert.equal(decodeFrame(view, 0, bytes.length, originalLen, 1, packet), 0);
    tracker.packets(batchOf(packet, view, timeUs, i + 1));
  });
  tracker.table.endAll();
  return { witnesses, tracker };
}

const CLIENT = '10.1.0.10';
const SERVER = '203.0.113.10';
const ENDS = ['203.0.113.10:40000', '10.1.0.10:50001'];

function frame(seconds: number, fromClient: boolean, carried: Transport): TestFrame {
  const addresses = fromClient
    ? { source: CLIENT, destination: SERVER }
    : { source: SERVER, destination: CLIENT };
  return { bytes: ethernet(ip(addresses, carried)), timeUs: START_US + seconds * 1e6 };
}

/// A datagram of so many bytes, all of the same value.
function datagram(seconds: number, length: number, fromClient = true, clientPort = 50_001, port = 40_000) {
  const [source, destination] = fromClient ? [clientPort, port] : [port, clientPort];
  return frame(seconds, fromClient, udp(source, destination, new Uint8Array(length).fill(7)));
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test('a flow that may be UDP acceleration is followed from its fourth datagram on', () => {
  assert.equal(track(range(3).map((i) => datagram(i, 100))).witnesses.length, 0);
  const frames = range(6).map((i) => datagram(i, 100 + i, i % 2 === 0));
  const { witnesses, tracker } = track(frames);
  assert.equal(witnesses.length, 1);
  assert.deepEqual(witnesses[0]!.frames, [4, 5, 6]);
  const { ends, ...facts } = witnesses[0]!.facts!;
  assert.deepEqual([...(ends as string[])].sort(), [...ENDS].sort());
  const serverIsA = (ends as string[])[0] === ENDS[0];
  const [server, client] = serverIsA ? ['A', 'B'] : ['B', 'A'];
  assert.deepEqual(witnesses[0]!.said, [`${server}103 7`, `${client}104 7`, `${server}105 7`]);
  assert.deepEqual(facts, {
    packets: 6,
    bytes: serverIsA ? [208, 104] : [104, 208],
    times: [0, 5e6],
    isIcmp: false,
  });
  assert.deepEqual([tracker.table.udpFlows, tracker.givenUpFlows], [1, 0]);
});

test('datagrams that are too short for UDP acceleration do not count as its beginning', () => {
  assert.equal(track(range(50).map((i) => datagram(i, 22))).witnesses.length, 0);
  assert.deepEqual(
    track([...range(5).map((i) => datagram(i, 22)), datagram(9, 23)]).witnesses[0]!.frames,
    [6],
  );
  const empty = range(10).map((i) => datagram(i, 0));
  assert.equal(track(empty).witnesses.length, 0);
});

test('an opening of R-UDP is followed at once', () => {
  assert.deepEqual(track([datagram(0, 39), datagram(1, 5)]).witnesses[0]!.frames, [1, 2]);
  assert.deepEqual(track([datagram(0, 5), datagram(1, 39)]).witnesses[0]!.frames, [2]);
  assert.equal(track([datagram(0, 38), datagram(1, 40)]).witnesses.length, 0);
});

test('DNS: only what carries R-UDP', () => {
  const random = new Random(1);
  const question = (seconds: number, length: number) => datagram(seconds, length, true, 50_001, 53);
  // 39 bytes are as long as the opening of R-UDP where nothing carries it.
  assert.equal(track(range(40).map((i) => question(i, 39 + i * 3))).witnesses.length, 0);
  const fake = (isAnswer: boolean) => {
    const carried = inDns(random.bytes(39), isAnswer, random);
    return frame(1, !isAnswer, isAnswer ? udp(53, 50_001, carried) : udp(50_001, 53, carried));
  };
  for (const isAnswer of [false, true]) {
    const { witnesses } = track([question(0, 40), fake(isAnswer), question(2, 41)]);
    assert.deepEqual(witnesses[0]!.frames, [2, 3]);
  }
});

test('ICMP: only what can carry R-UDP, and the whole message', () => {
  const random = new Random(2);
  const echo = (seconds: number, length: number) => frame(seconds, true, icmp(8, new Uint8Array(length)));
  assert.equal(track(range(40).map((i) => echo(i, 56))).witnesses.length, 0);
  const opening = inIcmp(random.bytes(39), 8);
  const information = inIcmp(random.bytes(200), 15);
  for (const message of [opening, information]) {
    const carried: Transport = { protocol: 1, bytes: message };
    const { witnesses, tracker } = track([echo(0, 56), frame(1, true, carried), echo(2, 32)]);
    assert.deepEqual(
      witnesses[0]!.said.map((text) => text.slice(1)),
      [`${message.length} ${message[0]}`, '40 8'],
    );
    assert.equal(witnesses[0]!.facts!.isIcmp, true);
    assert.equal(witnesses[0]!.facts!.packets, 3);
    assert.equal(tracker.table.icmpFlows, 1);
  }
});

test('cut datagrams say how long they were', () => {
  const { bytes, timeUs } = datagram(0, 39);
  const cut = { bytes: bytes.subarray(0, bytes.length - 9), timeUs, originalLen: bytes.length };
  const nothing = { bytes: bytes.subarray(0, 42), timeUs, originalLen: bytes.length };
  assert.deepEqual(
    track([cut, nothing]).witnesses[0]!.said.map((text) => text.slice(1)),
    ['39 cut to 30 7', '39 cut to 0 nothing'],
  );
});

test('a flow that is let go is told so, and of nothing more, and leaves its place to others', () => {
  const flows = range(4).map((i) => [
    datagram(i * 10, 39, true, 1024 + i),
    datagram(i * 10 + 1, 77, true, 1024 + i),
    datagram(i * 10 + 2, 39, true, 1024 + i),
  ]);
  const { witnesses, tracker } = track(flows.flat(), { maxFollowedDatagramFlows: 1 }, 77);
  assert.deepEqual(
    witnesses.map(({ said, dismissed, facts }) => [said.length, dismissed, facts]),
    range(4).map(() => [2, true, null]),
  );
  assert.equal(tracker.givenUpFlows, 0);
  // Let go by its very first datagram.
  const { witnesses: once } = track([datagram(0, 39), datagram(1, 39)], {}, 39);
  assert.deepEqual([once.length, once[0]!.said.length, once[0]!.dismissed], [1, 1, true]);
});

test('too many flows: the longest silent one ends early, is counted, and not followed again', () => {
  const frames = [
    datagram(0, 39, true, 1024),
    datagram(1, 39, true, 1025),
    datagram(2, 60, true, 1024),
    datagram(3, 39, true, 1026),
    datagram(4, 39, true, 1025),
    datagram(5, 60, true, 1024),
  ];
  const { witnesses, tracker } = track(frames, { maxFollowedDatagramFlows: 2 });
  assert.equal(tracker.givenUpFlows, 1);
  assert.deepEqual(
    witnesses.map((witness) => witness.frames),
    [[1, 3, 6], [2], [4]],
  );
  for (const { facts, dismissed } of witnesses) {
    assert.ok(facts !== null);
    assert.equal(dismissed, false);
  }
  tracker.clear();
  assert.equal(tracker.givenUpFlows, 0);
});

test('a slot that is used again keeps nothing of the flow before', () => {
  const frames = [datagram(0, 39, true, 1024), datagram(400, 39, true, 1025), datagram(401, 50, false, 1025)];
  const { witnesses } = track(frames, { maxFollowedDatagramFlows: 1 });
  const facts = witnesses[1]!.facts!;
  assert.deepEqual([...(facts.bytes as number[])].sort(), [39, 50]);
  assert.deepEqual([facts.packets, facts.times], [2, [400e6, 401e6]]);
  assert.ok((facts.ends as string[]).includes('10.1.0.10:1025'));
});
