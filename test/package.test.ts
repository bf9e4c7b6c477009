/// The package works where it is installed: packed, put elsewhere, run there.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'sealert-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

function npm(args: readonly string[], cwd: string): string {
  const options = {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  };
  return execFileSync('npm', args, options as { encoding: 'utf8' });
}

// The tree is built already, and other tests run from it: packing must not build anew.
const packed = JSON.parse(npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], '.')) as {
  filename: string;
  files: { path: string }[];
}[];
npm(['init', '--yes'], folder);
const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, packed[0]!.filename)];
npm(install, folder);
const sealert = join(folder, 'node_modules', 'softether-alert', 'dist', 'bin', 'sealert.js');

function run(...args: string[]): string {
  return execFileSync(process.execPath, [sealert, ...args], { cwd: folder, encoding: 'utf8' });
}

test('the tarball holds the program, its schema and its texts, and nothing of the workshop', () => {
  const paths = packed[0]!.files.map(({ path }) => path);
  for (const wanted of [
    'dist/bin/sealert.js',
    'dist/bin/analysis-worker.js',
    'dist/bin/program.js',
    'dist/start.cjs',
    'dist/bin/LICENSES.txt',
    'dist/index.d.ts',
    'report-v1.schema.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
  ]) {
    assert.ok(paths.includes(wanted), wanted);
  }
  assert.deepEqual(
    paths.filter((path) => /^(samples|test|scripts|build|src)\//.test(path)),
    [],
  );
});

test('the installed command says its version', () => {
  assert.equal(run('--version').trim(), version);
});

test('the installed command scans a capture', () => {
  const report = JSON.parse(run('scan', '--format', 'json', resolve('samples/direct-default/capture.pcap')));
  assert.equal(report.sessions.length, 1);
  assert.equal(report.tool.version, version);
});

test('the installed package offers its interface to programs', () => {
  const program = `import { scan } from 'softether-alert';
    const report = await scan([${JSON.stringify(resolve('samples/direct-default/capture.pcap'))}], { command: 'x' });
    process.stdout.write(String(report.sessions.length));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(printed, '1');
});
