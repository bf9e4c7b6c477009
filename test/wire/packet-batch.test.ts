/// Common frames are read by a path of their own: it must say what the decoder says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame } from '#sealert/wire/decode.js';
import { LINKTYPE } from '#sealert/wire/link-types.js';
import { Packet, PROTOCOL_TCP, STOP_IP_FRAGMENT, STOP_NONE } from '#sealert/wire/packet.js';
import { IS_FRAGMENT, NO_PACKET, PacketBatch } from '#sealert/wire/packet-batch.js';
import fc from '../support/property.js';

/// Bytes in front of the frame, as in a chunk.
const AT = 13;

const GTP_PORT = 2152;
/// An empty datagram in GTP-U.
const IN_GTP = [
  0x30ff_001c, 1, 0x4500_001c, 0, 0x4011_0000, 0x0a00_0005, 0x0a00_0006, 0x0007_0008, 0x0008_0000,
];

/// An Ethernet frame of the common kind, with any of the fields that decide whether it is one.
const anyFrame = fc
  .record({
    noise: fc.uint8Array({ minLength: 80, maxLength: 80 }),
    capturedLen: fc.oneof(fc.constant(80), fc.integer({ min: 30, max: 80 })),
    etherType: fc.constantFrom(0x0800, 0x0800, 0x0800, 0x86dd, 0x8100),
    versionAndLength: fc.constantFrom(0x45, 0x45, 0x45, 0x46, 0x44, 0x65),
    totalLen: fc.constantFrom(0, 20, 27, 28, 39, 40, 41, 64, 64, 1500),
    fragment: fc.constantFrom(0, 0x4000, 0x4000, 0x2000, 1, 0x8000),
    protocol: fc.constantFrom(6, 6, 17, 17, 1, 47),
    addresses: fc.constantFrom(
      [0x0a00_0001, 0xcb00_710a],
      [0xcb00_710a, 0x0a00_0001],
      [0x0a00_0001, 0x0a00_0001],
    ),
    ports: fc.constantFrom(
      [443, 50_000],
      [50_000, 443],
      [443, 443],
      [0, 0],
      [50_000, GTP_PORT],
      [50_000, GTP_PORT],
    ),
    tcpWords: fc.constantFrom(5, 5, 8, 15, 4),
  })
  .map(({ noise, capturedLen, addresses, ports, ...fields }) => {
    const view = new DataView(noise.buffer, noise.byteOffset, noise.byteLength);
    view.setUint16(12, fields.etherType);
    view.setUint8(14, fields.versionAndLength);
    view.setUint16(16, fields.totalLen);
    view.setUint16(20, fields.fragment);
    view.setUint8(23, fields.protocol);
    view.setUint32(26, addresses[0]!);
    view.setUint32(30, addresses[1]!);
    view.setUint16(34, ports[0]!);
    view.setUint16(36, ports[1]!);
    if (ports[1] === GTP_PORT) for (const [i, word] of IN_GTP.entries()) view.setUint32(42 + 4 * i, word);
    if (fields.protocol === PROTOCOL_TCP) view.setUint8(46, fields.tcpWords << 4);
    return noise.subarray(0, capturedLen);
  });

function framesOf(frame: Uint8Array) {
  const bytes = new Uint8Array(AT + frame.length);
  bytes.set(frame, AT);
  return {
    count: 1,
    bytes,
    view: new DataView(bytes.buffer),
    offset: Int32Array.of(AT),
    capturedLen: Int32Array.of(frame.length),
    originalLen: Int32Array.of(1514),
    timeUs: Float64Array.of(0),
    linkType: Int32Array.of(LINKTYPE.ETHERNET),
    frame: Uint32Array.of(1),
  };
}

/// What the flow table asks of the only packet.
function columnsOf({ flags, key, tenant, ports, addressA, addressB, hash, ...tcp }: PacketBatch) {
  const isTcp = (key[0]! & 0xff) === PROTOCOL_TCP;
  const numbers = isTcp ? [tcp.sequence[0], tcp.acknowledgement[0]] : [];
  return [flags, key, tenant, ports, addressA, addressB, hash].map((column) => column[0]).concat(numbers);
}

test('any frame: a batch holds what the decoder reads', () => {
  let packets = 0;
  fc.assert(
    fc.property(anyFrame, (bytes) => {
      const frames = framesOf(bytes);
      const taken = new PacketBatch(1);
      taken.frames = frames;
      const packet = new Packet();
      const stop = decodeFrame(frames.view, AT, bytes.length, 1514, LINKTYPE.ETHERNET, packet);
      assert.equal(taken.take(0), stop);
      if (stop !== STOP_NONE) {
        assert.equal(taken.flags[0], stop === STOP_IP_FRAGMENT ? IS_FRAGMENT : NO_PACKET);
        return;
      }
      packets++;
      const decoded = new PacketBatch(1);
      decoded.takeWhole(frames, packet);
      assert.deepEqual(columnsOf(taken), columnsOf(decoded));
    }),
    { numRuns: 5000 },
  );
  assert.ok(packets > 300, `${packets} packets`);
});
