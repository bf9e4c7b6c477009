/**
 * The lab's network: a client, a gateway on which everything is recorded, and a
 * server, each in a network namespace of its own. Nothing leads out of it.
 *
 *     client  eth0 --- gw-c  gateway  gw-s --- eth0  server
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearNamespace, makeHome, type Place, type Running, run, startIn } from './processes.js';
import type { Site } from './variation.js';

const PREFIX = 'sealert-lab-';

/** Segmentation and checksum work of the card would put packets into a capture that no wire carries. */
const OFFLOADS = ['tx', 'rx', 'sg', 'tso', 'gso', 'gro'];

export interface Network {
  readonly client: Place;
  readonly gateway: Place;
  readonly server: Place;
}

export const CAPTURE_INTERFACES = { client: 'gw-c', server: 'gw-s' } as const;

export type CapturePoint = keyof typeof CAPTURE_INTERFACES;

async function ip(namespace: string, ...args: string[]): Promise<void> {
  await run(['ip', '-n', namespace, ...args]);
}

async function setKernel(namespace: string, setting: string): Promise<void> {
  await run(['ip', 'netns', 'exec', namespace, 'sysctl', '-q', '-w', setting]);
}

async function bringUp(namespace: string, device: string, address: string): Promise<void> {
  await setKernel(namespace, `net.ipv6.conf.${device}.disable_ipv6=1`);
  await ip(namespace, 'addr', 'add', `${address}/24`, 'dev', device);
  const off = OFFLOADS.flatMap((name) => [name, 'off']);
  await run(['ip', 'netns', 'exec', namespace, 'ethtool', '-K', device, ...off]);
  await ip(namespace, 'link', 'set', device, 'up');
}

export async function buildNetwork(site: Site, folder: string): Promise<Network> {
  await tearDown();
  const place = (role: string, hostName: string): Place => ({
    namespace: PREFIX + role,
    hostName,
    home: join(folder, role),
  });
  const network: Network = {
    client: place('client', site.clientHost),
    gateway: place('gateway', 'gateway'),
    server: place('server', site.serverHost),
  };
  for (const each of Object.values(network)) {
    mkdirSync(each.home, { recursive: true });
    makeHome(each);
    const resolver = each === network.server ? site.serverGateway : site.clientGateway;
    writeFileSync(join(each.home, 'resolv.conf'), `nameserver ${resolver}\n`);
    await run(['ip', 'netns', 'add', each.namespace]);
    await ip(each.namespace, 'link', 'set', 'lo', 'up');
  }
  const { client, gateway, server } = network;
  for (const [device, end] of [
    ['gw-c', client],
    ['gw-s', server],
  ] as const) {
    const peer = ['peer', 'name', 'eth0', 'netns', end.namespace];
    await ip(gateway.namespace, 'link', 'add', device, 'type', 'veth', ...peer);
  }
  await bringUp(gateway.namespace, 'gw-c', site.clientGateway);
  await bringUp(gateway.namespace, 'gw-s', site.serverGateway);
  await ip(gateway.namespace, 'addr', 'add', `${site.elsewhere}/32`, 'dev', 'lo');
  await bringUp(client.namespace, 'eth0', site.clientAddress);
  await bringUp(server.namespace, 'eth0', site.serverAddress);
  await ip(client.namespace, 'route', 'add', 'default', 'via', site.clientGateway);
  await ip(server.namespace, 'route', 'add', 'default', 'via', site.serverGateway);
  await setKernel(gateway.namespace, 'net.ipv4.ip_forward=1');
  return network;
}

/** SoftEther asks for names of its own services whenever it connects; the answers differ from place to place. */
export function startNameService(network: Network, site: Site): Running | undefined {
  if (site.nameService === 'closed') return undefined;
  const others = site.nameService === 'answers' ? [`--address=/#/${site.elsewhere}`] : ['--address=/#/'];
  const command = [
    'dnsmasq',
    '--keep-in-foreground',
    '--no-resolv',
    '--no-hosts',
    '--user=root',
    '--pid-file=',
  ];
  const own = `--address=/${site.serverName}/${site.serverAddress}`;
  return startIn(network.gateway, 'dnsmasq', [...command, '--conf-file=/dev/null', own, ...others]);
}

/** Removes the lab's namespaces with everything in them, also those of a run that was cut off. */
export async function tearDown(): Promise<void> {
  const { stdout } = await run(['ip', 'netns', 'list'], { allowFailure: true });
  const names = stdout.split('\n').map((line) => line.split(' ')[0]!);
  const own = names.filter((name) => name.startsWith(PREFIX));
  await Promise.all(own.map(clearNamespace));
  for (const name of own) await run(['ip', 'netns', 'del', name], { allowFailure: true });
}
