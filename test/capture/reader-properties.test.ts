import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyChunks, anyFrames } from '../support/capture-arbitraries.js';
import { concat, PcapngBuilder, pcap, pcapng, type TestFrame } from '../support/capture-builder.js';
import fc from '../support/property.js';
import { readFrames, readFramesInChunks } from '../support/read.js';

const anyCapture = fc.oneof(
  fc
    .record({ frames: anyFrames(), littleEndian: fc.boolean(), nanoseconds: fc.boolean() })
    .map(({ frames, ...options }) => pcap(frames, options)),
  fc.tuple(anyFrames(), fc.boolean()).map(([frames, littleEndian]) => pcapng(frames, littleEndian)),
  fc.tuple(anyFrames(5), anyFrames(5)).map(([a, b]) => concat(pcapng(a, true), pcapng(b, false))),
);

test('in whatever pieces a capture comes, it gives the same frames', () => {
  fc.assert(
    fc.property(anyCapture, anyChunks(), (capture, chunks) => {
      const whole = readFrames(capture);
      assert.deepEqual(readFrames(capture, chunks), whole);
      assert.deepEqual(readFramesInChunks(capture, chunks), whole);
    }),
    { numRuns: 200 },
  );
});

test('a large capture in chunks of a file source', () => {
  const builder = new PcapngBuilder().section().interface();
  for (let i = 0; i < 40; i++) builder.packet(new Uint8Array(i * 3000 + 1).fill(i), { ticks: BigInt(i) });
  builder.block(10, (body) => body.raw(new Uint8Array(2_500_000))).packet(Uint8Array.of(1));
  const capture = builder.bytes();
  const whole = readFrames(capture);
  assert.equal(whole.frames.length, 41);
  for (const size of [1 << 20, 524_288, 65_536, 100_003]) {
    const chunks = Array(Math.floor(capture.length / size)).fill(size);
    assert.deepEqual(readFramesInChunks(capture, chunks), whole);
  }
});

test('pcap and pcapng, both byte orders: the same frames', () => {
  fc.assert(
    fc.property(anyFrames(), (frames) => {
      const expected = readFrames(pcap(frames));
      assert.deepEqual(
        expected.frames,
        frames.map((frame, i) => ({ frame: i + 1, linkType: 1, ...frame })),
      );
      assert.deepEqual(readFrames(pcap(frames, { littleEndian: false })), expected);
      assert.deepEqual(readFrames(pcap(frames, { nanoseconds: true })).frames, expected.frames);
      for (const littleEndian of [true, false]) {
        assert.deepEqual(readFrames(pcapng(frames, littleEndian)).frames, expected.frames);
      }
    }),
  );
});

test('any beginning of a capture gives a beginning of its frames', () => {
  fc.assert(
    fc.property(anyCapture, fc.double({ min: 0, max: 1, noNaN: true }), (capture, share) => {
      const { frames } = readFrames(capture.subarray(0, Math.floor(capture.length * share)));
      assert.deepEqual(frames, readFrames(capture).frames.slice(0, frames.length));
    }),
  );
});

test('changed bytes never make the reader throw or invent bytes, and every byte is accounted for', () => {
  const anyChange = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(anyCapture, fc.array(anyChange, { minLength: 1, maxLength: 8 }), (capture, changes) => {
      const changed = capture.slice();
      for (const [at, value] of changes) changed[at % changed.length] = value;
      const { frames, summary } = readFrames(changed);
      assert.equal(summary.bytes, changed.length);
      assert.equal(summary.packets, frames.length);
      // The length of a packet in front of damage may be what is wrong: what it covers is looked through again.
      const doubted = new Set(summary.damage.map(({ afterFrame }) => afterFrame));
      const stored = frames
        .filter((_, i) => !doubted.has(i + 1))
        .reduce((sum, { bytes }: TestFrame) => sum + bytes.length, 0);
      assert.ok(stored <= changed.length);
      for (const { originalLen, bytes } of frames) assert.ok(originalLen >= bytes.length);
      for (const { offset, bytesLost } of summary.damage) assert.ok(offset + bytesLost <= changed.length);
    }),
    { numRuns: 300 },
  );
});
