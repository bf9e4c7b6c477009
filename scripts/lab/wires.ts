/** Links between the gateway and a host: a pair of virtual cards, or two pairs with a wire of our own between. */
import { fileURLToPath } from 'node:url';
import { type Place, run, startIn, waitForOutput } from './processes.js';
import type { Network } from './topology.js';

/** One direction's conditions are the other's too. Times in milliseconds, loss in percent. */
export interface Wire {
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
  /** Frames carry this VLAN tag on the trunk, a stretch of the wire that can be recorded. */
  readonly vlan?: number;
}

export interface Path {
  readonly client?: Wire;
  readonly server?: Wire;
  readonly mtu?: number;
  /** Leaves the cards their segmentation and checksum work. */
  readonly offload?: boolean;
}

/** The compiler copies no Python: the program stays where it was written. */
const PROGRAM = fileURLToPath(new URL('../../../scripts/lab/wire.py', import.meta.url));

/** Segmentation and checksum work of the card would put packets into a capture that no wire carries. */
export const OFFLOADS_OFF = ['tx', 'rx', 'sg', 'tso', 'gso', 'gro'].flatMap((name) => [name, 'off']);

async function pair(one: Place, device: string, other: Place, peer: string): Promise<void> {
  const end = ['type', 'veth', 'peer', 'name', peer, 'netns', other.namespace];
  await run(['ip', '-n', one.namespace, 'link', 'add', device, ...end]);
}

/** Links `end`'s eth0 to the gateway's `device`. */
export async function layLink(
  network: Network,
  device: string,
  end: Place,
  wire: Wire | undefined,
): Promise<void> {
  const { gateway, wire: place } = network;
  if (!wire) return pair(gateway, device, end, 'eth0');
  const [near, far] = [`${device}-near`, `${device}-far`];
  await pair(gateway, device, place, near);
  await pair(end, 'eth0', place, far);
  const devices = [near, far];
  const { vlan, ...conditions } = wire;
  if (vlan === undefined) {
    await prepare(place, devices);
    await startWire(place, near, far, conditions);
    return;
  }
  await pair(place, 'trunk-a', place, 'trunk-b');
  await prepare(place, [...devices, 'trunk-a', 'trunk-b']);
  await startWire(place, near, 'trunk-a', { ...conditions, tag: vlan });
  await startWire(place, far, 'trunk-b', { tag: vlan });
}

async function prepare(place: Place, devices: readonly string[]): Promise<void> {
  for (const device of devices) {
    const enter = ['ip', 'netns', 'exec', place.namespace];
    await run([...enter, 'sysctl', '-q', '-w', `net.ipv6.conf.${device}.disable_ipv6=1`]);
    await run([...enter, 'ethtool', '-K', device, ...OFFLOADS_OFF]);
    await run(['ip', '-n', place.namespace, 'link', 'set', device, 'up']);
  }
}

async function startWire(place: Place, a: string, b: string, conditions: object): Promise<void> {
  const settings = JSON.stringify({ a, b, ...conditions });
  const running = startIn(place, `wire-${a}`, ['python3', PROGRAM, settings]);
  await waitForOutput(running, 'ready');
}
