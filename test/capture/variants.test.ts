import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, type PcapOptions, pcap, snoop, type TestFrame } from '../support/capture-builder.js';
import { readFrames } from '../support/read.js';

const NOW_US = 1_795_395_600_123_456;
const FRAMES: TestFrame[] = [
  { timeUs: NOW_US, bytes: Uint8Array.of(1, 2, 3, 4, 5) },
  { timeUs: NOW_US + 7, bytes: new Uint8Array(60).fill(9), originalLen: 1500 },
  { timeUs: NOW_US + 1_000_000, bytes: Uint8Array.of(6) },
];

function expected(linkType = 1) {
  return FRAMES.map(({ bytes, timeUs, originalLen = bytes.length }, i) => {
    return { frame: i + 1, timeUs, originalLen, linkType, bytes };
  });
}

const VARIANTS: [name: string, PcapOptions, linkType?: number][] = [
  ['Nokia, 4 bytes more in a record header', { extraBytes: 4 }],
  ['Red Hat 6.1, 8 bytes more', { extraBytes: 8 }],
  ['Kuznetsov, with a magic of his own', { modified: true }],
  ['SuSE 6.3, 4 bytes more than his', { modified: true, extraBytes: 12 }],
  ['IXIA hardware', { ixiaMagic: 0x1c0001ac, nanoseconds: true }],
  ['IXIA software', { ixiaMagic: 0x1c0001ab, nanoseconds: true }],
  ['AIX, Ethernet', { version: [2, 2], linkType: 6, nanoseconds: true, magic: 0xa1b2c3d4 }, 1],
  ['AIX, token ring', { version: [2, 2], linkType: 9, nanoseconds: true, magic: 0xa1b2c3d4 }, 6],
];

for (const [name, options, linkType] of VARIANTS) {
  test(`pcap variant: ${name}`, () => {
    for (const littleEndian of [true, false]) {
      const capture = pcap(FRAMES, { ...options, littleEndian });
      for (const chunks of [[], [30, 5, 5], Array(capture.length - 1).fill(1)]) {
        const { frames, summary } = readFrames(capture, chunks);
        assert.deepEqual(frames, expected(linkType));
        assert.deepEqual(summary.damage, []);
        assert.equal(summary.format, 'pcap');
      }
    }
  });
}

test('a plain pcap of one packet, of none, and one cut after its first packet stay plain', () => {
  for (const count of [0, 1]) {
    const { frames, summary } = readFrames(pcap(FRAMES.slice(0, count)), [25]);
    assert.deepEqual(frames, expected().slice(0, count));
    assert.deepEqual(summary.damage, []);
  }
  const one = pcap(FRAMES.slice(0, 1)).length;
  for (const more of [1, 4, 8, 15, 16, 20]) {
    const { frames, summary } = readFrames(pcap(FRAMES).subarray(0, one + more));
    assert.deepEqual(frames, expected().slice(0, 1), `${more} bytes more`);
    assert.equal(summary.damage[0]!.offset, one);
  }
});

test('snoop: frames, lengths, times and link types', () => {
  const LINK_TYPES: [number, number][] = [
    [0, 1],
    [2, 6],
    [4, 1],
    [8, 10],
    [18, 123],
    [99, 65_535],
  ];
  for (const [datalink, linkType] of LINK_TYPES) {
    const capture = snoop(FRAMES, datalink, 3);
    for (const chunks of [[], Array(capture.length - 1).fill(1)]) {
      const { frames, summary } = readFrames(capture, chunks);
      assert.deepEqual(frames, expected(linkType));
      assert.deepEqual([summary.format, summary.dropped, summary.damage], ['snoop', 3, []]);
    }
  }
});

test('snoop: cut anywhere, and broken', () => {
  const capture = snoop(FRAMES);
  for (let cut = 16; cut < capture.length - 3; cut++) {
    const { frames, summary } = readFrames(capture.subarray(0, cut));
    assert.deepEqual(frames, expected().slice(0, frames.length));
    if (summary.damage.length > 0) assert.match(summary.damage[0]!.reason, /^the file ends inside/);
  }
  const broken = capture.slice();
  // The record's length.
  broken.set([0, 0, 0, 20], 16 + 8);
  const { frames, summary } = readFrames(broken);
  assert.deepEqual(
    frames.map(({ timeUs }) => timeUs),
    FRAMES.slice(1).map(({ timeUs }) => timeUs),
  );
  assert.match(summary.damage[0]!.reason, /record of 20 bytes claims 5 captured bytes/);
  const version = capture.slice();
  version[11] = 3;
  assert.match(readFrames(version).summary.notACapture!, /snoop version 3 is unknown/);
});

test('zeros at the end are said, and are no packets', () => {
  const good = pcap(FRAMES);
  for (const zeros of [32, 256, 1000, 100_000]) {
    const { frames, summary } = readFrames(concat(good, new Uint8Array(zeros)));
    assert.deepEqual(frames, expected());
    assert.equal(summary.damage.length, 1);
    const said = summary.damage[0]!;
    assert.deepEqual([said.offset, said.bytesLost], [good.length, zeros]);
    assert.match(said.reason, /only zeros from here on: its end was never written/);
  }
  const further = readFrames(concat(good, new Uint8Array(1600), good.subarray(24)));
  assert.equal(further.frames.length, 6);
  assert.match(further.summary.damage[0]!.reason, /zero bytes stand where a packet record should begin/);
});
