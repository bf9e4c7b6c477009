/// NAT traversal: what SoftEther servers and clients say to the NAT-T servers
/// of its makers, and their answers. In clear, on UDP port 5004.
///
/// Source: S4 and S5 Network.c RUDPProcess_NatT_Recv, RUDPDo_NatT_Interrupt (facts
/// 7.1), UdpAccel.c (facts 6.3); checked on recordings.

import { type PackValue, readPack } from './pack.js';

/// Network.h UDP_NAT_T_PORT.
export const NAT_T_PORT = 5004;

/// Cedar.h VPN_RUDP_SVC_NAME: the service name of every SoftEther VPN server.
export const NAT_T_SERVICE = 'SoftEther_VPN';

/// `IP=255.255.255.255,PORT=65535`
const MAX_ENDPOINT_BYTES = 29;

/// The longest message seen is 520 bytes (facts 7.1); a datagram over Ethernet is no longer.
const MAX_PACK_BYTES = 1_472;

const OPCODES = ['get_token', 'nat_t_register', 'nat_t_connect_request', 'nat_t_connect_relay'] as const;
export type NatTOpcode = (typeof OPCODES)[number];

/// A message in a PACK. Texts are as they were sent; a report makes them harmless.
export interface NatTPack {
  kind: 'pack';
  opcode: NatTOpcode;
  /// Null in a question; whether it succeeded in an answer.
  ok: boolean | null;
  /// `svc_name` is SoftEther's: nobody else registers it.
  isSoftEther: boolean;
  serviceName: string | null;
  /// Of a server that registers: its computer's name, its dynamic DNS name, its edition.
  hostName: string | null;
  ddnsName: string | null;
  product: string | null;
  machineKey: string | null;
  /// Of a client that connects: the server's name as the user typed it, and its address.
  targetHost: string | null;
  serverAddress: string | null;
  /// In the answer to a client: where the server's R-UDP port is reached.
  resultAddress: string | null;
  resultPort: number | null;
}

export type NatTMessage =
  | NatTPack
  /// One byte: `A` keeps the mapping of a server's port, `B` of a UDP acceleration socket.
  | { kind: 'keep-alive'; letter: 'A' | 'B' }
  /// Its answer: the mapping as seen from outside.
  | { kind: 'endpoint'; address: string; port: number };

/// Reads a UDP payload to or from port 5004; null if it is none of these.
export function readNatT(bytes: Uint8Array, at: number, length: number): NatTMessage | null {
  if (length === 1) {
    if (bytes[at] === 0x41) return { kind: 'keep-alive', letter: 'A' };
    return bytes[at] === 0x42 ? { kind: 'keep-alive', letter: 'B' } : null;
  }
  if (length <= MAX_ENDPOINT_BYTES) {
    const endpoint = readEndpoint(String.fromCharCode(...bytes.subarray(at, at + length)));
    return endpoint && { kind: 'endpoint', ...endpoint };
  }
  if (length > MAX_PACK_BYTES) return null;
  const pack = readPack(bytes, at, length);
  const opcode = OPCODES.find((known) => known === pack?.get('opcode'));
  if (!pack || opcode === undefined) return null;
  const ok = pack.get('ok');
  const serviceName = text(pack.get('svc_name'));
  return {
    kind: 'pack',
    opcode,
    ok: typeof ok === 'number' ? ok !== 0 : null,
    isSoftEther: serviceName?.toLowerCase() === NAT_T_SERVICE.toLowerCase(),
    serviceName,
    hostName: text(pack.get('host_name')),
    ddnsName: text(pack.get('ddns_fqdn')),
    product: text(pack.get('product_str')),
    machineKey: text(pack.get('machine_key')),
    targetHost: text(pack.get('target_hostname')),
    serverAddress: text(pack.get('dest_ip')),
    resultAddress: text(pack.get('result_ip')),
    resultPort: port(pack.get('result_port')),
  };
}

function readEndpoint(sent: string): { address: string; port: number } | null {
  const match = /^IP=(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}),PORT=(\d{1,5})$/.exec(sent);
  if (match === null) return null;
  const [, address, portText] = match;
  const isAddress = address!.split('.').every((part) => Number(part) <= 255);
  const number = port(Number(portText));
  return isAddress && number !== null ? { address: address!, port: number } : null;
}

function text(value: PackValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function port(value: PackValue | undefined): number | null {
  return typeof value === 'number' && value >= 1 && value <= 0xffff ? value : null;
}
