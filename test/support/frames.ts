/// Packets layer by layer: ethernet(ipv4(ENDS, tcp({ ... }, payload))).

import ipaddr from 'ipaddr.js';
import { ByteWriter, concat } from './capture-builder.js';

/// What an IP packet carries: the number of the protocol, and its bytes.
export interface Transport {
  protocol: number;
  bytes: Uint8Array;
}

/// What a link carries: the EtherType, and the packet.
export interface Network {
  etherType: number;
  bytes: Uint8Array;
}

export interface Addresses {
  source: string;
  destination: string;
}

export const ADDRESSES: Addresses = { source: '10.1.0.10', destination: '203.0.113.10' };
export const ADDRESSES6: Addresses = { source: '2001:db8::10', destination: '2001:db8:1::443' };

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

export interface TcpFields {
  sourcePort?: number;
  destinationPort?: number;
  sequence?: number;
  acknowledgement?: number;
  flags?: number;
  /// Options, a multiple of four bytes.
  options?: Uint8Array;
}

const NOTHING: Uint8Array = new Uint8Array(0);

export function tcp(fields: TcpFields = {}, payload = NOTHING): Transport {
  const { sourcePort = 50_000, destinationPort = 443, sequence = 1, acknowledgement = 0 } = fields;
  const { flags = ACK, options = NOTHING } = fields;
  const header = big().u16(sourcePort).u16(destinationPort).u32(sequence).u32(acknowledgement);
  const words = (20 + options.length) / 4;
  header
    .u16((words << 12) | flags)
    .u16(65_535)
    .u32(0);
  return { protocol: 6, bytes: concat(header.bytes(), options, payload) };
}

export function udp(sourcePort: number, destinationPort: number, payload = NOTHING): Transport {
  const header = big()
    .u16(sourcePort)
    .u16(destinationPort)
    .u16(8 + payload.length)
    .u16(0);
  return { protocol: 17, bytes: concat(header.bytes(), payload) };
}

export function icmp(type: number, payload = NOTHING, protocol = 1): Transport {
  return { protocol, bytes: concat(Uint8Array.of(type, 0, 0, 0, 0x12, 0x34, 0, 1), payload) };
}

export interface Ipv4Fields {
  /// What the length field says; the true length if left out.
  totalLen?: number;
  /// The field with flags and fragment offset.
  fragment?: number;
  /// Options, a multiple of four bytes.
  options?: Uint8Array;
}

export function ipv4(addresses: Addresses, carried: Transport, fields: Ipv4Fields = {}): Network {
  const { options = NOTHING, fragment = 0x4000 } = fields;
  const headerBytes = 20 + options.length;
  const header = big().u16(0x4000 | ((headerBytes / 4) << 8));
  header
    .u16(fields.totalLen ?? headerBytes + carried.bytes.length)
    .u16(1)
    .u16(fragment);
  header.u16((64 << 8) | carried.protocol).u16(0);
  header.raw(address(addresses.source)).raw(address(addresses.destination));
  return { etherType: 0x0800, bytes: concat(header.bytes(), options, carried.bytes) };
}

/// Extension headers: a protocol number, and the header without its first byte.
export type Extension = readonly [protocol: number, body: Uint8Array];

export interface Ipv6Fields {
  payloadLen?: number;
  extensions?: readonly Extension[];
}

export function ipv6(addresses: Addresses, carried: Transport, fields: Ipv6Fields = {}): Network {
  const { extensions = [] } = fields;
  const next = [...extensions.map(([protocol]) => protocol), carried.protocol];
  const rest = concat(
    ...extensions.map(([, body], i) => concat(Uint8Array.of(next[i + 1]!), body)),
    carried.bytes,
  );
  const header = big()
    .u32(0x6000_0000)
    .u16(fields.payloadLen ?? rest.length)
    .u16((next[0]! << 8) | 64);
  header.raw(address(addresses.source)).raw(address(addresses.destination));
  return { etherType: 0x86dd, bytes: concat(header.bytes(), rest) };
}

/// The packet over IPv4 or IPv6, as the addresses ask.
export function ip(addresses: Addresses, carried: Transport): Network {
  return addresses.source.includes(':') ? ipv6(addresses, carried) : ipv4(addresses, carried);
}

/// An Ethernet frame; each VLAN tag is given by its EtherType, outermost first.
export function ethernet({ etherType, bytes }: Network, vlans: readonly number[] = []): Uint8Array {
  const header = big().raw(Uint8Array.of(2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1));
  vlans.forEach((tag, i) => {
    header.u16(tag).u16(100 + i);
  });
  return concat(header.u16(etherType).bytes(), bytes);
}

/// Linux cooked capture, version 1.
export function sll({ etherType, bytes }: Network): Uint8Array {
  return big().u16(0).u16(1).u16(6).raw(new Uint8Array(8)).u16(etherType).raw(bytes).bytes();
}

/// Linux cooked capture, version 2.
export function sll2({ etherType, bytes }: Network): Uint8Array {
  return big().u16(etherType).u16(0).u32(3).u16(1).u16(6).raw(new Uint8Array(8)).raw(bytes).bytes();
}

/// BSD loopback: the address family in the byte order of the host, or (LOOP) of the network.
export function family(value: number, { bytes }: Network, littleEndian: boolean): Uint8Array {
  return concat(new ByteWriter(littleEndian).u32(value).bytes(), bytes);
}

/// The bytes of hex text; spaces and line breaks are for the reader.
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

function address(text: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(text).toByteArray());
}

function big(): ByteWriter {
  return new ByteWriter(false);
}
