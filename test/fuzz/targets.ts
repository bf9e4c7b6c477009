/// Everything that reads bytes of a capture, and real bytes of its kind to begin with.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CaptureReader } from '#sealert/capture/reader.js';
import { ReaderBuffers } from '#sealert/capture/reader-buffers.js';
import { Engine } from '#sealert/engine.js';
import { MemoryBudget } from '#sealert/flow/memory-budget.js';
import { PlainBlockWalk } from '#sealert/flow/plain-blocks.js';
import { beginsPreamble } from '#sealert/flow/preamble.js';
import { type Carried, findCarried, isIcmpCandidate } from '#sealert/flow/rudp/carriers.js';
import { rudpKeys } from '#sealert/flow/rudp/keys.js';
import { NAT_T_PORT, readNatT } from '#sealert/flow/rudp/nat-t.js';
import { readPack } from '#sealert/flow/rudp/pack.js';
import { Rc4 } from '#sealert/flow/rudp/rc4.js';
import { SegmentReader } from '#sealert/flow/rudp/segment.js';
import { parseKexInit } from '#sealert/flow/ssh/kexinit.js';
import { SshFlow } from '#sealert/flow/ssh/ssh-flow.js';
import { TlsRecordWalk } from '#sealert/flow/tls-records.js';
import { readerPool } from '#sealert/node/buffer-pool.js';
import { readCertificate } from '#sealert/wire/certificate.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { readDnsQuestion } from '#sealert/wire/dns-question.js';
import { LINKTYPE } from '#sealert/wire/link-types.js';
import { Packet, PROTOCOL_TCP, STOP_NONE } from '#sealert/wire/packet.js';
import { findServerName } from '#sealert/wire/server-name.js';
import { readHandshake } from '#sealert/wire/tls-hello.js';
import { concat, pcap, pcapng, snoop } from '../support/capture-builder.js';
import { samplePath, samples } from '../support/paths.js';
import { type ReadFrame, readFrames } from '../support/read.js';
import { sha1 } from '../support/rudp.js';

export interface Target {
  name: string;
  seeds: readonly Uint8Array[];
  /// Throws for a mistake of the program, never for what the bytes are.
  run(bytes: Uint8Array): void;
}

/// Seeds of one kind: enough of them differ in shape, more would be the same again.
const MAX_SEEDS = 12;

const packet = new Packet();

/// The payload of a frame and its ports, or null if it has none.
function payloadOf({ bytes, originalLen, linkType }: ReadFrame) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stop = decodeFrame(view, 0, bytes.length, originalLen, linkType, packet);
  if (stop !== STOP_NONE || packet.payloadCaptured === 0) return null;
  const { payloadAt, payloadCaptured, protocol, sourcePort, destinationPort } = packet;
  const payload = bytes.slice(payloadAt, payloadAt + payloadCaptured);
  return { payload, isTcp: protocol === PROTOCOL_TCP, ports: [sourcePort, destinationPort] };
}

type Payload = NonNullable<ReturnType<typeof payloadOf>>;

function harvest(): { frames: Uint8Array[]; payloads: Payload[] } {
  const frames: Uint8Array[] = [];
  const payloads: Payload[] = [];
  for (const name of samples()) {
    const read = readFrames(readFileSync(samplePath(name))).frames;
    frames.push(...read.slice(3, 6).map(({ bytes }) => bytes));
    for (const frame of read) {
      const payload = payloadOf(frame);
      if (payload !== null) payloads.push(payload);
    }
  }
  return { frames, payloads };
}

/// Some of the payloads, spread over all, of different lengths.
function spread(all: readonly Uint8Array[]): Uint8Array[] {
  const byLength = [...new Map(all.map((bytes) => [bytes.length, bytes])).values()];
  const step = Math.max(1, Math.floor(byLength.length / MAX_SEEDS));
  return byLength.filter((_, i) => i % step === 0).slice(0, MAX_SEEDS);
}

const isHandshake = (bytes: Uint8Array) => bytes[0] === 22 && bytes[1] === 3;

/// A certificate message in a segment (RFC 5246 section 7.4.2), as far as it goes: its first certificate.
function certificateIn(segment: Uint8Array): Uint8Array[] {
  for (let at = 5; at + 12 < segment.length; at++) {
    const isMessage =
      segment[at] === 11 && segment[at + 1] === 0 && segment[at + 4] === 0 && segment[at + 7] === 0;
    if (isMessage && segment[at + 10] === 0x30 && segment[at + 11] === 0x82) return [segment.slice(at + 10)];
  }
  return [];
}

const KEYS = rudpKeys(new Uint8Array(20).fill(7));

/// A segment with these decrypted bytes, encrypted and signed as the client does.
function signed(plain: Uint8Array): Uint8Array {
  const iv = new Uint8Array(20).fill(9);
  const rc4 = new Rc4();
  rc4.setKey(sha1(iv, KEYS.client));
  const body = new Uint8Array(plain.length);
  rc4.apply(plain, 0, plain.length, body);
  const rest = concat(iv, body);
  return concat(sha1(KEYS.client, rest), rest);
}

/// What a capture gives must be the same in the memory of the loops and outside, where they do not look at it.
function checkCapture(bytes: Uint8Array): void {
  const buffers = readerPool.take();
  try {
    assert.deepEqual(readChecked(bytes, buffers), readChecked(bytes, new ReaderBuffers()));
  } finally {
    readerPool.give(buffers);
  }
}

/// What it gives must lie inside it, and be accounted for.
function readChecked(bytes: Uint8Array, buffers: ReaderBuffers) {
  const engine = new Engine();
  try {
    return readWith(engine, bytes, buffers);
  } finally {
    engine.dispose();
  }
}

function readWith(engine: Engine, bytes: Uint8Array, buffers: ReaderBuffers) {
  engine.begin(0);
  let packets = 0;
  const reader = new CaptureReader((batch) => {
    for (let i = 0; i < batch.count; i++) {
      assert.ok(batch.offset[i]! + batch.capturedLen[i]! <= batch.bytes.length);
      assert.ok(batch.originalLen[i]! >= batch.capturedLen[i]!);
      if (batch.linkType[i] !== -1) packets++;
    }
    engine.push(batch);
  }, buffers);
  reader.push(bytes);
  reader.end();
  const { summary } = reader;
  const findings = engine.end();
  assert.equal(summary.packets, packets);
  assert.equal(findings.diagnostics.packets, packets);
  for (const { offset, bytesLost } of summary.damage) {
    assert.ok(bytesLost >= 0 && offset >= 0 && offset + bytesLost <= bytes.length);
  }
  return JSON.stringify({ findings, summary });
}

const ignore = () => {};

export function targets(): Target[] {
  const { frames, payloads } = harvest();
  const of = (accept: (payload: Payload) => boolean) =>
    spread(payloads.filter(accept).map(({ payload }) => payload));
  const onPort = (port: number) => of(({ isTcp, ports }) => !isTcp && ports.includes(port));
  const records = of(({ isTcp, payload }) => isTcp && isHandshake(payload));
  const captures = samples().map((name) => new Uint8Array(readFileSync(samplePath(name))));
  const small = spread(captures.filter(({ length }) => length < 60_000));
  const fewFrames = small.map((capture) => readFrames(capture).frames.slice(0, 60));
  const ssh = of(({ isTcp, ports }) => isTcp && ports.includes(22));

  const list: Target[] = [
    { name: 'pcap', seeds: fewFrames.map((some) => pcap(some)), run: checkCapture },
    {
      name: 'pcap-variants',
      seeds: fewFrames.flatMap((some) => [
        pcap(some, { littleEndian: false, nanoseconds: true }),
        pcap(some, { modified: true }),
        pcap(some, { version: [2, 2], swapLengths: true }),
      ]),
      run: checkCapture,
    },
    {
      name: 'pcapng',
      seeds: fewFrames.flatMap((some, i) => [pcapng(some, i % 2 === 0), concat(pcapng(some), pcap(some))]),
      run: checkCapture,
    },
    { name: 'snoop', seeds: fewFrames.map((some) => snoop(some)), run: checkCapture },
    { name: 'scan', seeds: captures, run: checkCapture },
    {
      name: 'certificate',
      seeds: spread(
        payloads
          .filter(({ payload }) => isHandshake(payload))
          .flatMap(({ payload }) => certificateIn(payload)),
      ),
      run: (bytes) => void readCertificate(bytes),
    },
    {
      name: 'tls-handshake',
      seeds: records.map((record) => record.slice(5)),
      run: (bytes) => void readHandshake(bytes),
    },
    {
      name: 'tls-records',
      seeds: of(({ isTcp, payload }) => isTcp && payload[0]! >= 20 && payload[0]! <= 23 && payload[1] === 3),
      run: (bytes) => {
        const walk = new TlsRecordWalk({ record: ignore, handshakeBytes: ignore, notTls: ignore });
        walk.bytes(bytes, 0, bytes.length, 0, 1);
        walk.missing(70_000);
        walk.bytes(bytes, 0, bytes.length, 0, 2);
      },
    },
    {
      name: 'server-name',
      seeds: records.slice(0, 6),
      run: (bytes) => {
        const found = { at: 0, length: 0 };
        if (!findServerName(bytes, 0, bytes.length, found)) return;
        assert.ok(found.at >= 0 && found.at + found.length <= bytes.length);
      },
    },
    { name: 'dns', seeds: onPort(53), run: (bytes) => void readDnsQuestion(bytes, 0, bytes.length) },
    {
      name: 'rudp-carriers',
      seeds: [...onPort(53), ...of(({ isTcp, ports }) => !isTcp && ports.includes(0))],
      run: (bytes) => {
        const carried: Carried = { at: 0, captured: 0, length: 0 };
        for (const carrier of ['udp', 'dns', 'icmp'] as const) {
          if (!findCarried(carrier, bytes, 0, bytes.length, bytes.length, carried)) continue;
          assert.ok(carried.at >= 0 && carried.at + carried.captured <= bytes.length);
        }
        isIcmpCandidate(bytes, 0, bytes.length, bytes.length);
      },
    },
    {
      name: 'rudp-segment',
      seeds: [40, 56, 600].map((length) => new Uint8Array(length).fill(0, 0, 28).fill(1, length - 1)),
      run: (plain) => {
        const reader = new SegmentReader();
        const bytes = signed(plain);
        if (!reader.read(KEYS, true, false, bytes, 0, bytes.length)) return;
        assert.ok(reader.dataAt + reader.dataLen <= plain.length);
        assert.ok(reader.dataLen >= 0 && Number.isSafeInteger(reader.sequence));
      },
    },
    {
      name: 'nat-t',
      seeds: [...onPort(NAT_T_PORT), ...onPort(NAT_T_PORT).map((bytes) => bytes.slice(4))],
      run: (bytes) => {
        readNatT(bytes, 0, bytes.length);
        readPack(bytes, 0, bytes.length);
      },
    },
    {
      name: 'preamble',
      seeds: [
        ...of(({ payload }) => beginsPreamble(payload, 0, payload.length, payload.length) !== null),
        Uint8Array.from(
          Buffer.from(
            'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
          ),
        ),
        Uint8Array.of(4, 1, 1, 187, 0, 0, 0, 1, 0x61, 0, 0x62, 0x2e, 0x63, 0, 0, 90, 0, 0, 0, 0, 0, 0),
        Uint8Array.of(
          5,
          1,
          2,
          5,
          2,
          1,
          1,
          0x61,
          1,
          0x62,
          1,
          0,
          5,
          1,
          0,
          3,
          1,
          0x61,
          1,
          187,
          5,
          0,
          0,
          1,
          0,
          0,
          0,
          0,
          0,
          0,
        ),
      ],
      run: (bytes) => {
        const preamble =
          beginsPreamble(bytes, 0, Math.min(bytes.length, 3), bytes.length) ??
          beginsPreamble(bytes, 0, bytes.length, bytes.length);
        for (const fromClient of [true, false, true, false, true, false]) {
          for (let at = 0; preamble?.state === 'open' && at < bytes.length; ) {
            const length = Math.min(bytes.length - at, 40);
            const taken = preamble.take(fromClient, bytes, at, length);
            assert.ok(taken >= 0 && taken <= length);
            if (taken === 0) break;
            at += taken;
          }
        }
      },
    },
    {
      name: 'ssh',
      seeds: [...ssh, ...ssh.slice(0, 4).map((bytes) => concat(Buffer.from('SSH-2.0-x\r\n'), bytes))],
      run: (bytes) => {
        const flow = new SshFlow({ sshSent: ignore }, new MemoryBudget(1 << 20));
        for (const fromClient of [true, false]) {
          flow.bytes(fromClient, bytes, 0, bytes.length >> 1, 0, 1);
          flow.missing(fromClient, 10, 0, 1);
          flow.bytes(fromClient, bytes, bytes.length >> 1, bytes.length - (bytes.length >> 1), 0, 2);
        }
        parseKexInit(bytes, 0, bytes.length);
        flow.reset();
      },
    },
    {
      name: 'plain-blocks',
      seeds: of(({ isTcp, payload }) => isTcp && payload[0] === 0),
      run: (bytes) => {
        const walk = new PlainBlockWalk();
        walk.bytes(bytes, 0, bytes.length);
        walk.missing(1000);
        walk.bytes(bytes, 0, bytes.length);
        assert.ok(walk.frames >= 0);
      },
    },
  ];
  for (const [name, linkType] of Object.entries(LINKTYPE)) {
    list.push({
      name: `frame-${name.toLowerCase().replaceAll('_', '-')}`,
      // The frames themselves, and without the Ethernet header.
      seeds: spread([...frames, ...frames.map((bytes) => bytes.slice(14))]),
      run: (bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        for (const original of [bytes.length, bytes.length + 40]) {
          if (decodeFrame(view, 0, bytes.length, original, linkType, packet) !== STOP_NONE) continue;
          assert.ok(packet.payloadAt >= 0 && packet.payloadCaptured >= 0);
          const end = packet.payloadAt + packet.payloadCaptured;
          assert.ok(end <= bytes.length || packet.payloadCaptured === 0);
          assert.ok(packet.payloadLen >= packet.payloadCaptured);
        }
      },
    });
  }
  return list;
}
