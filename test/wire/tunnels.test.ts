import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame } from '#sealert/wire/decode.js';
import { LINKTYPE } from '#sealert/wire/link-types.js';
import { Packet, STOP_NONE, STOP_TOO_DEEP } from '#sealert/wire/packet.js';
import { concat } from '../support/capture-builder.js';
import {
  ADDRESSES,
  ADDRESSES6,
  ethernet,
  hex,
  ipv4,
  ipv6,
  type Transport,
  tcp,
  udp,
} from '../support/frames.js';
import fc from '../support/property.js';

function decode(frame: Uint8Array, linkType: number = LINKTYPE.ETHERNET) {
  const packet = new Packet();
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const stop = decodeFrame(view, 0, frame.length, frame.length, linkType, packet);
  return { stop, packet, layers: packet.layers.copy() };
}

const TEREDO_ENDS = { source: '2001:0:4136:e378::1', destination: '2001:db8::1' };

test('Teredo, with and without what may stand before it', () => {
  const inner = ipv6(TEREDO_ENDS, tcp()).bytes;
  const origin = hex('0000 efcb 3f57fefd');
  const authentication = hex('0001 02 01 aabb cc 0102030405060708 00');
  for (const front of [hex(''), origin, authentication, concat(authentication, origin)]) {
    const { stop, packet, layers } = decode(
      ethernet(ipv4(ADDRESSES, udp(50_000, 3544, concat(front, inner)))),
    );
    assert.equal(stop, STOP_NONE);
    assert.deepEqual([packet.version, packet.protocol], [6, 6]);
    assert.deepEqual(
      layers.map(({ kind }) => kind),
      ['teredo'],
    );
  }
});

/// Datagrams on the ports of tunnels that are none, or not quite.
const NO_TUNNELS: [name: string, ports: [number, number], payload: Uint8Array][] = [
  ['a VPN on the port of GTP', [40_000, 2152], new Uint8Array(600).fill(0x5a)],
  [
    'GTP with a length that is wrong',
    [2152, 2152],
    concat(hex('30ff 0001 00000001'), ipv4(ADDRESSES, tcp()).bytes),
  ],
  ['GTP that carries no packet', [2152, 2152], hex('3201 0004 00000000 00010000')],
  [
    'VXLAN with a reserved bit',
    [40_000, 4789],
    concat(hex('08000001 00000100'), ethernet(ipv4(ADDRESSES, tcp()))),
  ],
  [
    'VXLAN around ARP',
    [40_000, 4789],
    concat(hex('08000000 00000100'), ethernet({ etherType: 0x806, bytes: new Uint8Array(28) })),
  ],
  [
    'VXLAN around a packet that is too long',
    [40_000, 4789],
    concat(hex('08000000 00000100'), ethernet(ipv4(ADDRESSES, tcp(), { totalLen: 1000 }))),
  ],
  ['GENEVE with options beyond the datagram', [40_000, 6081], hex('3f00 6558 00000100 01020304')],
  ['IPv6 on the port of Teredo, but not Teredo', [40_000, 3544], ipv6(ADDRESSES6, tcp()).bytes],
  ['an L2TP control message', [1701, 1701], hex('c802 000c 0001 0000 0000 0001')],
  ['CAPWAP that keeps alive', [5247, 40_000], hex('00 100008 00000000 0016 0000')],
  ['TZSP without an end', [40_000, 37_008], hex('01 00 0001 0a 20 00')],
];

for (const [name, [source, destination], payload] of NO_TUNNELS) {
  test(`stays a datagram: ${name}`, () => {
    const { stop, packet, layers } = decode(
      ethernet(ipv4(ADDRESSES, udp(source, destination, payload)), [0x8100]),
    );
    assert.equal(stop, STOP_NONE);
    assert.deepEqual([packet.protocol, packet.sourcePort, packet.destinationPort], [17, source, destination]);
    assert.equal(packet.payloadLen, payload.length);
    assert.equal(packet.layers.tenant, 0);
    assert.deepEqual(
      layers.map(({ kind, id }) => [kind, id]),
      [['vlan', 100]],
    );
  });
}

test('random datagrams on those ports stay datagrams', () => {
  const ports = [1701, 2152, 3544, 4754, 4789, 4790, 5247, 6081, 6635, 8472, 37_008];
  fc.assert(
    fc.property(
      fc.constantFrom(...ports),
      fc.uint8Array({ minLength: 1, maxLength: 120 }),
      (port, payload) => {
        const { stop, packet } = decode(ethernet(ipv4(ADDRESSES, udp(40_000, port, payload))));
        assert.equal(stop, STOP_NONE);
        assert.deepEqual([packet.protocol, packet.payloadLen], [17, payload.length]);
      },
    ),
  );
});

test('no more than sixteen layers', () => {
  const nested = (depth: number): Transport =>
    depth === 0 ? tcp() : { protocol: 4, bytes: ipv4(ADDRESSES, nested(depth - 1)).bytes };
  assert.equal(decode(ethernet(ipv4(ADDRESSES, nested(16)))).stop, STOP_NONE);
  assert.equal(decode(ethernet(ipv4(ADDRESSES, nested(17)))).stop, STOP_TOO_DEEP);
});

test('any bytes on any link decode to something, inside their bounds', () => {
  const types = Object.values(LINKTYPE);
  const starts = [
    '',
    '0a0000000002 0a0000000001 0800',
    '0a0000000002 0a0000000001 8847',
    'aaaa03000000 0800',
  ].map(hex);
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 200 }),
      (type, start, rest) => {
        // The frame ends where the buffer does: reading beyond it throws.
        const frame = concat(start, rest);
        const { stop, packet } = decode(frame, type);
        if (stop === STOP_NONE && packet.payloadCaptured > 0)
          assert.ok(packet.payloadAt + packet.payloadCaptured <= frame.length);
      },
    ),
    { numRuns: 3000 },
  );
});
