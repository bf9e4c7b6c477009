import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CaptureReader } from '#sealert/capture/reader.js';
import { peek, readFile, readStream } from '#sealert/node/file-source.js';
import { MAX_UNPACKED_RATIO } from '#sealert/node/limits.js';
import { type Compression, compressionOf } from '#sealert/node/unpack/compression.js';
import { BrokenStream } from '#sealert/node/unpack/stored-bytes.js';
import { unpack } from '#sealert/node/unpack/unpack.js';
import { concat } from '../support/capture-builder.js';
import { temporaryFolder } from '../support/cli.js';
import { PACKED } from '../support/packed.js';
import { samplePath } from '../support/paths.js';
import { tinyPcap } from '../support/tiny-pcap.js';

const CAPTURE = tinyPcap(40);
const FILES = Object.entries(PACKED).map(([name, base64]) => [name, fromBase64(base64)] as const);

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Unpacked {
  bytes: Uint8Array;
  broken: BrokenStream | undefined;
}

/// What comes out of `stored`, arriving in pieces of `size`, and what ended it.
async function unpacked(stored: Uint8Array, size = stored.length, again = true): Promise<Unpacked> {
  const parts: Uint8Array[] = [];
  const take = (part: Uint8Array) => void parts.push(part.slice());
  const reopen = again ? () => pieces(stored, size) : undefined;
  try {
    await unpack(compressionOf(stored)!, pieces(stored, size), take, reopen);
    return { bytes: concat(...parts), broken: undefined };
  } catch (error) {
    assert.ok(error instanceof BrokenStream, String(error));
    return { bytes: concat(...parts), broken: error };
  }
}

test('what the programs packed comes out, however it arrives', async () => {
  assert.equal(FILES.length, 7);
  for (const [name, stored] of FILES) {
    assert.equal(compressionOf(stored), name.split(' ')[0]);
    for (const size of [stored.length, 1000, 7, 1]) {
      const { bytes, broken } = await unpacked(stored, size);
      assert.equal(broken, undefined, name);
      assert.deepEqual(bytes, CAPTURE, `${name} in pieces of ${size}`);
    }
  }
});

test('zstd and lz4 pass over skippable frames', async () => {
  const skippable = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  const [zstd, lz4] = [fromBase64(PACKED.zstd!), fromBase64(PACKED.lz4!)];
  for (const stored of [concat(skippable, zstd), concat(zstd, skippable), concat(lz4, skippable)]) {
    assert.deepEqual(await unpacked(stored, 5), { bytes: CAPTURE, broken: undefined });
  }
});

test('of a stream cut anywhere, what comes out is the beginning', async () => {
  for (const [name, stored] of FILES) {
    let longest = 0;
    for (let cut = 6; cut < stored.length; cut++) {
      const { bytes, broken } = await unpacked(stored.subarray(0, cut));
      assert.deepEqual(bytes, CAPTURE.subarray(0, bytes.length), `${name} cut at ${cut}`);
      assert.ok(bytes.length >= longest, `${name} cut at ${cut}: less than of a shorter one`);
      longest = bytes.length;
      if (broken === undefined) continue;
      assert.equal(broken.kind, 'cut', `${name} cut at ${cut}`);
      assert.ok(broken.at <= cut);
    }
    assert.ok(longest >= 1500, name);
  }
});

test('a stream with a wrong byte anywhere ends, and the first member is not lost', async () => {
  for (const [name, stored] of FILES) {
    const second = (await firstMember(stored)) ?? 0;
    for (let at = 0; at < stored.length; at++) {
      const wrong = stored.slice();
      wrong[at]! ^= 0x55;
      if (compressionOf(wrong) === null) continue;
      const { bytes, broken } = await unpacked(wrong);
      if (at < second) continue;
      assert.deepEqual(bytes.subarray(0, 1500), CAPTURE.subarray(0, 1500), `${name}, byte ${at}`);
      if (broken !== undefined) assert.ok(broken.at <= stored.length, `${name}, byte ${at}`);
    }
  }
});

/// Length of the first of the two members: the shortest beginning that is whole and gives 1500 bytes.
async function firstMember(stored: Uint8Array): Promise<number | undefined> {
  for (let cut = 20; cut < stored.length; cut++) {
    const { bytes, broken } = await unpacked(stored.subarray(0, cut));
    if (broken === undefined && bytes.length === 1500) return cut;
  }
  return undefined;
}

test('all that comes before a wrong byte is kept, from a file to the last byte', async (t) => {
  const capture = tinyPcap(20_000);
  for (const program of ['gzip', 'xz']) {
    const { stdout, error } = spawnSync(program, ['-c'], { input: capture, maxBuffer: 1 << 26 });
    if (error) {
      t.diagnostic(`SKIPPED: ${program} is not installed`);
      continue;
    }
    const whole = new Uint8Array(stdout);
    const at = whole.length >> 1;
    const wrong = whole.slice();
    wrong.fill(0xff, at, at + 40);
    // What comes out of the bytes before the wrong ones.
    const before = (await unpacked(whole.subarray(0, at))).bytes;
    assert.ok(before.length > capture.length / 3);
    // As many as a decoder takes at a time, or fewer.
    for (const size of [whole.length, 30_000]) {
      const fromFile = await unpacked(wrong, size);
      const fromPipe = await unpacked(wrong, size, false);
      assert.equal(fromFile.broken!.kind, 'damaged');
      assert.ok(fromFile.broken!.at >= at, `${fromFile.broken!.at}`);
      assert.deepEqual(fromFile.bytes.subarray(0, before.length), before, program);
      assert.ok(fromPipe.bytes.length <= fromFile.bytes.length);
    }
  }
});

test('a wrong checksum at the end loses nothing', async () => {
  const stored = new Uint8Array(gzipSync(tinyPcap(20_000)));
  stored[stored.length - 6]! ^= 1;
  const { bytes, broken } = await unpacked(stored);
  assert.deepEqual(bytes, tinyPcap(20_000));
  assert.match(broken!.message, /incorrect data check/);
});

test('zstd and lz4: a wrong checksum is said, and the frames after it are read', async () => {
  for (const name of ['zstd', 'lz4', 'lz4 with linked blocks and all checksums']) {
    const stored = fromBase64(PACKED[name]!);
    const end = (await firstMember(stored))!;
    stored[end - 1]! ^= 1;
    const { bytes, broken } = await unpacked(stored);
    assert.deepEqual(bytes, CAPTURE);
    assert.equal(broken!.kind, 'damaged');
    assert.equal(broken!.at, end - 4);
    assert.match(broken!.message, /checksum of the frame that ends here is wrong/);
  }
});

test('a long capture in every compression whose program is installed', async (t) => {
  const capture = new Uint8Array(readFileSync(samplePath('direct-default')));
  const long = concat(
    capture,
    ...Array.from({ length: 30 }, () => capture.subarray(24)),
    new Uint8Array(3_000_000),
  );
  const programs = [
    'gzip',
    'zstd',
    'zstd --long=27',
    'lz4',
    'lz4 -BD',
    'lz4 -l',
    'bzip2',
    'bzip2 -1',
    'xz -1',
    'xz -9',
  ];
  for (const program of programs) {
    const [command, ...options] = program.split(' ');
    const { stdout, error } = spawnSync(command!, [...options, '-c'], { input: long, maxBuffer: 1 << 26 });
    if (error) t.diagnostic(`SKIPPED: ${command} is not installed`);
    else
      assert.deepEqual(
        await unpacked(new Uint8Array(stdout), 65_536),
        { bytes: long, broken: undefined },
        program,
      );
  }
});

test('what is beyond us is named and not called damage', async () => {
  const dictionary = fromBase64(PACKED.zstd!);
  dictionary[4]! |= 1;
  // A window of 2^(10 + 20) bytes.
  const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  for (const [stored, why] of [
    [dictionary, /dictionary/],
    [window, /more than 128 MiB/],
  ] as const) {
    const { broken } = await unpacked(stored);
    assert.equal(broken!.kind, 'beyond');
    assert.match(broken!.message, why);
  }
});

test('more than any capture can need out of few bytes ends at the limit', async () => {
  // A zstd frame of blocks of 131072 zeros each, in four bytes.
  const header = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38);
  const block = Uint8Array.of(0x02, 0x00, 0x10, 0x00);
  const stored = concat(header, ...Array.from({ length: 20_000 }, () => block));
  let bytes = 0;
  let largest = 0;
  const take = (part: Uint8Array) => {
    bytes += part.length;
    largest = Math.max(largest, part.length);
  };
  await assert.rejects(
    unpack('zstd', pieces(stored, 65_536), take),
    (error) => error instanceof BrokenStream && error.kind === 'beyond' && /stored/.test(error.message),
  );
  assert.ok(bytes > MAX_UNPACKED_RATIO * 1000 && bytes < 1.1 * 2 ** 30);
  assert.ok(largest <= 131_072);
});

async function summaryOf(t: TestContext, stored: Uint8Array) {
  const path = join(await temporaryFolder(t), 'capture');
  await writeFile(path, stored);
  const fromFile = new CaptureReader(() => {});
  const file = await readFile(path, fromFile, {});
  const fromPipe = new CaptureReader(() => {});
  const pipe = await readStream(Readable.from(pieces(stored, 3)) as Readable, fromPipe, {});
  assert.deepEqual(pipe, file);
  assert.deepEqual(fromPipe.summary, fromFile.summary);
  return { ...file, summary: fromFile.summary, peek: await peek(path) };
}

test('files and pipes: the capture inside, its first packet beforehand', async (t) => {
  for (const [name, stored] of FILES) {
    const { compression, bytes, summary, peek } = await summaryOf(t, stored);
    assert.equal(compression, name.split(' ')[0]);
    assert.equal(bytes, stored.length);
    assert.equal(summary.packets, 40);
    assert.deepEqual(summary.damage, []);
    assert.deepEqual(peek, { isCapture: true, size: stored.length, firstUs: summary.firstUs });
  }
});

test('what cuts a stream short is damage of the capture, with what to do', async (t) => {
  for (const [name, stored] of FILES) {
    // Legacy frames have no end of their own.
    if (name === 'lz4 legacy') continue;
    const { summary } = await summaryOf(t, stored.subarray(0, -9));
    assert.ok(summary.packets >= 18, name);
    assert.match(
      summary.damage[0]!.reason,
      /stream is cut off at byte \d+ of the compressed file \(it ends inside/,
    );
    assert.match(summary.damage[0]!.reason, /if there is a longer copy, scan that one/);
  }
});

test('one layer is unpacked', async (t) => {
  const path = join(await temporaryFolder(t), 'capture');
  const stored = gzipSync(gzipSync(CAPTURE));
  await writeFile(path, stored);
  const reader = new CaptureReader(() => {});
  assert.deepEqual(await readFile(path, reader, {}), { compression: 'gzip', bytes: stored.length });
  assert.match(reader.summary.notACapture!, /a gzip stream .*unpack/);
});

test('an aborted run stops', async () => {
  const abort = new AbortController();
  const zeros: Compression = 'zstd';
  const header = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38);
  async function* endless() {
    yield header;
    for (;;) yield Uint8Array.of(0x02, 0x00, 0x10, 0x00);
  }
  const reader = new CaptureReader(() => {});
  reader.push(tinyPcap(1));
  setTimeout(() => abort.abort(), 50);
  const { compression } = await readStream(Readable.from(endless()) as Readable, reader, {
    signal: abort.signal,
  });
  assert.equal(compression, zeros);
});
