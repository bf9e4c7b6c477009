import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureReader } from '#sealert/capture/reader.js';
import { Engine } from '#sealert/engine.js';
import { DEFAULT_FLOW_LIMITS } from '#sealert/flow/flow-tracker.js';
import { newDiagnostics } from '#sealert/report/model.js';
import { analyse } from '../support/analyse.js';
import { PcapngBuilder, pcap, type TestFrame } from '../support/capture-builder.js';
import { START_US, softetherDialogue } from '../support/dialogue.js';
import { ADDRESSES, ethernet, icmp, ip, ipv4, SYN, tcp, udp } from '../support/frames.js';

function at(timeUs: number, bytes: Uint8Array): TestFrame {
  return { timeUs, bytes };
}

test('nothing in, nothing out', () => {
  assert.deepEqual(analyse(pcap([])), {
    sessions: [],
    sightings: [],
    servers: [],
    diagnostics: newDiagnostics(),
    clockJumps: [],
    cut: { packets: 0, longest: 0 },
  });
});

test('what could not be decoded is counted by layer and reason', () => {
  const whole = ethernet(ipv4(ADDRESSES, tcp({ flags: SYN })));
  const broken: Uint8Array[] = [
    whole,
    ethernet({ etherType: 0x0806, bytes: new Uint8Array(28) }),
    whole.subarray(0, 10),
    whole.subarray(0, 20),
    whole.subarray(0, 40),
    ethernet(ipv4(ADDRESSES, tcp(), { fragment: 0x2000 })),
    ethernet(ipv4(ADDRESSES, tcp(), { fragment: 0x00b9 })),
    ethernet(ipv4(ADDRESSES, { protocol: 47, bytes: new Uint8Array(20) })),
    ethernet(ipv4(ADDRESSES, tcp(), { totalLen: 10 })),
    ethernet(ipv4(ADDRESSES, tcp(), { totalLen: 30 })),
  ];
  const { diagnostics } = analyse(pcap(broken.map((bytes, i) => at(START_US + i, bytes))));
  assert.deepEqual(diagnostics.undecodable, {
    link: { 'header cut off': 1 },
    ip: { 'header cut off': 1, 'invalid header': 1, fragment: 2 },
    transport: { 'header cut off': 1, 'invalid header': 1 },
  });
  assert.deepEqual(diagnostics.fragments, { received: 2, reassembled: 0, incomplete: 0, givenUp: 1 });
  assert.equal(diagnostics.nonIpPackets, 1);
  assert.equal(diagnostics.packets, broken.length);
  assert.equal(diagnostics.flows.tcp, 1);
  const unknown = analyse(pcap([at(0, whole)], { linkType: 147 })).diagnostics;
  assert.deepEqual(unknown.undecodable, { link: { 'unsupported link type': 1 } });
});

test('packets, bytes on the wire, flows by protocol', () => {
  const frames = [
    at(1, ethernet(ip(ADDRESSES, udp(1, 53)))),
    at(2, ethernet(ip({ source: ADDRESSES.destination, destination: ADDRESSES.source }, udp(53, 1)))),
    at(3, ethernet(ip(ADDRESSES, icmp(8)))),
    at(4, ethernet(ip(ADDRESSES, tcp({ flags: SYN })))),
    at(5, ethernet(ip(ADDRESSES, tcp({ sourcePort: 1025 })))),
  ];
  const cut = { ...at(6, frames[4]!.bytes.subarray(0, 60)), originalLen: 1060 };
  const { diagnostics } = analyse(pcap([...frames, cut]));
  assert.deepEqual(diagnostics.flows, { tcp: 2, udp: 1, icmp: 1 });
  assert.equal(diagnostics.midstreamFlows, 1);
  assert.equal(diagnostics.packets, 6);
  assert.equal(
    diagnostics.bytes,
    frames.reduce((sum, { bytes }) => sum + bytes.length, 1060),
  );
  assert.deepEqual([diagnostics.cutPackets, diagnostics.cutBytes], [1, 1060 - cut.bytes.length]);
});

test('the clock: back by more than a second, ahead by more than an hour', () => {
  const SECOND = 1e6;
  const times = [0, 3600, 3599, 7200, 7198.9, 20_000, 20_000, 0].map((s) => START_US + s * SECOND);
  const frames = times.map((timeUs) => at(timeUs, ethernet(ip(ADDRESSES, udp(1, 53)))));
  assert.deepEqual(analyse(pcap(frames)).diagnostics.clockJumps, { back: 2, forward: 2 });
});

test('custom blocks have a number, but are no packets', () => {
  const frames = softetherDialogue({ additional: 0 });
  const builder = new PcapngBuilder().section().interface();
  for (const { bytes, timeUs } of frames) {
    builder.block(0x0bad, (body) => body.u32(1)).packet(bytes, { ticks: BigInt(timeUs) });
  }
  const plain = analyse(pcap(frames));
  const numbered = analyse(builder.bytes());
  assert.deepEqual(numbered.diagnostics, plain.diagnostics);
  const numbers = ({ sessions }: typeof plain) =>
    sessions[0]!.evidence.flatMap(({ frames }) => frames.map(({ frame }) => frame));
  assert.deepEqual(
    numbers(numbered),
    numbers(plain).map((frame) => 2 * frame),
  );
});

test('a flood of flows fills the table, but does not hide a session', () => {
  const session = softetherDialogue({ additional: 0 });
  const flood = session.flatMap(({ timeUs }, i) =>
    Array.from({ length: 20 }, (_, j) =>
      at(timeUs, ethernet(ip(ADDRESSES, tcp({ sourcePort: 1000 + 20 * i + j, flags: SYN })))),
    ),
  );
  const engine = new Engine({ limits: { ...DEFAULT_FLOW_LIMITS, maxFlows: 64 } });
  const reader = new CaptureReader((batch) => engine.push(batch));
  // First what is known of the session, then the flood: one SYN of it stays behind.
  reader.push(pcap([...session.slice(0, 6), ...flood, ...session.slice(6)]));
  reader.end();
  const { sessions, diagnostics } = engine.end();
  assert.equal(sessions.length, 1);
  assert.equal(diagnostics.evictedFlows, flood.length + 1 - 64);
});

test('SSH joined in its middle takes more than other flows: fewer are followed', () => {
  const payload = new Uint8Array(64);
  const segment = (i: number) => {
    const fields = { sourcePort: 1024 + (i % 3), destinationPort: 22, sequence: 64 * Math.floor(i / 3) };
    return at(START_US + i, ethernet(ip(ADDRESSES, tcp(fields, payload))));
  };
  const capture = pcap(Array.from({ length: 9 }, (_, i) => segment(i)));
  const evicted = (maxFollowedFlows: number) => {
    const engine = new Engine({ limits: { ...DEFAULT_FLOW_LIMITS, maxFollowedFlows } });
    new CaptureReader((batch) => engine.push(batch)).push(capture);
    return engine.end().diagnostics.evictedFlows;
  };
  assert.equal(evicted(10), 0);
  // The first one to need more has two given up for it.
  assert.equal(evicted(3), 2);
});
