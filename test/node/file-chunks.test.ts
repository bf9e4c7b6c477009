/// Reading here and now, and ahead: when that begins, and what is kept of a file that cannot be read to its end.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ByteChunk, CHUNK_BYTES } from '#sealert/capture/byte-chunk.js';
import { FileChunks } from '#sealert/node/file-chunks.js';
import type { Report } from '#sealert/report/model.js';
import { pcap } from '../support/capture-builder.js';
import { CLI, ended, temporaryFolder } from '../support/cli.js';

const BROKEN_AT = 3_670_016;
const FRAME_BYTES = 1_000;
const RECORD_BYTES = 16 + FRAME_BYTES;

/// Loaded before the program: reads from there on fail, and every read takes so long, which is the storage's doing.
function brokenDisk(delayMs: number): string {
  return `
    const fs = require('node:fs');
    const { readSync, read } = fs;
    const broken = () => Object.assign(new Error('EIO'), { code: 'EIO' });
    const { resourceUsage } = process;
    let fsRead = 0;
    process.resourceUsage = () => ({ ...resourceUsage.call(process), fsRead });
    const rest = (length, position) => Math.min(length, ${BROKEN_AT} - position);
    fs.readSync = (file, data, at, length, position) => {
      if (typeof position !== 'number') return readSync(file, data, at, length, position);
      fsRead += ${delayMs};
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${delayMs});
      if (position >= ${BROKEN_AT}) throw broken();
      return readSync(file, data, at, rest(length, position), position);
    };
    fs.read = (file, data, at, length, position, done) => {
      if (position >= ${BROKEN_AT}) setImmediate(done, broken());
      else read(file, data, at, rest(length, position), position, done);
    };
    fs.read[require('node:util').promisify.custom] = (...args) =>
      new Promise((resolve, reject) =>
        fs.read(...args, (error, bytesRead) => (error ? reject(error) : resolve({ bytesRead }))));
    require('node:module').syncBuiltinESMExports();`;
}

for (const delayMs of [0, 3]) {
  test(`all that was read before an error is analysed, each read taking ${delayMs} ms`, async (t) => {
    const folder = await temporaryFolder(t);
    const [disk, capture] = [join(folder, 'disk.cjs'), join(folder, 'capture.pcap')];
    await writeFile(disk, brokenDisk(delayMs));
    const frames = Array.from({ length: 5_000 }, (_, i) => ({
      bytes: new Uint8Array(FRAME_BYTES),
      timeUs: 1_700_000_000_000_000 + i,
    }));
    await writeFile(capture, pcap(frames));
    const args = ['-r', disk, CLI, 'scan', capture, '--format', 'json'];
    const { code, stdout, stderr } = await ended(spawn(process.execPath, args));
    assert.equal(code, 3, stderr);
    const [input] = (JSON.parse(stdout) as Report).inputs;
    assert.equal(input!.packets, Math.floor((BROKEN_AT - 24) / RECORD_BYTES));
    assert.match(stderr, /reading failed: the device reports an error/);
  });
}

/// Reads a file, the clock going on by `readMs` from one look at it to the next, which is what a read seems to take,
/// in the first `slowReads`, and by `takeMs` while a chunk is waited for; storage reads so much meanwhile. Returns the most chunks that were in
/// use at a time: of one that is read ahead there are several.
async function mostChunksInUse(
  t: TestContext,
  { readMs = 0, slowReads = 99, takeMs = 0, storageReads = 0 },
): Promise<number> {
  const path = join(await temporaryFolder(t), 'file');
  await writeFile(path, new Uint8Array(12 * CHUNK_BYTES));
  let nowMs = 0;
  let fsRead = 7;
  const usage = process.resourceUsage();
  t.mock.method(process, 'resourceUsage', () => ({ ...usage, fsRead }));
  t.mock.method(process.hrtime, 'bigint', () => {
    if (reads <= slowReads) nowMs += readMs;
    fsRead += storageReads;
    return BigInt(nowMs) * 1_000_000n;
  });
  let reads = 0;
  let taken = 0;
  let most = 0;
  const pool = {
    take: () => {
      nowMs += takeMs;
      reads++;
      most = Math.max(most, ++taken);
      return new ByteChunk();
    },
    give: (_chunk: ByteChunk) => {
      taken--;
    },
  };
  const file = new FileChunks(path, pool);
  let bytes = 0;
  for (let { chunk, length } = await file.next(); length > 0; { chunk, length } = await file.next()) {
    bytes += length;
    pool.give(chunk);
  }
  await file.close();
  assert.equal(bytes, 12 * CHUNK_BYTES);
  return most;
}

test('reads ahead while storage is at work, counted or not', async (t) => {
  assert.ok((await mostChunksInUse(t, { readMs: 3, slowReads: 3, storageReads: 1 })) > 1);
  assert.ok((await mostChunksInUse(t, { readMs: 3 })) > 1);
});

test('a fast read is none of storage, nor is waiting for a chunk: nothing is read ahead', async (t) => {
  assert.equal(await mostChunksInUse(t, { storageReads: 1 }), 1);
  assert.equal(await mostChunksInUse(t, { takeMs: 3, storageReads: 1 }), 1);
});

test('slow reads in which storage reads nothing were interrupted, if they are few', async (t) => {
  assert.equal(await mostChunksInUse(t, { readMs: 3, slowReads: 7 }), 1);
});
