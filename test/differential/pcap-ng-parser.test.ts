import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Transform } from 'node:stream';
import { after, test } from 'node:test';
import { scan } from '#sealert/node/scan.js';
import { readWithPcapNgParser } from '#sealert/node/second-reader.js';
import { anyFrames } from '../support/capture-arbitraries.js';
import { PcapngBuilder, pcapng, type TestFrame } from '../support/capture-builder.js';
import { softetherDialogue } from '../support/dialogue.js';
import { samplePath } from '../support/paths.js';
import fc from '../support/property.js';
import { copyFrames, type ReadFrame, readFrames } from '../support/read.js';

const PcapNgParser = createRequire(import.meta.url)('pcap-ng-parser') as new () => Transform;

const folder = mkdtempSync(join(tmpdir(), 'sealert-'));
after(() => rmSync(folder, { recursive: true }));

function saved(name: string, capture: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, capture);
  return path;
}

/// The packets that the package itself gives.
async function packetsOfPackage(capture: Uint8Array): Promise<{ timeUs: number; bytes: Uint8Array }[]> {
  const parser = new PcapNgParser();
  const packets: { timeUs: number; bytes: Uint8Array }[] = [];
  parser.on('data', ({ timestampHigh, timestampLow, data }) => {
    packets.push({ timeUs: timestampHigh * 2 ** 32 + timestampLow, bytes: new Uint8Array(data) });
  });
  await new Promise((resolve) => parser.write(capture, resolve));
  await new Promise(setImmediate);
  return packets;
}

/// Pieces of a few lengths, as a stream gives them.
async function* pieces(capture: Uint8Array, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < capture.length; at += size) yield Buffer.from(capture.subarray(at, at + size));
}

async function throughSecondReader(capture: Uint8Array, size = 65_536) {
  const frames: ReadFrame[] = [];
  const summary = await readWithPcapNgParser(pieces(capture, size), (batch) => copyFrames(batch, frames));
  return { frames, summary };
}

const anyPackets = anyFrames().filter((frames) => frames.length > 0);

test('the package and the project take the same packets out of a file', async () => {
  await fc.assert(
    fc.asyncProperty(anyPackets, fc.boolean(), async (frames, littleEndian) => {
      const capture = pcapng(frames, littleEndian);
      const ours = readFrames(capture).frames.map(({ timeUs, bytes }) => ({ timeUs, bytes }));
      assert.deepEqual(await packetsOfPackage(capture), ours);
    }),
  );
});

test('the second reader gives what the first does, but for original lengths', async () => {
  await fc.assert(
    fc.asyncProperty(anyPackets, fc.integer({ min: 300, max: 2000 }), async (frames, size) => {
      const capture = pcapng(frames);
      const first = readFrames(capture);
      const second = await throughSecondReader(capture, size);
      const complete = first.frames.map((frame) => ({ ...frame, originalLen: frame.bytes.length }));
      assert.deepEqual(second.frames, complete);
      const { format, bytes, packets, firstUs, lastUs, damage } = second.summary;
      const facts = { format, bytes, packets, firstUs, lastUs, damage };
      assert.deepEqual(first.summary, { ...first.summary, ...facts });
    }),
  );
});

test('the second reader knows resolutions and link types by the first', async () => {
  const frame = Uint8Array.of(1, 2, 3);
  const capture = new PcapngBuilder()
    .section()
    // The package reads beyond the block if a name is shorter than three bytes.
    .interface({ name: 'test0', linkType: 101, tsresol: 9 })
    .packet(frame, { ticks: 1_795_395_600_123_456_789n })
    .bytes();
  const { frames } = await throughSecondReader(capture);
  assert.deepEqual(frames, readFrames(capture).frames);
  assert.equal(frames[0]!.timeUs, 1_795_395_600_123_456);
});

async function sessionsOf(path: string, reader: 'sealert' | 'pcap-ng-parser') {
  const { inputs, sessions, diagnostics } = await scan([path], { command: 'test', reader });
  assert.equal(inputs[0]!.error, undefined);
  return { sessions, diagnostics };
}

test('both readers lead to the same sessions', async () => {
  const recorded = readFrames(readFileSync(samplePath('direct-tcp8'))).frames;
  const CAPTURES: [name: string, frames: TestFrame[]][] = [
    ['synthetic', softetherDialogue({ seed: 11, additional: 2 })],
    ['recorded', recorded],
  ];
  for (const [name, frames] of CAPTURES) {
    const path = saved(`${name}.pcapng`, pcapng(frames));
    const first = await sessionsOf(path, 'sealert');
    assert.equal(first.sessions.length, 1);
    assert.deepEqual(await sessionsOf(path, 'pcap-ng-parser'), first);
  }
});

test('what the package cannot read is said, with what to do', async () => {
  const bare = new PcapngBuilder().section().interface().packet(Uint8Array.of(1)).bytes();
  const foreign = new TextEncoder().encode('this is no capture at all, however long it goes on');
  for (const capture of [bare, foreign]) {
    const { frames, summary } = await throughSecondReader(capture);
    assert.deepEqual(frames, []);
    assert.match(summary.notACapture!, /pcap-ng-parser .*; read it without --reader pcap-ng-parser$/);
  }
});
