import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatagramAnalysis } from '#sealert/flow/datagram-flow.js';
import type { FlowShare } from '#sealert/flow/flow-share.js';
import type { FlowEnd } from '#sealert/flow/flow-table.js';
import {
  type Analysts,
  DEFAULT_FLOW_LIMITS,
  FlowTracker,
  type FlowTrackerLimits,
} from '#sealert/flow/flow-tracker.js';
import { TCP_FLOW_BYTES } from '#sealert/flow/limits.js';
import type { FlowAnalysis, StreamAnalysis, TcpFlow } from '#sealert/flow/tcp-flow.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet } from '#sealert/wire/packet.js';
import { concat, type TestFrame } from '../support/capture-builder.js';
import { ENDS, mergeByTime, START_US, TcpDialogue } from '../support/dialogue.js';
import { ACK, ADDRESSES, ethernet, ip, SYN, tcp, udp } from '../support/frames.js';
import { batchOf } from '../support/packet-batches.js';
import { applicationData, clientHello, HANDSHAKE, record, serverHello } from '../support/tls.js';

/// Of a flow that needs as much again as an ordinary one from then on.
const HEAVY_RECORD = 444;

/// Writes down what the tracker tells; dismisses a flow at a record of this length.
class Witness implements FlowAnalysis {
  readonly said: string[] = [];
  ended: TcpFlow | null = null;
  /// Facts of the flow when it ended; the flow itself is used again.
  facts: Record<string, unknown> = {};

  constructor(private readonly unwanted: number) {}

  tlsRecord(flow: TcpFlow, fromClient: boolean, type: number, length: number): boolean {
    this.said.push(`${fromClient ? '>' : '<'}${type}:${length} turn ${flow.turns.count}`);
    if (length === HEAVY_RECORD) flow.weight.add(TCP_FLOW_BYTES);
    return length !== this.unwanted;
  }

  notTls(_flow: TcpFlow, fromClient: boolean): boolean {
    this.said.push(`${fromClient ? '>' : '<'}not TLS`);
    return true;
  }

  end(flow: TcpFlow): void {
    flow.readClientHello();
    const { ends, startSeen, closeSeen, firstUs, lastUs, packets } = flow;
    const text = ({ address, port }: FlowEnd) => `${address.join('.')}:${port}`;
    this.facts = {
      client: text(ends!.client),
      server: text(ends!.server),
      startSeen,
      closeSeen,
      firstUs: firstUs - START_US,
      lastUs: lastUs - START_US,
      packets,
      missing: flow.client.missingBytes + flow.server.missingBytes,
      suite: flow.handshake?.serverHello?.suite,
      serverName: flow.handshake?.clientHello?.serverName,
    };
  }
}

/// None but those of TLS flows.
function analysts(tls: () => FlowAnalysis): Analysts {
  return {
    tls,
    ssh: (): StreamAnalysis => assert.fail('no SSH in these tests'),
    plain: (): StreamAnalysis => assert.fail('no blocks in these tests'),
    openVpn: (): StreamAnalysis => assert.fail('no OpenVPN in these tests'),
    datagrams: (): DatagramAnalysis => assert.fail('no datagrams in these tests'),
  };
}

function track(frames: readonly TestFrame[], limits: Partial<FlowTrackerLimits> = {}, unwanted = -1) {
  const witnesses: Witness[] = [];
  const tracker = new FlowTracker(
    analysts(() => {
      witnesses.push(new Witness(unwanted));
      return witnesses.at(-1)!;
    }),
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

const HELLO = record(HANDSHAKE, clientHello({ serverName: 'vpn.example.net' }));
const ANSWER = concat(record(HANDSHAKE, serverHello({ suite: 0x1301 })), applicationData(300));

function tlsDialogue(ends = ENDS, startUs = START_US): TcpDialogue {
  return new TcpDialogue(ends, { startUs }).open().send(true, HELLO).send(false, ANSWER);
}

const SAID = [`>22:${HELLO.length - 5} turn 1`, `<22:${serverHello().length} turn 2`, '<23:300 turn 2'];

test('a TLS flow is followed, with its records, turns and facts', () => {
  const { frames } = tlsDialogue().send(true, applicationData(2000)).close();
  const { witnesses, tracker } = track(frames);
  assert.equal(witnesses.length, 1);
  assert.deepEqual(witnesses[0]!.said, [...SAID, '>23:2000 turn 3']);
  assert.deepEqual(witnesses[0]!.facts, {
    client: '10.1.0.10:50001',
    server: '203.0.113.10:443',
    startSeen: true,
    closeSeen: true,
    firstUs: 0,
    lastUs: frames.at(-1)!.timeUs - START_US,
    packets: frames.length,
    missing: 0,
    suite: 0x1301,
    serverName: 'vpn.example.net',
  });
  assert.equal(tracker.gaps, 0);
});

test('the larger address as client, and IPv6', () => {
  const swapped = { client: '203.0.113.10', clientPort: 443, server: '10.1.0.10', serverPort: 50_001 };
  const { facts } = track(tlsDialogue(swapped).frames).witnesses[0]!;
  assert.deepEqual([facts.client, facts.server], ['203.0.113.10:443', '10.1.0.10:50001']);
  const six = { ...ENDS, client: 'fe80::1', server: '2001:db8::2' };
  const { said, facts: ends } = track(tlsDialogue(six).frames).witnesses[0]!;
  assert.deepEqual(said, SAID);
  assert.equal(ends.client, '254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1:50001');
});

test('what does not begin like TLS is not followed', () => {
  const text = new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n');
  const OTHERS: [name: string, dialogue: TcpDialogue][] = [
    ['HTTP', new TcpDialogue().open().send(true, text).send(false, HELLO)],
    ['the server speaks first', new TcpDialogue().open().send(false, HELLO).send(true, HELLO)],
    ['a handshake that is no ClientHello', new TcpDialogue().open().send(true, record(22, serverHello()))],
    ['application data', new TcpDialogue().open().send(true, applicationData(100))],
    ['nothing said', new TcpDialogue().open().close()],
  ];
  for (const [name, dialogue] of OTHERS) {
    const { witnesses, tracker } = track(dialogue.frames);
    assert.deepEqual(witnesses, [], name);
    assert.equal(tracker.table.tcpFlows, 1, name);
  }
});

test('a flow whose SYN was not captured begins with its ClientHello', () => {
  const { witnesses, tracker } = track(tlsDialogue().frames.slice(3));
  assert.deepEqual(witnesses[0]!.said, SAID);
  assert.equal(witnesses[0]!.facts.startSeen, false);
  assert.equal(witnesses[0]!.facts.client, '10.1.0.10:50001');
  assert.equal(tracker.table.midstreamFlows, 1);
});

test('a first segment that was overtaken', () => {
  const dialogue = new TcpDialogue(ENDS, { mss: 60 }).open().send(true, HELLO);
  const [syn, synAck, ack, ...rest] = dialogue.frames;
  const { witnesses } = track([syn!, synAck!, ack!, ...rest.reverse()]);
  assert.deepEqual(witnesses[0]!.said, SAID.slice(0, 1));
});

test('a segment that overtook the first one is no preamble, whatever it looks like', () => {
  const dialogue = new TcpDialogue(ENDS, { mss: 60 }).open();
  // Where the second segment begins: version 4, command 1, as SOCKS4 does.
  const hello = HELLO.slice();
  hello.set([4, 1], 60);
  const [syn, synAck, ack, ...rest] = dialogue.send(true, hello).frames;
  const { witnesses } = track([syn!, synAck!, ack!, ...rest.reverse()]);
  assert.deepEqual(witnesses[0]!.said, SAID.slice(0, 1));
});

test('a SYN that carries the ClientHello (TCP Fast Open)', () => {
  const back = { source: ADDRESSES.destination, destination: ADDRESSES.source };
  const ports = { sourcePort: 443, destinationPort: 50_000 };
  const frames = [
    ip(ADDRESSES, tcp({ flags: SYN, sequence: 99 }, HELLO)),
    ip(back, tcp({ ...ports, flags: SYN | ACK, sequence: 7, acknowledgement: 100 + HELLO.length })),
    ip(back, tcp({ ...ports, sequence: 8, acknowledgement: 100 + HELLO.length }, ANSWER)),
    ip(
      ADDRESSES,
      tcp({ sequence: 100 + HELLO.length, acknowledgement: 8 + ANSWER.length }, applicationData(9)),
    ),
  ].map((packet, i) => ({ bytes: ethernet(packet), timeUs: START_US + i }));
  const { witnesses, tracker } = track(frames);
  assert.deepEqual(witnesses[0]!.said, [...SAID, '>23:9 turn 3']);
  assert.equal(witnesses[0]!.facts.missing, 0);
  assert.equal(tracker.gaps, 0);
});

test("joined midway, the server's stream begins where the client acknowledged", () => {
  const dialogue = new TcpDialogue(ENDS, { mss: 200 }).open().send(true, HELLO).send(false, ANSWER);
  const frames = dialogue.frames.slice(3);
  const first = frames.findIndex(({ bytes }) => bytes.length > 54 && bytes[34] === 1);
  [frames[first], frames[first + 1]] = [frames[first + 1]!, frames[first]!];
  assert.deepEqual(track(frames).witnesses[0]!.said, SAID);
});

test('a flow that is dismissed by what was held back to its end', () => {
  const dialogue = tlsDialogue().send(true, applicationData(500)).send(true, applicationData(77));
  const lost = dialogue.frames.filter(({ bytes }) => bytes.length !== 54 + 505);
  const { witnesses } = track(lost, {}, 77);
  assert.deepEqual(witnesses[0]!.said, [...SAID, '>23:77 turn 3']);
  assert.deepEqual(witnesses[0]!.facts, {});
});

test('a dismissed flow is told of nothing any more, not even its end', () => {
  const frames = tlsDialogue()
    .send(true, applicationData(77))
    .send(false, applicationData(88))
    .close().frames;
  const { witnesses, tracker } = track(frames, {}, 77);
  assert.deepEqual(witnesses[0]!.said, [...SAID, '>23:77 turn 3']);
  assert.deepEqual(witnesses[0]!.facts, {});
  assert.equal(tracker.table.tcpFlows, 1);
});

test('a dismissed flow leaves its place to others', () => {
  const dialogues = [0, 1, 2].map((i) => {
    const ends = { ...ENDS, clientPort: 1024 + i };
    return tlsDialogue(ends, START_US + i * 1e6).send(true, applicationData(77));
  });
  const frames = mergeByTime(...dialogues.map((dialogue) => dialogue.frames));
  const { witnesses, tracker } = track(frames, { maxFollowedFlows: 1 }, 77);
  assert.equal(witnesses.length, 3);
  assert.equal(tracker.givenUpFlows, 0);
});

test('records of one segment after the unwanted one are not told', () => {
  const both = concat(applicationData(77), applicationData(88));
  const { witnesses } = track(tlsDialogue().send(true, both).frames, {}, 77);
  assert.equal(witnesses[0]!.said.at(-1), '>23:77 turn 3');
});

test('a new SYN on used ends is a new flow', () => {
  const first = tlsDialogue().close();
  const second = new TcpDialogue(ENDS, { startUs: first.nowUs + 1000, clientSequence: 9 });
  second.open().send(true, HELLO);
  const { witnesses, tracker } = track([...first.frames, ...second.frames]);
  assert.deepEqual(
    witnesses.map(({ facts }) => [facts.firstUs, facts.closeSeen]),
    [
      [0, true],
      [first.nowUs + 1000 - START_US, false],
    ],
  );
  assert.equal(tracker.table.tcpFlows, 2);
});

test('too many followed flows: the longest silent one ends early and is counted', () => {
  const three = [0, 1, 2].map((i) => tlsDialogue({ ...ENDS, clientPort: 1024 + i }, START_US + i * 1e6));
  const last = three[0]!.wait(5e6).send(true, applicationData(50)).frames;
  const frames = mergeByTime(last, three[1]!.frames, three[2]!.frames);
  const { witnesses, tracker } = track(frames, { maxFollowedFlows: 2 });
  assert.equal(tracker.givenUpFlows, 1);
  // The first flow was the longest silent when the third came; its last record is not seen.
  assert.deepEqual(
    witnesses.map(({ said, facts }) => [said.length, facts.client]),
    [0, 1, 2].map((i) => [3, `10.1.0.10:${1024 + i}`]),
  );
});

test('a flow that takes more counts for more, as long as it is followed', () => {
  const dialogue = (i: number) => tlsDialogue({ ...ENDS, clientPort: 1024 + i }, START_US + i * 1e6);
  const light = [0, 1].map((i) => dialogue(i).frames);
  const heavy = dialogue(2).send(true, applicationData(HEAVY_RECORD)).frames;
  const { tracker } = track(mergeByTime(...light, heavy), { maxFollowedFlows: 3 });
  assert.equal(tracker.givenUpFlows, 1);
  // It fits by itself.
  assert.equal(track(heavy, { maxFollowedFlows: 2 }).tracker.givenUpFlows, 0);
  const dismissed = dialogue(2).send(true, concat(applicationData(HEAVY_RECORD), applicationData(77))).frames;
  const later = dialogue(3).wait(1e6).frames;
  const { tracker: afterwards } = track(mergeByTime(...light, dismissed, later), { maxFollowedFlows: 3 }, 77);
  assert.equal(afterwards.givenUpFlows, 0);
});

test('a silent flow ends by the time of packets alone, whether others come or not', () => {
  const first = tlsDialogue();
  const others = (startUs: number) =>
    [1, 2, 3].map((i) => ({
      bytes: ethernet(ip({ source: '10.0.0.1', destination: '10.0.0.2' }, udp(i, 53))),
      timeUs: startUs + i,
    }));
  const saidAfter = (seconds: number, othersCome: boolean) => {
    const between = othersCome ? others(first.nowUs + (seconds - 1) * 1e6) : [];
    const resumed = tlsDialogue().wait(seconds * 1e6);
    const more = resumed.send(true, applicationData(60)).frames.slice(first.frames.length);
    return track([...first.frames, ...between, ...more]).witnesses[0]!.said.length;
  };
  for (const othersCome of [false, true]) {
    // A record after the pause belongs to the old flow, or comes too late for any.
    assert.equal(saidAfter(299, othersCome), 4);
    assert.equal(saidAfter(302, othersCome), 3);
  }
});

test('losses and cut packets are counted as missing bytes and gaps', () => {
  const dialogue = tlsDialogue().send(true, applicationData(4000)).send(false, applicationData(100));
  const { frames } = dialogue;
  const segments = frames.filter(({ bytes }) => bytes.length > 1400);
  const lost = frames.filter((frame) => frame !== segments[1]);
  const { witnesses, tracker } = track(lost);
  assert.deepEqual(witnesses[0]!.said, [...SAID, '>23:4000 turn 3', '<23:100 turn 4']);
  assert.equal(witnesses[0]!.facts.missing, 1448);
  assert.equal(tracker.gaps, 1);
  const cut = frames.map((frame) => ({
    ...frame,
    bytes: frame.bytes.subarray(0, 100),
    originalLen: frame.bytes.length,
  }));
  const { said, facts } = track(cut).witnesses[0]!;
  assert.deepEqual(said.at(-1), '<23:100 turn 4');
  assert.equal(
    facts.missing,
    frames.reduce((sum, { bytes }) => sum + Math.max(0, bytes.length - 100), 0),
  );
});

test('more networks than have numbers: as many flows, however many share them', () => {
  const packet = new Packet();
  const flowsOf = (share?: FlowShare): number => {
    const tracker = new FlowTracker(analysts(assert.fail), DEFAULT_FLOW_LIMITS, undefined, share);
    for (let network = 1; network <= 1100; network++) {
      const bytes = ethernet(ip(ADDRESSES, tcp({ sourcePort: 40_000 + (network % 8), flags: SYN })));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      assert.equal(decodeFrame(view, 0, bytes.length, bytes.length, 1, packet), 0);
      packet.layers.setTenant(1, network);
      tracker.packets(batchOf(packet, view, START_US, network));
    }
    return tracker.table.tcpFlows;
  };
  const shares = [0, 1].map((index) => flowsOf({ index, of: 2 }));
  assert.ok(Math.min(...shares) > 0);
  assert.equal(shares[0]! + shares[1]!, flowsOf());
});
