/** Plays the scenarios with the real SoftEther programs, each kind in a file of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from './agent-start.js';
import type { Recording } from './label.js';
import { playAttempt, playClone, playManagement, playSelf } from './play-others.js';
import { playSession } from './play-session.js';
import type { Random } from './random.js';
import type { Recorder } from './record.js';
import type { Knowledge } from './roles.js';
import type { SoftEtherScenario } from './scenario-types.js';
import { loggedConnections, readServerLog } from './server-log.js';
import * as softether from './softether.js';
import { type Network, startNameService } from './topology.js';
import { drawServerCertificate, type Site } from './variation.js';

export interface Played {
  readonly recording: Recording;
  readonly knowledge: Knowledge;
}

/** What one kind of scenario adds to the label. */
export interface Outcome {
  readonly settings: Record<string, unknown>;
  readonly commands: readonly string[];
  readonly clientStatus: Record<string, string>;
  readonly verified: Record<string, unknown>;
  readonly software?: Readonly<Record<string, string>> | undefined;
  readonly knowledge?: Partial<Knowledge>;
  readonly notes?: string;
}

export interface Stage {
  readonly network: Network;
  readonly site: Site;
  readonly random: Random;
  /** For what was added after the first recordings: `random` goes on giving what it gave. */
  readonly more: Random;
  readonly port: number;
  readonly record: () => Promise<void>;
}

const NO_PORTS: ReadonlySet<number> = new Set();

function drawPort(scenario: SoftEtherScenario, random: Random): number {
  const port = 'port' in scenario ? scenario.port : 443;
  if (port === 'odd') return random.int(10000, 49000);
  if (port === 'standard') return random.pick([443, 992, 1194, 5555]);
  return port;
}

/** Whether server and client look for each other through the NAT traversal service. */
function asksTraversal(scenario: SoftEtherScenario): boolean {
  if (scenario.kind === 'self') return scenario.names === 'answered';
  return scenario.kind === 'session' && scenario.way.kind === 'rudp' && scenario.way.over === 'udp';
}

/** Names that a scenario depends on have to be answered. */
function withNames(scenario: SoftEtherScenario, site: Site): Site {
  const { kind } = scenario;
  if (kind === 'self') return { ...site, nameService: scenario.names === 'answered' ? 'answers' : 'closed' };
  const needs = kind === 'session' && (scenario.serverAs === 'name' || scenario.ipv6);
  return needs || asksTraversal(scenario) ? { ...site, nameService: 'answers' } : site;
}

function needsServer(scenario: SoftEtherScenario): boolean {
  if (scenario.kind === 'attempt') return scenario.wrong === 'password' || scenario.wrong === 'hub';
  return scenario.kind !== 'self';
}

/** What the administrator sets beyond the usual, by scenario. */
function adminCommands(scenario: SoftEtherScenario): string[] {
  if (scenario.kind === 'clone') {
    return scenario.speaks === 'openvpn'
      ? ['SecureNatEnable', 'NatDisable', `OpenVpnEnable yes /PORTS:1194`]
      : ['IPsecEnable /L2TP:yes /L2TPRAW:yes /ETHERIP:no /PSK:vpn /DEFAULTHUB:VPN'];
  }
  if (scenario.kind !== 'session' || scenario.way.kind !== 'rudp') return [];
  const { over } = scenario.way;
  const yes = (carrier: string) => (over === carrier ? 'yes' : 'no');
  return [`VpnOverIcmpDnsEnable /ICMP:${yes('icmp')} /DNS:${yes('dns')}`];
}

export async function playSoftEther(
  scenario: SoftEtherScenario,
  network: Network,
  drawnSite: Site,
  random: Random,
  more: Random,
  recorder: Recorder,
): Promise<Played> {
  const site = withNames(scenario, drawnSite);
  const { server } = network;
  startNameService(network, site, scenario.kind === 'session' && scenario.ipv6);
  if (asksTraversal(scenario)) {
    await startAgent(network.gateway, 'traversal', { address: site.elsewhere, port: 5004 });
  }
  const port = drawPort(scenario, random);
  const certificate = drawServerCertificate(random, site);
  const tls = 'tls' in scenario ? scenario.tls : 'any';
  const serverOptions = { port, certificate, tls, extra: adminCommands(scenario) };
  const withServer = needsServer(scenario);
  let version = await softether.installedVersion();
  if (withServer) {
    await softether.startServer(server, serverOptions);
    version = await softether.configureServer(server, serverOptions, site.tunnelServer);
  }
  const standingUdpPorts = withServer ? await softether.openUdpPorts(server) : NO_PORTS;
  const record = async () => {
    await recorder.start();
    await sleep(random.int(300, 1200));
  };
  const outcome = await playKind(scenario, { network, site, random, more, port, record });
  await sleep(2000);
  await recorder.stop();

  const settings = {
    ...outcome.settings,
    port,
    ...(withServer ? { tls, serverHostName: site.serverHost, serverCertificate: certificate } : {}),
    nameService: site.nameService,
    ...(scenario.path ? { path: scenario.path } : {}),
  };
  return {
    recording: {
      software: { softether: version, ...outcome.software },
      scenario: scenario.name,
      description: scenario.description,
      label: scenario.kind,
      settings,
      commands: outcome.commands,
      clientStatus: outcome.clientStatus,
      verified: outcome.verified,
      notes: outcome.notes ?? '',
    },
    knowledge: {
      site,
      logged: withServer ? loggedConnections(readServerLog(server.home)) : new Map(),
      standingUdpPorts,
      sessionUdpPorts: NO_PORTS,
      ...outcome.knowledge,
    },
  };
}

function playKind(scenario: SoftEtherScenario, stage: Stage): Promise<Outcome> {
  switch (scenario.kind) {
    case 'session':
      return playSession(scenario, stage);
    case 'attempt':
      return playAttempt(scenario, stage);
    case 'management':
      return playManagement(scenario, stage);
    case 'self':
      return playSelf(scenario, stage);
    case 'clone':
      return playClone(scenario, stage);
  }
}
