import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pcap } from '../support/capture-builder.js';
import { sealert, temporaryFolder } from '../support/cli.js';
import { softetherDialogue } from '../support/dialogue.js';
import { samplePath } from '../support/paths.js';
import { readFrames } from '../support/read.js';
import { cutPcap } from '../support/tiny-pcap.js';
import { WRAPPERS, wrapped } from '../support/wrap.js';

const DIRECT = samplePath('direct-default');
const WEBSOCKET = samplePath('benign-websocket-login');
const POSTS = samplePath('benign-https-posts');

async function sessionOf(path: string) {
  const { stdout } = await sealert(['scan', path, '--format', 'json']);
  return JSON.parse(stdout).sessions[0];
}

/// The text with its line breaks undone.
function flat(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

test('a flow whose hello offers HTTP/2', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'h2.pcap');
  await writeFile(path, pcap(softetherDialogue({ hello: { alpn: ['h2'] } })));
  const { code, stdout } = await sealert(['explain', path, '--flow', '10.1.0.10:50001 203.0.113.10:443']);
  assert.equal(code, 0);
  assert.match(
    flat(stdout),
    /Not reported\. The ClientHello offers h2 \(ALPN\), which no client of SoftEther does; so a scan lets the flow go with the server's answer\. Its records would be those of a log-in\. Strip/,
  );
});

test('a session: head, strip, clauses and filters', async () => {
  const { id, client, server } = await sessionOf(DIRECT);
  const { code, stdout, stderr } = await sealert(['explain', DIRECT, '--session', id, '--tz', 'UTC']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  const text = flat(stdout);
  assert.match(
    text,
    new RegExp(`Session ${id}: confirmed, SoftEther VPN 5\\.x, TCP ${client.ip}:${client.port} to `),
  );
  for (const [direction, role] of [
    ['>', 'probe'],
    ['<', 'probe answer'],
    ['>', 'signature'],
    ['<', 'hello'],
    ['>', 'log-in'],
    ['<', 'welcome'],
  ]) {
    assert.match(stdout, new RegExp(`^ +\\d+ +[\\d.]+ +(\\+[\\d.]+ +)?${direction} \\d+ +${role}$`, 'm'));
  }
  assert.match(
    text,
    /\+ start-script \(frames \d+, .*\+ signature: \d+ bytes from the client \(expected 1531-3568 bytes from the client, frame \d+\)/,
  );
  assert.match(
    text,
    /- poll-rhythm expected: 2 answered polls .* seen: 1 answered polls, 0 of them in that rhythm/,
  );
  assert.doesNotMatch(text, /\d,\d{3}/);
  assert.match(text, /Nothing is missing: this is the highest verdict/);
  const filter = `ip.addr==${client.ip} && ip.addr==${server.ip} && tcp.port==${client.port} && tcp.port==${server.port}`;
  assert.ok(stdout.includes(filter));
  assert.match(stdout, /^ {2}frame\.number in \{\d+(, \d+)*\}$/m);
  assert.ok(stdout.split('\n').every((line) => line.length <= 80 || /==|frame\.number/.test(line)));
});

test('a flow by its ends, in either order and without the protocol, is the same flow', async () => {
  const { client, server } = await sessionOf(DIRECT);
  const [a, b] = [client, server].map(({ ip, port }) => `${ip}:${port}`);
  const [first, ...others] = await Promise.all(
    [`tcp ${a} ${b}`, `${a} ${b}`, `tcp ${b} ${a}`, `${b} -> ${a}`].map((flow) =>
      sealert(['explain', DIRECT, '--flow', flow]),
    ),
  );
  assert.equal(first!.code, 0);
  assert.match(flat(first!.stdout), /Reported as confirmed; this is its first connection\./);
  for (const other of others) assert.equal(other.stdout, first!.stdout);
});

test('a suspected session: what speaks against it, and that nothing can raise it', async () => {
  const { id } = await sessionOf(WEBSOCKET);
  const { code, stdout } = await sealert(['explain', WEBSOCKET, '--session', id]);
  assert.equal(code, 0);
  const text = flat(stdout);
  assert.match(text, /: suspected, /);
  assert.match(text, /What speaks against it tiny-records: records come in between/);
  assert.match(text, /Nothing: records that are shorter than any block rule a tunnel out\./);
  assert.match(text, /Nearest benign application .* WebSocket/);
});

test('a flow that was not reported: the message at which it fails, and the nearest application', async () => {
  const flow = 'tcp 10.0.118.84:46102 203.0.113.245:443';
  const { code, stdout } = await sealert(['explain', POSTS, '--flow', flow]);
  assert.equal(code, 0);
  const text = flat(stdout);
  assert.match(text, /^No session was reported of this flow\./);
  assert.match(text, /it fails at message 2, the hello: \d+ bytes came where 336-1368 were expected\./);
  assert.match(
    text,
    /- hello: \d+ bytes from the server \(expected hello 336-1368 bytes from the server, frame \d+\)/,
  );
  assert.match(stdout, /< \d+ +no hello$/m);
  assert.match(text, /HTTP requests and answers/);
  const piped = await sealert(['explain', '-', '--flow', flow], { input: await readFile(POSTS) });
  assert.equal(piped.stdout.replace('Capture -', ''), stdout.replace(`Capture ${POSTS}`, ''));
});

test('flows that are no TLS say so', async () => {
  const cases: [string, string, RegExp][] = [
    ['benign-ssh', '10.50.152.60:46424 203.0.113.35:22', /SSH: the first bytes say so/],
    [
      'benign-openvpn-tcp443',
      '10.59.64.134:57392 198.51.100.87:443',
      /The first payload, from the client in frame 6, begins with 00 0e .*: no TLS, no request to a proxy, no SSH\./,
    ],
  ];
  for (const [sample, flow, expected] of cases) {
    const { code, stdout } = await sealert(['explain', samplePath(sample), '--flow', flow]);
    assert.equal(code, 0);
    assert.match(flat(stdout), expected);
  }
});

test('--format json is the same account as data', async () => {
  const { id } = await sessionOf(DIRECT);
  const { stdout } = await sealert(['explain', DIRECT, '--session', id, '--format', 'json']);
  const { session, strip, clauses } = JSON.parse(stdout);
  assert.equal(session.id, id);
  assert.equal(strip.unit, 'TLS records');
  const script = clauses.find(({ clause }: { clause: string }) => clause === 'start-script');
  assert.equal(script.held, true);
  assert.deepEqual(
    script.steps.map(({ name }: { name: string }) => name),
    ['probe', 'probe answer', 'signature', 'hello', 'log-in', 'welcome'],
  );
});

test('what the packets travel in is said, of a session and of a flow that was not reported', async (t) => {
  const folder = await temporaryFolder(t);
  const wrapper = WRAPPERS.find(({ name }) => name === 'VXLAN in VLAN in VXLAN')!;
  const wrapInto = async (sample: string, name: string) => {
    const { frames } = readFrames(await readFile(sample));
    const path = join(folder, name);
    await writeFile(path, pcap(frames.map((frame) => ({ ...frame, bytes: wrapped(wrapper, frame.bytes) }))));
    return path;
  };
  const inside = 'Inside vxlan 1 (192.0.2.1 to 198.51.100.2), vlan 5, vxlan 2 (192.0.2.1 to 198.51.100.2)';
  const direct = await wrapInto(DIRECT, 'direct.pcap');
  const { id, encapsulation } = await sessionOf(direct);
  const posts = await wrapInto(POSTS, 'posts.pcap');
  const subjects = [
    [direct, '--session', id],
    [posts, '--flow', 'tcp 10.0.118.84:46102 203.0.113.245:443'],
  ];
  for (const subject of subjects) {
    const { stdout } = await sealert(['explain', ...subject]);
    assert.ok(flat(stdout).includes(`${inside} Capture `), stdout);
    const json = await sealert(['explain', ...subject, '--format', 'json']);
    assert.deepEqual(JSON.parse(json.stdout).encapsulation, encapsulation);
  }
  const plain = await sealert(['explain', DIRECT, '--session', id]);
  assert.doesNotMatch(plain.stdout, /^Inside/m);
});

test('what is not there is wrong usage, and the message names what is', async () => {
  const { id } = await sessionOf(DIRECT);
  const cases: [string[], RegExp][] = [
    [
      [DIRECT, '--session', 'abc'],
      new RegExp(`no session "abc" in .*; found were: ${id} \\(confirmed\\)\\.`),
    ],
    [[POSTS, '--session', 'abc'], /no session "abc" in .*: none was found there\./],
    [
      [POSTS, '--flow', 'tcp 10.0.118.84:1 203.0.113.245:443'],
      /no flow "tcp .*; between the same hosts there are: .*10\.0\.118\.84:46102/,
    ],
    [[POSTS], /explain needs one of --session ID and --flow ENDS\./],
    [[POSTS, '--session', 'a', '--flow', 'b'], /explain needs one of /],
    [['--session', 'a'], /explain takes one PATH/],
    [[POSTS, '--flow', 'x\x1b[2J'], /"x\\x1b\[2J" names no flow; --flow takes two ends/],
    [['-', '--session', 'a'], /standard input \(-\) can be read only once\./],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await sealert(['explain', ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.match(stderr, /^sealert: [^\n]* See: sealert explain --help\n$/);
  }
});

test('a capture that cannot be read gives 4, a damaged one 3', async (t) => {
  const missing = await sealert(['explain', 'missing.pcap', '--session', 'a']);
  assert.equal(missing.code, 4);
  assert.match(missing.stderr, /^sealert: missing\.pcap: .*\.\n$/);

  const folder = await temporaryFolder(t);
  const cut = join(folder, 'cut.pcap');
  await writeFile(cut, (await readFile(POSTS)).subarray(0, -7));
  const damaged = await sealert(['explain', cut, '--flow', '10.0.118.84:46102 203.0.113.245:443']);
  assert.equal(damaged.code, 3);
  assert.match(damaged.stderr, /damaged at byte/);
  assert.match(damaged.stdout, /^No session was reported/);
  await writeFile(cut, cutPcap());
  assert.equal((await sealert(['explain', cut, '--session', 'a'])).code, 2);
});
