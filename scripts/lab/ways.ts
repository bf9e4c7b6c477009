/** The ways on which a session reaches its server: straight, through a proxy, inside SSH, over R-UDP. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { End } from './flows.js';
import { openProxy, type ProxyProgram } from './proxies.js';
import type { Random } from './random.js';
import type { AccountOptions } from './softether.js';
import { openTunnel, type SshCipher } from './ssh.js';
import { block, type Network } from './topology.js';
import type { Site } from './variation.js';

export type Way =
  | { readonly kind: 'direct' }
  | {
      readonly kind: 'proxy';
      readonly program: ProxyProgram;
      readonly protocol: 'http' | 'socks4' | 'socks5';
      readonly login: boolean;
    }
  | {
      readonly kind: 'ssh';
      /** -L, -R, or -D with the client speaking SOCKS4 or SOCKS5 to it. */
      readonly forward: 'L' | 'R' | 'D4' | 'D5';
      readonly port: number;
      readonly cipher: SshCipher;
    }
  | {
      readonly kind: 'rudp';
      readonly over: 'udp' | 'icmp' | 'dns';
      /** Nothing is blocked, but nothing listens on the TCP port that the client is told. */
      readonly closedPort?: boolean;
    };

export type Carrier = 'tcp' | 'http-proxy' | 'socks4' | 'socks5' | 'ssh' | 'udp' | 'icmp' | 'dns';

/** Flows to `end` carry the session, as far as they are seen in front of it. */
export interface Carried {
  readonly carrier: Carrier;
  readonly end: End;
}

export interface Opened {
  /** What the way changes in the client's account. */
  readonly account: Partial<AccountOptions>;
  readonly carried?: Carried;
  readonly software: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What has to be started when the recording runs already. */
  readonly start?: () => Promise<unknown>;
}

interface WayStage {
  readonly network: Network;
  readonly site: Site;
  readonly random: Random;
  /** Where the VPN server is. */
  readonly target: End;
}

const STRAIGHT: Opened = { account: {}, software: {}, settings: {} };

export async function openWay(way: Way, stage: WayStage): Promise<Opened> {
  switch (way.kind) {
    case 'direct':
      return STRAIGHT;
    case 'proxy':
      return openProxyWay(way, stage);
    case 'ssh':
      return openSshWay(way, stage);
    case 'rudp':
      return openRudpWay(way, stage);
  }
}

async function openProxyWay(way: Way & { kind: 'proxy' }, stage: WayStage): Promise<Opened> {
  const { network, site, random } = stage;
  const proxy = await openProxy(way.program, way.login, network, site, random);
  const { address, port, login } = proxy;
  const account = { proxy: { protocol: way.protocol, address, port, ...(login ? { login } : {}) } };
  return {
    account,
    carried: {
      carrier: way.protocol === 'http' ? 'http-proxy' : way.protocol,
      end: { ip: address, port },
    },
    software: proxy.software,
    settings: { proxy: account.proxy },
  };
}

async function openSshWay(way: Way & { kind: 'ssh' }, stage: WayStage): Promise<Opened> {
  const { network, site, random, target } = stage;
  const localPort = random.int(10000, 30000);
  const local = { ip: '127.0.0.1', port: localPort };
  const server = way.forward === 'R' ? network.client : network.proxy;
  const address = way.forward === 'R' ? site.clientAddress : site.proxyAddress;
  const forward = {
    L: ['-L', `127.0.0.1:${localPort}:${target.ip}:${target.port}`],
    R: ['-R', `127.0.0.1:${localPort}:${target.ip}:${target.port}`],
    D4: ['-D', `127.0.0.1:${localPort}`],
    D5: ['-D', `127.0.0.1:${localPort}`],
  }[way.forward];
  const tunnel = await openTunnel({
    server,
    client: way.forward === 'R' ? network.proxy : network.client,
    address,
    port: way.port,
    cipher: way.cipher,
    forward,
    random,
  });
  const socks = { D4: 'socks4', D5: 'socks5' } as const;
  const account =
    way.forward === 'L' || way.forward === 'R'
      ? { host: local.ip, port: local.port }
      : { proxy: { protocol: socks[way.forward], address: local.ip, port: localPort } };
  return {
    // UDP acceleration would be tried with the forwarder's own host.
    account: { ...account, udp: false },
    carried: { carrier: 'ssh', end: { ip: address, port: way.port } },
    software: tunnel.software,
    start: tunnel.start,
    settings: { ssh: { forward: forward.join(' '), port: way.port, ...tunnel.settings } },
  };
}

/** Blocks what would be tried before; UDP acceleration may carry the data later. */
async function openRudpWay(way: Way & { kind: 'rudp' }, stage: WayStage): Promise<Opened> {
  const { network, target } = stage;
  const to = `ip daddr ${target.ip}`;
  const stopped = {
    udp: [`${to} meta l4proto { tcp, icmp }`, `${to} udp dport 53`],
    icmp: [`${to} meta l4proto tcp`, `${to} udp dport 53`],
    dns: [`${to} meta l4proto { tcp, icmp }`],
  }[way.over];
  if (!way.closedPort) await block(network, stopped);
  // The server registers with the NAT traversal service a moment after it has started.
  if (way.over === 'udp') await sleep(3000);
  const carried = { carrier: way.over, end: target };
  if (!way.closedPort) return { ...STRAIGHT, carried, settings: { blocked: stopped } };
  const closed = { port: stage.random.int(8444, 8900) };
  return { ...STRAIGHT, account: closed, carried, settings: { closed_port: closed.port } };
}
