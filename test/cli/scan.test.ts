import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ended, sealert, startSealert, temporaryFolder } from '../support/cli.js';
import { samplePath } from '../support/paths.js';
import { assertValidReport } from '../support/schema.js';
import { cutPcap, tinyPcap } from '../support/tiny-pcap.js';

/// A folder with a good capture, a cut one, a text, and a folder without captures.
async function sampleFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'good.pcap'), tinyPcap());
  await writeFile(join(folder, 'cut.pcap'), cutPcap());
  await writeFile(join(folder, 'notes.txt'), 'These are only notes, not a capture at all.\n');
  await mkdir(join(folder, 'empty'));
  await copyFile(join(folder, 'notes.txt'), join(folder, 'empty', 'notes.txt'));
  return folder;
}

test('what was read decides the exit code', async (t) => {
  const cwd = await sampleFolder(t);
  const cases: [string[], number, RegExp][] = [
    [['good.pcap'], 0, /^sealert: no SoftEther VPN session was found in 2 packets of 1 capture\.$/],
    [['good.pcap', 'good.pcap', '--fail-on', 'suspected'], 0, / in 4 packets of 2 captures\.$/],
    [['good.pcap', '--quiet'], 0, /^$/],
    [
      ['cut.pcap'],
      3,
      /^sealert: cut\.pcap: damaged at byte 100: .* 1 packet could be read and analysed\.\nsealert: no .* in 1 packet of 1 capture\.$/,
    ],
    [['cut.pcap', '--quiet'], 3, /^$/],
    [['good.pcap', 'missing.pcap'], 3, /^sealert: missing\.pcap: .*\.\nsealert: no .* of 1 capture\.$/],
    [['good.pcap', 'notes.txt'], 3, /^sealert: notes\.txt: .*expected.*\.\nsealert: no .* of 1 capture\.$/],
    [['.'], 3, /^sealert: cut\.pcap: damaged /],
    [['missing.pcap'], 4, /^sealert: missing\.pcap: .*\.$/],
    [['missing.pcap', '--quiet'], 4, /^sealert: missing\.pcap: .*\.$/],
    [['notes.txt'], 4, /^sealert: notes\.txt: .*expected.*\.$/],
    [['empty'], 4, /^sealert: empty: no capture .*\.$/],
    [['--', '-dash.pcap'], 4, /^sealert: -dash\.pcap: /],
    [['no\x1b[2Jsuch\u202efile'], 4, /^sealert: no\\x1b\[2Jsuch\\u202efile: /],
  ];
  for (const [args, code, message] of cases) {
    await t.test(`${args.join(' ').replaceAll('\x1b', 'ESC')} gives ${code}`, async () => {
      const ran = await sealert(['scan', ...args], { cwd });
      assert.equal(ran.code, code);
      assert.equal(ran.stdout, '');
      assert.match(ran.stderr.trimEnd(), message);
      assert.doesNotMatch(ran.stderr, /\n {4}at |\x1b/);
    });
  }
});

test('--fail-on tells of a session by its verdict, whatever is shown', async () => {
  // build/test/cli/ is three folders below the root.
  const sample = fileURLToPath(new URL('../../../samples/direct-default/', import.meta.url));
  const found = await sealert(['scan', sample, '--fail-on', 'confirmed', '--tz', 'UTC']);
  assert.equal(found.code, 10);
  assert.match(
    found.stdout,
    /^\[[\d/]{10} [\d:]{8}\] SoftEther VPN 5\.x TCP Connection Detected \(client .*\)\n$/,
  );
  assert.equal((await sealert(['scan', sample])).code, 0);
});

test('a log without a line says whether --min-verdict left something out', async () => {
  const sample = samplePath('benign-websocket-login');
  const { stdout, stderr } = await sealert(['scan', sample]);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^sealert: nothing in [\d,]+ packets of 1 capture reaches the verdict likely; --min-verdict suspected shows what does not\.\n$/,
  );
  const shown = await sealert(['scan', sample, '--min-verdict', 'suspected']);
  assert.match(shown.stdout, /Connection Detected/);
  assert.equal(shown.stderr, '');
});

test('every format is written to standard output', async (t) => {
  const cwd = await sampleFolder(t);
  const starts: Record<string, RegExp> = {
    table:
      /^1 input, 2 packets, 2026\/11\/23 01:01:58 to 2026\/11\/23 01:01:59 local time\n\nNo SoftEther VPN session found\.\n$/,
    log: /^$/,
    csv: /^id,verdict,.*\r\n$/,
    'csv-connections': /^session,verdict,.*\r\n$/,
    json: /^\{\n {2}"schemaVersion": 1,\n/,
    ndjson: /^\{"type":"run","schemaVersion":1,/,
  };
  for (const [format, start] of Object.entries(starts)) {
    const { code, stdout, stderr } = await sealert(['scan', 'good.pcap', '--format', format], { cwd });
    assert.equal(code, 0, format);
    assert.equal(stderr === '', format !== 'log', format);
    assert.match(stdout, start, format);
  }
});

test('json validates, also where inputs are damaged or missing, and stderr still tells', async (t) => {
  const cwd = await sampleFolder(t);
  const args = ['scan', '.', 'missing.pcap', '--format', 'json'];
  const { code, stdout, stderr } = await sealert(args, { cwd });
  assert.equal(code, 3);
  const report = JSON.parse(stdout);
  assertValidReport(report);
  assert.equal(report.run.command, 'sealert scan . missing.pcap --format json');
  assert.equal(report.run.complete, true);
  assert.equal(report.run.otherFiles, 2);
  assert.equal(report.inputs.length, 3);
  assert.match(stderr, /cut\.pcap: damaged at byte 100/);
  assert.match(stderr, /missing\.pcap: /);
});

test('the command line in the report is one that a shell understands', async (t) => {
  const cwd = await sampleFolder(t);
  await writeFile(join(cwd, "it's here.pcap"), tinyPcap());
  const { stdout } = await sealert(['scan', "it's here.pcap", '--format', 'json'], { cwd });
  assert.equal(JSON.parse(stdout).run.command, `sealert scan 'it'\\''s here.pcap' --format json`);
});

test('standard input', async (t) => {
  const cwd = await sampleFolder(t);
  const read = await sealert(['scan', '-', '--format', 'json'], { cwd, input: tinyPcap() });
  assert.equal(read.code, 0);
  assert.equal(JSON.parse(read.stdout).inputs[0].packets, 2);
  const empty = await sealert(['scan', '-'], { cwd });
  assert.equal(empty.code, 4);
});

test('several formats to several files', async (t) => {
  const cwd = await sampleFolder(t);
  const args = ['scan', 'good.pcap', '--format', 'json,csv', '--format', 'table'];
  const { code, stdout } = await sealert([...args, '-o', 'a.json', '-o', 'b.csv'], { cwd });
  assert.equal(code, 0);
  assertValidReport(JSON.parse(await readFile(join(cwd, 'a.json'), 'utf8')));
  assert.match(await readFile(join(cwd, 'b.csv'), 'utf8'), /^id,verdict/);
  assert.match(stdout, /^1 input, /);
});

test('an output that cannot be written is named, and the others are written', async (t) => {
  const cwd = await sampleFolder(t);
  const args = [
    'scan',
    'good.pcap',
    '--format',
    'json,log,csv',
    '-o',
    'a.json',
    '-o',
    'none/b.log',
    '-o',
    'empty',
  ];
  const { code, stderr } = await sealert(args, { cwd });
  assert.equal(code, 5);
  assert.match(stderr, /^sealert: log could not be written to none\/b\.log: there is no such folder\.$/m);
  assert.match(stderr, /^sealert: csv could not be written to empty: it is a folder, not a file\.$/m);
  assert.ok(existsSync(join(cwd, 'a.json')));
});

test('a capture in a scanned folder is not overwritten', async (t) => {
  const cwd = await sampleFolder(t);
  const { code, stderr } = await sealert(['scan', '.', '-q', '-o', 'good.pcap'], { cwd });
  assert.equal(code, 5);
  assert.match(stderr, /log could not be written to good\.pcap: it is one of the captures\./);
  assert.deepEqual(new Uint8Array(await readFile(join(cwd, 'good.pcap'))), tinyPcap());
  assert.deepEqual((await readdir(cwd)).sort(), ['cut.pcap', 'empty', 'good.pcap', 'notes.txt']);
});

test('a full disk under standard output', { skip: !existsSync('/dev/full') }, async (t) => {
  const cwd = await sampleFolder(t);
  const { code, stderr } = await sealert(['scan', 'good.pcap', '--format', 'json', '-o', '/dev/full'], {
    cwd,
  });
  assert.equal(code, 5);
  assert.match(stderr, /json could not be written to \/dev\/full: there is no space left\./);
});

test('a closed pipe ends the run quietly with 0', async (t) => {
  const cwd = await sampleFolder(t);
  for (const args of [['scan', 'cut.pcap', '-q', '--format', 'json'], ['--help']]) {
    const child = startSealert(args, { cwd });
    child.stdout?.destroy();
    child.stdin?.end();
    const { code, stderr } = await ended(child);
    assert.equal(code, 0, args.join(' '));
    assert.equal(stderr, '');
  }
});

test('an interrupted run still writes its report', { skip: process.platform === 'win32' }, async (t) => {
  const cwd = await sampleFolder(t);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const child = startSealert(['scan', 'good.pcap', '-', '--format', 'json', '--verbose'], { cwd });
    const end = ended(child);
    // Standard input stays open and silent.
    // The signal is understood once the run has begun, which is its first note.
    await once(child.stderr!, 'data');
    child.kill(signal);
    const { stdout, code: actual } = await end;
    assert.equal(actual, code);
    const report = JSON.parse(stdout);
    assertValidReport(report);
    assert.equal(report.run.complete, false);
  }
});

test('no colours and no progress off a terminal', async (t) => {
  const cwd = await sampleFolder(t);
  const { stdout, stderr } = await sealert(['scan', 'good.pcap', '--format', 'table'], {
    cwd,
    env: { FORCE_COLOR: '1' },
  });
  assert.doesNotMatch(stdout + stderr, /\x1b/);
});

test('notes on the run with --verbose, on standard error', async (t) => {
  const cwd = await sampleFolder(t);
  const { stdout, stderr } = await sealert(['scan', 'good.pcap', '--verbose'], { cwd });
  assert.equal(stdout, '');
  assert.match(stderr, /^sealert: good\.pcap: pcap, 176 B, 2 packets\.$/m);
  assert.match(stderr, /^sealert: 2 packets in 0 flows; started .*, finished .*\.$/m);
});

test('the zone of the table', async (t) => {
  const cwd = await sampleFolder(t);
  const table = async (...args: string[]) =>
    (await sealert(['scan', 'good.pcap', '--format', 'table', ...args], { cwd, env: { TZ: 'Asia/Tokyo' } }))
      .stdout;
  assert.match(await table(), / 2026\/11\/23 10:01:58 to .* local time$/m);
  assert.match(await table('--tz', 'local'), / 10:01:58 to .* local time$/m);
  assert.match(await table('--tz', 'UTC'), / 01:01:58 to .* UTC$/m);
  assert.match(await table('--tz', 'Z'), / 01:01:58 to .* UTC$/m);
  assert.match(await table('--tz', '+02:00'), / 03:01:58 to .* \+02:00$/m);
  assert.match(await table('--tz', '-0330'), / 2026\/11\/22 21:31:58 to .* -0330$/m);
  assert.match(await table('--tz', 'America/St_Johns'), / 2026\/11\/22 21:31:58 to .* America\/St_Johns$/m);
});

test('standard error may be closed', { skip: process.platform === 'win32' }, async (t) => {
  const cwd = await sampleFolder(t);
  const child = startSealert(['scan', 'missing.pcap'], { cwd });
  child.stderr?.destroy();
  child.stdin?.end();
  const { code } = await ended(child);
  assert.equal(code, 4);
});
