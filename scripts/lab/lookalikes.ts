/** The look-alikes: ordinary traffic that resembles SoftEther's in one way or another. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentName } from './agent.js';
import { startAgent, startClientAgent } from './agent-start.js';
import { type CertificateFiles, makeCertificate } from './certificates.js';
import { playCopies, playForwarded, playProxied, playStunnelSsh } from './lookalike-carried.js';
import { playMqtt, playOpenVpn, playSsh, playStunnelEcho } from './lookalike-programs.js';
import { playBrowserAtServer } from './lookalike-server.js';
import { playAnyConnect, playWireGuard } from './lookalike-vpns.js';
import { finish, outputOf } from './processes.js';
import type { Random } from './random.js';
import { openSslSettings } from './softether.js';
import type { Network } from './topology.js';
import type { Site, TlsSettings } from './variation.js';

export type LookAlike =
  | 'https-posts'
  | 'json-rpc'
  | 'websocket-login'
  | 'http2'
  | 'web'
  | 'websocket'
  | 'mail'
  | 'rdp'
  | 'anyconnect'
  | 'wireguard'
  | 'proxied'
  | 'forwarded'
  | 'copies'
  | 'stunnel-ssh'
  | 'browser-at-server'
  | 'openvpn'
  | 'ssh'
  | 'mqtt'
  | 'stunnel-echo';

/** Everything a look-alike is given. It starts its server, calls `record`, and plays its client's part. */
export interface LookAlikeStage {
  readonly network: Network;
  readonly site: Site;
  readonly random: Random;
  readonly more: Random;
  readonly port: number;
  readonly seconds: number;
  readonly tls: TlsSettings;
  /** What the scenario's row says beyond the rest. */
  readonly plan: Readonly<Record<string, unknown>>;
  readonly certificate: CertificateFiles;
  /** An OpenSSL configuration that sets the number of session tickets. */
  readonly openSsl: string;
  readonly record: () => Promise<void>;
}

export interface LookAlikeOutcome {
  readonly software: Record<string, string>;
  /** The settings that this look-alike did use. */
  readonly settings: Record<string, unknown>;
  readonly verified: Record<string, unknown>;
}

type Play = (stage: LookAlikeStage) => Promise<LookAlikeOutcome>;

export const LOOK_ALIKES: Readonly<Record<LookAlike, Play>> = {
  'https-posts': (stage) =>
    playAgents(stage, 'posts-server', 'posts-client', { habit: 'twin', connections: 2 }),
  'json-rpc': (stage) =>
    playAgents(stage, 'posts-server', 'posts-client', { habit: 'agent', connections: 1 }),
  'websocket-login': (stage) => playAgents(stage, 'websocket-server', 'websocket-client', { connections: 2 }),
  http2: (stage) => playAgents(stage, 'http2-server', 'http2-client', {}),
  web: (stage) => playAgents(stage, 'web-server', 'web-client', stage.plan),
  websocket: (stage) => playAgents(stage, 'websocket-server', 'websocket-client', stage.plan),
  mail: (stage) => playAgents(stage, 'mail-server', 'mail-client', stage.plan),
  rdp: (stage) => playAgents(stage, 'rdp-server', 'rdp-client', {}),
  anyconnect: playAnyConnect,
  wireguard: playWireGuard,
  proxied: playProxied,
  forwarded: playForwarded,
  copies: playCopies,
  'stunnel-ssh': playStunnelSsh,
  'browser-at-server': playBrowserAtServer,
  openvpn: playOpenVpn,
  ssh: playSsh,
  mqtt: playMqtt,
  'stunnel-echo': playStunnelEcho,
};

export async function prepareTls(network: Network, tls: TlsSettings) {
  const certificate = await makeCertificate(network.server.home, 'service', tls.certificate);
  const openSsl = join(network.server.home, 'openssl.cnf');
  writeFileSync(openSsl, openSslSettings([`NumTickets = ${tls.tickets}`]));
  return { certificate, openSsl };
}

async function playAgents(
  stage: LookAlikeStage,
  serverRole: AgentName,
  clientRole: AgentName,
  habits: object,
): Promise<LookAlikeOutcome> {
  const { network, site, random, port, seconds, tls, certificate, openSsl } = stage;
  const ends = { address: site.serverAddress, port, seconds };
  const { key, chain } = certificate;
  const { version, statefulTickets, alpn } = tls;
  const server = { ...ends, key, chain, version, statefulTickets, seed: random.int(0, 2 ** 31), ...habits };
  await startAgent(network.server, serverRole, server, { openSsl });
  await stage.record();
  const name = tls.serverName ? { serverName: site.serverName } : {};
  const client = { ...ends, alpn, ...name, seed: random.int(0, 2 ** 31), ...habits };
  const running = startClientAgent(network.client, clientRole, client);
  await finish(running, seconds + 30);
  await sleep(500);
  if (running.child.exitCode !== 0) throw new Error(`${clientRole} failed: ${outputOf(running)}`);
  return {
    software: { node: process.versions.node },
    settings: { tls: serverRole === 'http2-server' ? { ...tls, alpn: true } : tls },
    verified: JSON.parse(outputOf(running)),
  };
}
