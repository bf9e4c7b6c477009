/**
 * Setting up the real SoftEther VPN server and client through vpncmd. vpncmd
 * reports errors in its text only, so every answer is read.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from './certificates.js';
import { type Place, type Running, run, runIn, startIn, waitForPort, waitUntil } from './processes.js';
import type { ServerCertificate } from './variation.js';

export const ADMIN_PASSWORD = 'labadmin';
export const HUB = 'VPN';
export const USER = 'user1';
export const PASSWORD = 'pw1';
const ANONYMOUS = 'guest';
export const ADMIN_PORT = 5555;
/** The ports on which a new server listens without being told. */
const STANDARD_PORTS = [443, 992, 1194, 5555];

export interface ServerOptions {
  readonly port: number;
  readonly certificate: ServerCertificate;
  readonly tls: ServerTls;
  /** Further vpncmd commands of the administrator, in the hub. */
  readonly extra?: readonly string[];
}

/** What the server's administrator allows; 'cbc' is TLS 1.2 with AES256-SHA. */
export type ServerTls = 'any' | '1.2' | 'cbc';

export interface AccountProxy {
  readonly protocol: 'http' | 'socks4' | 'socks5';
  readonly address: string;
  readonly port: number;
  readonly login?: { readonly user: string; readonly password: string };
}

export interface AccountOptions {
  readonly host: string;
  readonly port: number;
  readonly hub?: string;
  readonly auth?: 'password' | 'plain' | 'anonymous';
  readonly password: string;
  readonly maxTcp: number;
  readonly qos: boolean;
  readonly udp: boolean;
  readonly retries: number;
  readonly encrypt?: boolean;
  readonly compress?: boolean;
  readonly half?: boolean;
  readonly bridge?: boolean;
  /** Seconds between additional connections, and each connection's life (0: no end). */
  readonly interval?: number;
  readonly ttl?: number;
  readonly proxy?: AccountProxy;
}

/** Runs vpncmd with a batch of commands; throws if any of them failed. */
export async function vpncmd(
  place: Place,
  target: readonly string[],
  lines: readonly string[],
): Promise<string> {
  const batch = 'vpncmd-batch.txt';
  writeFileSync(join(place.home, batch), `${lines.join('\n')}\n`);
  const { stdout } = await runIn(place, ['vpncmd', ...target, `/IN:${batch}`], {
    allowFailure: true,
    seconds: 60,
  });
  const error = stdout.indexOf('Error occurred');
  if (error >= 0) throw new Error(`vpncmd: ${stdout.slice(error).trim()} (in ${lines.join('; ')})`);
  return stdout;
}

/** Version and build as SoftEther's programs print them. */
export function versionIn(text: string): string {
  const found = /Version (\d+\.\d+) Build (\d+)/.exec(text);
  if (!found) throw new Error('vpncmd named no version');
  return `${found[1]}.${found[2]}`;
}

/** As Debian names it, where no server runs that could be asked. */
export async function installedVersion(): Promise<string> {
  const { stdout } = await run(['dpkg-query', '-W', '-f', `\${Version}`, 'softether-vpnserver'], {
    allowFailure: true,
  });
  return stdout.replace(/[+-].*$/, '');
}

export async function startServer(place: Place, options: Pick<ServerOptions, 'tls'>): Promise<Running> {
  const env: Record<string, string> = {};
  if (options.tls !== 'any') {
    // This build knows no setting of its own against TLS 1.3, but OpenSSL reads its configuration for it.
    env.OPENSSL_CONF = join(place.home, 'openssl.cnf');
    writeFileSync(env.OPENSSL_CONF, openSslSettings(['MaxProtocol = TLSv1.2']));
  }
  const running = startIn(place, 'vpnserver', ['vpnserver', 'execsvc'], env);
  await waitForPort(place, ADMIN_PORT);
  return running;
}

/** An OpenSSL configuration whose settings hold for every TLS program that is given it. */
export function openSslSettings(settings: readonly string[]): string {
  const head = 'openssl_conf = init\n[init]\nssl_conf = modules\n[modules]\nsystem_default = tls\n[tls]\n';
  return `${head}${settings.join('\n')}\n`;
}

/** Hub, user, port, certificate and a virtual network card behind the hub; returns the server's version. */
export async function configureServer(
  place: Place,
  options: ServerOptions,
  tunnelAddress: string,
): Promise<string> {
  const { certificate } = options;
  const lines = [`ServerPasswordSet ${ADMIN_PASSWORD}`, `HubCreate ${HUB} /PASSWORD:hubpw`];
  if (!STANDARD_PORTS.includes(options.port)) lines.push(`ListenerCreate ${options.port}`);
  if (certificate.kind === 'regenerated') lines.push(`ServerCertRegenerate ${certificate.commonName}`);
  if (certificate.kind === 'loaded') {
    await makeCertificate(place.home, 'loaded', certificate);
    lines.push('ServerCertSet /LOADCERT:loaded.crt /LOADKEY:loaded.key');
  }
  if (options.tls === 'cbc') lines.push('ServerCipherSet AES256-SHA');
  lines.push(
    `BridgeCreate ${HUB} /DEVICE:lab /TAP:yes`,
    `Hub ${HUB}`,
    `UserCreate ${USER} /GROUP:none /REALNAME:none /NOTE:none`,
    `UserPasswordSet ${USER} /PASSWORD:${PASSWORD}`,
    `UserCreate ${ANONYMOUS} /GROUP:none /REALNAME:none /NOTE:none`,
    `UserAnonymousSet ${ANONYMOUS}`,
    ...(options.extra ?? []),
  );
  const answer = await vpncmd(place, [`localhost:${ADMIN_PORT}`, '/SERVER'], lines);
  await giveAddress(place, 'tap_lab', tunnelAddress);
  await waitForPort(place, options.port);
  return versionIn(answer);
}

/** Waits for a virtual network card, which both programs make a moment after they say so, and sets it up. */
export async function giveAddress(place: Place, device: string, address: string): Promise<void> {
  const exists = async () =>
    (await runIn(place, ['ip', 'link', 'show', device], { allowFailure: true })).code === 0;
  await waitUntil(exists, `device ${device}`);
  await runIn(place, ['ip', 'addr', 'add', `${address}/24`, 'dev', device]);
  await runIn(place, ['ip', 'link', 'set', device, 'up']);
}

/** Without IPv6 the kernel says nothing on a virtual network card by itself. */
export async function silence(place: Place, device: string): Promise<void> {
  await run([
    'ip',
    'netns',
    'exec',
    place.namespace,
    'sysctl',
    '-qw',
    `net.ipv6.conf.${device}.disable_ipv6=1`,
  ]);
}

export function accountCommands(options: AccountOptions): string[] {
  const yes = (value: boolean | undefined) => (value ? 'yes' : 'no');
  const { auth = 'password', interval = 1, ttl = 0, proxy } = options;
  const user = auth === 'anonymous' ? ANONYMOUS : USER;
  const detail =
    `/MAXTCP:${options.maxTcp} /INTERVAL:${interval} /TTL:${ttl} /HALF:${yes(options.half)} ` +
    `/BRIDGE:${yes(options.bridge)} /MONITOR:no /NOTRACK:yes`;
  const lines = [
    `AccountCreate a /SERVER:${options.host}:${options.port} /HUB:${options.hub ?? HUB} /USERNAME:${user} /NICNAME:VPN`,
    auth === 'anonymous'
      ? 'AccountAnonymousSet a'
      : `AccountPasswordSet a /PASSWORD:${options.password} /TYPE:${auth === 'plain' ? 'radius' : 'standard'}`,
    `AccountDetailSet a ${detail} /NOQOS:${yes(!options.qos)} /DISABLEUDP:${yes(!options.udp)}`,
  ];
  if (options.encrypt === false) lines.push('AccountEncryptDisable a');
  if (options.compress) lines.push('AccountCompressEnable a');
  if (proxy) lines.push(proxyCommand(proxy));
  lines.push(`AccountRetrySet a /NUM:${options.retries} /INTERVAL:${options.retries > 0 ? 5 : 15}`);
  return lines;
}

/** vpncmd takes the next line for a missing answer, so every command names all that it wants to know. */
function proxyCommand({ protocol, address, port, login }: AccountProxy): string {
  const names = { http: 'AccountProxyHttp', socks4: 'AccountProxySocks', socks5: 'AccountProxySocks5' };
  const credentials = `/USERNAME:${login?.user ?? ''} /PASSWORD:${login?.password ?? ''}`;
  const asks = protocol === 'socks5' || login !== undefined;
  return `${names[protocol]} a /SERVER:${address}:${port}${asks ? ` ${credentials}` : ''}`;
}

export async function startClient(place: Place, commands: readonly string[]): Promise<Running> {
  const running = startIn(place, 'vpnclient', ['vpnclient', 'execsvc']);
  const ready = () =>
    vpncmd(place, ['localhost', '/CLIENT'], ['AccountList']).then(
      (answer) => answer.includes('command completed'),
      () => false,
    );
  await waitUntil(ready, 'the VPN client service', 20);
  await vpncmd(place, ['localhost', '/CLIENT'], ['NicCreate VPN', ...commands]);
  return running;
}

export function tellClient(place: Place, command: string): Promise<string> {
  return vpncmd(place, ['localhost', '/CLIENT'], [command]);
}

/** The table that AccountStatusGet prints, or its error. */
export async function clientStatus(place: Place): Promise<Record<string, string>> {
  let answer: string;
  try {
    answer = await tellClient(place, 'AccountStatusGet a');
  } catch (error) {
    return { error: String((error as Error).message).replace(/^vpncmd: | \(in .*$/gs, '') };
  }
  const rows = answer.split('\n').flatMap((line) => {
    const at = line.indexOf('|');
    return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
  });
  return Object.fromEntries(rows);
}

export async function waitForSession(place: Place): Promise<void> {
  const established = async () =>
    (await clientStatus(place))['Session Status']?.includes('Session Established') ?? false;
  await waitUntil(established, 'the VPN session', 20);
  await sleep(300);
}

/** The UDP ports that the server program has open: those opened for a session are its UDP acceleration. */
export async function openUdpPorts(place: Place): Promise<Set<number>> {
  const { stdout } = await runIn(place, ['ss', '-Hlnup']);
  const lines = stdout.split('\n').filter((line) => line.includes('"vpnserver"'));
  return new Set(lines.map((line) => Number(/:(\d+)\s/.exec(line)?.[1])));
}
