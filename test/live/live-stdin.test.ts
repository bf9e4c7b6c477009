import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ended, sealert, startSealert, temporaryFolder } from '../support/cli.js';
import { samplePath } from '../support/paths.js';

const SAMPLE = readFileSync(samplePath('direct-default'));

test('a stream gives what a scan gives, its end is the end of the run', async (t) => {
  const cwd = await temporaryFolder(t);
  const { code, stdout } = await sealert(['live', '-', '--format', 'json', '-o', 'report.json'], {
    cwd,
    input: SAMPLE,
  });
  assert.equal(code, 0);
  const scanned = await sealert(['scan', samplePath('direct-default'), '--format', 'log']);
  assert.equal(stdout, scanned.stdout);
  assert.equal(readFileSync(join(cwd, 'sealert.log'), 'utf8'), scanned.stdout);
  const json = JSON.parse((await sealert(['scan', samplePath('direct-default'), '--format', 'json'])).stdout);
  const report = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'));
  for (const part of ['sessions', 'sightings', 'servers', 'diagnostics'])
    assert.deepEqual(report[part], json[part]);
});

test('NDJSON: every line an object; reached before ended', async (t) => {
  const cwd = await temporaryFolder(t);
  const { code } = await sealert(['live', '-', '--ndjson', 'found', '--no-log'], { cwd, input: SAMPLE });
  assert.equal(code, 0);
  const lines = readFileSync(join(cwd, 'found'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sessions = lines.filter(({ type }) => type === 'session');
  assert.equal(sessions[0].change, 'reached');
  assert.equal(sessions.at(-1).change, 'ended');
  assert.ok(lines.some(({ type }) => type === 'sighting'));
  assert.ok(lines.some(({ type, event }) => type === 'capture' && event === 'began'));
});

test('a program for each finding; its failure is exit code 5', async (t) => {
  const cwd = await temporaryFolder(t);
  const program = join(cwd, 'note');
  await writeFile(program, '#!/bin/sh\nset | grep ^SEALERT_ > facts\n', { mode: 0o755 });
  const { code } = await sealert(['live', '-', '--exec', program], { cwd, input: SAMPLE });
  assert.equal(code, 0);
  const facts = readFileSync(join(cwd, 'facts'), 'utf8');
  assert.match(facts, /^SEALERT_ID='?368fa8a16f4c'?$/m);
  assert.match(facts, /^SEALERT_VERDICT='?confirmed'?$/m);
  assert.match(facts, /^SEALERT_SERVER_PORT='?443'?$/m);
  const failed = await sealert(['live', '-', '--exec', join(cwd, 'nothing')], { cwd, input: SAMPLE });
  assert.equal(failed.code, 5);
  assert.match(failed.stderr, /nothing failed: there is no such file/);
});

test('damage is exit code 3, no capture 4, --fail-on 10, no folder for the log 5', async (t) => {
  const cwd = await temporaryFolder(t);
  const run = (args: string[], input: Uint8Array) => sealert(['live', '-', ...args], { cwd, input });
  const cut = await run([], SAMPLE.subarray(0, SAMPLE.length - 5));
  assert.equal(cut.code, 3);
  assert.match(cut.stderr, /damaged at byte/);
  const none = await run([], Buffer.from('this is no capture at all, it is text'));
  assert.equal(none.code, 4);
  assert.equal((await run(['--fail-on', 'likely'], SAMPLE)).code, 10);
  const unwritten = await run(['--log', 'no/folder.log'], SAMPLE);
  assert.equal(unwritten.code, 5);
  assert.match(unwritten.stderr, /not written: \[2026.*Connection Detected/);
  assert.equal((await run(['-w', 'no/folder.pcapng'], SAMPLE)).code, 5);
});

test('what the run needs and cannot have is named with its reason, as reading or as writing', async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, 'file'), '');
  const cases: [string[], string][] = [
    [['--syslog-ca', 'missing.pem'], 'missing.pem cannot be read: there is no such file or folder.'],
    [['--syslog-ca', '.'], '. cannot be read: it is a folder, not a file.'],
    [['--ring', 'file'], 'file cannot be used: a file has that name.'],
    [['--ring', 'file/ring'], 'file/ring cannot be used: a part of the path is no folder.'],
    [['-o', 'no/report'], 'log could not be written to no/report: there is no such folder.'],
  ];
  for (const [args, message] of cases) {
    const options = ['live', '-', '--syslog', 'tls://127.0.0.1:9', '--no-log', ...args];
    const { code, stderr } = await sealert(options, { cwd });
    assert.equal(code, 5);
    assert.ok(stderr.includes(`sealert: ${message}\n`), stderr);
  }
});

test('SIGTERM while a stream is open is the normal end', async (t) => {
  const cwd = await temporaryFolder(t);
  const child = startSealert(['live', '-'], { cwd });
  const end = ended(child);
  child.stdin!.write(SAMPLE);
  while (!String(await once(child.stderr!, 'data')).includes('Starting Capture'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill('SIGTERM');
  const { code, stdout } = await end;
  assert.equal(code, 0);
  assert.match(stdout, /Connection Detected/);
});

test('a reader of standard output that goes away ends the run quietly', async (t) => {
  const cwd = await temporaryFolder(t);
  const child = startSealert(['live', '-'], { cwd });
  child.stdout!.destroy();
  const end = once(child, 'close');
  child.stdin!.on('error', () => {}).end(SAMPLE);
  assert.deepEqual(await end, [0, null]);
  assert.match(readFileSync(join(cwd, 'sealert.log'), 'utf8'), /Connection Detected/);
});

test('the status as JSON lines, and the metrics on the loopback device only', async (t) => {
  const cwd = await temporaryFolder(t);
  const spare = createServer().listen(0, '127.0.0.1');
  await once(spare, 'listening');
  const { port } = spare.address() as AddressInfo;
  await new Promise((resolve) => spare.close(resolve));
  const args = ['live', '-', '--metrics', String(port), '--status-interval', '1', '--status', 'status'];
  const child = startSealert(args, { cwd });
  const end = ended(child);
  child.stdin!.write(SAMPLE);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const text = await new Promise<string>((resolve, reject) => {
    get(`http://127.0.0.1:${port}/metrics`, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
  assert.match(text, /^# TYPE sealert_packets_total counter\nsealert_packets_total 328$/m);
  for (const line of text.trim().split('\n')) assert.match(line, /^(# (HELP|TYPE) )?sealert_[a-z_]+ \S/);
  child.kill('SIGINT');
  assert.equal((await end).code, 0);
  const statuses = readFileSync(join(cwd, 'status'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(statuses.length >= 2);
  assert.equal(statuses.at(-1).packets, 328);
  assert.equal(statuses.at(-1).type, 'status');
});
