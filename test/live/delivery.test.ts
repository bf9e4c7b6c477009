import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Delivery, type Destination } from '#sealert/node/live/delivery.js';
import { LineFile } from '#sealert/node/live/line-file.js';
import { ProgramRunner } from '#sealert/node/live/program-runner.js';
import { temporaryFolder } from '../support/cli.js';
import { NO_SMALL_DISK, smallDisk } from '../support/small-disk.js';

/// A place that refuses the first so many lines.
class Moody implements Destination {
  readonly name = 'moody';
  readonly lines: string[] = [];
  closed = false;
  constructor(private refusals: number) {}
  async deliver(line: string): Promise<void> {
    if (this.refusals-- > 0) throw Object.assign(new Error(), { code: 'ENOSPC' });
    this.lines.push(line);
  }
  async close(): Promise<void> {
    this.closed = true;
  }
}

test('lines are kept in order until they can be written, and that is told once', async () => {
  const moody = new Moody(3);
  const told: string[] = [];
  const delivery = new Delivery(moody, (text) => told.push(text), { maxWaiting: 10, retryMs: 5 });
  for (const line of ['a', 'b', 'c']) delivery.add(line);
  while (moody.lines.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(await delivery.end(), { undelivered: [], lost: 0 });
  assert.deepEqual(moody.lines, ['a', 'b', 'c']);
  assert.ok(moody.closed);
  assert.deepEqual(told, [
    'moody cannot be written: there is no space left. What was found is kept and tried again.',
    'moody can be written again; nothing was lost on the way.',
  ]);
});

test('what cannot be delivered to the end is given back; what had no room is counted', async () => {
  const told: string[] = [];
  const delivery = new Delivery(new Moody(1000), (text) => told.push(text), {
    maxWaiting: 2,
    retryMs: 10_000,
  });
  for (const line of ['a', 'b', 'c', 'd']) delivery.add(line);
  assert.deepEqual(await delivery.end(), { undelivered: ['a', 'b'], lost: 2 });
  assert.ok(told.some((text) => text.startsWith('too many lines wait for moody')));
});

test('a log that cannot be opened is told of before there is a line', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'later', 'sealert.log');
  const told: string[] = [];
  const delivery = new Delivery(new LineFile(path), (text) => told.push(text), {
    maxWaiting: 10,
    retryMs: 10,
  });
  delivery.begin();
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(told[0]!, /sealert\.log cannot be written: there is no such folder\. What was found is kept /);
  delivery.add('one\n');
  await mkdir(join(folder, 'later'));
  assert.deepEqual(await delivery.end(), { undelivered: [], lost: 0 });
  assert.equal(await readFile(path, 'utf8'), 'one\n');
});

test('a log that is moved away or deleted is begun anew', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'sealert.log');
  const file = new LineFile(path);
  await file.deliver('one\n');
  await rename(path, `${path}.1`);
  await file.deliver('two\n');
  await file.deliver('three\n');
  await rm(path);
  await file.deliver('four\n');
  await file.close();
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'one\n');
  assert.equal(await readFile(path, 'utf8'), 'four\n');
});

test('a log with several writers, emptied in place by one, keeps whole lines', async (t) => {
  const path = join(await temporaryFolder(t), 'sealert.log');
  const [one, other] = [new LineFile(path), new LineFile(path)];
  const line = (name: string) => `${name.repeat(3000)}\n`;
  for (let i = 0; i < 20; i++) await Promise.all([one.deliver(line('a')), other.deliver(line('b'))]);
  await appendFile(path, 'by hand\n');
  const lines = (await readFile(path, 'utf8')).split('\n');
  assert.deepEqual(
    new Set(lines),
    new Set([...[line('a'), line('b')].map((text) => text.trim()), 'by hand', '']),
  );
  assert.equal(lines.length, 42);
  // copytruncate of logrotate
  await writeFile(path, '');
  await one.deliver('after\n');
  assert.equal(await readFile(path, 'utf8'), 'after\n');
  await Promise.all([one.close(), other.close()]);
});

test('a full disk: the line comes whole once there is room again', async (t) => {
  const folder = await smallDisk(t);
  if (folder === undefined) return t.skip(NO_SMALL_DISK);
  const path = join(folder, 'sealert.log');
  await writeFile(join(folder, 'filler'), Buffer.alloc(60_000));
  const told: string[] = [];
  const delivery = new Delivery(new LineFile(path), (text) => told.push(text), {
    maxWaiting: 10,
    retryMs: 20,
  });
  // More than a page, of which one is left: a part is written.
  const line = `${'x'.repeat(5_000)}\n`;
  delivery.add(line);
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await rm(join(folder, 'filler'));
  while (told.length === 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(await delivery.end(), { undelivered: [], lost: 0 });
  const lines = (await readFile(path, 'utf8')).split('\n');
  assert.equal(lines.at(-2), line.trim());
  assert.match(told[0]!, /sealert\.log cannot be written: there is no space left\./);
});

test('a program gets the facts as variables, as they are, and no shell sees them', async (t) => {
  const folder = await temporaryFolder(t);
  const program = join(folder, 'note it');
  const script = '#!/bin/sh\nprintf "%s|%s\\n" "$#" "$SEALERT_ID" >> "$SEALERT_FILE"\n';
  await writeFile(program, script, { mode: 0o755 });
  const file = join(folder, 'noted');
  const told: string[] = [];
  const runner = new ProgramRunner(program, (text) => told.push(text));
  for (let i = 0; i < 9; i++)
    runner.run({ SEALERT_ID: `$(touch ${folder}/owned); ${i}`, SEALERT_FILE: file });
  assert.equal(await runner.end(), true);
  const lines = (await readFile(file, 'utf8')).trim().split('\n').sort();
  assert.deepEqual(
    lines,
    [...Array(9).keys()].map((i) => `0|$(touch ${folder}/owned); ${i}`),
  );
  assert.deepEqual(told, []);
});

test('a program that fails, or that is not there, is told of', async (t) => {
  const folder = await temporaryFolder(t);
  const program = join(folder, 'fails');
  await writeFile(program, '#!/bin/sh\necho no luck >&2\nexit 3\n', { mode: 0o755 });
  const told: string[] = [];
  const failing = new ProgramRunner(program, (text) => told.push(text));
  failing.run({});
  assert.equal(await failing.end(), false);
  assert.match(told[0]!, /fails failed: it ended with exit code 3 \(no luck\)\.$/);
  const missing = new ProgramRunner(join(folder, 'missing'), (text) => told.push(text));
  missing.run({});
  assert.equal(await missing.end(), false);
  assert.match(told[1]!, /missing failed: there is no such file/);
});
