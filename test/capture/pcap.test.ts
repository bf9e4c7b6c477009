import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PCAP_HEADER_BYTES, PCAP_RECORD_BYTES, type PcapOptions, pcap } from '../support/capture-builder.js';
import { readFrames } from '../support/read.js';

const FRAMES = [
  { timeUs: 0, bytes: Uint8Array.of(1), originalLen: 1 },
  { timeUs: 1_795_395_600_123_456, bytes: Uint8Array.of(2, 3), originalLen: 1500 },
  { timeUs: 4_294_967_295_999_999, bytes: new Uint8Array(0), originalLen: 0 },
];

const VARIANTS: [name: string, options: PcapOptions, finer: boolean][] = [
  ['microseconds', {}, false],
  ['nanoseconds, rounded down', { nanoseconds: true }, true],
  ['longer record headers', { modified: true }, false],
  ['another link type', { linkType: 276 }, false],
  ["version 2.2 in today's order of lengths", { version: [2, 2] }, false],
  ['version 2.2 with the lengths the other way round', { version: [2, 2], swapLengths: true }, false],
  ['version 2.3 with the lengths the other way round', { version: [2, 3], swapLengths: true }, false],
  ['a link type with the length of a frame check sequence', { linkType: 0x2400_0001 }, false],
];

for (const [name, options, finer] of VARIANTS) {
  for (const littleEndian of [true, false]) {
    test(`pcap ${littleEndian ? 'little' : 'big'}-endian: ${name}`, () => {
      const { frames, summary } = readFrames(pcap(FRAMES, { ...options, littleEndian }));
      const linkType = (options.linkType ?? 1) & 0x03ff_ffff;
      assert.deepEqual(
        frames,
        FRAMES.map((frame, i) => ({ frame: i + 1, linkType, ...frame })),
      );
      assert.deepEqual(summary, {
        format: 'pcap',
        finerThanMicroseconds: finer,
        interfaces: [],
        bytes: PCAP_HEADER_BYTES + 3 * (options.modified ? 24 : PCAP_RECORD_BYTES) + 3,
        packets: 3,
        firstUs: 0,
        lastUs: 4_294_967_295_999_999,
        dropped: null,
        damage: [],
        damageLeftOut: { places: 0, bytesLost: 0 },
        limitsHit: {},
        notACapture: null,
      });
    });
  }
}

test('a header without packets is a complete capture', () => {
  const { frames, summary } = readFrames(pcap([]));
  assert.deepEqual(frames, []);
  assert.equal(summary.format, 'pcap');
  assert.deepEqual(summary.damage, []);
  assert.ok(Number.isNaN(summary.firstUs) && Number.isNaN(summary.lastUs));
});

test('an original length that cannot be is taken for the captured one', () => {
  const bytes = new Uint8Array(60);
  for (const originalLen of [0, 59, 0x8000_0000, 0xffff_ffff]) {
    const { frames } = readFrames(pcap([{ timeUs: 0, bytes, originalLen }]));
    assert.equal(frames[0]!.originalLen, 60, `${originalLen}`);
  }
});

test('a packet of the largest size, and more frames than fit one batch', () => {
  const many = Array.from({ length: 5000 }, (_, i) => ({ timeUs: i, bytes: Uint8Array.of(i, i >> 8) }));
  const largest = { timeUs: 5000, bytes: new Uint8Array(262_144).fill(7) };
  const { frames, summary } = readFrames(pcap([...many, largest]));
  assert.equal(summary.packets, 5001);
  assert.deepEqual(
    frames.map(({ frame, timeUs }) => frame - timeUs),
    Array(5001).fill(1),
  );
  assert.deepEqual(frames[4999]!.bytes, many[4999]!.bytes);
  assert.deepEqual(frames[5000]!.bytes, largest.bytes);
});
