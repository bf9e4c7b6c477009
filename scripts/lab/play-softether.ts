/** Plays the scenarios with the real SoftEther programs: sessions, failed log-ins, administration. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from './agent-start.js';
import type { Knowledge, Recording } from './label.js';
import { finish, outputOf, startIn } from './processes.js';
import type { Random } from './random.js';
import { startRecording, stopRecording } from './record.js';
import type { AttemptScenario, ManagementScenario, SessionScenario, SoftEtherScenario } from './scenarios.js';
import { loggedConnections, readServerLog } from './server-log.js';
import * as softether from './softether.js';
import { type Network, startNameService } from './topology.js';
import { drawActivities, perform } from './traffic.js';
import { drawServerCertificate, type Site } from './variation.js';

export interface Played {
  readonly recording: Recording;
  readonly knowledge: Knowledge;
}

/** What one kind of scenario adds to the label. */
interface Outcome {
  readonly settings: Record<string, unknown>;
  readonly commands: readonly string[];
  readonly clientStatus: Record<string, string>;
  readonly verified: Record<string, unknown>;
  readonly sessionUdpPorts: ReadonlySet<number>;
}

interface Stage {
  readonly network: Network;
  readonly site: Site;
  readonly random: Random;
  readonly port: number;
  readonly record: () => Promise<void>;
}

const NO_PORTS: ReadonlySet<number> = new Set();

function drawPort(scenario: SoftEtherScenario, random: Random): number {
  if (scenario.port === 'odd') return random.int(10000, 49000);
  if (scenario.port === 'standard') return random.pick([443, 992, 1194, 5555]);
  return scenario.port;
}

export async function playSoftEther(
  scenario: SoftEtherScenario,
  network: Network,
  site: Site,
  random: Random,
  file: string,
): Promise<Played> {
  startNameService(network, site);
  const port = drawPort(scenario, random);
  const certificate = drawServerCertificate(random, site);
  const serverOptions = { port, certificate, tls12Only: scenario.tls12Only };
  await softether.startServer(network.server, serverOptions);
  const version = await softether.configureServer(network.server, serverOptions, site.tunnelServer);
  const standingUdpPorts = await softether.openUdpPorts(network.server);

  let tcpdump: Awaited<ReturnType<typeof startRecording>> | undefined;
  const record = async () => {
    tcpdump = await startRecording(network, scenario.capturePoint, file);
    await sleep(random.int(300, 1200));
  };
  const stage: Stage = { network, site, random, port, record };
  const outcome = await playKind(scenario, stage);
  await sleep(2000);
  if (tcpdump) await stopRecording(tcpdump);

  const settings = {
    ...outcome.settings,
    port,
    tls12Only: scenario.tls12Only,
    serverHostName: site.serverHost,
    serverCertificate: certificate,
    nameService: site.nameService,
  };
  return {
    recording: {
      software: { softether: version },
      scenario: scenario.name,
      description: scenario.description,
      capturePoint: scenario.capturePoint,
      label: scenario.kind,
      settings,
      commands: outcome.commands,
      clientStatus: outcome.clientStatus,
      verified: outcome.verified,
      notes: '',
    },
    knowledge: {
      site,
      logged: loggedConnections(readServerLog(network.server.home)),
      standingUdpPorts,
      sessionUdpPorts: outcome.sessionUdpPorts,
    },
  };
}

function playKind(scenario: SoftEtherScenario, stage: Stage): Promise<Outcome> {
  if (scenario.kind === 'session') return playSession(scenario, stage);
  if (scenario.kind === 'attempt') return playAttempt(scenario, stage);
  return playManagement(scenario, stage);
}

async function playSession(scenario: SessionScenario, stage: Stage): Promise<Outcome> {
  const { network, site, random, port } = stage;
  const { client, server } = network;
  const byName = scenario.serverAs === 'any' && site.nameService !== 'closed' && random.chance(0.3);
  const host = byName ? site.serverName : site.serverAddress;
  const { maxTcp, qos, auth } = scenario;
  const udp = scenario.udp === 'any' ? random.chance(0.5) : scenario.udp;
  const account = { host, port, password: softether.PASSWORD, maxTcp, qos, udp, retries: 0 };
  const commands = softether.accountCommands(account);
  const talks = scenario.activity !== 'none';
  if (talks) await startAgent(server, 'tunnel-web', { address: site.tunnelServer, port: 80 });
  else await softether.silence(server, 'tap_lab');
  await softether.startClient(client, commands);
  if (!talks) await softether.silence(client, 'vpn_vpn');
  const standing = await softether.openUdpPorts(server);

  await stage.record();
  const started = Date.now();
  const remaining = () => Math.max(0, scenario.seconds * 1000 - (Date.now() - started));
  await softether.tellClient(client, 'AccountConnect a');
  await softether.waitForSession(client);
  let verified: Record<string, unknown> = {};
  if (talks) {
    await softether.giveAddress(client, 'vpn_vpn', site.tunnelClient);
    const early = await perform(client, site.tunnelServer, drawActivities(random));
    await sleep(Math.max(0, remaining() - 4000));
    // Late enough for UDP acceleration, which takes its ten seconds before it carries data.
    const late = await perform(client, site.tunnelServer, [
      { kind: 'ping', count: random.int(1, 4), size: 56 },
      { kind: 'get', bytes: random.int(300, 9000) },
    ]);
    verified = { early, late };
  }
  await sleep(remaining());
  const now = await softether.openUdpPorts(server);
  const clientStatus = await softether.clientStatus(client);
  await softether.tellClient(client, 'AccountDisconnect a');
  return {
    settings: {
      ...{ host, auth, maxtcp: maxTcp, encrypt: true, compress: false, half: false, interval: 1, ttl: 0 },
      ...{ udp, qos, connect_started: started / 1000 },
    },
    commands,
    clientStatus,
    verified,
    sessionUdpPorts: new Set([...now].filter((each) => !standing.has(each))),
  };
}

async function playAttempt(scenario: AttemptScenario, stage: Stage): Promise<Outcome> {
  const { network, site, random, port } = stage;
  const password = `wrong${random.int(1, 999)}`;
  const { retries } = scenario;
  const host = site.serverAddress;
  const account = { host, port, password, maxTcp: 1, qos: true, udp: false, retries };
  const commands = softether.accountCommands(account);
  await softether.startClient(network.client, commands);
  await stage.record();
  await softether.tellClient(network.client, 'AccountConnect a');
  await sleep(scenario.seconds * 1000);
  const clientStatus = await softether.clientStatus(network.client);
  // The client has given up by itself after its last try.
  await softether.tellClient(network.client, 'AccountDisconnect a').catch(() => {});
  const settings = { host, retry: retries, retry_interval: 5, password };
  return { settings, commands, clientStatus, verified: {}, sessionUdpPorts: NO_PORTS };
}

async function playManagement(scenario: ManagementScenario, stage: Stage): Promise<Outcome> {
  const { network, site, random, port } = stage;
  await stage.record();
  const target = `${site.serverAddress}:${port}`;
  const login = ['/SERVER', `/PASSWORD:${softether.ADMIN_PASSWORD}`];
  const vpncmd = startIn(network.client, 'administration', ['vpncmd', target, ...login]);
  const pause = (scenario.seconds * 1000) / (scenario.commands.length + 1);
  for (const command of scenario.commands) {
    await sleep(pause * (0.4 + 1.2 * random.next()));
    vpncmd.child.stdin?.write(`${command}\n`);
  }
  await sleep(pause);
  vpncmd.child.stdin?.write('exit\n');
  await finish(vpncmd, 10);
  const succeeded = outputOf(vpncmd).split('The command completed successfully').length - 1;
  if (succeeded === 0) throw new Error(`no administration: ${outputOf(vpncmd)}`);
  return {
    settings: { host: site.serverAddress },
    commands: scenario.commands,
    clientStatus: {},
    verified: { commands_ok: succeeded },
    sessionUdpPorts: NO_PORTS,
  };
}
