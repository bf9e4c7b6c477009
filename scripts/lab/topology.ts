/**
 * The lab's network: a client, a gateway on which everything is recorded, and a
 * server, each in a network namespace of its own. Nothing leads out of it.
 *
 *     client  eth0 --- gw-c  gateway  gw-s --- eth0  server
 *     second  eth0 --- (gw-c, then a bridge)  gw-p --- eth0  proxy
 *
 * The second client and the host of proxies and sshd are there only when a
 * scenario needs them. wires.ts puts a slow or lossy wire into a link.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearNamespace, makeHome, type Place, type Running, run, startIn } from './processes.js';
import type { Site } from './variation.js';
import { layLink, OFFLOADS_OFF, type Path } from './wires.js';

/** Namespaces and folders carry the number of the lab's own process, so that two runs keep apart. */
const PREFIX = 'selab';
export const OWN_PREFIX = `${PREFIX}${process.pid}-`;

export interface Network {
  readonly client: Place;
  readonly gateway: Place;
  readonly server: Place;
  readonly proxy: Place;
  readonly second: Place;
  readonly wire: Place;
}

/** What a scenario needs beyond client, gateway and server. */
export interface NetworkWishes {
  readonly proxy?: boolean;
  readonly second?: boolean;
  readonly ipv6?: boolean;
  readonly path?: Path;
}

/** Where a recording is made. `both`: on the proxy's link, which carries what goes into it and what comes out. */
export const CAPTURE_POINTS = {
  client: ['gateway', 'gw-c'],
  server: ['gateway', 'gw-s'],
  both: ['gateway', 'gw-p'],
  trunk: ['wire', 'trunk-b'],
} as const;

export type CapturePoint = keyof typeof CAPTURE_POINTS;

async function ip(namespace: string, ...args: string[]): Promise<void> {
  await run(['ip', '-n', namespace, ...args]);
}

async function setKernel(namespace: string, setting: string): Promise<void> {
  await run(['ip', 'netns', 'exec', namespace, 'sysctl', '-q', '-w', setting]);
}

/** Gives a device its addresses and takes it up; without IPv6 the kernel says nothing on it by itself. */
async function bringUp(
  place: Place,
  device: string,
  wishes: NetworkWishes,
  ...addresses: (string | undefined)[]
): Promise<void> {
  const { namespace } = place;
  if (!wishes.ipv6) await setKernel(namespace, `net.ipv6.conf.${device}.disable_ipv6=1`);
  else await setKernel(namespace, `net.ipv6.conf.${device}.accept_dad=0`);
  for (const address of addresses) {
    if (address === undefined) continue;
    const length = address.includes(':') ? ['64', 'nodad'] : ['24'];
    await ip(namespace, 'addr', 'add', `${address}/${length[0]}`, 'dev', device, ...length.slice(1));
  }
  if (!wishes.path?.offload) {
    await run(['ip', 'netns', 'exec', namespace, 'ethtool', '-K', device, ...OFFLOADS_OFF]);
  }
  await ip(namespace, 'link', 'set', device, 'up');
}

export async function buildNetwork(
  site: Site,
  folder: string,
  lane: number,
  wishes: NetworkWishes,
): Promise<Network> {
  await tearDown(lane);
  const network = definePlaces(site, folder, lane);
  const { client, gateway, server, proxy } = network;
  await makePlaces(network, site, wishes);
  if (wishes.second) await linkBridge(network, site, wishes);
  else await layLink(network, 'gw-c', client, wishes.path?.client);
  await layLink(network, 'gw-s', server, wishes.path?.server);
  const six = (address: string) => (wishes.ipv6 ? address : undefined);
  await bringUp(gateway, 'gw-c', wishes, site.clientGateway, six(site.clientGateway6));
  await bringUp(gateway, 'gw-s', wishes, site.serverGateway, six(site.serverGateway6));
  await ip(gateway.namespace, 'addr', 'add', `${site.elsewhere}/32`, 'dev', 'lo');
  await bringUp(client, 'eth0', wishes, site.clientAddress, six(site.clientAddress6));
  await bringUp(server, 'eth0', wishes, site.serverAddress, six(site.serverAddress6));
  await ip(client.namespace, 'route', 'add', 'default', 'via', site.clientGateway);
  await ip(server.namespace, 'route', 'add', 'default', 'via', site.serverGateway);
  if (wishes.proxy) {
    await layLink(network, 'gw-p', proxy, undefined);
    await bringUp(gateway, 'gw-p', wishes, site.proxyGateway);
    await bringUp(proxy, 'eth0', wishes, site.proxyAddress);
    await ip(proxy.namespace, 'route', 'add', 'default', 'via', site.proxyGateway);
  }
  if (wishes.ipv6) {
    await ip(client.namespace, '-6', 'route', 'add', 'default', 'via', site.clientGateway6);
    await ip(server.namespace, '-6', 'route', 'add', 'default', 'via', site.serverGateway6);
    await setKernel(gateway.namespace, 'net.ipv6.conf.all.forwarding=1');
  }
  const { mtu } = wishes.path ?? {};
  if (mtu !== undefined) {
    await ip(client.namespace, 'link', 'set', 'eth0', 'mtu', `${mtu}`);
    await ip(gateway.namespace, 'link', 'set', 'gw-c', 'mtu', `${mtu}`);
  }
  await setKernel(gateway.namespace, 'net.ipv4.ip_forward=1');
  return network;
}

function definePlaces(site: Site, folder: string, lane: number): Network {
  const place = (role: string, hostName: string): Place => ({
    namespace: `${OWN_PREFIX}${lane}-${role}`,
    hostName,
    home: join(folder, role),
  });
  return {
    client: place('client', site.clientHost),
    gateway: place('gateway', 'gateway'),
    server: place('server', site.serverHost),
    proxy: place('proxy', site.proxyHost),
    second: place('second', site.secondHost),
    wire: place('wire', 'wire'),
  };
}

/** Namespaces and private folders of all places that the scenario needs. */
async function makePlaces(network: Network, site: Site, wishes: NetworkWishes): Promise<void> {
  const { client, gateway, server, proxy, second, wire } = network;
  const resolvers = new Map([
    [server, site.serverGateway],
    [proxy, site.proxyGateway],
  ]);
  const used = [client, gateway, server];
  if (wishes.proxy) used.push(proxy);
  if (wishes.second) used.push(second);
  if (wishes.path) used.push(wire);
  for (const each of used) {
    mkdirSync(each.home, { recursive: true });
    makeHome(each);
    const resolver = resolvers.get(each) ?? site.clientGateway;
    writeFileSync(join(each.home, 'resolv.conf'), `nameserver ${resolver}\n`);
    await run(['ip', 'netns', 'add', each.namespace]);
    await ip(each.namespace, 'link', 'set', 'lo', 'up');
  }
}

/** Both clients on a bridge in the place of gw-c, so that one recording sees both. */
async function linkBridge(network: Network, site: Site, wishes: NetworkWishes): Promise<void> {
  const { client, gateway, second } = network;
  await ip(gateway.namespace, 'link', 'add', 'gw-c', 'type', 'bridge');
  const ports: readonly (readonly [string, Place])[] = [
    ['port-1', client],
    ['port-2', second],
  ];
  for (const [device, end] of ports) {
    await layLink(network, device, end, undefined);
    await bringUp(gateway, device, wishes);
    await ip(gateway.namespace, 'link', 'set', device, 'master', 'gw-c');
  }
  await bringUp(second, 'eth0', wishes, site.secondAddress);
  await ip(second.namespace, 'route', 'add', 'default', 'via', site.clientGateway);
}

/** SoftEther asks for names of its own services whenever it connects; the answers differ from place to place. */
export function startNameService(network: Network, site: Site, six = false): Running | undefined {
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
  const own = `--address=/${site.serverName}/${six ? site.serverAddress6 : site.serverAddress}`;
  return startIn(network.gateway, 'dnsmasq', [...command, '--conf-file=/dev/null', own, ...others]);
}

/** Drops forwarded packets that fit any of `matches`, until the returned function is called. */
export async function block(network: Network, matches: readonly string[]): Promise<() => Promise<void>> {
  const nft = (command: string) =>
    run(['ip', 'netns', 'exec', network.gateway.namespace, 'nft', command]).then(() => {});
  await nft('add table inet lab; add chain inet lab stop { type filter hook forward priority 0; }');
  for (const match of matches) await nft(`add rule inet lab stop ${match} drop`);
  return () => nft('flush chain inet lab stop');
}

/** Removes this run's namespaces with everything in them; of all its lanes if none is named. */
export async function tearDown(lane?: number): Promise<void> {
  await clear((name) => name.startsWith(lane === undefined ? OWN_PREFIX : `${OWN_PREFIX}${lane}-`));
}

async function clear(isOurs: (name: string) => boolean): Promise<void> {
  const { stdout } = await run(['ip', 'netns', 'list'], { allowFailure: true });
  const own = stdout
    .split('\n')
    .map((line) => line.split(' ')[0]!)
    .filter(isOurs);
  await Promise.all(own.map(clearNamespace));
  for (const name of own) await run(['ip', 'netns', 'del', name], { allowFailure: true });
}

/** Removes what runs left behind that were killed: those whose process is no more. */
export async function clearLeftovers(): Promise<void> {
  const isLeft = (name: string) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  };
  await clear(isLeft);
  for (const name of readdirSync(tmpdir()).filter(isLeft)) {
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
