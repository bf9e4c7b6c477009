/** Sessions, from the client's settings to what is done in the tunnel. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from './agent-start.js';
import { lowerCascade, raiseCascade, startCascade } from './cascade.js';
import type { Outcome, Stage } from './play.js';
import { startBeside } from './play-beside.js';
import type { Place } from './processes.js';
import type { SessionScenario } from './scenario-types.js';
import * as softether from './softether.js';
import { block } from './topology.js';
import { type Activity, drawActivities, drawBulk, perform } from './traffic.js';
import { type Opened, openWay } from './ways.js';

/** UDP acceleration carries data after ten seconds of continuous probes. */
const UDP_READY = 16_000;

export async function playSession(scenario: SessionScenario, stage: Stage): Promise<Outcome> {
  const { network, site } = stage;
  const { client, server } = network;
  const silent = scenario.activity === 'none';
  const plan = await prepare(scenario, stage);
  const { account, way } = plan;
  const commands = softether.accountCommands(account);
  if (silent) await softether.silence(server, 'tap_lab');
  else await startAgent(server, 'tunnel-web', { address: site.tunnelServer, port: 80 });
  await startConnector(scenario, client, commands);
  if (silent) await softether.silence(client, 'vpn_vpn');
  const secondCommands = scenario.second ? await startSecond(stage) : undefined;
  const beside = scenario.beside ? await startBeside(stage, scenario.seconds) : undefined;
  const standing = await softether.openUdpPorts(server);

  const { joinAfter } = scenario;
  if (joinAfter === undefined) await stage.record();
  await way.start?.();
  const started = Date.now();
  await connect(scenario, client);
  if (secondCommands) await connectSecond(stage);
  if (!silent) await softether.giveAddress(client, tunnelDevice(scenario), site.tunnelClient);
  if (joinAfter !== undefined) {
    await sleep(joinAfter * 1000);
    await stage.record();
  }
  beside?.start();
  const verified = await use(scenario, stage, Date.now());
  if (beside) verified.beside = await beside.finish();
  const now = await softether.openUdpPorts(server);
  const clientStatus = scenario.cascade ? {} : await softether.clientStatus(client);
  if (clientStatus['UDP Acceleration is Active'] === 'Yes') verified.udpAcceleration = true;
  await disconnect(scenario, stage);
  const { maxTcp, qos, auth, encrypt, compress, half, interval, ttl } = scenario;
  return {
    settings: {
      ...{ host: account.host, auth, maxtcp: maxTcp, encrypt, compress, half, interval, ttl },
      ...{ udp: account.udp, qos, ...way.settings, connect_started: started / 1000 },
      ...(joinAfter !== undefined ? { recording_starts_after: joinAfter } : {}),
      ...(scenario.cut ? { cut: scenario.cut } : {}),
    },
    commands: [...commands, ...(secondCommands ?? [])],
    clientStatus,
    verified,
    software: { ...way.software, ...beside?.software },
    notes: scenario.dies ? 'the session ends by itself: 5.01 ends it with its first connection' : '',
    knowledge: {
      sessionUdpPorts: new Set([...now].filter((each) => !standing.has(each))),
      carried: way.carried,
      dies: scenario.dies,
      benign: beside ? [beside.end] : [],
    },
  };
}

async function prepare(scenario: SessionScenario, stage: Stage) {
  const { site, random, port } = stage;
  const byName =
    scenario.serverAs === 'any' && site.nameService !== 'closed' && random.chance(0.3) && !scenario.ipv6;
  const named = byName || scenario.serverAs === 'name' || scenario.ipv6;
  const host = named ? site.serverName : site.serverAddress;
  const udp = scenario.udp === 'any' ? random.chance(0.5) : scenario.udp;
  const way: Opened = await openWay(scenario.way, {
    network: stage.network,
    site,
    random: stage.more,
    target: { ip: site.serverAddress, port },
  });
  const { auth, maxTcp, qos, encrypt, compress, half, bridge, interval, ttl } = scenario;
  const retries = scenario.cut ? 20 : 0;
  const account: softether.AccountOptions = {
    ...{ host, port, password: softether.PASSWORD, auth, maxTcp, qos, udp, retries },
    ...{ encrypt, compress, half, bridge, interval, ttl },
    ...way.account,
  };
  return { account, way };
}

/** The client, or a server whose cascade connection acts as one. */
async function startConnector(scenario: SessionScenario, client: Place, commands: readonly string[]) {
  if (scenario.cascade) await startCascade(client, commands);
  else await softether.startClient(client, commands);
}

function tunnelDevice(scenario: SessionScenario): string {
  return scenario.cascade ? 'tap_lab' : 'vpn_vpn';
}

async function connect(scenario: SessionScenario, client: Place): Promise<void> {
  if (scenario.cascade) return raiseCascade(client);
  await softether.tellClient(client, 'AccountConnect a');
  await softether.waitForSession(client);
}

async function startSecond({ network, site }: Stage): Promise<string[]> {
  const account = { host: site.serverAddress, port: 5555, password: softether.PASSWORD };
  const commands = softether.accountCommands({ ...account, maxTcp: 4, qos: false, udp: true, retries: 0 });
  await softether.startClient(network.second, commands);
  return commands;
}

async function connectSecond({ network, site }: Stage): Promise<void> {
  await softether.tellClient(network.second, 'AccountConnect a');
  await softether.waitForSession(network.second);
  await softether.giveAddress(network.second, 'vpn_vpn', site.tunnelSecond);
}

/** Does in the tunnel what the scenario says, until its time is over. */
async function use(scenario: SessionScenario, stage: Stage, started: number) {
  const { network, site, random, more } = stage;
  const { client, second } = network;
  const remaining = () => Math.max(0, scenario.seconds * 1000 - (Date.now() - started));
  const act = (list: Activity[], place = client) => perform(place, site.tunnelServer, list);
  const verified: Record<string, unknown> = {};
  const pings = (count: number): Activity[] => [{ kind: 'ping', count, size: 56 }];
  if (scenario.activity === 'late' || (scenario.activity === 'bulk' && scenario.udpAcceleration)) {
    await sleep(UDP_READY);
  }
  if (scenario.activity === 'idle') verified.early = await act(pings(2));
  else if (scenario.activity === 'bulk') verified.bulk = await act(drawBulk(more));
  else if (scenario.activity !== 'none') verified.early = await act(drawActivities(random));
  if (scenario.second) verified.second = await act(drawActivities(more), second);
  if (scenario.cut) verified.cut = await cutPath(scenario.cut, stage, started);
  await sleep(Math.max(0, remaining() - 4000));
  const idles = scenario.activity === 'idle';
  if (scenario.activity !== 'none' && !scenario.dies) {
    // Late enough for UDP acceleration.
    const some: Activity[] = [
      { kind: 'ping', count: random.int(1, 4), size: 56 },
      { kind: 'get', bytes: random.int(300, 9000) },
    ];
    verified.late = await act(idles ? pings(2) : some);
  }
  await sleep(remaining());
  return verified;
}

async function cutPath(
  { after, seconds }: { after: number; seconds: number },
  stage: Stage,
  started: number,
) {
  await sleep(Math.max(0, after * 1000 - (Date.now() - started)));
  const { serverAddress } = stage.site;
  const mend = await block(stage.network, [`ip daddr ${serverAddress}`, `ip saddr ${serverAddress}`]);
  await sleep(seconds * 1000);
  await mend();
  // The client tries again every five seconds.
  await sleep(9000);
  return `${seconds} s`;
}

async function disconnect(scenario: SessionScenario, { network }: Stage): Promise<void> {
  if (scenario.cascade) return lowerCascade(network.client);
  const end = softether.tellClient(network.client, 'AccountDisconnect a');
  await (scenario.dies ? end.catch(() => {}) : end);
  if (scenario.second) await softether.tellClient(network.second, 'AccountDisconnect a');
}
