/// How the parts of a session are called in log, table and CSV.

import type { Carrier, Encapsulation, Endpoint, Session } from './model.js';
import { printable } from './text.js';

/// The carriers as the 2004 log names them.
export const CARRIER_NAMES: Readonly<Record<Carrier, string>> = {
  tcp: 'TCP',
  'http-proxy': 'HTTP Proxy',
  socks4: 'SOCKS4 Proxy',
  socks5: 'SOCKS5 Proxy',
  ssh: 'SSH',
  udp: 'UDP',
  icmp: 'ICMP',
  dns: 'DNS',
};

/// `192.0.2.1:443`, `[2001:db8::1]:443`; without a port the address alone, IPv6 still in brackets.
export function endpointName({ ip, port }: Endpoint): string {
  return hostAndPort(ip, port);
}

/// The same for what a proxy was asked for, which may be a host name.
export function targetName({ host, port }: { host: string; port: number }): string {
  return hostAndPort(host, port);
}

function hostAndPort(host: string, port: number | null): string {
  const name = host.includes(':') ? `[${printable(host)}]` : printable(host);
  return port === null ? name : `${name}:${port}`;
}

/// `vlan 100`, `vxlan 42 (192.0.2.1 to 192.0.2.2)`.
export function encapsulationName({ kind, id, source, destination }: Encapsulation): string {
  const name = id === undefined ? kind : `${kind} ${id}`;
  return printable(source === undefined ? name : `${name} (${source} to ${destination})`);
}

/// `SoftEther VPN 5.x`: the product, and the generation where both sides agree on one.
export function softwareName({ product, client, server }: Session['software']): string {
  if (client.product !== undefined) return printable(`${product} by ${client.product}`);
  const agreed = client.generation === server.generation ? client.generation : null;
  return printable(agreed === null ? product : `${product} ${agreed}`);
}
