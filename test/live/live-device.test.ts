/// `sealert live` on real devices, in namespaces of the test's own.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI, sealert, temporaryFolder } from '../support/cli.js';
import { type LiveProcess, Namespace, NO_NAMESPACES } from '../support/namespace.js';
import { samplePath } from '../support/paths.js';
import { NO_SMALL_DISK, smallDisk } from '../support/small-disk.js';

const SAMPLE = samplePath('direct-default');
const LINE =
  /^\[\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\] SoftEther VPN 5\.x TCP Connection Detected \(client 10\.27\.133\.157:53880, server 203\.0\.113\.247:443\)$/;
const STARTED = /^Starting Capture Packets at \[cap0\]\.$/m;

/// Longer than the tools keep packets to themselves.
const SETTLE_MS = 1_500;

// Each has its own namespace, and they mostly wait.
const options = { skip: NO_NAMESPACES, concurrency: 4 };

async function cabled(t: TestContext) {
  const cwd = await temporaryFolder(t);
  const net = new Namespace(t);
  net.cable('out0', 'cap0');
  return { cwd, net, log: join(cwd, 'sealert.log') };
}

function lines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

async function replayInto(net: Namespace, running: LiveProcess): Promise<void> {
  await running.says(STARTED);
  net.replay('out0', SAMPLE);
  await sleep(SETTLE_MS);
}

describe('on a device', options, () => {
  for (const [tool, signal] of [
    ['dumpcap', 'SIGINT'],
    ['tcpdump', 'SIGTERM'],
    ['dumpcap', 'SIGHUP'],
  ] as const) {
    test(`${tool}: a session is printed and logged; ${signal} is the normal end`, async (t) => {
      const { cwd, net, log } = await cabled(t);
      const running = net.start(
        [
          'live',
          'cap0',
          '--capture-tool',
          tool,
          '--format',
          'json',
          '-o',
          'report.json',
          '-w',
          'kept.pcapng',
        ],
        cwd,
      );
      await replayInto(net, running);
      const { code, stdout, stderr } = await running.endBy(signal);
      assert.equal(code, 0, stderr);
      assert.match(stdout.trimEnd(), LINE);
      assert.deepEqual(lines(log), [stdout.trimEnd()]);
      const report = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'));
      assert.equal(report.run.complete, true);
      assert.equal(report.inputs[0].path, 'cap0');
      assert.equal(report.inputs[0].packets, 328);
      const scanned = await sealert(['scan', 'kept.pcapng', '--format', 'json'], { cwd });
      assert.deepEqual(JSON.parse(scanned.stdout).sessions, report.sessions);
    });
  }

  test('without root: the rights to capture suffice, and without them the message says what to do', async (t) => {
    if (spawnSync('setpriv', ['--version']).error !== undefined) return t.skip('setpriv is not installed');
    const { cwd, net } = await cabled(t);
    await chmod(cwd, 0o777);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
    const rights = '-all,+net_raw,+net_admin';
    const granted = [`--inh-caps=${rights}`, `--ambient-caps=${rights}`, `--bounding-set=${rights}`];
    const running = net.start(['live', 'cap0'], cwd, [...nobody, ...granted]);
    await replayInto(net, running);
    const { code, stdout } = await running.endBy('SIGINT');
    assert.equal(code, 0);
    assert.match(stdout.trimEnd(), LINE);
    for (const tool of ['dumpcap', 'tcpdump']) {
      const args = ['live', 'cap0', '--capture-tool', tool];
      const refused = await net
        .start(args, cwd, [...nobody, '--inh-caps=-all', '--bounding-set=-all'])
        .ended();
      assert.equal(refused.code, 4);
      assert.match(
        refused.stderr,
        /cap0: the capture could not begin: .* setcap cap_net_raw,cap_net_admin=eip /,
      );
    }
  });

  test('the number of the list, with live and alone', async (t) => {
    const { cwd, net } = await cabled(t);
    const list = net.start(['devices', '--format', 'json'], cwd);
    const devices = JSON.parse((await list.ended()).stdout) as { number: number; name: string }[];
    const { number } = devices.find(({ name }) => name === 'cap0')!;
    const table = await net.start(['devices'], cwd).ended();
    assert.match(table.stdout, new RegExp(`^Network Devices:\\n(.*\\n)* +${number}\\. cap0\\b`));
    for (const args of [['live', String(number)], [String(number)]]) {
      const running = net.start(args, cwd);
      await running.says(STARTED);
      assert.equal((await running.endBy('SIGINT')).code, 0);
    }
  });

  test('on a terminal: the list, the question, and the start, as in 2004', async (t) => {
    const { cwd, net, log } = await cabled(t);
    // exec: a shell that stayed would take the Ctrl-C too, and dash would then end with 130.
    const command = `exec '${process.execPath}' '${CLI}'`;
    const terminal = spawn('ip', net.inside('script', '-qec', command, '/dev/null'), {
      cwd,
      env: { ...process.env, TZ: 'UTC', TERM: 'xterm' },
    });
    let text = '';
    const shows = async (pattern: RegExp) => {
      while (!pattern.test(text)) await once(terminal.stdout, 'data');
    };
    terminal.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    await shows(/Network Devices:[\s\S]*cap0[\s\S]*Device ID>/);
    terminal.stdin.write('nothing\n');
    await shows(/There is no device "nothing"/);
    terminal.stdin.write('cap0\n');
    await shows(/Starting Capture Packets at \[cap0\]\./);
    net.replay('out0', SAMPLE);
    await sleep(SETTLE_MS);
    // Ctrl-C, as typed; it reaches the capture tool as well.
    terminal.stdin.write('\x03');
    const [code] = await once(terminal, 'close');
    assert.equal(code, 0, text);
    assert.equal(lines(log).length, 1);
    assert.match(lines(log)[0]!, LINE);
    assert.ok(text.includes(lines(log)[0]!));
  });

  test('a terminal that is closed ends the run in good order', async (t) => {
    const { cwd, net, log } = await cabled(t);
    const command = `exec '${process.execPath}' '${CLI}' live cap0 --format json -o report.json`;
    const terminal = spawn('ip', net.inside('script', '-qec', command, '/dev/null'), { cwd });
    let text = '';
    terminal.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    while (!text.includes('Starting Capture')) await once(terminal.stdout, 'data');
    net.replay('out0', SAMPLE);
    await sleep(SETTLE_MS);
    terminal.kill('SIGKILL');
    const report = join(cwd, 'report.json');
    for (let i = 0; i < 100 && !existsSync(report); i++) await sleep(100);
    assert.equal(JSON.parse(readFileSync(report, 'utf8')).inputs[0].packets, 328);
    assert.match(lines(log)[0]!, LINE);
  });

  test('several devices: the directions of a tap become one session', async (t) => {
    const { cwd, net, log } = await cabled(t);
    net.cable('out1', 'cap1');
    const running = net.start(['live', 'cap0', '-i', 'cap1', '--format', 'json', '-o', 'report.json'], cwd);
    await running.says(STARTED);
    await running.says(/\[cap1\]/);
    net.replayAsTap('out0', 'out1', SAMPLE, '10.27.133.157/32');
    await sleep(SETTLE_MS);
    const { code } = await running.endBy('SIGTERM');
    assert.equal(code, 0);
    const report = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'));
    assert.equal(report.inputs[0].packets, 328);
    assert.match(lines(log)[0]!, LINE);
    assert.equal(lines(log).length, 1);
  });

  test('a child that is killed is started again, and the hole is told of', async (t) => {
    const { cwd, net, log } = await cabled(t);
    const running = net.start(['live', 'cap0', '--retry', '1', '--format', 'json', '-o', 'report.json'], cwd);
    await replayInto(net, running);
    const [child] = running.children();
    process.kill(child!, 'SIGKILL');
    await running.says(/cap0: the capture ended early: dumpcap ended by SIGKILL\. It is tried again\./);
    await running.says(/capturing on cap0 again\./);
    const { code } = await running.endBy('SIGINT');
    assert.equal(code, 3);
    const text = lines(log).join('\n');
    assert.match(text, /^\[.*\] Capture Interrupted \(device cap0: dumpcap ended by SIGKILL\)$/m);
    assert.match(text, /^\[.*\] Capture Resumed \(device cap0\)$/m);
    assert.equal(lines(log).filter((line) => LINE.test(line)).length, 1);
    const [input] = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8')).inputs;
    assert.match(input.damage[0].reason, /^the capture on cap0 ended: dumpcap ended by SIGKILL$/);
  });

  test('a device that is removed and comes back', async (t) => {
    const { cwd, net, log } = await cabled(t);
    const running = net.start(['live', 'cap0', '--retry', '1'], cwd);
    await running.says(STARTED);
    net.removeDevice('cap0');
    await running.says(/cap0: the capture ended early: .*is tried again\./);
    await running.says(/cap0: the capture could not begin: there is no such device\. It is tried again\./);
    net.cable('out0', 'cap0');
    await running.says(/capturing on cap0 again\./);
    net.replay('out0', SAMPLE);
    await sleep(SETTLE_MS);
    assert.equal((await running.endBy('SIGTERM')).code, 3);
    assert.ok(lines(log).some((line) => LINE.test(line)));
  });

  test('without a further attempt the end of the capture is the end of the run', async (t) => {
    const { cwd, net, log } = await cabled(t);
    const running = net.start(['live', 'cap0', '--retry', '0'], cwd);
    await replayInto(net, running);
    process.kill(running.children()[0]!, 'SIGKILL');
    const { code } = await running.ended();
    assert.equal(code, 3);
    assert.ok(lines(log).some((line) => LINE.test(line)));
  });

  test('a device that is to come is waited for', async (t) => {
    const { cwd, net } = await cabled(t);
    const early = await net.start(['live', 'cap9'], cwd).ended();
    assert.equal(early.code, 2);
    assert.match(early.stderr, /There is no device "cap9"; there are: /);
    const running = net.start(['live', 'cap9', '--wait', '--retry', '1'], cwd);
    await running.says(/cap9: the capture could not begin: there is no such device\. It is tried again\./);
    net.cable('out9', 'cap9');
    await running.says(/Starting Capture Packets at \[cap9\]\./);
    assert.equal((await running.endBy('SIGINT')).code, 0);
  });

  test('a filter that the tool does not know is told of in its words', async (t) => {
    const { cwd, net } = await cabled(t);
    for (const tool of ['dumpcap', 'tcpdump']) {
      const args = ['live', 'cap0', '-f', 'no such filter', '--capture-tool', tool];
      const { code, stderr } = await net.start(args, cwd).ended();
      assert.equal(code, 4);
      assert.match(stderr, /cap0: the capture could not begin: .*(syntax error|filter)/);
    }
  });

  test('the log is moved away while the capture runs', async (t) => {
    const { cwd, net, log } = await cabled(t);
    await writeFile(log, 'of yesterday\n');
    const running = net.start(['live', 'cap0', '--retry', '1'], cwd);
    await running.says(STARTED);
    await rename(log, `${log}.1`);
    await replayInto(net, running);
    await running.endBy('SIGINT');
    assert.deepEqual(lines(`${log}.1`), ['of yesterday']);
    assert.equal(lines(log).filter((line) => LINE.test(line)).length, 1);
  });

  test('a full disk: told, kept, and exit code 5 with the line on standard error', async (t) => {
    const { cwd, net } = await cabled(t);
    const disk = await smallDisk(t);
    if (disk === undefined) return t.skip(NO_SMALL_DISK);
    const log = join(disk, 'sealert.log');
    const filler = join(disk, 'filler');
    await writeFile(filler, Buffer.alloc(65_536));
    const lost = net.start(['live', 'cap0', '--log', log], cwd);
    await replayInto(net, lost);
    const { code, stderr, stdout } = await lost.endBy('SIGINT');
    assert.equal(code, 5);
    assert.match(stderr, /sealert\.log cannot be written: there is no space left\./);
    assert.ok(stderr.includes(`not written: ${stdout.trimEnd()}`));
    await rm(filler);
    const found = net.start(['live', 'cap0', '--log', log], cwd);
    await replayInto(net, found);
    assert.equal((await found.endBy('SIGINT')).code, 0);
    assert.match(lines(log)[0]!, LINE);
  });

  for (const tool of ['dumpcap', 'tcpdump']) {
    test(`${tool}: packets that are dropped are told of, for sessions may be missed`, async (t) => {
      const { cwd, net, log } = await cabled(t);
      const running = net.start(
        ['live', 'cap0', '-B', '1', '--capture-tool', tool, '--status', 'status'],
        cwd,
      );
      await running.says(STARTED);
      running.child.kill('SIGSTOP');
      net.flood('out0', SAMPLE, 200);
      running.child.kill('SIGCONT');
      // tcpdump is asked while it runs.
      if (tool === 'tcpdump') await running.says(/packets were dropped/);
      const { code } = await running.endBy('SIGINT');
      assert.equal(code, 0);
      const [, dropped] =
        /Packets Dropped \((\d[\d,]*) by the system, 0 by the capture tool\): sessions may be missed/.exec(
          lines(log).join('\n'),
        )!;
      assert.ok(Number(dropped!.replaceAll(',', '')) > 1000);
      const last = JSON.parse(lines(join(cwd, 'status')).at(-1)!);
      assert.ok(last.dropped.kernel > 1000 && last.packets + last.dropped.kernel <= 200 * 328);
    });
  }
});
