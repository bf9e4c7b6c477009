import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Option, PcapngBuilder } from '../support/capture-builder.js';
import { type ReadCapture, readFrames } from '../support/read.js';

const A = Uint8Array.of(1, 2, 3, 4, 5);
const B = Uint8Array.of(9, 8, 7);

/// What the tests below are about: number, time, lengths and link type of each frame.
function rows({ frames }: ReadCapture) {
  return frames.map(({ frame, timeUs, bytes, originalLen, linkType }) => [
    frame,
    timeUs,
    [...bytes],
    originalLen,
    linkType,
  ]);
}

for (const littleEndian of [true, false]) {
  const section = () => new PcapngBuilder(littleEndian).section();
  const read = (builder: PcapngBuilder) => readFrames(builder.bytes());

  describe(`pcapng, ${littleEndian ? 'little' : 'big'}-endian`, () => {
    test('the three kinds of packet blocks', () => {
      const capture = read(
        section()
          .interface()
          .packet(A, { ticks: 1_795_395_600_123_456n, originalLen: 1500 })
          .obsoletePacket(B, { ticks: 1_795_395_600_123_457n })
          .simplePacket(A),
      );
      assert.deepEqual(rows(capture), [
        [1, 1_795_395_600_123_456, [...A], 1500, 1],
        [2, 1_795_395_600_123_457, [...B], 3, 1],
        // It has no time: that of the packet before it.
        [3, 1_795_395_600_123_457, [...A], 5, 1],
      ]);
      assert.deepEqual(capture.summary.damage, []);
    });

    test('a simple packet is as long as its block and the snap length allow', () => {
      const simple = (snapLen: number, originalLen: number) =>
        rows(read(section().interface({ snapLen }).simplePacket(A, originalLen)))[0]!.slice(2, 4);
      assert.deepEqual(simple(0, 5), [[...A], 5]);
      assert.deepEqual(simple(4, 5), [[1, 2, 3, 4], 5]);
      assert.deepEqual(simple(4, 3), [[1, 2, 3], 3]);
      // Cut without a snap length that says so: padding cannot be told from data.
      assert.deepEqual(simple(0, 1500), [[...A, 0, 0, 0], 1500]);
    });

    test('interfaces of different link types and resolutions', () => {
      const capture = read(
        section()
          .interface({ linkType: 1, name: 'eth0' })
          .interface({ linkType: 113, tsresol: 9 })
          .interface({ linkType: 276, tsresol: 3, tsoffset: -5n })
          .packet(A, { interface: 2, ticks: 10_001n })
          .packet(B, { interface: 0, ticks: 10_001n })
          .obsoletePacket(B, { interface: 1, ticks: 10_001n }),
      );
      assert.deepEqual(rows(capture), [
        [1, 5_001_000, [...A], 5, 276],
        [2, 10_001, [...B], 3, 1],
        [3, 10, [...B], 3, 113],
      ]);
      assert.equal(capture.summary.finerThanMicroseconds, true);
      assert.equal(capture.summary.firstUs, 5_001_000);
      assert.equal(capture.summary.lastUs, 10);
    });

    test('a further section begins with no interfaces, in its own byte order', () => {
      const capture = read(
        section()
          .interface({ linkType: 113 })
          .packet(A)
          .section(!littleEndian)
          .interface({ linkType: 101 })
          .packet(B)
          .section()
          .packet(A),
      );
      assert.deepEqual(
        rows(capture).map(([frame, , , , linkType]) => [frame, linkType]),
        [
          [1, 113],
          [2, 101],
        ],
      );
      assert.match(capture.summary.damage[0]!.reason, /interface 0/);
    });

    test('drop counts: the largest of each interface, summed up', () => {
      const capture = read(
        section()
          .interface()
          .interface()
          .statistics(0, { ifdrop: 3n, osdrop: 5n })
          .statistics(1, { ifdrop: 10n })
          .statistics(0, { ifdrop: 6n, osdrop: 2n })
          .statistics(7, { ifdrop: 1000n })
          .section()
          .interface()
          .statistics(0, { osdrop: 100n }),
      );
      assert.equal(capture.summary.dropped, 6 + 10 + 100);
      assert.equal(read(section().interface().statistics(0, {})).summary.dropped, null);
      assert.equal(read(section().interface().statistics(0, { ifdrop: 0n })).summary.dropped, 0);
    });

    test('other blocks are passed over; custom blocks and events take a frame number', () => {
      const builder = section().interface();
      const unnumbered = [0x0a, 4, 0x0000_0bae, 0x8000_0000, 0x7fff_ffff, 7];
      for (const type of unnumbered) builder.block(type, (body) => body.raw(new Uint8Array(40).fill(6)));
      builder.packet(A);
      for (const type of [0x0bad, 0x4000_0bad]) builder.block(type, (body) => body.u32(32_473).raw(B));
      builder.packet(B).block(9, (body) => body.raw(A));
      const capture = read(builder.packet(A));
      assert.deepEqual(
        rows(capture).map(([frame]) => frame),
        [1, 4, 6],
      );
      assert.equal(capture.summary.packets, 3);
      assert.deepEqual(capture.summary.damage, []);
    });

    test('drop counts of packets, beside those of the interface', () => {
      const count = (drops: bigint): Option => {
        const value = new Uint8Array(8);
        new DataView(value.buffer).setBigUint64(0, drops, littleEndian);
        return [4, value];
      };
      const flags: Option = [2, new Uint8Array(4)];
      const capture = section()
        .interface()
        .interface()
        .packet(A, { options: [flags, count(2n)] })
        .packet(A, { options: [flags] })
        .packet(A, { options: [count(3n)] })
        .packet(A, { interface: 1, options: [count(7n)] })
        .obsoletePacket(B, {}, 4)
        .obsoletePacket(B);
      assert.equal(read(capture).summary.dropped, 2 + 3 + 4 + 7);
      // What the interface counts includes them, or misses some.
      assert.equal(read(capture.statistics(0, { osdrop: 5n })).summary.dropped, 16);
      assert.equal(read(capture.statistics(0, { osdrop: 10n })).summary.dropped, 17);
      assert.equal(
        read(
          section()
            .interface()
            .packet(A, { options: [flags] }),
        ).summary.dropped,
        null,
      );
      // An option that runs out of its block, and one of a wrong length.
      const broken = section()
        .interface()
        .packet(A, { options: [[4, Uint8Array.of(1)]] });
      assert.equal(read(broken).summary.dropped, null);
    });

    test('options of any kind and length, ended or not', () => {
      const comment: Option = [1, new TextEncoder().encode('seven b')];
      const empty: Option = [1, new Uint8Array(0)];
      const capture = read(
        section()
          .interface({ name: 'eth0', options: [comment, empty, [9, Uint8Array.of(3)]] })
          .packet(A, { ticks: 2n, options: [comment, [2, Uint8Array.of(0, 0, 0, 1)]] })
          // What follows the end of the options is not read.
          .interface({ linkType: 113, options: [comment, [0, empty[1]], [9, Uint8Array.of(0)]] })
          // An option that claims more than the block holds ends the options, nothing else.
          .block(1, (body) =>
            body
              .u16(101)
              .u16(0)
              .u32(0)
              .u16(9)
              .u16(200)
              .raw(Uint8Array.of(3, 0, 0, 0)),
          )
          .packet(B, { interface: 2, ticks: 2n })
          .packet(B, { interface: 1, ticks: 2n }),
      );
      assert.deepEqual(rows(capture), [
        [1, 2000, [...A], 5, 1],
        [2, 2, [...B], 3, 101],
        [3, 2, [...B], 3, 113],
      ]);
    });

    test('a block whose length leaves out its padding', () => {
      const builder = section().interface();
      const end = (n: number) =>
        new PcapngBuilder(littleEndian)
          .block(6, () => {}, n)
          .bytes()
          .slice(8);
      const whole = new PcapngBuilder(littleEndian).packet(B).bytes();
      const length = whole.length - 1;
      const unpadded = whole.slice();
      unpadded.set(end(length), 4);
      unpadded.set(end(length), whole.length - 4);
      assert.deepEqual(rows(read(builder.raw(unpadded).packet(A))), [
        [1, 0, [...B], 3, 1],
        [2, 0, [...A], 5, 1],
      ]);
    });

    test('of an overlong block only the beginning is looked at', () => {
      const long: Option = [2988, new Uint8Array(65_532)];
      const builder = section()
        .interface()
        .packet(A, { options: Array(10).fill(long) });
      builder.block(10, (body) => body.raw(new Uint8Array(3_000_000).fill(6))).packet(B);
      const capture = read(builder);
      assert.deepEqual(rows(capture), [
        [1, 0, [...A], 5, 1],
        [2, 0, [...B], 3, 1],
      ]);
      assert.deepEqual(capture.summary.damage, []);
      assert.equal(capture.summary.bytes, builder.length);
    });
  });
}

test('more interfaces than the limit: packets of the others are read', () => {
  const builder = new PcapngBuilder().section().interface({ linkType: 101 });
  const more = new PcapngBuilder().interface().bytes();
  const all = new Uint8Array(more.length * 65_536);
  for (let at = 0; at < all.length; at += more.length) all.set(more, at);
  builder.raw(all).packet(A, { interface: 65_535 }).packet(B);
  const at = builder.length;
  const { frames, summary } = readFrames(builder.packet(A, { interface: 65_536 }).bytes());
  assert.deepEqual(
    frames.map(({ linkType }) => linkType),
    [1, 101],
  );
  assert.equal(summary.damage[0]!.offset, at);
  assert.match(summary.damage[0]!.reason, /limit of 65536 interfaces/);
});
