/// A batch holds of each frame what `decodeFrame` reads in it, whichever way it was read.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FRAME_BATCH_BYTES, FrameBatch } from '#sealert/capture/frame-batch.js';
import { IS_COMMON } from '#sealert/loops/layout.js';
import { Block } from '#sealert/loops/memory.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { LINKTYPE } from '#sealert/wire/link-types.js';
import { Packet, PROTOCOL_TCP, STOP_IP_FRAGMENT, STOP_NONE, UNDECODABLE } from '#sealert/wire/packet.js';
import {
  FROM_B,
  HAS_PAYLOAD,
  hashMore,
  hashOfKey,
  IS_FRAGMENT,
  KEY_IPV6,
  NO_PACKET,
  PacketBatch,
} from '#sealert/wire/packet-batch.js';
import { anyMutation } from '../fuzz/mutate.js';
import { ethernet, icmp, ip, ipv4, tcp, udp } from '../support/frames.js';
import { samplePath, samples } from '../support/paths.js';
import fc from '../support/property.js';
import { readFrames } from '../support/read.js';
import { WRAPPERS, wrapped } from '../support/wrap.js';

/// Neighbours of every border in signed and unsigned order, and ports of tunnels.
const anyPort = fc.constantFrom(0, 53, 443, 1701, 3544, 4789, 5247, 6081, 32_767, 32_768, 65_535);
const anyIpv4 = fc.constantFrom('0.0.0.0', '10.0.0.1', '10.0.0.2', '127.255.255.255', '128.0.0.0');
const anyIpv6 = fc.constantFrom('::', '::1', '7fff::', '8000::1', '2001:db8::8000:0:1', '2001:db8::1');
const anyPayload = fc.uint8Array({ maxLength: 30 });

const anyTransport = fc.oneof(
  fc
    .record({
      sourcePort: anyPort,
      destinationPort: anyPort,
      flags: fc.nat(255),
      sequence: fc.nat(0xffff_ffff),
      acknowledgement: fc.nat(0xffff_ffff),
      options: fc.nat(10).map((words) => new Uint8Array(4 * words)),
    })
    .chain((fields) => anyPayload.map((payload) => tcp(fields, payload))),
  fc
    .tuple(anyPort, anyPort, anyPayload)
    .map(([source, destination, payload]) => udp(source, destination, payload)),
  anyPayload.map((payload) => icmp(8, payload)),
  anyPayload.map((payload) => icmp(128, payload, 58)),
);

/// Header lengths of IPv4 and TCP and the total length may lie.
const anyIpv4Frame = fc
  .record({
    source: anyIpv4,
    destination: anyIpv4,
    carried: anyTransport,
    words: fc.nat(10),
    totalLen: fc.option(fc.oneof(fc.nat(100), fc.constant(65_535)), { nil: undefined }),
    tcpWords: fc.option(fc.nat(15), { nil: undefined }),
    fragment: fc.constantFrom(0x4000, 0x4000, 0, 0x2000, 1),
  })
  .map(({ source, destination, carried, words, totalLen, tcpWords, fragment }) => {
    const bytes = carried.bytes.slice();
    if (tcpWords !== undefined && carried.protocol === PROTOCOL_TCP) bytes[12] = tcpWords << 4;
    const options = new Uint8Array(words > 5 ? 4 * (words - 5) : 0);
    const fields = { options, fragment, ...(totalLen === undefined ? {} : { totalLen }) };
    return ethernet(ipv4({ source, destination }, { ...carried, bytes }, fields));
  });
const anyIpv6Frame = fc
  .tuple(anyIpv6, anyIpv6, anyTransport)
  .map(([source, destination, carried]) => ethernet(ip({ source, destination }, carried)));

const recorded = samples().flatMap((name) =>
  readFrames(readFileSync(samplePath(name)))
    .frames.filter(({ linkType }) => linkType === LINKTYPE.ETHERNET)
    .slice(0, 12)
    .map(({ bytes }) => bytes),
);
const inEthernet = WRAPPERS.filter(({ linkType }) => linkType === LINKTYPE.ETHERNET);
const anyRecordedFrame = fc
  .tuple(fc.constantFrom(...recorded), fc.option(fc.constantFrom(...inEthernet)))
  .map(([bytes, wrapper]) => (wrapper === null ? bytes : wrapped(wrapper, bytes)));

const anyFrame = fc
  .tuple(fc.oneof(anyIpv4Frame, anyIpv4Frame, anyIpv6Frame, anyRecordedFrame), fc.option(anyMutation))
  .map(([bytes, mutate]) => (mutate === null ? bytes : mutate(bytes)));

const ROOM = 70;
/// What of a batch's flags is its own affair.
const ABOUT_DECODING = ~(2 * NO_PACKET - 1);
const BATCH_PLACE = new Block(FRAME_BATCH_BYTES);
const SEED = 0x1234_5678;
const packet = new Packet();

interface Captured {
  bytes: Uint8Array;
  /// Bytes that the capture left out.
  missing: number;
  hasPacket: boolean;
}

/// Decodes the frames as one batch and compares each with `decodeFrame`.
function take(captured: readonly Captured[], room = ROOM, inLoops = true): PacketBatch {
  const count = captured.length;
  const length = captured.reduce((sum, { bytes }) => sum + bytes.length + room, room);
  const block = new Block(length);
  const all = new Uint8Array(block.buffer, block.at, length).fill(0x45);
  const column = (values: (captured: Captured) => number) => Int32Array.from(captured, values);
  let at = room;
  const offset = column(({ bytes }) => {
    all.set(bytes, at);
    at += bytes.length + room;
    return at - bytes.length - room;
  });
  const frames = new FrameBatch(BATCH_PLACE);
  frames.count = count;
  frames.bytes = all;
  frames.view = new DataView(block.buffer, block.at, length);
  frames.bytesAt = inLoops ? block.at : 0;
  frames.offset.set(offset);
  frames.capturedLen.set(column(({ bytes }) => bytes.length));
  frames.originalLen.set(column(({ bytes, missing }) => bytes.length + missing));
  frames.linkType.set(column(({ hasPacket }) => (hasPacket ? LINKTYPE.ETHERNET : -1)));
  const batch = new PacketBatch(count, SEED);
  // What the batch held before must not show.
  for (const old of [batch.flags, batch.key, batch.tenant, batch.ports, batch.hash]) old.fill(-1);
  const stops = new Float64Array(UNDECODABLE.length);
  batch.decodeAll(frames, stops);
  captured.forEach(({ bytes, missing, hasPacket }, i) => {
    if (!hasPacket) {
      assert.equal(batch.flags[i], NO_PACKET);
      return;
    }
    const wireBytes = bytes.length + missing;
    const stop = decodeFrame(frames.view, offset[i]!, bytes.length, wireBytes, LINKTYPE.ETHERNET, packet);
    if (stop === STOP_NONE) {
      assertHolds(batch, i);
      assert.deepEqual(fieldsOf(batch.packetAt(i)), fieldsOf(packet));
    } else assert.equal(batch.flags[i], stop === STOP_IP_FRAGMENT ? IS_FRAGMENT : NO_PACKET);
    if (stop !== STOP_NONE && stop !== STOP_IP_FRAGMENT) stops[stop]!--;
  });
  assert.ok(stops.every((left) => left === 0));
  return batch;
}

/// All that a packet says; the TCP fields of others are what they were.
function fieldsOf({ layers, ...fields }: Packet) {
  if (fields.protocol !== PROTOCOL_TCP)
    Object.assign(fields, { sequence: 0, acknowledgement: 0, tcpFlags: 0 });
  if (fields.version === 6) Object.assign(fields, { source: 0, destination: 0 });
  return { ...fields, layers: layers.copy(), tenant: layers.tenant };
}

/// What `packet` says, in the words of a batch.
function assertHolds(batch: PacketBatch, i: number): void {
  const { view } = batch.frames;
  const { version, protocol, sourcePort, destinationPort, addressesAt } = packet;
  const width = version === 4 ? 1 : 4;
  const words = (at: number) => Array.from({ length: width }, (_, k) => view.getInt32(at + 4 * k, false));
  const source = [...words(addressesAt), sourcePort];
  const destination = [...words(addressesAt + 4 * width), destinationPort];
  const differs = source.findIndex((word, k) => word !== destination[k]);
  const fromB = differs >= 0 && source[differs]! > destination[differs]!;
  const [a, b] = fromB ? [destination, source] : [source, destination];
  const ports = (a.at(-1)! << 16) | b.at(-1)!;
  const key = version === 4 ? protocol : protocol | KEY_IPV6;
  let hash = SEED;
  for (let k = 0; k < width; k++) hash = hashMore(hash, a[k]!, b[k]!);
  let flags = (fromB ? FROM_B : 0) | (packet.payloadLen > 0 ? HAS_PAYLOAD : 0);
  if (protocol === PROTOCOL_TCP) {
    flags |= packet.tcpFlags;
    assert.equal(batch.sequence[i], packet.sequence);
    assert.equal(batch.acknowledgement[i], packet.acknowledgement);
  }
  if (version === 6) {
    assert.deepEqual(
      [...a.slice(1, 4), ...b.slice(1, 4)],
      [...batch.moreA, ...batch.moreB].map((words) => words[i]),
    );
  }
  const held = [
    batch.flags.map((what) => what & ~ABOUT_DECODING),
    batch.key,
    batch.ports,
    batch.addressA,
    batch.addressB,
    batch.tenant,
    batch.hash,
  ];
  assert.deepEqual(
    held.map((column) => column[i]),
    [flags, key, ports, a[0], b[0], packet.layers.tenant, hashOfKey(hash, ports, key)],
  );
}

const anyCaptured = fc.record({
  bytes: anyFrame,
  missing: fc.nat(40),
  hasPacket: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
});

test('any frames, whole or cut', () => {
  let packets = 0;
  fc.assert(
    fc.property(fc.array(anyCaptured, { maxLength: 8 }), fc.nat(ROOM), (captured, room) => {
      const { flags } = take(captured, room);
      take(captured, room, false);
      packets += flags.filter((what) => (what & (NO_PACKET | IS_FRAGMENT)) === 0).length;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(packets > 2_000);
});

test('the loops decode what is common', () => {
  const payload = new Uint8Array(26);
  for (const [source, destination] of [
    ['10.0.0.2', '10.0.0.1'],
    ['2001:db8::1', '2001:db8::2'],
  ] as const) {
    for (const carried of [tcp({}, payload), udp(1, 2, payload), icmp(8, payload), icmp(128, payload, 58)]) {
      const bytes = ethernet(ip({ source, destination }, carried));
      assert.ok((take([{ bytes, missing: 0, hasPacket: true }]).flags[0]! & IS_COMMON) !== 0);
    }
  }
});

test('a frame cut at every byte', () => {
  const payload = new Uint8Array(6);
  const ends = { source: '10.0.0.2', destination: '10.0.0.1' };
  for (const carried of [tcp({}, payload), udp(1, 2, payload), icmp(8, payload)]) {
    const whole = ethernet(ip(ends, carried));
    const cuts = Array.from({ length: whole.length + 1 }, (_, length) => whole.subarray(0, length));
    take(cuts.map((bytes) => ({ bytes, missing: whole.length - bytes.length, hasPacket: true })));
  }
});

test('flows made to share a hash under one seed do not share it under another', () => {
  // The second address undoes what the seed 0 makes of the first.
  const made = (seed: number) => Array.from({ length: 300 }, (_, a) => hashMore(seed, a, hashOfKey(a, 0, 0)));
  assert.equal(new Set(made(0)).size, 1);
  assert.equal(new Set(made(0x5eed_1234)).size, 300);
});
