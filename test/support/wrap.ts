/// Real captures inside every link layer and encapsulation: frames written byte
/// by byte as the specifications have them.

import { LINKTYPE } from '#sealert/wire/link-types.js';
import { concat } from './capture-builder.js';
import { hex } from './frames.js';

/// An Ethernet frame of a capture, taken apart.
export interface Inner {
  frame: Uint8Array;
  etherType: number;
  /// What follows the Ethernet header, without padding.
  packet: Uint8Array;
  /// One direction of the conversation, by the addresses: many layers differ by it.
  forth: boolean;
}

export interface Wrapper {
  name: string;
  linkType: number;
  wrap(inner: Inner): Uint8Array;
  /// Kinds and numbers in the report; those of the tunnels depend on the direction.
  layers: readonly string[];
  /// Only IP fits: frames without it become empty ones.
  ipOnly?: boolean;
  /// Why tshark is not asked.
  withoutTshark?: string;
}

export function takeApart(frame: Uint8Array): Inner {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const etherType = view.getUint16(12, false);
  let packet = frame.subarray(14);
  if (etherType === 0x0800) packet = packet.subarray(0, view.getUint16(16, false));
  if (etherType === 0x86dd) packet = packet.subarray(0, 40 + view.getUint16(18, false));
  const size = etherType === 0x86dd ? 16 : 4;
  const at = etherType === 0x86dd ? 8 : 12;
  const [a, b] = [packet.subarray(at, at + size), packet.subarray(at + size, at + 2 * size)];
  return { frame, etherType, packet, forth: Buffer.compare(a, b) < 0 };
}

const MACS = '0a0000000002 0a0000000001';
const u16 = (value: number) => Uint8Array.of(value >> 8, value & 0xff);
const u16le = (value: number) => Uint8Array.of(value & 0xff, value >> 8);

function ethernetOf(etherType: number, ...parts: Uint8Array[]): Uint8Array {
  return concat(hex(MACS), u16(etherType), ...parts);
}

/// An IPv4 packet between the ends of a tunnel, in Ethernet.
function outer4(protocol: number, forth: boolean, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const ends = forth ? 'c0000201 c6336402' : 'c6336402 c0000201';
  const head = concat(hex('4500'), u16(20 + body.length), hex('0001 0000 40'), Uint8Array.of(protocol));
  return ethernetOf(0x0800, head, hex(`0000 ${ends}`), body);
}

function outer6(protocol: number, forth: boolean, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const [a, b] = ['20010db8 00aa 0000 0000 0000 0000 0001', '20010db8 00bb 0000 0000 0000 0000 0002'];
  const ends = forth ? `${a} ${b}` : `${b} ${a}`;
  return ethernetOf(0x86dd, hex('60000000'), u16(body.length), Uint8Array.of(protocol, 64), hex(ends), body);
}

function outerUdp(source: number, destination: number, forth: boolean, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return outer4(17, forth, u16(source), u16(destination), u16(8 + body.length), hex('0000'), body);
}

const snap = ({ etherType, packet }: Inner) => concat(hex('aaaa03 000000'), u16(etherType), packet);
const pppNumber = ({ etherType }: Inner) => hex(etherType === 0x86dd ? '0057' : '0021');
const familyOf = ({ etherType }: Inner, v6: number) => (etherType === 0x86dd ? v6 : 2);
const ends = (forth: boolean) => (forth ? '192.0.2.1 198.51.100.2' : '198.51.100.2 192.0.2.1');

const FORTH = ends(true);

/// Frame control, duration, three addresses, sequence; with more where asked.
const wireless = (control: string, inner: Inner, more = '') =>
  concat(hex(`${control} 0000 0a0000000001 0a0000000002 0a0000000003 1000 ${more}`), snap(inner));

const ETHERNET = LINKTYPE.ETHERNET;
const WIRELESS = LINKTYPE.IEEE802_11;

function link(name: string, linkType: number, wrap: Wrapper['wrap'], more: Partial<Wrapper> = {}): Wrapper {
  return { name, linkType, wrap, layers: [], ...more };
}

function inside(name: string, layers: string[], wrap: Wrapper['wrap'], more: Partial<Wrapper> = {}): Wrapper {
  return { name, linkType: ETHERNET, wrap, layers, ...more };
}

const ipOnly = { ipOnly: true };

const LINKS: readonly Wrapper[] = [
  link('802.11', WIRELESS, (inner) => wireless('0801', inner)),
  link('802.11 QoS', WIRELESS, (inner) => wireless('8802', inner, '0000')),
  link('802.11 QoS, HT control', WIRELESS, (inner) => wireless('8881', inner, '0000 00000000')),
  link('802.11, four addresses', WIRELESS, (inner) => wireless('8803', inner, '0a0000000004 0000')),
  link('802.11, decrypted by the adapter', WIRELESS, (inner) => wireless('0841', inner), {
    withoutTshark: 'believes the flag',
  }),
  link('802.11 A-MSDU', WIRELESS, (inner) =>
    concat(
      wireless('8801', { ...inner, packet: new Uint8Array(0) }, '8000').subarray(0, 26),
      hex(MACS),
      u16(snap(inner).length),
      snap(inner),
    ),
  ),
  link('radiotap', LINKTYPE.IEEE802_11_RADIOTAP, (inner) =>
    concat(hex('00 00 1200 2e480000 00 02 6c09 a000 c600 0000'), wireless('0801', inner)),
  ),
  link('radiotap, padded', LINKTYPE.IEEE802_11_RADIOTAP, (inner) =>
    concat(
      hex('00 00 1900 030000a0 00000020 00000000 1122334455667788 20'),
      wireless('8801', inner, '0000 0000'),
    ),
  ),
  link('Prism', LINKTYPE.IEEE802_11_PRISM, (inner) =>
    concat(hex('44000000 90000000'), new Uint8Array(136), wireless('0801', inner)),
  ),
  link('AVS', LINKTYPE.IEEE802_11_AVS, (inner) =>
    concat(hex('80211001 00000040'), new Uint8Array(56), wireless('0801', inner)),
  ),
  link('PPI', LINKTYPE.PPI, (inner) => concat(hex('00 00 0800 69000000'), wireless('0801', inner))),
  link('PPP', LINKTYPE.PPP, (inner) => concat(hex('ff03'), pppNumber(inner), inner.packet), ipOnly),
  link('PPP, short', LINKTYPE.PPP, (inner) => concat(pppNumber(inner).subarray(1), inner.packet), ipOnly),
  link(
    'PPP in HDLC',
    LINKTYPE.PPP_HDLC,
    (inner) => concat(hex('ff03'), pppNumber(inner), inner.packet),
    ipOnly,
  ),
  link(
    'PPP with direction',
    LINKTYPE.PPP_WITH_DIR,
    (inner) => concat(hex('01 ff03'), pppNumber(inner), inner.packet),
    ipOnly,
  ),
  link('PPP of pppd', LINKTYPE.PPP_PPPD, (inner) => concat(hex('01 03'), pppNumber(inner), inner.packet), {
    ...ipOnly,
    withoutTshark: 'expects PPP whole after the direction',
  }),
  link(
    'PPPoE as a link',
    LINKTYPE.PPP_ETHER,
    (inner) => concat(hex('11 00 1234'), u16(inner.packet.length + 2), pppNumber(inner), inner.packet),
    { ...ipOnly, layers: ['pppoe 4660'], withoutTshark: 'does not know the link type' },
  ),
  link('Cisco HDLC', LINKTYPE.C_HDLC, (inner) => concat(hex('0f00'), u16(inner.etherType), inner.packet)),
  link(
    'frame relay',
    LINKTYPE.FRELAY,
    (inner) => concat(hex('1841 03'), hex(inner.etherType === 0x86dd ? '8e' : 'cc'), inner.packet),
    ipOnly,
  ),
  link('frame relay, Cisco', LINKTYPE.FRELAY, (inner) =>
    concat(hex('1841'), u16(inner.etherType), inner.packet),
  ),
  link('frame relay, bridged', LINKTYPE.FRELAY, (inner) =>
    concat(hex('1841 03 00 80 0080c2 0007'), inner.frame),
  ),
  link('FDDI', LINKTYPE.FDDI, (inner) => concat(hex(`50 ${MACS}`), snap(inner))),
  link('token ring', LINKTYPE.IEEE802_5, (inner) =>
    concat(hex('10 40 0a0000000002 8a0000000001 0230'), snap(inner)),
  ),
  link('Fibre Channel', LINKTYPE.IP_OVER_FC, (inner) =>
    concat(hex('1000 0a0000000002 1000 0a0000000001'), snap(inner)),
  ),
  link('ATM', LINKTYPE.ATM_RFC1483, snap),
  link('FireWire', LINKTYPE.APPLE_IP_OVER_IEEE1394, (inner) =>
    concat(new Uint8Array(16).fill(1), u16(inner.etherType), inner.packet),
  ),
  link(
    'InfiniBand',
    LINKTYPE.IPOIB,
    (inner) => concat(new Uint8Array(40), u16(inner.etherType), hex('0000'), inner.packet),
    { withoutTshark: 'reads the routing header, which is zero here' },
  ),
  link('SLIP', LINKTYPE.SLIP, (inner) => concat(new Uint8Array(16), inner.packet), {
    ...ipOnly,
    withoutTshark: 'does not read it',
  }),
  link(
    'ENC',
    LINKTYPE.ENC,
    (inner) => concat(Uint8Array.of(familyOf(inner, 24), 0, 0, 0), hex('00000100 00000002'), inner.packet),
    ipOnly,
  ),
  link(
    'pflog',
    LINKTYPE.PFLOG,
    (inner) => concat(Uint8Array.of(61, familyOf(inner, 24), 0, 0), new Uint8Array(60), inner.packet),
    ipOnly,
  ),
  link(
    'IPNET',
    LINKTYPE.IPNET,
    (inner) => concat(Uint8Array.of(1, familyOf(inner, 26), 0, 0), new Uint8Array(20), inner.packet),
    { ...ipOnly, withoutTshark: 'wants what only a real system writes: see the corpora' },
  ),
  link(
    'NFLOG',
    LINKTYPE.NFLOG,
    (inner) =>
      concat(
        Uint8Array.of(familyOf(inner, 10), 0, 0, 1),
        hex('0800 0100 86dd 01 00 0500 0a00 00 000000'),
        u16le(4 + inner.packet.length),
        hex('0900'),
        inner.packet,
      ),
    { ...ipOnly, withoutTshark: 'wants what only a real system writes: see the corpora' },
  ),
  link('PKTAP', LINKTYPE.PKTAP, (inner) =>
    concat(hex('6c000000 01000000 01000000'), new Uint8Array(96), inner.frame),
  ),
  link('ERF', LINKTYPE.ERF, (inner) =>
    concat(
      hex('0000000000000000 82 04'),
      u16(26 + inner.frame.length),
      hex('0000'),
      u16(inner.frame.length),
      new Uint8Array(8),
      hex('0000'),
      inner.frame,
    ),
  ),
  link('netANALYZER', LINKTYPE.NETANALYZER, (inner) => concat(hex('00100100'), inner.frame), {
    withoutTshark: 'expects a checksum at the end',
  }),
  link('mPacket', LINKTYPE.ETHERNET_MPACKET, (inner) => concat(hex('55555555555555d5'), inner.frame), {
    withoutTshark: 'expects a checksum at the end',
  }),
  link('Juniper Ethernet', LINKTYPE.JUNIPER_ETHER, (inner) =>
    concat(hex('4d4743 80 0004 01020304'), inner.frame),
  ),
  link(
    'Broadcom tag',
    LINKTYPE.DSA_TAG_BRCM,
    (inner) => concat(inner.frame.subarray(0, 12), hex('20000001'), inner.frame.subarray(12)),
    { withoutTshark: 'does not know the link type' },
  ),
  link(
    'EtherType DSA tag',
    LINKTYPE.DSA_TAG_EDSA,
    (inner) => concat(inner.frame.subarray(0, 12), hex('dada 0000 c0180000'), inner.frame.subarray(12)),
    { withoutTshark: 'does not know the link type' },
  ),
];

const tunnel = (kind: string) => `${kind} ${FORTH}`;
const erspan3 = (inner: Inner) =>
  concat(hex('1000 22eb 00000001 2064 042a 00000001 0000 0009 0000000000000000'), inner.frame);
const udp = (port: number, header: string) => (inner: Inner) =>
  outerUdp(50_123, port, inner.forth, hex(header), inner.frame);
const gtp = (forth: boolean, flags: string, length: number, more = '') =>
  concat(hex(`${flags} ff`), u16(length + hex(more).length), hex(forth ? '00000111' : '00000222'), hex(more));
const capwap = (forth: boolean, header: string, ...parts: Uint8Array[]) =>
  forth
    ? outerUdp(50_123, 5247, true, hex(header), ...parts)
    : outerUdp(5247, 50_123, false, hex(header), ...parts);

const TUNNELS: readonly Wrapper[] = [
  inside('QinQ', ['vlan 291', 'vlan 7'], (inner) =>
    concat(hex(`${MACS} 88a8 0123 8100 e007`), u16(inner.etherType), inner.packet),
  ),
  inside('VN-tag', ['vn-tag 5'], (inner) =>
    ethernetOf(0x8926, hex('0001 0005'), u16(inner.etherType), inner.packet),
  ),
  inside(
    'E-tag',
    ['e-tag 4101'],
    (inner) => ethernetOf(0x893f, hex('0000 1005 0000'), u16(inner.etherType), inner.packet),
    { withoutTshark: 'stops at the tag' },
  ),
  inside('802.3 with SNAP', [], (inner) => ethernetOf(snap(inner).length, snap(inner))),
  inside(
    'MPLS',
    ['mpls 100', 'mpls 200'],
    (inner) => ethernetOf(0x8847, hex('00064040 000c8140'), inner.packet),
    ipOnly,
  ),
  inside('pseudowire', ['mpls 100'], (inner) => ethernetOf(0x8847, hex('00064140'), inner.frame), {
    withoutTshark: 'guesses otherwise',
  }),
  inside('pseudowire with control word', ['mpls 100'], (inner) =>
    ethernetOf(0x8847, hex('00064140 00000000'), inner.frame),
  ),
  inside('802.1ah', ['pbb 66051'], (inner) => ethernetOf(0x88e7, hex('00010203'), inner.frame)),
  inside(
    'PPPoE',
    ['vlan 7', 'pppoe 4660'],
    (inner) =>
      ethernetOf(
        0x8100,
        hex('0007 8864 1100 1234'),
        u16(inner.packet.length + 2),
        pppNumber(inner),
        inner.packet,
      ),
    ipOnly,
  ),
  inside(
    'GRE',
    [tunnel('gre')],
    (inner) => outer4(47, inner.forth, hex('0000'), u16(inner.etherType), inner.packet),
    ipOnly,
  ),
  inside(
    'GRE, checksum, key, sequence',
    [tunnel('gre 7')],
    (inner) =>
      outer4(
        47,
        inner.forth,
        hex('b000'),
        u16(inner.etherType),
        hex('00000000 00000007 00000001'),
        inner.packet,
      ),
    ipOnly,
  ),
  inside('GRE, Ethernet', [tunnel('gre')], (inner) => outer4(47, inner.forth, hex('0000 6558'), inner.frame)),
  inside('GRE over IPv6', ['gre 2001:db8:aa::1 2001:db8:bb::2'], (inner) =>
    outer6(47, inner.forth, hex('0000 6558'), inner.frame),
  ),
  inside('NVGRE', [tunnel('nvgre 74565')], (inner) =>
    outer4(47, inner.forth, hex('2000 6558 012345'), Uint8Array.of(inner.forth ? 1 : 2), inner.frame),
  ),
  inside(
    'PPTP',
    [tunnel('pptp 5')],
    (inner) =>
      outer4(
        47,
        inner.forth,
        hex('3081 880b'),
        u16(inner.packet.length + 4),
        hex('0005 00000001 00000002 ff03'),
        pppNumber(inner),
        inner.packet,
      ),
    ipOnly,
  ),
  inside('ERSPAN I', [tunnel('erspan')], (inner) => outer4(47, inner.forth, hex('0000 88be'), inner.frame)),
  inside('ERSPAN II', [tunnel('erspan 42')], (inner) =>
    outer4(47, inner.forth, hex('1000 88be 00000001 1064 042a 00000000'), inner.frame),
  ),
  inside('ERSPAN III', [tunnel('erspan 42')], (inner) => outer4(47, inner.forth, erspan3(inner))),
  inside('EtherIP', [tunnel('etherip')], (inner) => outer4(97, inner.forth, hex('3000'), inner.frame)),
  inside(
    'IP in IP',
    [tunnel('ip')],
    (inner) => outer4(inner.etherType === 0x86dd ? 41 : 4, inner.forth, inner.packet),
    ipOnly,
  ),
  inside(
    'IP in IPv6',
    ['ip 2001:db8:aa::1 2001:db8:bb::2'],
    (inner) => outer6(inner.etherType === 0x86dd ? 41 : 4, inner.forth, inner.packet),
    ipOnly,
  ),
  inside(
    'MPLS in IP',
    [tunnel('ip'), 'mpls 100'],
    (inner) => outer4(137, inner.forth, hex('00064140'), inner.packet),
    ipOnly,
  ),
  inside('VXLAN', [tunnel('vxlan 4660')], udp(4789, '08000000 00123400')),
  inside('VXLAN, port of Linux', [tunnel('vxlan 4660')], udp(8472, '08000000 00123400')),
  inside('VXLAN with group policy', [tunnel('vxlan 4660')], udp(4789, '88080005 00123400')),
  inside(
    'VXLAN-GPE',
    [tunnel('vxlan 4660')],
    (inner) =>
      outerUdp(
        50_123,
        4790,
        inner.forth,
        hex('0c0000'),
        hex(inner.etherType === 0x86dd ? '02' : '01'),
        hex('00123400'),
        inner.packet,
      ),
    ipOnly,
  ),
  inside('GENEVE', [tunnel('geneve 4660')], udp(6081, '0100 6558 00123400 01020304')),
  inside(
    'GTP-U',
    [tunnel('gtp-u 273')],
    (inner) => outerUdp(2152, 2152, inner.forth, gtp(inner.forth, '30', inner.packet.length), inner.packet),
    ipOnly,
  ),
  inside(
    'GTP-U, extensions',
    [tunnel('gtp-u 273')],
    (inner) =>
      outerUdp(
        2152,
        2152,
        inner.forth,
        gtp(inner.forth, '36', inner.packet.length, '0001 00 85 01 1009 c0 01 0123 00'),
        inner.packet,
      ),
    ipOnly,
  ),
  inside('TZSP', [tunnel('tzsp')], udp(37_008, '01 00 0001 0a 01 aa 00 01')),
  inside('TZSP, wireless', [tunnel('tzsp')], (inner) =>
    outerUdp(50_123, 37_008, inner.forth, hex('01 00 0012 01'), wireless('0801', inner)),
  ),
  inside('CAPWAP', [tunnel('capwap')], (inner) => capwap(inner.forth, '00 100000 00000000', inner.frame)),
  inside(
    'CAPWAP, wireless',
    [tunnel('capwap')],
    (inner) => capwap(inner.forth, '00 100300 00000000', wireless('0801', inner)),
    { withoutTshark: 'swaps the bytes of the control field' },
  ),
  inside(
    'GRE in UDP',
    [tunnel('gre')],
    (inner) => outerUdp(50_123, 4754, inner.forth, hex('0000'), u16(inner.etherType), inner.packet),
    ipOnly,
  ),
  inside(
    'MPLS in UDP',
    [tunnel('ip'), 'mpls 100'],
    (inner) => outerUdp(50_123, 6635, inner.forth, hex('00064140'), inner.packet),
    ipOnly,
  ),
  inside(
    'L2TP',
    [tunnel('l2tp 9')],
    (inner) =>
      outerUdp(
        1701,
        1701,
        inner.forth,
        hex('4002'),
        u16(12 + inner.packet.length),
        hex('0001 0009 ff03'),
        pppNumber(inner),
        inner.packet,
      ),
    ipOnly,
  ),
  inside('VXLAN in VLAN in VXLAN', [tunnel('vxlan 1'), 'vlan 5', tunnel('vxlan 2')], (inner) =>
    outerUdp(
      50_123,
      4789,
      inner.forth,
      hex('08000000 00000100'),
      hex(`${MACS} 8100 0005`),
      outerUdp(50_124, 4789, inner.forth, hex('08000000 00000200'), inner.frame).subarray(12),
    ),
  ),
];

export const WRAPPERS: readonly Wrapper[] = [...LINKS, ...TUNNELS];

/// The frame, wrapped; empty if it does not fit.
export function wrapped({ wrap, ipOnly }: Wrapper, frame: Uint8Array): Uint8Array {
  const inner = takeApart(frame);
  const isIp = inner.etherType === 0x0800 || inner.etherType === 0x86dd;
  return ipOnly && !isIp ? new Uint8Array(0) : wrap(inner);
}

/// The Ethernet frame with an IPv4 packet, as fragments with at most so many bytes of payload.
export function fragmented(frame: Uint8Array, maxBytes: number, id: number): Uint8Array[] {
  if (frame.length < 34) return [frame];
  const { etherType, packet } = takeApart(frame);
  if (etherType !== 0x0800 || packet.length - 20 <= maxBytes) return [frame];
  const step = maxBytes & ~7;
  const frames: Uint8Array[] = [];
  for (let at = 20; at < packet.length; at += step) {
    const payload = packet.subarray(at, at + step);
    const isLast = at + step >= packet.length;
    const header = packet.slice(0, 20);
    header.set(u16(20 + payload.length), 2);
    header.set(u16(id & 0xffff), 4);
    header.set(u16((isLast ? 0 : 0x2000) | ((at - 20) >> 3)), 6);
    frames.push(concat(frame.subarray(0, 14), header, payload));
  }
  return frames;
}
