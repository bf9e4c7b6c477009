/** Look-alikes: other VPNs, and ordinary traffic inside proxies and SSH. */
import { BENIGN, type BenignScenario, SAMPLE } from './scenario-types.js';

const CARRIED = { ...BENIGN, points: ['client', 'server'] } as const;

export const VPN_ROWS: readonly BenignScenario[] = [
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'neg-anyconnect-tcp',
    description: 'openconnect to ocserv, TLS only',
    lookAlike: 'anyconnect',
    plan: { dtls: false },
  },
  {
    ...BENIGN,
    name: 'neg-anyconnect-dtls',
    description: 'openconnect to ocserv with DTLS',
    lookAlike: 'anyconnect',
    plan: { dtls: true },
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'neg-wireguard',
    description: 'WireGuard (wireguard-go)',
    lookAlike: 'wireguard',
    port: 51820,
  },
  {
    ...BENIGN,
    name: 'neg-openvpn-udp1194',
    description: 'OpenVPN over UDP 1194',
    lookAlike: 'openvpn',
    port: 1194,
    plan: { protocol: 'udp' },
  },
  {
    ...CARRIED,
    name: 'neg-openvpn-http-proxy',
    description: 'OpenVPN over TCP 443 through squid',
    lookAlike: 'openvpn',
    plan: { proxied: true },
  },
];

function proxied(program: string, protocol: string, more: object = {}) {
  return { ...CARRIED, lookAlike: 'proxied', plan: { program, protocol, ...more } } as const;
}

function forwarded(sshPort: number, cipher: string, more: object) {
  return { ...CARRIED, lookAlike: 'forwarded', plan: { sshPort, cipher, ...more } } as const;
}

export const CARRIED_ROWS: readonly BenignScenario[] = [
  { ...proxied('tinyproxy', 'http'), name: 'neg-https-tinyproxy', description: 'HTTPS through tinyproxy' },
  {
    ...proxied('squid', 'http', { login: true }),
    name: 'neg-https-squid-auth',
    description: 'HTTPS through squid with authentication',
  },
  { ...proxied('dante', 'socks4'), name: 'neg-https-socks4', description: 'HTTPS through SOCKS4' },
  { ...proxied('dante', 'socks5'), name: 'neg-https-socks5', description: 'HTTPS through SOCKS5' },
  {
    ...proxied('squid', 'http', { inner: 'websocket' }),
    ...SAMPLE,
    name: 'neg-websocket-squid',
    description: 'WebSocket after a login, through squid',
  },
  {
    ...forwarded(22, 'default', { inner: 'posts' }),
    ...SAMPLE,
    name: 'neg-ssh-L-https',
    description: 'ssh -L with HTTPS posts',
  },
  {
    ...forwarded(22, 'aes256-ctr-etm', { inner: 'websocket' }),
    name: 'neg-ssh-L-websocket',
    description: 'ssh -L with a WebSocket application',
  },
  {
    ...forwarded(2222, 'aes256-gcm', { dynamic: true }),
    name: 'neg-ssh-D-https',
    description: 'ssh -D with HTTPS',
  },
];
