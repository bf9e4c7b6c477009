/// Flows as people write them: `tcp 10.1.0.10:36320 203.0.113.10:443`.

import ipaddr from 'ipaddr.js';
import type { FlowEnd } from '../flow/flow-table.js';
import type { FlowName } from '../flow/flow-trace.js';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/packet.js';

const PROTOCOLS: Readonly<Record<string, number>> = {
  tcp: PROTOCOL_TCP,
  udp: PROTOCOL_UDP,
  icmp: PROTOCOL_ICMP,
};

/// The flow that a text names, or null if it names none.
export function parseFlowName(text: string): FlowName | null {
  const words = text
    .toLowerCase()
    .split(/[\s,]+|<?->/)
    .filter((word) => word !== '');
  const protocol = PROTOCOLS[words[0] ?? ''] ?? null;
  if (protocol !== null) words.shift();
  const [first, second] = words.map(parseEnd);
  if (words.length !== 2 || !first || !second || first.address.length !== second.address.length) return null;
  if (protocol !== PROTOCOL_ICMP && protocol !== null && (first.port === 0 || second.port === 0)) return null;
  return { protocol, ends: [first, second] };
}

function parseEnd(text: string): FlowEnd | null {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([0-9.]+|[0-9a-f:.]*::?[0-9a-f:.]*(?=$)))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || Number(port ?? 0) > 65_535) return null;
  const isFull = address.includes(':')
    ? ipaddr.IPv6.isValid(address)
    : ipaddr.IPv4.isValidFourPartDecimal(address);
  if (!isFull) return null;
  return { address: new Uint8Array(ipaddr.parse(address).toByteArray()), port: Number(port ?? 0) };
}
