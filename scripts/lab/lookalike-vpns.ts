/** Other VPNs: AnyConnect by ocserv and openconnect, WireGuard by wireguard-go. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from './agent-start.js';
import type { LookAlikeOutcome, LookAlikeStage } from './lookalikes.js';
import {
  debianVersion,
  type Place,
  run,
  runIn,
  startIn,
  stop,
  waitForOutput,
  waitForPort,
} from './processes.js';
import { giveAddress } from './softether.js';
import { drawActivities, perform } from './traffic.js';

/** Sets the tunnel's device up as openconnect's script would, without touching anything else. */
const SCRIPT = `#!/bin/sh
[ "$reason" = connect ] || exit 0
ip addr add "$INTERNAL_IP4_ADDRESS/24" dev "$TUNDEV"
ip link set "$TUNDEV" mtu "\${INTERNAL_IP4_MTU:-1300}" up
`;

export async function playAnyConnect(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port, tls, certificate, seconds, plan } = stage;
  const { client, server } = network;
  const dtls = plan.dtls === true;
  const password = random.text(12);
  const { stdout } = await run(['openssl', 'passwd', '-5', password]);
  writeFileSync(join(server.home, 'ocpasswd'), `user:*:${stdout.trim()}\n`);
  const settings = [
    ...[`auth = "plain[passwd=${join(server.home, 'ocpasswd')}]"`, `listen-host = ${site.serverAddress}`],
    ...[`tcp-port = ${port}`, ...(dtls ? [`udp-port = ${port}`] : []), 'run-as-user = root'],
    ...['run-as-group = root', 'socket-file = /run/ocserv.socket', `server-cert = ${certificate.chain}`],
    ...[`server-key = ${certificate.key}`, 'isolate-workers = false', 'max-clients = 4', 'device = vpns'],
    ...['max-same-clients = 2', 'keepalive = 30', `dpd = ${random.int(5, 20)}`, 'use-occtl = false'],
    ...[`ipv4-network = ${site.tunnelServer.replace(/\d+$/, '0')}`, 'ipv4-netmask = 255.255.255.0'],
    ...[
      'cisco-client-compat = true',
      'dtls-legacy = true',
      'cookie-timeout = 300',
      'try-mtu-discovery = false',
    ],
    `tls-priorities = "NORMAL:%SERVER_PRECEDENCE${tls.version === '1.2' ? ':-VERS-TLS1.3' : ''}"`,
  ];
  writeFileSync(join(server.home, 'ocserv.conf'), `${settings.join('\n')}\n`);
  startIn(server, 'ocserv', ['ocserv', '-f', '-c', 'ocserv.conf', '-p', '/run/ocserv.pid']);
  await waitForPort(server, port);
  await startAgent(server, 'tunnel-web', { address: '0.0.0.0', port: 80 });
  writeFileSync(join(client.home, 'up.sh'), SCRIPT, { mode: 0o755 });
  await stage.record();
  const started = Date.now();
  const options = ['--user=user', '--passwd-on-stdin', '--servercert', pinOf(certificate.chain)];
  const script = ['--script', join(client.home, 'up.sh')];
  const target = `https://${site.serverAddress}:${port}`;
  const more = dtls ? [] : ['--no-dtls'];
  const running = startIn(client, 'openconnect', ['openconnect', ...options, ...script, ...more, target]);
  running.child.stdin?.write(`${password}\n`);
  await waitForOutput(running, 'Configured as', 25);
  await sleep(1500);
  const early = await perform(client, site.tunnelServer, drawActivities(random));
  await sleep(Math.max(0, seconds * 1000 - (Date.now() - started)));
  const late = await perform(client, site.tunnelServer, [{ kind: 'ping', count: 2, size: 56 }]);
  await stop(running, 'SIGINT');
  return {
    software: { ...(await debianVersion('ocserv')), ...(await debianVersion('openconnect')) },
    settings: { dtls, tls: { version: tls.version, certificate: tls.certificate } },
    verified: { early, late },
  };
}

function pinOf(file: string): string {
  const key = new X509Certificate(readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' });
  return `pin-sha256:${createHash('sha256').update(key).digest('base64')}`;
}

export async function playWireGuard(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port, seconds } = stage;
  const { client, server } = network;
  const keys = { client: await newKey(client), server: await newKey(server) };
  const tunnel = `${site.tunnelServer.replace(/\d+$/, '0')}/24`;
  await startWireGuard(server, site.tunnelServer, ['listen-port', `${port}`], keys.client, tunnel, []);
  const endpoint = ['endpoint', `${site.serverAddress}:${port}`, 'persistent-keepalive', '5'];
  await startAgent(server, 'tunnel-web', { address: '0.0.0.0', port: 80 });
  await stage.record();
  const started = Date.now();
  await startWireGuard(client, site.tunnelClient, [], keys.server, tunnel, endpoint);
  const early = await perform(client, site.tunnelServer, drawActivities(random));
  await sleep(Math.max(0, seconds * 1000 - (Date.now() - started)));
  const late = await perform(client, site.tunnelServer, [{ kind: 'ping', count: 2, size: 56 }]);
  return { software: await debianVersion('wireguard-go'), settings: {}, verified: { early, late } };
}

/** Leaves a private key in the place's home and returns the public one. */
async function newKey(place: Place): Promise<string> {
  const secret = (await run(['wg', 'genkey'])).stdout;
  writeFileSync(join(place.home, 'wg.key'), secret);
  return (await run(['wg', 'pubkey'], { input: secret })).stdout.trim();
}

async function startWireGuard(
  place: Place,
  address: string,
  own: readonly string[],
  peer: string,
  tunnel: string,
  reach: readonly string[],
): Promise<void> {
  await runIn(place, ['mkdir', '-p', '/run/wireguard']);
  startIn(place, 'wireguard', ['wireguard-go', '-f', 'wg0'], { WG_PROCESS_FOREGROUND: '1' });
  await giveAddress(place, 'wg0', address);
  const setup = [...own, 'private-key', 'wg.key', 'peer', peer, 'allowed-ips', tunnel, ...reach];
  await runIn(place, ['wg', 'set', 'wg0', ...setup]);
}
