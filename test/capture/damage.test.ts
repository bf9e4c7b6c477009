import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaptureDamage } from '#sealert/capture/capture-summary.js';
import { CaptureReader } from '#sealert/capture/reader.js';
import {
  ByteWriter,
  concat,
  PCAP_HEADER_BYTES,
  PCAP_RECORD_BYTES,
  PcapngBuilder,
  pcap,
  type TestFrame,
} from '../support/capture-builder.js';
import { readFrames } from '../support/read.js';

const FRAME: TestFrame = { timeUs: 7, bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) };

/// Bytes after every break, all of them lost.
const REST = new Uint8Array(100).fill(0xdb);

function placeOf({ offset, reason, bytesLost }: CaptureDamage) {
  return { offset, reason, bytesLost };
}

interface Break {
  name: string;
  /// The capture up to the broken record, and the record.
  before: Uint8Array;
  broken: Uint8Array;
  reason: RegExp;
  frames: number;
}

function pcapRecord(capturedLen: number): Uint8Array {
  return new ByteWriter(true).u32(0).u32(0).u32(capturedLen).u32(60).raw(new Uint8Array(60)).bytes();
}

function pcapngBreak(name: string, reason: RegExp, write: (broken: PcapngBuilder) => void): Break {
  const before = new PcapngBuilder().section().interface().packet(FRAME.bytes).bytes();
  const broken = new PcapngBuilder();
  write(broken);
  return { name, before, broken: broken.bytes(), reason, frames: 1 };
}

const BREAKS: Break[] = [
  {
    name: 'pcap: a length that no program writes',
    before: pcap([FRAME, FRAME]),
    broken: pcapRecord(262_145),
    reason: /claims 262145 captured bytes/,
    frames: 2,
  },
  pcapngBreak('a block shorter than its own header', /length of 8 bytes/, (broken) =>
    broken.raw(new ByteWriter(true).u32(6).u32(8).u32(8).bytes()),
  ),
  pcapngBreak('two lengths that differ', /begins with the length 24 but ends with 28/, (broken) =>
    broken.block(10, (body) => body.raw(new Uint8Array(12)), 28),
  ),
  pcapngBreak('no byte order', /byte-order magic 0xdeadbeef/, (broken) =>
    broken.block(0x0a0d0d0a, (body) => body.u32(0xefbe_adde).raw(new Uint8Array(12))),
  ),
  pcapngBreak('a short section header', /section header is shorter/, (broken) =>
    broken.block(0x0a0d0d0a, (body) => body.u32(0x1a2b3c4d)),
  ),
  pcapngBreak('a version to come', /version 2\.1 is unknown/, (broken) => broken.section(true, [2, 1])),
  pcapngBreak('a short interface description', /interface description is shorter/, (broken) =>
    broken.block(1, (body) => body.u16(1)),
  ),
  pcapngBreak('a short enhanced packet', /enhanced packet block is shorter/, (broken) =>
    broken.block(6, (body) => body.raw(new Uint8Array(16))),
  ),
  pcapngBreak('a short packet', /packet block is shorter/, (broken) =>
    broken.block(2, (body) => body.raw(new Uint8Array(16))),
  ),
  pcapngBreak('a short simple packet', /simple packet block is shorter/, (broken) =>
    broken.block(3, () => {}),
  ),
  pcapngBreak('more packet bytes than the block has', /claims 9 captured bytes/, (broken) =>
    broken.packet(FRAME.bytes, { capturedLen: 9 }),
  ),
  pcapngBreak('a packet block, the same', /claims 9 captured bytes/, (broken) =>
    broken.obsoletePacket(FRAME.bytes, { capturedLen: 9 }),
  ),
  pcapngBreak('an overlong packet', /claims 262145 captured bytes/, (broken) =>
    broken.packet(new Uint8Array(262_145)),
  ),
  pcapngBreak(
    'an interface that was not described',
    /interface 3, but the section describes only one/,
    (broken) => broken.packet(FRAME.bytes, { interface: 3 }),
  ),
];

for (const { name, before, broken, reason, frames } of BREAKS) {
  test(`damage: ${name}`, () => {
    const capture = concat(before, broken, REST);
    const read = readFrames(capture);
    assert.equal(read.frames.length, frames);
    assert.equal(read.summary.damage.length, 1);
    const [damage] = read.summary.damage;
    assert.match(damage!.reason, reason);
    assert.equal(damage!.offset, before.length);
    assert.equal(damage!.bytesLost, broken.length + REST.length);
    // In whatever pieces it came, and however much came after.
    assert.deepEqual(readFrames(capture, Array(50).fill(7)).summary, read.summary);
  });
}

/// Cuts a capture at every byte. `ends` are the offsets after each record with
/// a packet, `boundaries` all offsets between records.
function checkEveryCut(capture: Uint8Array, headerEnd: number, ends: number[], boundaries: number[]): void {
  const all = readFrames(capture);
  for (let cut = 1; cut < capture.length; cut++) {
    const { frames, summary } = readFrames(capture.subarray(0, cut));
    if (cut < headerEnd) {
      assert.equal(summary.format, null, `cut at ${cut}`);
      assert.ok(summary.notACapture!.length > 0);
      continue;
    }
    const whole = ends.filter((end) => end <= cut).length;
    assert.deepEqual(frames, all.frames.slice(0, whole), `cut at ${cut}`);
    assert.equal(summary.packets, whole);
    const boundary = boundaries.filter((end) => end <= cut).at(-1)!;
    if (boundary === cut) assert.deepEqual(summary.damage, []);
    else {
      const { offset, bytesLost, reason } = summary.damage[0]!;
      assert.deepEqual([offset, bytesLost], [boundary, cut - boundary], `cut at ${cut}`);
      assert.match(reason, /^the file ends inside/);
    }
  }
}

test('a pcap cut at any byte', () => {
  for (const modified of [false, true]) {
    const capture = pcap([FRAME, { timeUs: 8, bytes: Uint8Array.of(9) }], { modified });
    const record = modified ? 24 : PCAP_RECORD_BYTES;
    const ends = [PCAP_HEADER_BYTES + record + 6, capture.length];
    checkEveryCut(capture, PCAP_HEADER_BYTES, ends, [PCAP_HEADER_BYTES, ...ends]);
  }
});

test('a pcapng cut at any byte', () => {
  const builder = new PcapngBuilder().section();
  const header = builder.length;
  const boundaries = [header];
  const mark = () => boundaries.push(builder.length);
  builder.interface({ tsresol: 9, name: 'eth0' });
  mark();
  builder.packet(FRAME.bytes, { ticks: 7000n, options: [[1, new TextEncoder().encode('hello')]] });
  mark();
  builder.statistics(0, { ifdrop: 1n });
  mark();
  builder.section(false).interface();
  boundaries.push(builder.length - 20);
  mark();
  builder.simplePacket(FRAME.bytes);
  mark();
  const ends = [boundaries[2]!, builder.length];
  checkEveryCut(builder.bytes(), header, ends, boundaries);
});

test('a file that ends inside a long block', () => {
  const builder = new PcapngBuilder().section().interface().packet(FRAME.bytes);
  builder.block(10, (body) => body.raw(new Uint8Array(900_000)));
  const capture = builder.bytes().subarray(0, builder.length - 100_000);
  for (const chunks of [[], [600_000], [1000, 500_000, 90_000]]) {
    const { frames, summary } = readFrames(capture, chunks);
    assert.equal(frames.length, 1);
    assert.deepEqual(summary.damage.map(placeOf), [
      {
        offset: capture.length,
        reason: 'the file ends inside a long block: 100000 bytes more were announced',
        bytesLost: 0,
      },
    ]);
  }
});

test('a source that fails is damage where it failed', () => {
  const reason = 'reading failed: the device reports a read error';
  const readUntil = (length: number) => {
    const reader = new CaptureReader(() => {});
    reader.push(pcap([FRAME, FRAME]).subarray(0, length));
    reader.end(reason);
    return reader.summary;
  };
  assert.deepEqual(readUntil(46).damage.map(placeOf), [{ offset: 46, reason, bytesLost: 0 }]);
  const [inside] = readUntil(50).damage;
  assert.deepEqual([inside!.offset, inside!.bytesLost], [46, 4]);
  assert.ok(inside!.reason.startsWith(`${reason}; the file ends inside`));
  assert.equal(readUntil(2).notACapture, reason);
});

test('what breaks before its first header is complete is no capture', () => {
  const cases: [Uint8Array, RegExp][] = [
    [pcap([FRAME], { version: [3, 0] }), /pcap version 3\.0 is unknown/],
    [new PcapngBuilder().section(true, [2, 0]).bytes(), /pcapng version 2\.0 is unknown/],
    [new TextEncoder().encode('\n\r\r\nno section header at all'), /byte-order magic/],
  ];
  for (const [capture, reason] of cases) {
    const { summary } = readFrames(capture);
    assert.equal(summary.format, null);
    assert.match(summary.notACapture!, reason);
    assert.deepEqual(summary.damage, []);
  }
});

const ERF_HEADER = [0, 0, 0, 0, 0, 0, 0, 0x60, 2, 4, 0, 80, 0, 0, 0, 60];

const FOREIGN: [name: string, head: number[] | string, expected: RegExp][] = [
  ['nothing', [], /^the file is empty/],
  ['a byte', [0], /begins with the bytes 00;/],
  ['gzip', [0x1f, 0x8b, 8, 0], /gzip stream where a capture was due.*unpack it first/],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd], /zstd/],
  ['lz4', [0x04, 0x22, 0x4d, 0x18], /lz4/],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], /xz/],
  ['bzip2', 'BZh9', /bzip2/],
  ['zip', 'PK\x03\x04', /zip archive.*; unpack it/],
  ['tar', `name${'\0'.repeat(253)}ustar`, /tar archive/],
  ['Network Monitor', 'GMBU', /Network Monitor.*; convert it with Wireshark: editcap -F pcapng/],
  ['5Views', [0xaa, 0xaa, 0xaa, 0xaa, 0x20, 0, 0, 0], /5Views/],
  ['Sniffer', 'TRSNIFF data    \x1a', /Sniffer/],
  ['Visual Networks', '\x05VNF', /Visual Networks/],
  ['CommView', [42, 0, 42, 0, 0, 0xea, 7, 11, 23, 3, 43, 22], /CommView/],
  ['CommView, newer', [42, 0, 0, 0, 0xea, 7, 11, 23, 3, 43, 22, 0], /CommView/],
  ['ERF', [...ERF_HEADER, ...Array(64).fill(0), ...ERF_HEADER], /Endace ERF.*editcap/],
  ['a program', '\x7fELF', /ELF/],
  ['PDF', '%PDF-1.7', /PDF/],
  ['zeros', Array(16).fill(0), /nothing but zeros/],
  ['text', 'Dear reader,\r\n\tthis is no capture.\n', /found text/],
  ['text', '\n<!DOCTYPE html><title>502', /HTML page.*fetch that again/],
  ['text', '0000  00 00 5e 00 53 01 02\n', /hex dump in text.*text2pcap/],
  ['anything else', [0xca, 0xfe, 0xba, 0xbe, 1], /begins with the bytes ca fe ba be;/],
];

test('foreign files are named, in whatever pieces they come', () => {
  for (const [name, head, expected] of FOREIGN) {
    const start =
      typeof head === 'string' ? Uint8Array.from(head, (c) => c.charCodeAt(0)) : Uint8Array.from(head);
    // A long text stays text, anything else goes on in bytes.
    const files: Uint8Array[] = [start];
    if (start.length > 0) files.push(concat(start, new Uint8Array(900).fill(name === 'text' ? 0x61 : 0)));
    for (const file of files) {
      const { frames, summary } = readFrames(file);
      assert.deepEqual(frames, []);
      assert.equal(summary.format, null);
      if (name !== 'a byte' || file.length === 1) assert.match(summary.notACapture!, expected, name);
      assert.match(summary.notACapture!, /a pcap, pcapng or snoop capture was expected/);
      assert.deepEqual(summary.damage, []);
      assert.equal(readFrames(file, [1, 3, 1]).summary.notACapture, summary.notACapture, name);
    }
  }
});
