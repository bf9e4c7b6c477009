/** Look-alikes made with other people's programs: OpenVPN, OpenSSH, Mosquitto, stunnel. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent, startClientAgent } from './agent-start.js';
import { makeCertificate } from './certificates.js';
import type { LookAlikeOutcome, LookAlikeStage } from './lookalikes.js';
import { debianVersion, finish, outputOf, startIn, stop, waitForOutput, waitForPort } from './processes.js';
import { openProxy } from './proxies.js';
import { startSshServer } from './ssh.js';
import { drawActivities, perform } from './traffic.js';

export async function playOpenVpn(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port, tls, certificate, plan } = stage;
  const { client, server } = network;
  const udp = plan.protocol === 'udp';
  const proxy = plan.proxied ? await openProxy('squid', false, network, site, random) : undefined;
  const own = await makeCertificate(client.home, 'client', { ...tls.certificate, commonName: 'user' });
  const network24 = site.tunnelServer.replace(/\d+$/, '0');
  const common = ['--dev', 'tun', '--verb', '3', '--tls-version-max', tls.version];
  const cipher = ['--data-ciphers', random.pick(['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'])];
  const pair = (files: typeof own) => ['--cert', files.chain, '--key', files.key];
  startIn(server, 'openvpn', [
    ...['openvpn', '--proto', udp ? 'udp' : 'tcp-server', '--port', `${port}`, '--local', site.serverAddress],
    ...['--topology', 'subnet', '--server', network24, '255.255.255.0', '--dh', 'none'],
    ...['--keepalive', '5', '20', '--ca', own.authority, ...pair(certificate), ...common, ...cipher],
  ]);
  if (udp) await sleep(1500);
  else await waitForPort(server, port);
  await startAgent(server, 'tunnel-web', { address: '0.0.0.0', port: 80 });
  await stage.record();
  const started = Date.now();
  const running = startIn(client, 'openvpn', [
    ...[
      'openvpn',
      '--client',
      '--proto',
      udp ? 'udp' : 'tcp-client',
      ...(proxy ? ['--http-proxy', proxy.address, `${proxy.port}`] : []),
      '--remote',
      site.serverAddress,
      `${port}`,
      '--nobind',
    ],
    ...['--ca', certificate.authority, ...pair(own), ...common, ...cipher],
  ]);
  await waitForOutput(running, 'Initialization Sequence Completed', 20);
  const verified = await perform(client, site.tunnelServer, drawActivities(random));
  await sleep(Math.max(0, stage.seconds * 1000 - (Date.now() - started)));
  await stop(running);
  const settings = { tls: { version: tls.version, certificate: tls.certificate } };
  const software = { ...(await debianVersion('openvpn')), ...proxy?.software };
  return { software, settings, verified };
}

export async function playSsh(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port } = stage;
  const { client, server } = network;
  const access = await startSshServer({ server, client, address: site.serverAddress, port, random });
  await stage.record();
  const login = [...access.options, ...access.identity, '-p', `${port}`, access.target];
  const shell = startIn(client, 'ssh', ['ssh', '-T', ...login, 'sh']);
  const end = Date.now() + stage.seconds * 1000;
  let commands = 0;
  while (Date.now() < end) {
    const size = random.chance(0.2) ? random.int(800, 3000) : random.int(10, 200);
    shell.child.stdin?.write(`head -c ${size} /dev/zero | tr '\\0' '.'; echo done\n`);
    commands += 1;
    await sleep(random.pick([200, 600, 1500, 4000]) * (0.5 + random.next()));
  }
  shell.child.stdin?.end('exit\n');
  await finish(shell, 10);
  const answered = outputOf(shell).split('done').length - 1;
  if (answered !== commands) throw new Error(`ssh answered ${answered} of ${commands}: ${outputOf(shell)}`);
  return {
    software: access.software,
    settings: access.settings,
    verified: { commands, answered },
  };
}

export async function playMqtt(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port, tls, certificate, openSsl, seconds } = stage;
  const { client, server } = network;
  const settings = [
    ...[`listener ${port} ${site.serverAddress}`, 'allow_anonymous true', 'user root', 'log_dest stdout'],
    ...[`certfile ${certificate.chain}`, `keyfile ${certificate.key}`, `tls_version tlsv${tls.version}`],
  ];
  const file = join(server.home, 'mosquitto.conf');
  writeFileSync(file, `${settings.join('\n')}\n`);
  startIn(server, 'mosquitto', ['mosquitto', '-c', file], { OPENSSL_CONF: openSsl });
  await waitForPort(server, port);
  await stage.record();
  const ends = ['-h', site.serverAddress, '-p', `${port}`, '--cafile', certificate.authority, '--insecure'];
  const topic = ['-t', `site/${random.text(6)}`];
  const keepAlive = ['-k', `${random.int(5, 8)}`];
  const watcher = startIn(client, 'mosquitto_sub', ['mosquitto_sub', ...ends, ...topic, ...keepAlive]);
  const end = Date.now() + seconds * 1000;
  let messages = 0;
  const publisher = startIn(client, 'mosquitto_pub', [
    'mosquitto_pub',
    ...ends,
    ...topic,
    ...keepAlive,
    '-l',
  ]);
  while (Date.now() < end) {
    await sleep(random.int(500, 7000));
    publisher.child.stdin?.write(`${random.text(random.int(20, 900))}\n`);
    messages += 1;
  }
  await sleep(300);
  publisher.child.stdin?.end();
  await finish(publisher, 10);
  await stop(watcher);
  const received = outputOf(watcher).split('\n').filter(Boolean).length;
  if (received === 0) throw new Error(`mosquitto: ${outputOf(watcher)} ${outputOf(publisher)}`);
  const { version, tickets } = tls;
  return {
    software: await debianVersion('mosquitto'),
    settings: { tls: { version, tickets, certificate: tls.certificate } },
    verified: { messages, received },
  };
}

export async function playStunnelEcho(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, port, tls, certificate, openSsl, seconds } = stage;
  const { client, server } = network;
  const inner = { address: '127.0.0.1', port: 7007 };
  await startAgent(server, 'echo-server', inner);
  const common = ['foreground = yes', 'pid =', 'debug = 4', '[echo]', `sslVersionMax = TLSv${tls.version}`];
  const serverSide = [
    ...common,
    ...[`accept = ${site.serverAddress}:${port}`, `connect = 127.0.0.1:${inner.port}`],
    ...[`cert = ${certificate.chain}`, `key = ${certificate.key}`],
    ...(tls.statefulTickets ? ['options = NO_TICKET'] : []),
  ];
  const clientSide = [
    ...common,
    ...['client = yes', `accept = 127.0.0.1:${inner.port}`, `connect = ${site.serverAddress}:${port}`],
  ];
  writeFileSync(join(server.home, 'stunnel.conf'), `${serverSide.join('\n')}\n`);
  writeFileSync(join(client.home, 'stunnel.conf'), `${clientSide.join('\n')}\n`);
  startIn(server, 'stunnel', ['stunnel4', 'stunnel.conf'], { OPENSSL_CONF: openSsl });
  await waitForPort(server, port);
  startIn(client, 'stunnel', ['stunnel4', 'stunnel.conf']);
  await sleep(1000);
  await stage.record();
  const settings = { ...inner, seconds, seed: random.int(0, 2 ** 31) };
  const echo = startClientAgent(client, 'echo-client', settings);
  await finish(echo, seconds + 20);
  await sleep(500);
  const verified = JSON.parse(outputOf(echo)) as { received: number };
  if (verified.received === 0) throw new Error('stunnel passed nothing on');
  const { version, tickets, statefulTickets } = tls;
  return {
    software: await debianVersion('stunnel4'),
    settings: { tls: { version, tickets, statefulTickets, certificate: tls.certificate } },
    verified,
  };
}
