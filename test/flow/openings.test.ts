/// Openings that are seen to before anybody follows a flow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chatter } from '#sealert/detect/chatter.js';
import { WORD_KIND } from '#sealert/flow/flow-table.js';
import { DEFAULT_FLOW_LIMITS, FlowTracker } from '#sealert/flow/flow-tracker.js';
import type { FlowAnalysis, TcpFlow } from '#sealert/flow/tcp-flow.js';
import { Block } from '#sealert/loops/memory.js';
import { softetherTls } from '#sealert/profiles/softether-tls.js';
import { softetherTraces } from '#sealert/profiles/softether-traces.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet, STOP_NONE } from '#sealert/wire/packet.js';
import { offersProtocol } from '#sealert/wire/tls-hello.js';
import { concat, type TestFrame } from '../support/capture-builder.js';
import { ENDS, START_US, TcpDialogue } from '../support/dialogue.js';
import { ACK, ethernet, FIN, icmp, ip, RST, SYN, tcp, udp } from '../support/frames.js';
import { batchOf } from '../support/packet-batches.js';
import fc from '../support/property.js';
import { Random } from '../support/random.js';
import { inDns } from '../support/rudp.js';
import { applicationData, clientHello, HANDSHAKE, record, serverHello } from '../support/tls.js';

const H2 = softetherTls.neverOffered.protocol;
const TLS_1_3 = 0x0304;

interface Options {
  /// Whether openings are seen to, and whether the loops can read the bytes.
  openings?: boolean;
  inLoops?: boolean;
}

/// What the followers and the listener were told, flow by flow, and how the table stands (the first flow's `kind`).
function track(frames: readonly TestFrame[], { openings = true, inLoops = false }: Options = {}) {
  const told: string[] = [];
  const ruledOut: boolean[] = [];
  const follow = (kind: string) => {
    told.push(`follows ${kind}`);
    const stream = { bytes: () => true, missing: () => {}, end: () => {} };
    return stream;
  };
  const tls = (flow: TcpFlow): FlowAnalysis => {
    told.push('follows tls');
    ruledOut.push(flow.isRuledOut);
    return {
      tlsRecord: (_flow, fromClient, type, length) => {
        told.push(`${fromClient ? '>' : '<'}${type}:${length}`);
        return true;
      },
      notTls: () => false,
      end: ({ handshake }) => {
        told.push(`certificate ${handshake?.serverHello?.version ?? 'unknown'}`);
      },
    };
  };
  const tracker = new FlowTracker(
    {
      tls,
      ssh: () => follow('ssh'),
      plain: () => follow('plain'),
      openVpn: () => follow('openvpn'),
      datagrams: () => {
        told.push('follows datagrams');
        return {
          datagram: (_flow, _fromA, _bytes, _at, _captured, length) => length !== 77,
          end() {},
          dismiss() {},
        };
      },
      listener: new Chatter(softetherTraces, ({ kind, detail, frame }) =>
        told.push(`heard in ${frame}: ${kind}, ${detail}`),
      ),
    },
    DEFAULT_FLOW_LIMITS,
    () => {},
    undefined,
    0,
    openings ? H2 : null,
  );
  const packet = new Packet();
  frames.forEach(({ bytes, timeUs, originalLen = bytes.length }, i) => {
    const block = new Block(bytes.length + 64);
    const placed = new Uint8Array(block.buffer, block.at, bytes.length + 64);
    placed.fill(0);
    placed.set(bytes);
    const view = new DataView(block.buffer, block.at, bytes.length);
    if (decodeFrame(view, 0, bytes.length, originalLen, 1, packet) !== STOP_NONE) return;
    const batch = batchOf(packet, view, timeUs, i + 1);
    if (inLoops) Object.assign(batch.frames, { bytesAt: block.at });
    tracker.packets(batch);
    block.giveBack();
  });
  const { table } = tracker;
  const kind = table.words[WORD_KIND]!;
  table.endAll();
  const { tcpFlows, oneSidedFlows } = table;
  tracker.dispose();
  return { told, ruledOut, kind, tcpFlows, oneSidedFlows };
}

const everyWay = [{ inLoops: true }, { inLoops: false }];

function hello(fields: Parameters<typeof clientHello>[0] = {}): Uint8Array {
  return record(HANDSHAKE, clientHello({ serverName: 'www.example.net', ...fields }));
}

const ANSWER_1_3 = concat(
  record(HANDSHAKE, serverHello({ suite: 0x1301, selectedVersion: TLS_1_3 })),
  applicationData(300),
);
const ANSWER_1_2 = record(HANDSHAKE, serverHello({ suite: 0xc030 }));

function dialogue(first: Uint8Array, answer: Uint8Array): TcpDialogue {
  return new TcpDialogue().open().send(true, first).send(false, answer).send(true, applicationData(80));
}

test('nobody follows a connection that offers HTTP/2 and is encrypted from the answer on', () => {
  for (const way of everyWay) {
    for (const ends of [ENDS, { ...ENDS, client: '2001:db8::9', server: '2001:db8::1' }]) {
      const { frames } = new TcpDialogue(ends)
        .open()
        .send(true, hello({ alpn: ['h2', 'http/1.1'] }))
        .send(false, ANSWER_1_3)
        .send(true, applicationData(80))
        .close();
      const { told, tcpFlows, oneSidedFlows } = track(frames, way);
      assert.deepEqual(told, []);
      assert.equal(tcpFlows, 1);
      assert.equal(oneSidedFlows, 0);
    }
  }
});

test('every other one is followed', () => {
  const OTHERS: [name: string, first: Uint8Array][] = [
    ['no ALPN', hello()],
    ['HTTP/1.1 alone', hello({ alpn: ['http/1.1'] })],
    ['a name that begins like it', hello({ alpn: ['h2c'] })],
    ['a longer name that holds it', hello({ alpn: ['xh2'] })],
    ['no extensions', record(HANDSHAKE, clientHello())],
    ['the list cut off by the segment', hello({ alpn: ['h2'] }).subarray(0, -3)],
  ];
  for (const way of everyWay) {
    for (const [name, first] of OTHERS) {
      assert.equal(track(dialogue(first, ANSWER_1_3).frames, way).told[0], 'follows tls', name);
    }
  }
});

test('a hello is ruled out by its first segment, whatever follows in others', () => {
  const padding: [number, Uint8Array] = [21, new Uint8Array(1400)];
  const [before, after] = [hello({ alpn: ['h2'] }), hello({ alpn: ['h2'], extensions: [padding] })];
  assert.deepEqual(track(dialogue(before, ANSWER_1_3).frames).told, []);
  // Behind what does not fit into the first segment nobody looks but the analysis.
  assert.equal(track(dialogue(after, ANSWER_1_3).frames).told[0], 'follows tls');
});

test('below TLS 1.3 the server says in clear who it is: that is read, from its answer on', () => {
  for (const way of everyWay) {
    const { told, ruledOut } = track(dialogue(hello({ alpn: ['h2'] }), ANSWER_1_2).frames, way);
    assert.deepEqual(told, [
      'follows tls',
      `<${HANDSHAKE}:${serverHello().length}`,
      '>23:80',
      `certificate ${0x0303}`,
    ]);
    assert.deepEqual(ruledOut, [true]);
  }
});

test('a refusal, or anything else that is no ServerHello, ends it', () => {
  for (const answer of [
    record(21, Uint8Array.of(2, 40)),
    new TextEncoder().encode('HTTP/1.1 400 no\r\n\r\n'),
  ]) {
    const { told } = track(dialogue(hello({ alpn: ['h2'] }), answer).frames);
    assert.deepEqual(told, []);
  }
});

/// With openings seen to a connection that offers HTTP/2 is followed from the answer on: what is told then.
const ANSWERED = ['follows tls', `<${HANDSHAKE}:${serverHello().length}`, '>23:80', `certificate ${0x0303}`];

test('an answer in clear is read however it comes', () => {
  const first = hello({ alpn: ['h2'] });
  const warning = record(21, Uint8Array.of(1, 112));
  const plain = dialogue(first, ANSWER_1_2).frames;
  const at = plain.findIndex(({ bytes }) => bytes.length > 100) + 2;
  const inTwo = (size: number) => {
    const { frames } = new TcpDialogue(ENDS)
      .open()
      .send(true, first)
      .send(false, ANSWER_1_2.subarray(0, size))
      .send(false, ANSWER_1_2.subarray(size))
      .send(true, applicationData(80));
    return frames;
  };
  const turned = inTwo(20);
  [turned[at], turned[at + 2]] = [turned[at + 2]!, turned[at]!];
  const probe = { ...plain[at]!, bytes: plain[at]!.bytes.slice(0, 55) };
  const view = new DataView(probe.bytes.buffer);
  view.setUint16(16, 41);
  view.setUint32(38, view.getUint32(38) - 1);
  const WAYS: [name: string, frames: readonly TestFrame[], before?: string[]][] = [
    ['the header of the record first', inTwo(5)],
    ['in two segments, the second first', turned],
    ['behind a warning', dialogue(first, concat(warning, ANSWER_1_2)).frames, ['<21:2']],
    ['behind a probe that keeps alive', [...plain.slice(0, at), probe, ...plain.slice(at)]],
  ];
  for (const way of everyWay) {
    for (const [name, frames, before = []] of WAYS) {
      const [follows, ...rest] = ANSWERED;
      assert.deepEqual(track(frames, way).told, [follows, ...before, ...rest], name);
    }
  }
});

test('only the extensions of the hello itself count, and the first list of protocols', () => {
  const h2 = Uint8Array.of(0, 3, 2, 0x68, 0x32);
  const other = Uint8Array.of(0, 2, 1, 0x78);
  const behind = concat(hello(), Uint8Array.of(0, 16, 0, 5), h2);
  const OFFERS: [name: string, first: Uint8Array, isRuledOut: boolean][] = [
    ['behind the hello', behind, false],
    ['first', hello({ extensions: [[16, h2]], alpn: ['x'] }), true],
    ['second', hello({ extensions: [[16, other]], alpn: ['h2'] }), false],
  ];
  for (const way of everyWay) {
    for (const [name, first, isRuledOut] of OFFERS) {
      assert.equal(track(dialogue(first, ANSWER_1_3).frames, way).told.length === 0, isRuledOut, name);
      assert.equal(offersProtocol(first.subarray(5), H2), isRuledOut, name);
    }
  }
  // A certificate below TLS 1.3 may hold anything.
  const certificate = record(
    HANDSHAKE,
    Uint8Array.from({ length: 60 }, (_, i) => [0, 43, 0, 2, 3, 4][i % 6]!),
  );
  const { told } = track(dialogue(hello({ alpn: ['h2'] }), concat(ANSWER_1_2, certificate)).frames);
  assert.equal(told[0], 'follows tls');
});

test('a payload longer than any segment, beside other flows', () => {
  const others = Array.from({ length: 200 }, (_, i) => ({
    bytes: ethernet(
      ip({ source: '10.9.0.1', destination: '10.9.0.2' }, udp(1000 + i, 2000, new Uint8Array(8))),
    ),
    timeUs: START_US - 1000 + i,
  }));
  for (const padding of [2000, 2048, 3000, 5000]) {
    const filler: [number, Uint8Array] = [21, new Uint8Array(padding)];
    const first = hello({
      extensions: [[16, Uint8Array.of(0, 3, 2, 0x68, 0x32)], filler],
      serverName: 'x.softether.net',
    });
    const { frames } = new TcpDialogue(ENDS, { mss: 9000 }).open().send(true, first).send(false, ANSWER_1_3);
    for (const way of everyWay) {
      assert.match(track([...others, ...frames], way).told[0]!, /^heard in 204: contact/, `${padding}`);
    }
  }
});

test('a hello that comes twice, or whose end comes later, changes nothing', () => {
  const { frames } = dialogue(hello({ alpn: ['h2'] }), ANSWER_1_3);
  const first = frames.findIndex(({ bytes }) => bytes.length > 100);
  const twice = [...frames.slice(0, first + 1), frames[first]!, ...frames.slice(first + 1)];
  assert.deepEqual(track(twice).told, []);
});

test('names that are listened for are heard all the same', () => {
  const NAMES = [
    'x.softether.net',
    'SOFTETHER.NET',
    'uxcom.jp',
    'vpn7.vpnazure.net',
    'DDNS',
    'vpn.example.net/tcp',
    'public-vpn-1.opengw.net',
  ];
  for (const way of everyWay) {
    for (const serverName of NAMES) {
      const { told } = track(dialogue(hello({ serverName, alpn: ['h2'] }), ANSWER_1_3).frames, way);
      assert.match(told[0]!, /^heard in 4: /, serverName);
    }
  }
});

const anyLabel = fc.oneof(
  fc.stringMatching(/^[a-z0-9-]{1,12}$/),
  fc.constantFrom('softether net', 'softether\x01net', 'a\x1fsoftether!org'),
);
const anyName = fc.oneof(
  fc.array(anyLabel, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  fc
    .tuple(fc.array(anyLabel, { maxLength: 2 }), fc.constantFrom(...softetherTraces.names))
    .map(([labels, { suffix }]) => [...labels, suffix].join('.')),
);

function question(name: string, type: number): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  return Uint8Array.of(7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1);
}

const anyPayload = fc.oneof(
  { arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }), weight: 3 },
  fc.tuple(anyName, fc.constantFrom(1, 28, 48)).map(([name, type]) => question(name, type)),
  fc.uint8Array({ minLength: 20, maxLength: 39 }).map((bytes) => inDns(bytes, true, new Random(1))),
  fc.uint8Array({ minLength: 20, maxLength: 39 }).map((bytes) => inDns(bytes, false, new Random(1))),
  fc.constantFrom(
    Uint8Array.of(0xc3, 0, 0, 0, 1, 8, 1, 2, 3),
    Uint8Array.of(0xff, 0x6b, 0x33, 0x43, 0xcf),
    Uint8Array.of(0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0),
    new TextEncoder().encode(softetherTraces.keepAliveText),
    new Uint8Array(39).fill(9),
    new Uint8Array(77).fill(9),
  ),
);
const anyPort = fc.constantFrom(53, 80, 443, 500, 1194, 4500, 5004, 40_000, 40_001);

/// Datagrams of a few flows, some cut off by the capture.
const anyDatagrams = fc.array(
  fc
    .record({
      ports: fc.tuple(anyPort, anyPort),
      payload: anyPayload,
      isIcmp: fc.option(fc.constantFrom(0, 3, 8, 15, 16), { freq: 4 }),
      isVersion6: fc.boolean(),
      missing: fc.constantFrom(0, 0, 0, 1, 8, 20),
    })
    .map(({ ports: [source, destination], payload, isIcmp, isVersion6, missing }) => {
      const carried = isIcmp === null ? udp(source, destination, payload) : icmp(isIcmp, payload);
      const addresses = isVersion6
        ? { source: '2001:db8::1', destination: '2001:db8::2' }
        : { source: '10.0.0.1', destination: '10.0.0.2' };
      const bytes = ethernet(ip(addresses, carried));
      return { bytes: bytes.subarray(0, bytes.length - missing), originalLen: bytes.length };
    }),
  { minLength: 1, maxLength: 12 },
);

test('of datagrams nothing is let go that somebody would follow or hear', () => {
  fc.assert(
    fc.property(anyDatagrams, fc.boolean(), (datagrams, inLoops) => {
      const frames = datagrams.map((frame, i) => ({ ...frame, timeUs: START_US + i * 1000 }));
      assert.deepEqual(track(frames, { inLoops }).told, track(frames, { openings: false }).told);
    }),
    { numRuns: 3000 },
  );
});

const text = (of: string) => new TextEncoder().encode(of);

const anyRequest = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'GETS'),
    fields: fc.subarray(['Accept: *\r\n', '\nHost:', 'Host: ', 'X-Host: a.org\r\n']),
    name: anyName,
    behind: fc.constantFrom('\r\n\r\n', ':80\r\n\r\n', '\n', '', ' \r\nHost: softether.net\r\n'),
  })
  .map(({ method, fields, name, behind }) =>
    text(`${method} / HTTP/1.1\r\n${fields.join('')}Host: ${name}${behind}`),
  );

/// What a connection can begin with that somebody follows or hears, and anything.
const anyOpening = fc.oneof(
  fc.uint8Array({ minLength: 0, maxLength: 40 }),
  anyRequest,
  fc.nat({ max: 255 }).map((first) => Uint8Array.of(first, 3, 1, 0, 50, 1, 0, 0, 46, 3)),
  fc.constantFrom(
    hello(),
    record(HANDSHAKE, serverHello()),
    applicationData(40),
    text('CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n'),
    text('SSH-2.0-any\r\n'),
    text(softetherTraces.azureSignature),
    text(softetherTraces.keepAliveText),
    Uint8Array.of(4, 1, 1, 187, 192, 0, 2, 1, 0),
    Uint8Array.of(5, 1, 0),
    Uint8Array.of(0, 14, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0),
  ),
);
const anyFlags = fc.constantFrom(ACK, ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST);

function segment(fromClient: boolean, flags: number, ahead: number, payload?: Uint8Array): Uint8Array {
  const [source, destination] = fromClient ? ['10.0.0.1', '10.0.0.2'] : ['10.0.0.2', '10.0.0.1'];
  const [sourcePort, destinationPort] = fromClient ? [50_000, 443] : [443, 50_000];
  const fields = { sourcePort, destinationPort, sequence: 1000 + ahead, acknowledgement: 1001, flags };
  return ethernet(ip({ source, destination }, tcp(fields, payload)));
}

/// What is captured of a handshake: SYN, SYN and ACK.
const anyHandshake = fc
  .subarray([true, false])
  .map((senders) => senders.map((fromClient) => segment(fromClient, fromClient ? SYN : SYN | ACK, 0)));

/// Segments of one connection, not in order, some cut off by the capture.
const anySegments = fc.array(
  fc
    .record({
      fromClient: fc.boolean(),
      flags: anyFlags,
      ahead: fc.constantFrom(1, 1, 1, 0, 2, 40, -1),
      payload: anyOpening,
      missing: fc.constantFrom(0, 0, 0, 1, 8, 30),
    })
    .map(({ fromClient, flags, ahead, payload, missing }) => {
      const bytes = segment(fromClient, flags, ahead, payload);
      return { bytes: bytes.subarray(0, bytes.length - missing), originalLen: bytes.length };
    }),
  { minLength: 1, maxLength: 5 },
);

test('of connections nothing is let go that somebody would follow or hear', () => {
  fc.assert(
    fc.property(anyHandshake, anySegments, fc.boolean(), (handshake, segments, inLoops) => {
      const captured = [...handshake.map((bytes) => ({ bytes, originalLen: bytes.length })), ...segments];
      const frames = captured.map((frame, i) => ({ ...frame, timeUs: START_US + i * 1000 }));
      assert.deepEqual(track(frames, { inLoops }), track(frames, { openings: false }));
    }),
    { numRuns: 3000 },
  );
});
