/// NAT traversal: what SoftEther servers and clients say to the NAT-T servers
/// of its makers, and their answers. In clear, on UDP port 5004.
///
/// Source: S4 and S5 Network.c RUDPProcess_NatT_Recv, RUDPDo_NatT_Interrupt (facts
/// 7.1), UdpAccel.c (facts 6.3); checked on recordings.

import { latin1 } from '../../wire/latin1.js';
import { type PackValue, readPack } from './pack.js';

export { PORT_NAT_T as NAT_T_PORT } from '../../loops/openings.js';

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
  /// Of a server that registers: its computer's name, its dynamic DNS name, its edition.
  hostName: string | null;
  ddnsName: string | null;
  product: string | null;
  /// Of a client that connects: the server's name as the user typed it, and its address.
  targetHost: string | null;
  serverAddress: string | null;
}

export type NatTMessage =
  | NatTPack
  /// The answer to one byte that keeps a port open: how the port is seen from outside.
  | { kind: 'endpoint' };

/// Reads a UDP payload to or from port 5004; null if it is none of these.
export function readNatT(bytes: Uint8Array, at: number, length: number): NatTMessage | null {
  if (length <= MAX_ENDPOINT_BYTES) {
    return isEndpoint(latin1(bytes, at, at + length)) ? { kind: 'endpoint' } : null;
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
    hostName: text(pack.get('host_name')),
    ddnsName: text(pack.get('ddns_fqdn')),
    product: text(pack.get('product_str')),
    targetHost: text(pack.get('target_hostname')),
    serverAddress: text(pack.get('dest_ip')),
  };
}

function isEndpoint(sent: string): boolean {
  const match = /^IP=(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}),PORT=(\d{1,5})$/.exec(sent);
  if (match === null) return false;
  const numbers = match.slice(1).map(Number);
  const port = numbers.pop()!;
  return numbers.every((part) => part <= 255) && port >= 1 && port <= 0xffff;
}

function text(value: PackValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
