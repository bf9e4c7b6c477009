import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureReader } from '#sealert/capture/reader.js';
import { isAtLeast } from '#sealert/detect/findings.js';
import { Engine, type Findings } from '#sealert/engine.js';
import { analyse, essence } from '../support/analyse.js';
import { anyChunks } from '../support/capture-arbitraries.js';
import {
  PCAP_HEADER_BYTES,
  PCAP_RECORD_BYTES,
  pcap,
  pcapng,
  type TestFrame,
} from '../support/capture-builder.js';
import {
  ENDS,
  type Ends,
  mergeByTime,
  type SoftetherOptions,
  START_US,
  softetherDialogue,
  TcpDialogue,
} from '../support/dialogue.js';
import { ethernet, ipv4, sll, sll2, udp } from '../support/frames.js';
import fc from '../support/property.js';
import { Random } from '../support/random.js';
import { TLS_AES_128_GCM_SHA256 } from '../support/tls.js';

const anySeed = fc.nat(1_000_000);

/// What a session must come out as, whatever was done to its recording.
function expected(ends: Ends, additional: number) {
  return {
    client: { ip: ends.client, port: ends.clientPort },
    server: { ip: ends.server, port: ends.serverPort },
    roles: ['primary', ...Array(additional).fill('additional')],
  };
}

/// Checks that a capture gives exactly this session, and surely.
function assertSession(findings: Findings, ends: Ends = ENDS, additional = 1): void {
  assert.equal(findings.sessions.length, 1);
  const { client, server, connections, verdict } = findings.sessions[0]!;
  const roles = connections.map(({ role }) => role);
  assert.deepEqual({ client, server, roles }, expected(ends, additional));
  assert.ok(isAtLeast(verdict, 'likely'), verdict);
}

/// A session and ordinary traffic around it.
function busyCapture(seed: number): TestFrame[] {
  const other = new TcpDialogue({ ...ENDS, clientPort: 50_900, server: '198.51.100.7' });
  const text = new TextEncoder().encode('GET / HTTP/1.1\r\nHost: www.example\r\n\r\n');
  other.open().send(true, text).send(false, new Uint8Array(9000).fill(0x61)).close();
  const query = ipv4({ source: ENDS.client, destination: '10.1.0.1' }, udp(5353, 53, new Uint8Array(30)));
  const dns = [{ bytes: ethernet(query), timeUs: START_US + 500 }];
  const arp = [{ bytes: ethernet({ etherType: 0x0806, bytes: new Uint8Array(28) }), timeUs: START_US + 700 }];
  return mergeByTime(softetherDialogue({ seed }), other.frames, dns, arp);
}

test('the container does not matter: the findings are the same, diagnostics and all', () => {
  fc.assert(
    fc.property(anySeed, anyChunks(), (seed, chunks) => {
      const frames = busyCapture(seed);
      const findings = analyse(pcap(frames));
      assertSession(findings);
      assert.deepEqual(analyse(pcapng(frames)), findings);
      assert.deepEqual(analyse(pcapng(frames, false)), findings);
      assert.deepEqual(analyse(pcap(frames, { littleEndian: false, nanoseconds: true })), findings);
      assert.deepEqual(inPieces(pcap(frames), chunks), findings);
    }),
    { numRuns: 25 },
  );
});

test('packets one at a time, as live capture gives them', () => {
  const frames = busyCapture(7);
  const lengths = frames.map(({ bytes }) => PCAP_RECORD_BYTES + bytes.length);
  assert.deepEqual(inPieces(pcap(frames), [PCAP_HEADER_BYTES, ...lengths]), analyse(pcap(frames)));
});

function inPieces(capture: Uint8Array, lengths: readonly number[]): Findings {
  const engine = new Engine();
  engine.begin(0);
  const reader = new CaptureReader((batch) => engine.push(batch));
  let at = 0;
  for (const length of [...lengths, capture.length]) {
    reader.push(capture.subarray(at, at + length));
    at += length;
  }
  reader.end();
  return engine.end();
}

test('an engine that was used before finds the same', () => {
  const captures = [busyCapture(1), busyCapture(2).slice(0, 40), busyCapture(3)].map((frames) =>
    pcap(frames),
  );
  const engine = new Engine();
  captures.forEach((capture, i) => {
    engine.begin(i);
    const reader = new CaptureReader((batch) => engine.push(batch));
    reader.push(capture);
    reader.end();
    const findings = engine.end();
    for (const { evidence } of findings.sessions) {
      for (const { frames } of evidence) for (const frame of frames) frame.input -= i;
    }
    assert.deepEqual(findings, analyse(capture));
  });
});

const WAYS: [name: string, options: SoftetherOptions][] = [
  ['TLS 1.2', { tls12: true }],
  ['a SHA-256 suite', { suite: TLS_AES_128_GCM_SHA256 }],
  ['no probe', { probe: false }],
  ['no further connection', { additional: 0 }],
  ['eight connections', { additional: 7 }],
  ['a VLAN', { link: (packet) => ethernet(packet, [0x8100]) }],
  ['small segments', { mss: 536 }],
  ['sequence numbers that wrap', { clientSequence: 0xffff_f800, serverSequence: 0x7fff_ff00 }],
  ['IPv6', { ends: { ...ENDS, client: '2001:db8::10', server: '2001:db8:1::443' } }],
  ['IPv6, the server first', { ends: { ...ENDS, client: '2001:db8::10', server: '::1' } }],
  [
    "the server's address is the smaller one",
    { ends: { ...ENDS, client: '203.0.113.10', server: '10.1.0.10' } },
  ],
  ['a signed comparison of addresses', { ends: { ...ENDS, client: '127.255.0.1', server: '128.0.0.1' } }],
  ['any port', { ends: { ...ENDS, serverPort: 50_443 } }],
  ['both on one host', { ends: { ...ENDS, server: ENDS.client } }],
];

for (const [name, options] of WAYS) {
  test(`a session is found: ${name}`, () => {
    fc.assert(
      fc.property(anySeed, (seed) => {
        const findings = analyse(pcap(softetherDialogue({ seed, ...options })));
        assertSession(findings, options.ends, options.additional);
        assert.equal(findings.sessions[0]!.startCaptured, true);
        assert.deepEqual(findings.sessions[0]!.caveats, []);
      }),
      { numRuns: 15 },
    );
  });
}

test('other link types', () => {
  for (const [linkType, link] of [
    [113, sll],
    [276, sll2],
    [101, ({ bytes }: { bytes: Uint8Array }) => bytes],
  ] as const) {
    assertSession(analyse(pcap(softetherDialogue({ link }), { linkType })));
  }
});

test('times shifted by a constant shift times, and nothing else', () => {
  const us = (text: string) => Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(text.slice(20, 26));
  // From 1970 to the last second that a pcap can hold.
  const anyShift = fc.integer({ min: -START_US, max: 4_294_967_000 * 1e6 - START_US });
  fc.assert(
    fc.property(anySeed, anyShift, (seed, shiftUs) => {
      const frames = busyCapture(seed);
      const shifted = frames.map((frame) => ({ ...frame, timeUs: frame.timeUs + shiftUs }));
      const before = analyse(pcap(frames));
      const after = analyse(pcap(shifted));
      const withoutTimes = ({ sessions, sightings, servers, ...rest }: Findings) => ({
        ...rest,
        sightings: sightings.map(({ firstSeen: _, lastSeen: __, ...sighting }) => sighting),
        servers: servers.map(({ firstSeen: _, lastSeen: __, sessions, ...server }) => ({
          ...server,
          sessions: sessions.length,
        })),
        sessions: sessions.map(({ id: _, start, end, connections, ...session }) => ({
          ...session,
          connections: connections.map(({ start: _, end: __, ...connection }) => connection),
        })),
      });
      assert.deepEqual(withoutTimes(after), withoutTimes(before));
      const times = ({ sessions, sightings, servers }: Findings) => [
        ...sessions.flatMap(({ start, end, connections }) =>
          [{ start, end }, ...connections].flatMap((part) => [us(part.start), us(part.end)]),
        ),
        ...[...sightings, ...servers].flatMap((seen) => [us(seen.firstSeen), us(seen.lastSeen)]),
      ];
      assert.deepEqual(
        times(after),
        times(before).map((time) => time + shiftUs),
      );
    }),
    { numRuns: 25 },
  );
});

test('two captures of other hosts, merged by time, give the union', () => {
  const anyOther = fc.record({ seed: anySeed, delayUs: fc.nat(40_000_000), additional: fc.nat(3) });
  fc.assert(
    fc.property(anySeed, anyOther, (seed, { delayUs, ...other }) => {
      const first = busyCapture(seed);
      const ends = { client: '192.0.2.77', clientPort: 1024, server: '203.0.113.99', serverPort: 992 };
      const second = softetherDialogue({ ...other, ends, startUs: START_US + delayUs });
      const alone = [first, second].map((frames) => analyse(pcap(frames)));
      const together = analyse(pcap(mergeByTime(first, second)));
      const byId = (findings: Findings[]) =>
        findings
          .flatMap(({ sessions }) => sessions)
          .map((session) => ({ ...essence(session), connections: session.connections, end: session.end }))
          .sort((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(byId([together]), byId(alone));
      const sum = (of: (findings: Findings) => number) => of(alone[0]!) + of(alone[1]!);
      const { diagnostics } = together;
      assert.equal(
        diagnostics.packets,
        sum((findings) => findings.diagnostics.packets),
      );
      assert.equal(
        diagnostics.bytes,
        sum((findings) => findings.diagnostics.bytes),
      );
      assert.equal(
        diagnostics.flows.tcp,
        sum((findings) => findings.diagnostics.flows.tcp),
      );
    }),
    { numRuns: 25 },
  );
});

/// The frames with each burst of segments of one side in another order.
function reordered(frames: readonly TestFrame[], random: Random): TestFrame[] {
  const bursts: TestFrame[][] = [];
  const sender = ({ bytes }: TestFrame) => bytes.subarray(26, 30).join();
  for (const frame of frames) {
    const burst = bursts.at(-1);
    const hasPayload = frame.bytes.length > 54;
    const joins = burst && hasPayload && burst[0]!.bytes.length > 54 && sender(burst[0]!) === sender(frame);
    if (joins) burst.push(frame);
    else bursts.push([frame]);
  }
  return bursts.flatMap((burst) => {
    const times = burst.map(({ timeUs }) => timeUs);
    return random.shuffled(burst).map((frame, i) => ({ ...frame, timeUs: times[i]! }));
  });
}

test('segments that overtake each other do not change what is found', () => {
  fc.assert(
    fc.property(anySeed, fc.constantFrom(1448, 536, 100), (seed, mss) => {
      const frames = softetherDialogue({ seed, mss, additional: 0 });
      const changed = reordered(frames, new Random(seed));
      const before = analyse(pcap(frames)).sessions.map(essence);
      assert.deepEqual(analyse(pcap(changed)).sessions.map(essence), before);
      assert.equal(before.length, 1);
    }),
    { numRuns: 25 },
  );
});

test('packets recorded twice do not change what is found', () => {
  fc.assert(
    fc.property(anySeed, fc.integer({ min: 1, max: 5 }), fc.nat(3), (seed, every, later) => {
      const frames = softetherDialogue({ seed });
      const twice = frames.flatMap((frame, i) =>
        i % every === 0 ? [frame, { ...frame, timeUs: frame.timeUs + later }] : [frame],
      );
      const sessions = (all: readonly TestFrame[]) =>
        analyse(pcap(all)).sessions.map((session) => ({
          ...essence(session),
          bytes: session.connections.map(({ bytesFromClient, bytesFromServer }) => [
            bytesFromClient,
            bytesFromServer,
          ]),
        }));
      assert.deepEqual(sessions(mergeByTime(twice)), sessions(frames));
    }),
    { numRuns: 25 },
  );
});

test('packets cut by a snap length still show the session', () => {
  fc.assert(
    // Enough for the headers and two TLS record headers with a byte between them.
    fc.property(anySeed, fc.integer({ min: 70, max: 1500 }), (seed, snapLen) => {
      const frames = softetherDialogue({ seed });
      const cut = frames.map((frame) => ({
        ...frame,
        bytes: frame.bytes.subarray(0, snapLen),
        originalLen: frame.bytes.length,
      }));
      const findings = analyse(pcap(cut));
      assertSession(findings);
      const whole = analyse(pcap(frames)).sessions[0]!;
      assert.deepEqual(findings.sessions[0]!.connections, whole.connections);
      assert.equal(findings.sessions[0]!.id, whole.id);
      assert.equal(findings.sessions[0]!.verdict, whole.verdict);
      assert.equal(
        findings.diagnostics.cutPackets,
        frames.filter(({ bytes }) => bytes.length > snapLen).length,
      );
    }),
    { numRuns: 40 },
  );
});

test('a capture that misses the first packets says so', () => {
  const frames = softetherDialogue({ additional: 0 });
  const { sessions, diagnostics } = analyse(pcap(frames.slice(3)));
  assert.equal(sessions.length, 1);
  assert.equal(sessions[0]!.startCaptured, false);
  assert.equal(sessions[0]!.caveats.length, 1);
  assert.equal(diagnostics.midstreamFlows, 1);
});

test('without the traits of an installation: the same verdicts, nothing of names', () => {
  const capture = pcap(busyCapture(5));
  const [plain] = analyse(capture).sessions;
  const [masked] = analyse(capture, { maskInstallation: true }).sessions;
  assert.equal(masked!.verdict, plain!.verdict);
  assert.equal(masked!.id, plain!.id);
  assert.deepEqual([masked!.software.client.generation, masked!.software.server.generation], [null, null]);
  assert.doesNotMatch(JSON.stringify(masked!.evidence), /ClientHello|server name/i);
});
