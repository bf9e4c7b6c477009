/** Sessions inside something else: proxies, SSH, R-UDP. */

import type { ProxyProgram } from './proxies.js';
import { DIRECT, SAMPLE, type SessionScenario } from './scenario-types.js';
import type { SshCipher } from './ssh.js';

const PROXIED = { ...DIRECT, points: ['client', 'server', 'both'], udp: 'any' } as const;
const EIGHT = { ...PROXIED, maxTcp: 8, connections: 8 } as const;

function via(program: ProxyProgram, protocol: 'http' | 'socks4' | 'socks5', login = false) {
  return { way: { kind: 'proxy', program, protocol, login } } as const;
}

const PROXIES: readonly SessionScenario[] = [
  { ...PROXIED, ...via('tinyproxy', 'http'), name: 'http-tinyproxy', description: 'CONNECT by tinyproxy' },
  {
    ...PROXIED,
    ...via('squid', 'http'),
    name: 'http-squid',
    description: 'CONNECT by squid',
    sample: ['client', 'server', 'both'],
  },
  {
    ...PROXIED,
    ...via('tinyproxy', 'http', true),
    name: 'http-tinyproxy-auth',
    description: 'CONNECT by tinyproxy with basic authentication',
  },
  {
    ...EIGHT,
    ...via('squid', 'http', true),
    name: 'http-squid-auth-tcp8',
    description: 'CONNECT by squid with basic authentication, 8 TCP connections',
  },
  {
    ...PROXIED,
    ...via('squid', 'http'),
    name: 'http-squid-5555-tcp32',
    description: 'CONNECT by squid to port 5555, 32 TCP connections',
    port: 5555,
    maxTcp: 32,
    connections: 32,
    seconds: 50,
  },
  {
    ...PROXIED,
    ...SAMPLE,
    ...via('tinyproxy', 'http'),
    name: 'http-tinyproxy-noenc',
    description: 'CONNECT by tinyproxy, encryption off',
    encrypt: false,
  },
  {
    ...PROXIED,
    ...via('squid', 'http'),
    name: 'tls12-http-squid',
    description: 'CONNECT by squid to a server limited to TLS 1.2',
    tls: '1.2',
  },
  {
    ...PROXIED,
    ...via('squid', 'http'),
    name: 'idle-120-http-squid',
    description: 'two minutes idle through squid',
    activity: 'idle',
    seconds: 120,
  },
  {
    ...PROXIED,
    ...SAMPLE,
    ...via('dante', 'socks4'),
    name: 'socks4-dante',
    description: 'SOCKS4 by dante',
  },
  {
    ...EIGHT,
    ...via('dante', 'socks4'),
    name: 'socks4-dante-tcp8',
    description: 'SOCKS4 by dante, 8 TCP connections',
  },
  {
    ...PROXIED,
    ...SAMPLE,
    ...via('dante', 'socks5'),
    name: 'socks5-dante',
    description: 'SOCKS5 by dante',
  },
  {
    ...PROXIED,
    ...via('dante', 'socks5'),
    name: 'socks5-dante-noenc-name',
    description: 'SOCKS5 by dante, server given by name, encryption off',
    serverAs: 'name',
    encrypt: false,
  },
  {
    ...PROXIED,
    ...via('microsocks', 'socks5'),
    name: 'socks5-microsocks',
    description: 'SOCKS5 by microsocks',
  },
  {
    ...EIGHT,
    ...via('microsocks', 'socks5', true),
    name: 'socks5-microsocks-auth-tcp8',
    description: 'SOCKS5 by microsocks with user and password, 8 TCP connections',
  },
];

function ssh(forward: 'L' | 'R' | 'D4' | 'D5', port: number, cipher: SshCipher = 'default') {
  return { ...DIRECT, points: ['client', 'server'], way: { kind: 'ssh', forward, port, cipher } } as const;
}

const SSH: readonly SessionScenario[] = [
  { ...ssh('L', 22), ...SAMPLE, name: 'ssh-L-22', description: 'ssh -L, port 22' },
  {
    ...ssh('L', 2222),
    name: 'ssh-L-2222-tcp8',
    description: 'ssh -L on port 2222, 8 TCP connections in it',
    maxTcp: 8,
    connections: 8,
  },
  {
    ...ssh('L', 22),
    name: 'ssh-L-22-idle',
    description: 'ssh -L, 90 seconds idle',
    activity: 'idle',
    seconds: 90,
  },
  { ...ssh('D4', 22), name: 'ssh-D4-22', description: 'ssh -D, the client speaks SOCKS4' },
  { ...ssh('D5', 2222), name: 'ssh-D5-2222', description: 'ssh -D on port 2222, the client speaks SOCKS5' },
  { ...ssh('R', 22), ...SAMPLE, name: 'ssh-R-22', description: 'ssh -R from the server side to the client' },
  { ...ssh('L', 22, 'chacha20'), name: 'ssh-L-chacha20', description: 'ssh -L, chacha20-poly1305' },
  {
    ...ssh('L', 22, 'aes256-gcm'),
    name: 'ssh-L-aes256-gcm',
    description: 'ssh -L, aes256-gcm',
  },
  {
    ...ssh('L', 22, 'aes256-ctr-etm'),
    ...SAMPLE,
    name: 'ssh-L-ctr-etm',
    description: 'ssh -L, aes256-ctr with hmac-sha2-256-etm',
  },
  {
    ...ssh('L', 22, 'aes256-ctr-mac'),
    name: 'ssh-L-ctr-mac',
    description: 'ssh -L, aes256-ctr with hmac-sha2-256',
  },
  {
    ...ssh('D5', 443, 'aes256-gcm'),
    name: 'ssh-D5-443-tcp4',
    description: 'ssh -D on port 443 with aes256-gcm, SOCKS5, 4 TCP connections',
    maxTcp: 4,
    connections: 4,
  },
  {
    ...ssh('R', 2222, 'aes256-ctr-etm'),
    name: 'ssh-R-2222-tls12',
    description: 'ssh -R on port 2222 with aes256-ctr, server limited to TLS 1.2',
    tls: '1.2',
  },
];

/** The number of R-UDP connections is the client's own choice. */
function rudp(over: 'udp' | 'icmp' | 'dns') {
  const { connections: _, ...rest } = DIRECT;
  return { ...rest, ...SAMPLE, way: { kind: 'rudp', over }, serverAs: 'address', seconds: 24 } as const;
}

const RUDP: readonly SessionScenario[] = [
  { ...rudp('udp'), name: 'rudp-natt', description: 'TCP, ICMP and UDP 53 blocked: R-UDP by NAT traversal' },
  { ...rudp('icmp'), name: 'rudp-icmp', description: 'TCP and UDP 53 blocked: VPN over ICMP' },
  { ...rudp('dns'), name: 'rudp-dns', description: 'TCP and ICMP blocked: VPN over DNS' },
  {
    ...rudp('udp'),
    sample: [],
    way: { kind: 'rudp', over: 'udp', closedPort: true },
    name: 'fail-port-rudp',
    description: 'nothing listens on the TCP port, but R-UDP by NAT traversal brings the session up',
  },
  {
    ...rudp('udp'),
    sample: [],
    name: 'rudp-natt-bulk',
    description: 'R-UDP by NAT traversal, bulk transfer, no UDP acceleration',
    udp: false,
    activity: 'bulk',
  },
  {
    ...rudp('icmp'),
    sample: [],
    name: 'rudp-icmp-bulk',
    description: 'VPN over ICMP, bulk transfer, no UDP acceleration',
    udp: false,
    activity: 'bulk',
  },
];

export const CARRIED_SESSIONS: readonly SessionScenario[] = [...PROXIES, ...SSH, ...RUDP];
