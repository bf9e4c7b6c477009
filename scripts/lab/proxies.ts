/** The proxies of the lab: tinyproxy, squid, dante and microsocks on the host behind gw-p. */
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianVersion, type Place, run, runIn, startIn, waitForPort } from './processes.js';
import type { Random } from './random.js';
import type { Network } from './topology.js';
import type { Site } from './variation.js';

export type ProxyProgram = 'tinyproxy' | 'squid' | 'dante' | 'microsocks';

export interface OpenProxy {
  readonly address: string;
  readonly port: number;
  readonly login?: { readonly user: string; readonly password: string };
  readonly software: Readonly<Record<string, string>>;
}

interface ProxyStage {
  readonly place: Place;
  readonly address: string;
  readonly port: number;
  readonly login?: { readonly user: string; readonly password: string };
}

const USUAL_PORTS: Readonly<Record<ProxyProgram, readonly number[]>> = {
  tinyproxy: [8888, 8080, 3128],
  squid: [3128, 8080, 3129],
  dante: [1080, 1081, 9050],
  microsocks: [1080, 1083],
};

const START: Readonly<Record<ProxyProgram, (stage: ProxyStage) => Promise<void>>> = {
  tinyproxy: startTinyproxy,
  squid: startSquid,
  dante: startDante,
  microsocks: startMicrosocks,
};

const PACKAGES = {
  tinyproxy: 'tinyproxy-bin',
  squid: 'squid',
  dante: 'dante-server',
  microsocks: 'microsocks',
} as const;

export async function openProxy(
  program: ProxyProgram,
  wantsLogin: boolean,
  network: Network,
  site: Site,
  random: Random,
): Promise<OpenProxy> {
  const port = random.chance(0.6) ? random.pick(USUAL_PORTS[program]) : random.int(2000, 60000);
  const address = site.proxyAddress;
  // squid knows users by small letters only.
  const user = `u${random.text(random.int(2, 9)).toLowerCase()}`;
  const login = { user, password: random.text(random.int(5, 14)) };
  const ends = { address, port, ...(wantsLogin ? { login } : {}) };
  await START[program]({ place: network.proxy, ...ends });
  await waitForPort(network.proxy, port);
  return { ...ends, software: await debianVersion(PACKAGES[program]) };
}

function configure(place: Place, name: string, lines: readonly string[]): string {
  const file = join(place.home, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

async function startTinyproxy({ place, address, port, login }: ProxyStage): Promise<void> {
  const lines = [`Port ${port}`, `Listen ${address}`, 'Timeout 600', 'MaxClients 100', 'User root'];
  if (login) lines.push(`BasicAuth ${login.user} ${login.password}`);
  startIn(place, 'tinyproxy', ['tinyproxy', '-d', '-c', configure(place, 'tinyproxy.conf', lines)]);
}

async function startSquid({ place, address, port, login }: ProxyStage): Promise<void> {
  const lines = [`http_port ${address}:${port}`, 'pid_filename none', 'cache deny all'];
  lines.push('access_log none', 'cache_log /dev/null', 'cache_store_log none', 'shutdown_lifetime 0 seconds');
  lines.push('visible_hostname proxy', 'pinger_enable off', 'coredump_dir /tmp', 'netdb_filename none');
  if (login) {
    const { stdout } = await run(['openssl', 'passwd', '-apr1', login.password]);
    const file = configure(place, 'squid.users', [`${login.user}:${stdout.trim()}`]);
    lines.push(`auth_param basic program /usr/lib/squid/basic_ncsa_auth ${file}`);
    lines.push('acl known proxy_auth REQUIRED', 'http_access allow known', 'http_access deny all');
  } else {
    lines.push('http_access allow all');
  }
  // squid gives up root, and still has to reach its own files.
  for (const folder of [dirname(place.home), place.home]) chmodSync(folder, 0o755);
  await runIn(place, ['chmod', '-R', 'a+rwX', '/var/log', '/run']);
  startIn(place, 'squid', ['squid', '-N', '-f', configure(place, 'squid.conf', lines)]);
}

async function startDante({ place, address, port }: ProxyStage): Promise<void> {
  const lines = [`internal: ${address} port = ${port}`, 'external: eth0', 'logoutput: stderr'];
  lines.push('clientmethod: none', 'socksmethod: none', 'user.privileged: root', 'user.unprivileged: nobody');
  lines.push('client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }', 'socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }');
  startIn(place, 'danted', ['danted', '-f', configure(place, 'danted.conf', lines)]);
}

async function startMicrosocks({ place, address, port, login }: ProxyStage): Promise<void> {
  const credentials = login ? ['-u', login.user, '-P', login.password] : [];
  startIn(place, 'microsocks', ['microsocks', '-i', address, '-p', `${port}`, ...credentials]);
}
