import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOneOf, planOutputs, writeOutputFile } from '#sealert/cli/outputs.js';
import { temporaryFolder } from '../support/cli.js';

test('the n-th file gets the n-th format, the rest goes to standard output', () => {
  const plan = (formats: Parameters<typeof planOutputs>[0], files: string[], isTerminal = false) =>
    planOutputs(formats, files, isTerminal).map(({ format, file }) => `${format} ${file ?? 'stdout'}`);
  assert.deepEqual(plan([], [], true), ['table stdout']);
  assert.deepEqual(plan([], [], false), ['log stdout']);
  assert.deepEqual(plan([], ['a'], true), ['log a']);
  assert.deepEqual(plan([], ['-'], true), ['table stdout']);
  assert.deepEqual(plan(['json'], []), ['json stdout']);
  assert.deepEqual(plan(['json', 'csv'], ['a', 'b']), ['json a', 'csv b']);
  assert.deepEqual(plan(['json', 'csv'], ['a']), ['json a', 'csv stdout']);
  assert.deepEqual(plan(['table', 'csv'], ['-', 'b']), ['csv b', 'table stdout']);
  assert.deepEqual(plan(['json', 'csv'], []), ['json stdout', 'csv stdout']);
});

test('plans that cannot be meant', () => {
  assert.throws(() => planOutputs(['json'], ['a', 'b'], false), /2 outputs but 1 format:/);
  assert.throws(() => planOutputs([], ['a', 'b'], false), /2 outputs but 0 formats:/);
  assert.throws(() => planOutputs(['json', 'csv'], ['a', './a'], false), /named twice/);
});

test('a file is replaced whole, with its permissions, and nothing is left beside it', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'out');
  await writeFile(file, 'old', { mode: 0o640 });
  await writeOutputFile(file, ['new', ' text']);
  assert.equal(await readFile(file, 'utf8'), 'new text');
  assert.equal((await stat(file)).mode & 0o777, 0o640);
  assert.deepEqual(await readdir(folder), ['out']);
});

test('a failure leaves the old file as it was', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'out');
  await writeFile(file, 'old');
  function* failing() {
    yield 'x'.repeat(100_000);
    throw new Error('halfway');
  }
  await assert.rejects(writeOutputFile(file, failing()), /halfway/);
  assert.equal(await readFile(file, 'utf8'), 'old');
  assert.deepEqual(await readdir(folder), ['out']);
});

test('a link keeps pointing where it did, a device stays one', async (t) => {
  const folder = await temporaryFolder(t);
  const [file, link] = [join(folder, 'out'), join(folder, 'link')];
  await writeFile(file, 'old');
  await symlink(file, link);
  await writeOutputFile(link, ['new']);
  assert.equal(await readFile(file, 'utf8'), 'new');
  await writeOutputFile('/dev/null', ['new']);
  assert.equal((await stat('/dev/null')).isCharacterDevice(), true);
});

test('paths that lead to the same file', async (t) => {
  const folder = await temporaryFolder(t);
  const [file, link] = [join(folder, 'out'), join(folder, 'link')];
  await writeFile(file, '');
  await symlink(file, link);
  await mkdir(join(folder, 'sub'));
  assert.equal(isOneOf(file, [link]), true);
  assert.equal(isOneOf(file, [join(folder, 'sub', '..', 'out')]), true);
  assert.equal(isOneOf(file, [join(folder, 'missing')]), false);
  assert.equal(isOneOf('/dev/null', ['/dev/null']), false);
});
