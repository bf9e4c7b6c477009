/** Ordinary traffic inside something else: HTTPS and WebSockets through proxies and SSH, SSH in stunnel. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent, startClientAgent } from './agent-start.js';
import type { LookAlikeOutcome, LookAlikeStage } from './lookalikes.js';
import { finish, outputOf, runIn, startIn, waitForPort } from './processes.js';
import { openProxy, type ProxyProgram } from './proxies.js';
import { openTunnel, type SshCipher, startSshServer } from './ssh.js';

/** The look-alike's own TLS server at the end of the way. */
async function startInner(stage: LookAlikeStage, role: 'web-server' | 'posts-server' | 'websocket-server') {
  const { network, site, random, port, seconds, tls, certificate, openSsl } = stage;
  const ends = { address: site.serverAddress, port, seconds, habit: 'twin' };
  const { version, statefulTickets } = tls;
  const settings = { ...ends, key: certificate.key, chain: certificate.chain, version, statefulTickets };
  await startAgent(network.server, role, { ...settings, seed: random.int(0, 2 ** 31) }, { openSsl });
  return { ...ends, alpn: tls.alpn, seed: random.int(0, 2 ** 31), connections: 2 };
}

async function playClient(
  stage: LookAlikeStage,
  role: 'posts-client' | 'websocket-client',
  settings: object,
) {
  const running = startClientAgent(stage.network.client, role, settings);
  await finish(running, stage.seconds + 20);
  if (running.child.exitCode !== 0) throw new Error(`${role} failed: ${outputOf(running)}`);
  return JSON.parse(outputOf(running)) as Record<string, unknown>;
}

/** curl as the browser: several connections, each with some requests in it. */
async function browse(stage: LookAlikeStage, through: readonly string[]) {
  const { network, site, random, port, seconds } = stage;
  const end = Date.now() + seconds * 1000;
  let [requests, failures] = [0, 0];
  writeFileSync(join(network.client.home, 'body'), random.text(random.int(1400, 3500)));
  while (Date.now() < end) {
    const urls = Array.from(
      { length: random.int(1, 6) },
      () => `https://${site.serverAddress}:${port}/${random.int(300, 4000)}`,
    );
    const body = random.chance(0.4) ? ['--data-binary', '@body'] : [];
    const outputs = urls.flatMap((url) => ['-o', '/dev/null', url]);
    const options = ['-sk', '--rate', '90/m', '--max-time', '20', '-w', '%{http_code} '];
    const command = ['curl', ...options, ...through, ...body, ...outputs];
    const { stdout } = await runIn(network.client, command, { allowFailure: true });
    requests += urls.length;
    failures += urls.length - stdout.split('200 ').length + 1;
    await sleep(random.int(200, 3000));
  }
  if (failures > 0) throw new Error(`${failures} of ${requests} requests failed`);
  return { requests };
}

export async function playProxied(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, plan, tls } = stage;
  const program = plan.program as ProxyProgram;
  const protocol = plan.protocol as string;
  const proxy = await openProxy(program, plan.login === true, network, site, random);
  const { address, port, login, software } = proxy;
  const inner = await startInner(stage, plan.inner === 'websocket' ? 'websocket-server' : 'web-server');
  await stage.record();
  let verified: Record<string, unknown>;
  if (plan.inner === 'websocket') {
    verified = await playClient(stage, 'websocket-client', { ...inner, proxy: { address, port } });
  } else {
    const user = login ? ['--proxy-user', `${login.user}:${login.password}`] : [];
    verified = await browse(stage, ['-x', `${protocol}://${address}:${port}`, ...user]);
  }
  return { software, settings: { proxy: { protocol, address, port, login }, tls }, verified };
}

export async function playForwarded(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port, plan, tls } = stage;
  const localPort = random.int(10000, 30000);
  const dynamic = plan.dynamic === true;
  const forward = dynamic
    ? ['-D', `127.0.0.1:${localPort}`]
    : ['-L', `127.0.0.1:${localPort}:${site.serverAddress}:${port}`];
  const tunnel = await openTunnel({
    ...{ server: network.proxy, client: network.client, address: site.proxyAddress },
    ...{ port: plan.sshPort as number, cipher: plan.cipher as SshCipher, forward, random },
  });
  const websocket = plan.inner === 'websocket';
  const server = websocket ? 'websocket-server' : dynamic ? 'web-server' : 'posts-server';
  const inner = await startInner(stage, server);
  await stage.record();
  await tunnel.start();
  const local = { ...inner, address: '127.0.0.1', port: localPort };
  const verified = dynamic
    ? await browse(stage, ['-x', `socks5://127.0.0.1:${localPort}`])
    : await playClient(stage, websocket ? 'websocket-client' : 'posts-client', local);
  const settings = { ssh: { forward: forward.join(' '), ...tunnel.settings }, tls };
  return { software: tunnel.software, settings, verified };
}

export async function playCopies(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port } = stage;
  const { client, server } = network;
  const access = await startSshServer({ server, client, address: site.serverAddress, port, random });
  writeFileSync(join(client.home, 'up'), randomBytes(random.int(100_000, 300_000)));
  writeFileSync(join(server.home, 'down'), randomBytes(random.int(500_000, 1_200_000)));
  const options = ['-q', ...access.options, ...access.identity, '-P', `${port}`];
  await stage.record();
  await runIn(client, ['scp', ...options, 'up', `${access.target}:${join(server.home, 'up')}`]);
  await sleep(random.int(500, 2500));
  await runIn(client, ['scp', ...options, `${access.target}:${join(server.home, 'down')}`, 'down']);
  return { software: access.software, settings: access.settings, verified: { copied: 2 } };
}

/** A shell whose connection is wrapped in TLS by stunnel. */
export async function playStunnelSsh(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port, tls, certificate, seconds } = stage;
  const { client, server } = network;
  const local = random.int(10000, 30000);
  const access = await startSshServer({ server, client, address: '127.0.0.1', port: local, random });
  const common = ['foreground = yes', 'pid =', 'debug = 4', '[ssh]', `sslVersionMax = TLSv${tls.version}`];
  const serverSide = [`accept = ${site.serverAddress}:${port}`, `connect = 127.0.0.1:${local}`];
  serverSide.push(`cert = ${certificate.chain}`, `key = ${certificate.key}`);
  const clientSide = [
    'client = yes',
    `accept = 127.0.0.1:${local}`,
    `connect = ${site.serverAddress}:${port}`,
  ];
  writeFileSync(join(server.home, 'stunnel.conf'), `${[...common, ...serverSide].join('\n')}\n`);
  writeFileSync(join(client.home, 'stunnel.conf'), `${[...common, ...clientSide].join('\n')}\n`);
  startIn(server, 'stunnel', ['stunnel4', 'stunnel.conf']);
  startIn(client, 'stunnel', ['stunnel4', 'stunnel.conf']);
  await waitForPort(server, port);
  await waitForPort(client, local);
  await stage.record();
  const login = [...access.options, ...access.identity, '-p', `${local}`, 'root@127.0.0.1'];
  const shell = startIn(client, 'ssh', ['ssh', '-T', ...login, 'sh']);
  const end = Date.now() + seconds * 1000;
  let commands = 0;
  while (Date.now() < end) {
    shell.child.stdin?.write(
      `head -c ${random.int(10, 2000)} /dev/zero | tr '\\0' '.'; echo; echo answered\n`,
    );
    commands += 1;
    await sleep(random.pick([200, 600, 1500, 4000]) * (0.5 + random.next()));
  }
  shell.child.stdin?.end('exit\n');
  await finish(shell, 10);
  const answered = outputOf(shell).split('answered').length - 1;
  if (answered !== commands) throw new Error(`ssh answered ${answered} of ${commands}: ${outputOf(shell)}`);
  return { software: access.software, settings: { ...access.settings, tls }, verified: { commands } };
}
