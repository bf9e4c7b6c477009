/** What is no session: failed log-ins, administration, a server that nobody uses, other protocols. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answered } from './agent-clones.js';
import { startAgent, startClientAgent } from './agent-start.js';
import { makeCertificate } from './certificates.js';
import type { Outcome, Stage } from './play.js';
import { debianVersion, finish, outputOf, run, startIn, stop, waitForOutput } from './processes.js';
import type { AttemptScenario, CloneScenario, ManagementScenario, SelfScenario } from './scenario-types.js';
import * as softether from './softether.js';
import { perform } from './traffic.js';

const NOTHING = { commands: [], clientStatus: {}, verified: {} } as const;

export async function playAttempt(scenario: AttemptScenario, stage: Stage): Promise<Outcome> {
  const { network, site, random, more, port } = stage;
  const { wrong, retries } = scenario;
  const password = wrong === 'password' ? `wrong${random.int(1, 999)}` : softether.PASSWORD;
  const host = wrong === 'no-server' ? site.elsewhere : site.serverAddress;
  if (wrong === 'not-softether') await startWebServer(stage);
  const hub = wrong === 'hub' ? { hub: `NO${more.int(1, 99)}` } : {};
  const account = { host, port, password, maxTcp: 1, qos: true, udp: false, retries, ...hub };
  const commands = softether.accountCommands(account);
  await softether.startClient(network.client, commands);
  await stage.record();
  await softether.tellClient(network.client, 'AccountConnect a');
  await sleep(scenario.seconds * 1000);
  const clientStatus = await softether.clientStatus(network.client);
  // The client has given up by itself after its last try.
  await softether.tellClient(network.client, 'AccountDisconnect a').catch(() => {});
  const settings = { host, wrong, retry: retries, retry_interval: 5, password };
  return {
    ...{ settings, commands, clientStatus, verified: {} },
    knowledge: { attempted: { ip: host, port } },
  };
}

/** An ordinary HTTPS server in the place of the VPN server. */
async function startWebServer({ network, site, more, port }: Stage): Promise<void> {
  const wish = { key: 'rsa2048', commonName: site.serverName, organization: 'Test' } as const;
  const { key, chain } = await makeCertificate(network.server.home, 'web', {
    ...wish,
    extraNames: 1,
    chain: false,
  });
  const tls = { key, chain, version: '1.3', statefulTickets: false, seed: more.int(0, 2 ** 31) };
  await startAgent(network.server, 'posts-server', {
    ...{ address: site.serverAddress, port, habit: 'agent' },
    ...tls,
  });
}

export async function playManagement(scenario: ManagementScenario, stage: Stage): Promise<Outcome> {
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
    ...NOTHING,
    settings: { host: site.serverAddress },
    commands: scenario.commands,
    verified: { commands_ok: succeeded },
  };
}

/** The server stands where the client usually is, so that the recording sees all that it sends. */
export async function playSelf(scenario: SelfScenario, stage: Stage): Promise<Outcome> {
  const { network, site } = stage;
  if (scenario.names === 'unanswered') {
    await run(['ip', '-n', network.gateway.namespace, 'addr', 'add', `${site.tunnelServer}/32`, 'dev', 'lo']);
    writeFileSync(join(network.client.home, 'resolv.conf'), `nameserver ${site.tunnelServer}\n`);
    await startAgent(network.gateway, 'mute', { address: site.tunnelServer, port: 53 });
  }
  await stage.record();
  await softether.startServer(network.client, { tls: 'any' });
  await sleep(scenario.seconds * 1000);
  return {
    ...NOTHING,
    settings: { names: scenario.names },
    notes: 'no session: what a server sends by itself',
  };
}

export function playClone(scenario: CloneScenario, stage: Stage): Promise<Outcome> {
  const { speaks } = scenario;
  return speaks === 'openvpn' ? playOpenVpn(scenario, stage) : playOwnClient(scenario, stage, speaks);
}

/** What the lab's own client of another protocol gets as answers. */
async function playOwnClient(
  { seconds }: CloneScenario,
  { network, site, port, record }: Stage,
  speaks: 'ike' | 'l2tp',
): Promise<Outcome> {
  await record();
  const target = { address: site.serverAddress, port, seconds };
  const running = startClientAgent(network.client, `${speaks}-client`, target);
  await finish(running, seconds + 10);
  const verified = JSON.parse(outputOf(running).trim()) as Answered;
  if (verified.answers === 0) throw new Error(`the server does not answer ${speaks}`);
  return {
    ...NOTHING,
    settings: { host: site.serverAddress, speaks },
    verified: { ...verified },
    knowledge: { clone: { ip: site.serverAddress, port, speaks } },
    notes: "spoken by a client of the lab's own as far as the server's answers; no tunnel comes up",
  };
}

async function playOpenVpn(scenario: CloneScenario, stage: Stage): Promise<Outcome> {
  const { network, site, more, port } = stage;
  const { client } = network;
  const admin = [`${site.serverAddress}:5555`, '/SERVER', `/PASSWORD:${softether.ADMIN_PASSWORD}`];
  await softether.vpncmd(client, admin, ['ServerCertGet server.crt']);
  writeFileSync(join(client.home, 'login'), `${softether.USER}@${softether.HUB}\n${softether.PASSWORD}\n`);
  await stage.record();
  const started = Date.now();
  const running = startIn(client, 'openvpn', [
    ...['openvpn', '--client', '--dev', 'tun', '--nobind', '--verb', '3', '--auth-user-pass', 'login'],
    ...['--proto', scenario.protocol === 'tcp' ? 'tcp-client' : 'udp', '--ca', 'server.crt'],
    ...['--remote', site.serverAddress, `${port}`, '--data-ciphers', 'AES-256-GCM:AES-128-GCM:AES-128-CBC'],
  ]);
  await waitForOutput(running, 'Initialization Sequence Completed', 40);
  const router = /route-gateway ([\d.]+)/.exec(outputOf(running))?.[1] ?? '192.168.30.1';
  const pings = () => perform(client, router, [{ kind: 'ping', count: more.int(3, 6), size: 56 }]);
  const early = await pings();
  await sleep(Math.max(0, scenario.seconds * 1000 - (Date.now() - started)));
  const late = await pings();
  await stop(running);
  return {
    ...NOTHING,
    settings: { host: site.serverAddress, protocol: scenario.protocol },
    verified: { early, late },
    software: await debianVersion('openvpn'),
    knowledge: { clone: { ip: site.serverAddress, port, speaks: 'openvpn' } },
  };
}
