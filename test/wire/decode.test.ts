import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame } from '#sealert/wire/decode.js';
import { LINKTYPE } from '#sealert/wire/link-types.js';
import * as stops from '#sealert/wire/packet.js';
import { concat } from '../support/capture-builder.js';
import * as frames from '../support/frames.js';
import fc from '../support/property.js';

const { STOP_NONE } = stops;

interface Decoded {
  from?: string;
  to?: string;
  ports?: [number, number];
  protocol?: number;
  sequence?: number;
  acknowledgement?: number;
  flags?: number;
  payload?: string;
  payloadLen?: number;
}

/// Decodes a frame that lies in the middle of other bytes.
function decode(frame: Uint8Array, linkType: number, originalLen = frame.length, around = 0x00) {
  const front = new Uint8Array(13).fill(around);
  const bytes = concat(front, frame, new Uint8Array(80).fill(around));
  const packet = new stops.Packet();
  const stop = decodeFrame(new DataView(bytes.buffer), 13, frame.length, originalLen, linkType, packet);
  return { stop, packet, bytes };
}

function described({ packet, bytes }: ReturnType<typeof decode>): Decoded {
  const address4 = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
  const address6 = (at: number) => toHex(bytes.subarray(at, at + 16));
  const v6 = packet.version === 6;
  const isTcp = packet.protocol === 6;
  return {
    from: v6 ? address6(packet.addressesAt) : address4(packet.source),
    to: v6 ? address6(packet.addressesAt + 16) : address4(packet.destination),
    ports: [packet.sourcePort, packet.destinationPort],
    protocol: packet.protocol,
    ...(isTcp ? { sequence: packet.sequence, acknowledgement: packet.acknowledgement } : {}),
    ...(isTcp ? { flags: packet.tcpFlags } : {}),
    payload: toHex(bytes.subarray(packet.payloadAt, packet.payloadAt + packet.payloadCaptured)),
    payloadLen: packet.payloadLen,
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const { ETHERNET, RAW, RAW_BSD, RAW_OPENBSD, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, NULL, LOOP } = LINKTYPE;
const MACS = '020000000002 020000000001';
const ENDS4 = '0a01000a cb00710a';
const ENDS6 = '20010db8000000000000000000000010 20010db8000100000000000000000443';
const ip4 = (totalLen: string, protocol: string, fragment = '4000') =>
  `45 00 ${totalLen} 0001 ${fragment} 40 ${protocol} 0000 ${ENDS4}`;
const ip6 = (payloadLen: string, next: string) => `60000000 ${payloadLen} ${next} 40 ${ENDS6}`;
const TCP = 'c351 01bb fffffff0 00000002 50 18 ffff 0000 0000';
const UDP = 'c351 01bb 000c 0000';
const DATA = 'aabbccdd';

const FROM4: Decoded = { from: '10.1.0.10', to: '203.0.113.10', ports: [50_001, 443], protocol: 6 };
const FROM6: Decoded = {
  ...FROM4,
  from: '20010db8000000000000000000000010',
  to: '20010db8000100000000000000000443',
};
const TCP4: Decoded = {
  ...FROM4,
  sequence: -16,
  acknowledgement: 2,
  flags: 0x18,
  payload: DATA,
  payloadLen: 4,
};
const TCP6: Decoded = { ...TCP4, ...FROM6 };

type Row = [name: string, linkType: number, frame: string, expected: Decoded | number, originalLen?: number];

const TCP4_PACKET = `${ip4('002c', '06')} ${TCP} ${DATA}`;
const TCP6_PACKET = `${ip6('0018', '06')} ${TCP} ${DATA}`;

const ROWS: Row[] = [
  // Link layers.
  ['Ethernet', ETHERNET, `${MACS} 0800 ${TCP4_PACKET}`, TCP4],
  ['Ethernet, IPv6', ETHERNET, `${MACS} 86dd ${TCP6_PACKET}`, TCP6],
  ['Ethernet, ARP', ETHERNET, `${MACS} 0806 0001`, stops.STOP_NOT_IP],
  ['Ethernet, 802.3 length', ETHERNET, `${MACS} 0026 424203`, stops.STOP_NOT_IP],
  ['Ethernet, cut', ETHERNET, `${MACS} 08`, stops.STOP_LINK_CUT],
  ['Ethernet, nothing behind it', ETHERNET, `${MACS} 0800`, stops.STOP_IP_CUT],
  ['VLAN', ETHERNET, `${MACS} 8100 0064 0800 ${TCP4_PACKET}`, TCP4],
  ['VLAN in VLAN', ETHERNET, `${MACS} 88a8 0064 8100 0065 86dd ${TCP6_PACKET}`, TCP6],
  ['VLAN in VLAN, old number', ETHERNET, `${MACS} 9100 0064 8100 0065 0800 ${TCP4_PACKET}`, TCP4],
  ['16 VLAN tags', ETHERNET, `${MACS} ${'8100 0064 '.repeat(16)} 0800 ${TCP4_PACKET}`, TCP4],
  ['17 VLAN tags', ETHERNET, `${MACS} ${'8100 0064 '.repeat(17)} 0800 ${TCP4_PACKET}`, stops.STOP_TOO_DEEP],
  ['VLAN, not IP', ETHERNET, `${MACS} 8100 0064 0806 0001`, stops.STOP_NOT_IP],
  ['VLAN, cut', ETHERNET, `${MACS} 8100 0064 08`, stops.STOP_LINK_CUT],
  ['raw IPv4', RAW, TCP4_PACKET, TCP4],
  ['raw IPv6', RAW, TCP6_PACKET, TCP6],
  ['raw, BSD number', RAW_BSD, TCP4_PACKET, TCP4],
  ['raw, OpenBSD number', RAW_OPENBSD, TCP6_PACKET, TCP6],
  ['IPv4 only', IPV4, TCP4_PACKET, TCP4],
  ['IPv6 only', IPV6, TCP6_PACKET, TCP6],
  ['raw, nothing', RAW, '', stops.STOP_IP_CUT],
  ['SLL', LINUX_SLL, `0000 0001 0006 0200000000010000 0800 ${TCP4_PACKET}`, TCP4],
  ['SLL, VLAN', LINUX_SLL, `0000 0001 0006 0200000000010000 8100 0064 86dd ${TCP6_PACKET}`, TCP6],
  ['SLL, ARP', LINUX_SLL, `0000 0001 0006 0200000000010000 0806`, stops.STOP_NOT_IP],
  ['SLL, cut', LINUX_SLL, `0000 0001 0006 0200000000010000 08`, stops.STOP_LINK_CUT],
  ['SLL2', LINUX_SLL2, `0800 0000 00000003 0001 00 06 0200000000010000 ${TCP4_PACKET}`, TCP4],
  ['SLL2, IPv6', LINUX_SLL2, `86dd 0000 00000003 0001 00 06 0200000000010000 ${TCP6_PACKET}`, TCP6],
  ['SLL2, VLAN', LINUX_SLL2, `8100 0000 00000003 0001 00 06 0200000000010000 0064 0800 ${TCP4_PACKET}`, TCP4],
  ['SLL2, VLAN, cut', LINUX_SLL2, `8100 0000 00000003 0001 00 06 0200000000010000 0064`, stops.STOP_LINK_CUT],
  ['SLL2, not IP', LINUX_SLL2, `0806 0000 00000003 0001 00 06 0200000000010000 00`, stops.STOP_NOT_IP],
  ['SLL2, cut', LINUX_SLL2, `0800 0000 00000003 0001 00 06 02000000000100`, stops.STOP_LINK_CUT],
  ['NULL, little-endian host', NULL, `02000000 ${TCP4_PACKET}`, TCP4],
  ['NULL, big-endian host', NULL, `00000002 ${TCP4_PACKET}`, TCP4],
  ['NULL, IPv6 on Darwin', NULL, `1e000000 ${TCP6_PACKET}`, TCP6],
  ['NULL, IPv6 on FreeBSD', NULL, `0000001c ${TCP6_PACKET}`, TCP6],
  ['NULL, IPv6 on NetBSD', NULL, `18000000 ${TCP6_PACKET}`, TCP6],
  ['NULL, IPv6 on Linux', NULL, `0a000000 ${TCP6_PACKET}`, TCP6],
  ['NULL, another family', NULL, `07000000 ${TCP4_PACKET}`, stops.STOP_NOT_IP],
  ['NULL, cut', NULL, `020000`, stops.STOP_LINK_CUT],
  ['LOOP', LOOP, `00000002 ${TCP4_PACKET}`, TCP4],
  ['LOOP in the wrong byte order', LOOP, `02000000 ${TCP4_PACKET}`, stops.STOP_NOT_IP],
  ['LOOP, cut', LOOP, `000000`, stops.STOP_LINK_CUT],
  ['wireless, encrypted', 105, `0842 0000 ${'00'.repeat(22)} 0100 0020 00000000`, stops.STOP_LINK_PROTECTED],
  [
    'wireless, second fragment',
    105,
    `0802 0000 ${'00'.repeat(18)} 0100 aaaa030000000800`,
    stops.STOP_LINK_FRAGMENT,
  ],
  ['a link type nobody knows', 147, TCP4_PACKET, stops.STOP_LINK_UNSUPPORTED],

  // IPv4.
  ['IPv4 options', RAW, `46 00 0030 0001 4000 40 06 0000 ${ENDS4} 94040000 ${TCP} ${DATA}`, TCP4],
  ['IPv4, cut in the fixed header', RAW, '45 00 002c 0001', stops.STOP_IP_CUT],
  ['IPv4, cut in the options', RAW, `46 00 0030 0001 4000 40 06 0000 ${ENDS4} 9404`, stops.STOP_IP_CUT],
  [
    'IPv4, header of 16 bytes',
    RAW,
    `44${ip4('002c', '06').slice(2)} ${TCP} ${DATA}`,
    stops.STOP_IP_BAD_HEADER,
  ],
  ['IPv4, shorter than its header', RAW, `${ip4('0013', '06')} ${TCP}`, stops.STOP_IP_BAD_HEADER],
  ['IP version 5', RAW, `55${ip4('002c', '06').slice(2)}`, stops.STOP_IP_BAD_HEADER],
  ['IPv4, first fragment', RAW, `${ip4('002c', '06', '2000')} ${TCP} ${DATA}`, stops.STOP_IP_FRAGMENT],
  ['IPv4, last fragment', RAW, `${ip4('002c', '06', '00b9')} ${TCP} ${DATA}`, stops.STOP_IP_FRAGMENT],
  ['IPv4, reserved flag', RAW, `${ip4('002c', '06', '8000')} ${TCP} ${DATA}`, TCP4],
  ['OSPF', RAW, `${ip4('0018', '59')} 02010000`, stops.STOP_IP_OTHER_PROTOCOL],
  [
    'Ethernet padding',
    RAW,
    `${ip4('0028', '06')} ${TCP} 000000000000`,
    { ...TCP4, payload: '', payloadLen: 0 },
  ],
  [
    'segmentation offload, length 0',
    RAW,
    `${ip4('0000', '06')} ${TCP} ${DATA}`,
    { ...TCP4, payloadLen: 3000 },
    3040,
  ],

  // IPv6.
  ['IPv6, cut', RAW, `60000000 0018 06 40 ${ENDS6.slice(0, 40)}`, stops.STOP_IP_CUT],
  ['IPv6, length 0', RAW, `${ip6('0000', '06')} ${TCP} ${DATA}`, { ...TCP6, payloadLen: 3000 }, 3060],
  [
    'hop-by-hop, destination',
    RAW,
    `${ip6('0028', '00')} 3c00050200000000 0600010400000000 ${TCP} ${DATA}`,
    TCP6,
  ],
  ['routing of 24 bytes', RAW, `${ip6('0030', '2b')} 06 02 0001 ${'00'.repeat(20)} ${TCP} ${DATA}`, TCP6],
  ['authentication header', RAW, `${ip6('0030', '33')} 06 04 0000 ${'00'.repeat(20)} ${TCP} ${DATA}`, TCP6],
  ['an atomic fragment', RAW, `${ip6('0020', '2c')} 06 00 0006 12345678 ${TCP} ${DATA}`, TCP6],
  [
    'IPv6, first fragment',
    RAW,
    `${ip6('0020', '2c')} 06 00 0001 12345678 ${TCP} ${DATA}`,
    stops.STOP_IP_FRAGMENT,
  ],
  [
    'IPv6, last fragment',
    RAW,
    `${ip6('0020', '2c')} 06 00 05a8 12345678 ${TCP} ${DATA}`,
    stops.STOP_IP_FRAGMENT,
  ],
  [
    'mobility, HIP, shim6',
    RAW,
    `${ip6('0030', '87')} 8b00000000000000 8c00000000000000 0600000000000000 ${TCP} ${DATA}`,
    TCP6,
  ],
  ['extension header, cut', RAW, `${ip6('0020', '3c')} 06 00 0104`, stops.STOP_IP_CUT],
  [
    'extension beyond the packet',
    RAW,
    `${ip6('0008', '3c')} 06 04 ${'00'.repeat(38)} ${TCP}`,
    stops.STOP_IP_BAD_HEADER,
  ],
  [
    '16 extension headers',
    RAW,
    `${ip6('0098', '3c')} ${'3c00000000000000'.repeat(15)} 0600000000000000 ${TCP} ${DATA}`,
    TCP6,
  ],
  [
    '17 extension headers',
    RAW,
    `${ip6('00a0', '3c')} ${'3c00000000000000'.repeat(16)} 0600000000000000 ${TCP} ${DATA}`,
    stops.STOP_IP_BAD_HEADER,
  ],
  ['no next header', RAW, `${ip6('0000', '3b')}`, stops.STOP_IP_OTHER_PROTOCOL],

  // Transport.
  [
    'TCP options',
    RAW,
    `${ip4('0034', '06')} ${TCP.replace('50 18', '70 18')} 0101080a 00000001 ${DATA}`,
    TCP4,
  ],
  [
    'TCP, cut before its flags',
    RAW,
    `${ip4('002c', '06')} ${TCP.slice(0, 32)}`,
    stops.STOP_TRANSPORT_CUT,
    44,
  ],
  [
    'TCP, cut behind its flags',
    RAW,
    `${ip4('002c', '06')} ${TCP.slice(0, 34)}`,
    { ...TCP4, payload: '', payloadLen: 4 },
    44,
  ],
  [
    'TCP header of 16 bytes',
    RAW,
    `${ip4('002c', '06')} ${TCP.replace('50 18', '40 18')} ${DATA}`,
    stops.STOP_TRANSPORT_BAD_HEADER,
  ],
  [
    'TCP header beyond its packet',
    RAW,
    `${ip4('002c', '06')} ${TCP.replace('50 18', 'f0 18')} ${DATA}`,
    stops.STOP_TRANSPORT_BAD_HEADER,
  ],
  ['TCP payload cut', RAW, `${ip4('05dc', '06')} ${TCP} ${DATA}`, { ...TCP4, payloadLen: 1460 }, 1500],
  [
    'TCP options cut',
    RAW,
    `${ip4('0034', '06')} ${TCP.replace('50 18', '70 18')} 0101`,
    { ...TCP4, payload: '' },
    52,
  ],
  [
    'UDP',
    RAW,
    `${ip4('0020', '11')} ${UDP} ${DATA}`,
    { ...FROM4, protocol: 17, payload: DATA, payloadLen: 4 },
  ],
  [
    'UDP over IPv6',
    RAW,
    `${ip6('000c', '11')} ${UDP} ${DATA}`,
    { ...FROM6, protocol: 17, payload: DATA, payloadLen: 4 },
  ],
  ['UDP, cut', RAW, `${ip4('0020', '11')} ${UDP.slice(0, -2)}`, stops.STOP_TRANSPORT_CUT],
  ['UDP, shorter than its header', RAW, `${ip4('001a', '11')} ${UDP}`, stops.STOP_TRANSPORT_BAD_HEADER],
  [
    'ICMP',
    RAW,
    `${ip4('0020', '01')} 08000000 12340001 ${DATA}`,
    { ...FROM4, ports: [0, 0], protocol: 1, payload: DATA, payloadLen: 4 },
  ],
  [
    'ICMPv6',
    RAW,
    `${ip6('000c', '3a')} 80000000 12340001 ${DATA}`,
    { ...FROM6, ports: [0, 0], protocol: 58, payload: DATA, payloadLen: 4 },
  ],
  ['ICMP, cut', RAW, `${ip4('0020', '01')} 08000000 1234`, stops.STOP_TRANSPORT_CUT],
];

for (const [name, linkType, text, expected, originalLen] of ROWS) {
  test(`decode: ${name}`, () => {
    const decoded = decode(frames.hex(text), linkType, originalLen);
    if (typeof expected === 'number') assert.equal(decoded.stop, expected);
    else {
      assert.equal(decoded.stop, STOP_NONE);
      assert.deepEqual(described(decoded), expected);
    }
  });
}

test('the rows above reach every stop, and every stop to report has a name', () => {
  const all = Object.entries(stops).filter(([name]) => name.startsWith('STOP_'));
  const reached = new Set(
    ROWS.map(([, , , expected]) => (typeof expected === 'number' ? expected : STOP_NONE)),
  );
  assert.deepEqual(
    all.filter(([, stop]) => !reached.has(stop as number)),
    [],
  );
  assert.equal(stops.UNDECODABLE.length, all.length);
});

const anyPacket = fc
  .record({
    v6: fc.boolean(),
    transport: fc.constantFrom('tcp', 'udp', 'icmp'),
    payload: fc.uint8Array({ maxLength: 60 }),
    options: fc.nat(10).map((words) => new Uint8Array(4 * words).fill(1)),
    extended: fc.boolean(),
  })
  .map(({ v6, transport, payload, options, extended }) => {
    const carried =
      transport === 'tcp'
        ? frames.tcp({ options }, payload)
        : transport === 'udp'
          ? frames.udp(5004, 53, payload)
          : frames.icmp(8, payload, v6 ? 58 : 1);
    const packet = v6
      ? frames.ipv6(frames.ADDRESSES6, carried, extended ? { extensions: [[60, new Uint8Array(7)]] } : {})
      : frames.ipv4(frames.ADDRESSES, carried, extended ? { options: new Uint8Array(8) } : {});
    return { packet, payload };
  });

const anyLink = fc.constantFrom<[number, (packet: frames.Network) => Uint8Array]>(
  [ETHERNET, (packet) => frames.ethernet(packet)],
  [ETHERNET, (packet) => frames.ethernet(packet, [0x88a8, 0x8100])],
  [LINUX_SLL, frames.sll],
  [LINUX_SLL2, frames.sll2],
  [NULL, (packet) => frames.family(packet.etherType === 0x0800 ? 2 : 30, packet, true)],
  [LOOP, (packet) => frames.family(packet.etherType === 0x0800 ? 2 : 24, packet, false)],
  [RAW, (packet) => packet.bytes],
);

test('a packet cut by the snap length decodes as far as it goes', () => {
  const CUT: number[] = [stops.STOP_LINK_CUT, stops.STOP_IP_CUT, stops.STOP_TRANSPORT_CUT];
  fc.assert(
    fc.property(anyPacket, anyLink, ({ packet, payload }, [linkType, link]) => {
      const frame = link(packet);
      for (let length = 0; length <= frame.length; length++) {
        const { stop, packet, bytes } = decode(frame.subarray(0, length), linkType, frame.length);
        if (stop !== STOP_NONE) {
          assert.ok(CUT.includes(stop), `stop ${stop} at ${length} of ${frame.length}`);
          assert.ok(length < frame.length - payload.length);
          continue;
        }
        assert.equal(packet.payloadLen, payload.length);
        const captured = Math.max(0, payload.length - (frame.length - length));
        assert.equal(packet.payloadCaptured, captured);
        const kept = bytes.subarray(packet.payloadAt, packet.payloadAt + captured);
        assert.equal(toHex(kept), toHex(payload.subarray(0, captured)));
      }
      assert.equal(decode(frame, linkType).stop, STOP_NONE);
    }),
  );
});

test('no bytes make it throw, and bytes outside the frame do not matter', () => {
  const anyChange = fc.tuple(fc.nat(), fc.nat(255));
  const anyFrame = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc
      .tuple(anyPacket, anyLink, fc.array(anyChange, { maxLength: 6 }))
      .map(([{ packet }, [, link], changes]) => {
        const frame = link(packet).slice();
        for (const [at, value] of changes) frame[at % frame.length] = value;
        return frame;
      }),
  );
  const anyLinkType = fc.constantFrom(...Object.values(LINKTYPE), 147);
  fc.assert(
    fc.property(anyFrame, anyLinkType, fc.nat(3000), (frame, linkType, cutOff) => {
      const first = decode(frame, linkType, frame.length + cutOff, 0x00);
      const second = decode(frame, linkType, frame.length + cutOff, 0xff);
      assert.equal(first.stop, second.stop);
      if (first.stop !== STOP_NONE) return;
      assert.deepEqual(described(first), described(second));
      const { payloadAt, payloadLen, payloadCaptured } = first.packet;
      assert.ok(payloadCaptured >= 0 && payloadCaptured <= payloadLen);
      assert.ok(payloadCaptured === 0 || payloadAt + payloadCaptured <= 13 + frame.length);
    }),
    { numRuns: 2000 },
  );
});
