import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { parseSyslogTarget, syslogDestination, syslogMessage } from '#sealert/node/live/syslog.js';
import { temporaryFolder } from '../support/cli.js';

const HEADER = /^<28>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ sealert \d+ - - /;

test('addresses of collectors', () => {
  assert.equal(parseSyslogTarget('local'), 'local');
  assert.deepEqual(parseSyslogTarget('udp://192.0.2.1'), { transport: 'udp:', host: '192.0.2.1', port: 514 });
  assert.deepEqual(parseSyslogTarget('tcp://log.example:1514/'), {
    transport: 'tcp:',
    host: 'log.example',
    port: 1514,
  });
  assert.deepEqual(parseSyslogTarget('tls://[2001:db8::1]'), {
    transport: 'tls:',
    host: '2001:db8::1',
    port: 6514,
  });
  for (const wrong of ['', 'udp', 'udp://', 'http://x', 'udp://x/path', 'udp://u@x', 'udp://x:99999']) {
    assert.equal(parseSyslogTarget(wrong), undefined, wrong);
  }
});

test('a message as RFC 5424 has it', () => {
  const message = syslogMessage('[2026/11/23 01:01:58] text\n', new Date(0));
  assert.match(message, HEADER);
  assert.match(message, /^<28>1 1970-01-01T00:00:00\.000Z .* - - \[2026\/11\/23 01:01:58\] text$/);
});

function destination(transport: 'udp:' | 'tcp:' | 'tls:', port: number, ca?: string) {
  return syslogDestination({ transport, host: '127.0.0.1', port }, ca);
}

test('UDP: a datagram for each line', async (t) => {
  const collector = createSocket('udp4');
  t.after(() => collector.close());
  collector.bind(0, '127.0.0.1');
  await once(collector, 'listening');
  const syslog = destination('udp:', collector.address().port);
  const received = once(collector, 'message');
  await syslog.deliver('found\n');
  assert.match(String((await received)[0]), /^<28>1 .* - - found$/);
});

/// Collects frames of octet counting; a count that is wrong shows.
function frames(text: string): string[] {
  const found: string[] = [];
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    const space = rest.indexOf(' ');
    const length = Number(rest.subarray(0, space));
    found.push(rest.subarray(space + 1, space + 1 + length).toString());
    rest = rest.subarray(space + 1 + length);
  }
  return found;
}

async function collect(server: Server, t: { after(undo: () => void): void }) {
  const state = { text: '', sockets: [] as Socket[] };
  server.on('secureConnection', take).on('connection', (socket) => {
    if (!('setSecureContext' in server)) take(socket);
  });
  function take(socket: Socket) {
    state.sockets.push(socket);
    socket
      .on('error', () => {})
      .on('data', (data) => {
        state.text += data;
      });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of state.sockets) socket.destroy();
    server.close();
  });
  return { state, port: (server.address() as AddressInfo).port };
}

test('TCP: octet counting, and a new connection after the old one broke', async (t) => {
  const { state, port } = await collect(createServer(), t);
  const syslog = destination('tcp:', port);
  await syslog.deliver('eins \u00fc\n');
  await syslog.deliver('two\n');
  while (frames(state.text).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(state.sockets.length, 1);
  state.sockets[0]!.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await syslog.deliver('three\n');
  await syslog.close();
  const received = frames(state.text);
  assert.equal(state.sockets.length, 2);
  for (const message of received) assert.match(message, HEADER);
  assert.deepEqual(
    received.map((message) => message.replace(HEADER, '')),
    ['eins \u00fc', 'two', 'three'],
  );
});

test('TCP: a collector that is not there is an error in words', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(destination('tcp:', port).deliver('lost\n'), { code: 'ECONNREFUSED' });
});

test('TLS: only to a collector that the certificate vouches for', async (t) => {
  if (spawnSync('openssl', ['version']).error !== undefined) return t.skip('needs openssl');
  const folder = await temporaryFolder(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  const ca = readFileSync(cert, 'utf8');
  const { state, port } = await collect(createTlsServer({ key: readFileSync(key), cert: ca }), t);
  await assert.rejects(destination('tls:', port).deliver('lost\n'), /self-signed certificate/);
  const syslog = destination('tls:', port, ca);
  await syslog.deliver('found\n');
  await syslog.close();
  assert.deepEqual(
    frames(state.text).map((message) => message.replace(HEADER, '')),
    ['found'],
  );
});
