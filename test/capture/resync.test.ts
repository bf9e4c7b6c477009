/// Damage in the middle of a capture: what was before is kept, what comes after
/// is found again, and nothing is taken for a packet that was none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaptureDamage } from '#sealert/capture/capture-summary.js';
import {
  concat,
  PCAP_RECORD_BYTES,
  PcapngBuilder,
  pcap,
  pcapng,
  snoop,
  type TestFrame,
} from '../support/capture-builder.js';
import fc from '../support/property.js';
import { Random } from '../support/random.js';
import { type ReadCapture, readFrames, readFramesInChunks } from '../support/read.js';

const START_US = 1_790_000_000 * 1e6;

/// Frames of random bytes, each at a time of its own.
function someFrames(count: number, seed = 1): TestFrame[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => ({
    bytes: random.bytes(random.between(14, 1500)),
    timeUs: START_US + i * 1013,
  }));
}

const FRAMES = someFrames(1500);

const CONTAINERS: [name: string, write: (frames: readonly TestFrame[]) => Uint8Array][] = [
  ['pcap', (frames) => pcap(frames)],
  ['pcap, big-endian, nanoseconds', (frames) => pcap(frames, { littleEndian: false, nanoseconds: true })],
  ['pcap, longer headers', (frames) => pcap(frames, { modified: true })],
  ['snoop', (frames) => snoop(frames)],
  ['pcapng', (frames) => pcapng(frames)],
  ['pcapng, big-endian', (frames) => pcapng(frames, false)],
];

/// Replaces `length` bytes from `at` on.
function replace(capture: Uint8Array, at: number, length: number, by: Uint8Array): Uint8Array {
  return concat(capture.subarray(0, at), by, capture.subarray(at + length));
}

const DAMAGES: [name: string, damage: (capture: Uint8Array, at: number) => Uint8Array, bytes: number][] = [
  ['a sector of zeros', (capture, at) => replace(capture, at, 512, new Uint8Array(512)), 512],
  ['eight sectors of zeros', (capture, at) => replace(capture, at, 4096, new Uint8Array(4096)), 4096],
  ['a sector of 0xff', (capture, at) => replace(capture, at, 512, new Uint8Array(512).fill(0xff)), 512],
  ['a sector of other bytes', (capture, at) => replace(capture, at, 512, new Random(at).bytes(512)), 512],
  ['a hole', (capture, at) => replace(capture, at, 3001, new Uint8Array(0)), 3001],
  ['inserted bytes', (capture, at) => replace(capture, at, 0, new Random(at).bytes(777)), 0],
  ['inserted zeros', (capture, at) => replace(capture, at, 0, new Uint8Array(63)), 0],
];

/// Damage changes a frame's bytes, its time, its length, or a little of all.
function isMostly(recorded: Uint8Array, read: Uint8Array): boolean {
  const shorter = read.subarray(0, recorded.length);
  return shorter.filter((byte, i) => byte === recorded[i]).length >= shorter.length / 2;
}

/// Every frame read was recorded, those before `at` are whole, and of those
/// after it no more are missing than the damage and the search can take.
function checkRead(read: ReadCapture, frames: readonly TestFrame[], whole: number, maxLost: number): void {
  assert.deepEqual(
    read.frames.slice(0, whole).map(({ timeUs, bytes }) => ({ timeUs, bytes })),
    frames.slice(0, whole).map(({ timeUs, bytes }) => ({ timeUs, bytes })),
  );
  const times = new Set(frames.map(({ timeUs }) => timeUs));
  const invented = read.frames.filter(
    ({ timeUs, bytes }) => !times.has(timeUs) && !frames.some((frame) => isMostly(frame.bytes, bytes)),
  );
  assert.deepEqual(invented, []);
  assert.ok(
    read.frames.length >= frames.length - maxLost,
    `${frames.length - read.frames.length} of ${frames.length} lost, ${maxLost} allowed`,
  );
}

/// How many frames lie before `at`.
function framesBefore(write: (frames: readonly TestFrame[]) => Uint8Array, at: number): number {
  let count = 0;
  let end = write([]).length;
  while (count < FRAMES.length) {
    end += write([FRAMES[count]!]).length - write([]).length;
    if (end > at) break;
    count++;
  }
  return count;
}

for (const [container, write] of CONTAINERS) {
  const capture = write(FRAMES);
  for (const [damage, apply, bytes] of DAMAGES) {
    test(`${container}: ${damage} costs what it hits`, () => {
      // At the chunk's edge, near the end, at the first record, in the middle.
      const places = [(1 << 20) - 100, capture.length - 9000, write([]).length, 300_001, 700_003];
      for (const at of places) {
        const damaged = apply(capture, at);
        const read = readFrames(damaged);
        // What the damage covers, at 14 bytes a frame at least, and a frame on either side.
        checkRead(read, FRAMES, framesBefore(write, at), Math.ceil(bytes / 14) + 2);
        if (at !== places[0]) continue;
        assert.deepEqual(readFrames(damaged, [700_000, 1, 99_999]), read);
        assert.deepEqual(readFramesInChunks(damaged, [1_000_000, 3]), read);
      }
    });
  }
}

/// The frames of which one carries a capture, whole or a part of it.
function carrying(embedded: Uint8Array, after: readonly TestFrame[]): TestFrame[] {
  const before = someFrames(20, 3);
  const last = before.at(-1)!.timeUs;
  const carrier = { bytes: concat(new Random(5).bytes(54), embedded), timeUs: last + 1 };
  return [...before, carrier, ...after.map((frame) => ({ ...frame, timeUs: frame.timeUs + 1e6 }))];
}

test('a capture inside a packet is never read, whatever is broken around it', () => {
  // Sent a day later, an hour later, a few seconds later.
  for (const ageUs of [86_400e6, 3600e6, 5e6]) {
    const inner = someFrames(29, 7).map(({ bytes, timeUs }) => ({
      bytes: bytes.subarray(0, 60),
      timeUs: timeUs - ageUs + 7,
    }));
    for (const [container, write] of CONTAINERS) {
      const whole = write(inner);
      for (const embedded of [whole, whole.subarray(60), concat(whole, new Uint8Array(9).fill(0x3c))]) {
        for (const after of [[], someFrames(3, 9)]) {
          const frames = carrying(embedded, after);
          const capture = write(frames);
          const carrierAt = write(frames.slice(0, 20)).length;
          for (let at = carrierAt - 4; at < carrierAt + 40; at += 2) {
            for (const byte of [0, 0xff]) {
              const damaged = replace(capture, at, 4, new Uint8Array(4).fill(byte));
              const stolen = readFrames(damaged).frames.filter(({ bytes }) => bytes.length === 60);
              assert.equal(
                stolen.length,
                0,
                `${container}, ${ageUs}, ${embedded.length}, ${after.length}, ${at - carrierAt}, ${byte}`,
              );
            }
          }
        }
      }
    }
  }
});

test('a file that ends inside a packet that carries a capture', () => {
  const inner = someFrames(30, 7).map(({ bytes, timeUs }) => ({ bytes: bytes.subarray(0, 60), timeUs }));
  for (const [, write] of CONTAINERS) {
    const frames = carrying(write(inner), []);
    const capture = write(frames);
    for (let cut = write(frames.slice(0, 20)).length + 30; cut < capture.length; cut += 5) {
      assert.equal(readFrames(capture.subarray(0, cut)).frames.length, 20, `cut at ${cut}`);
    }
  }
});

test('two captures joined by cat: both are read, and it is noted where', () => {
  const a = someFrames(50, 1);
  const b = someFrames(60, 2).map((frame) => ({ ...frame, timeUs: frame.timeUs + 3600e6 }));
  for (const [first, writeFirst] of CONTAINERS) {
    for (const [second, writeSecond] of CONTAINERS) {
      const capture = concat(writeFirst(a), writeSecond(b));
      const { frames, summary } = readFrames(capture);
      assert.deepEqual(
        frames.map(({ timeUs }) => timeUs),
        [...a, ...b].map(({ timeUs }) => timeUs),
        `${first} and ${second}`,
      );
      if (first.startsWith('pcapng') && second.startsWith('pcapng')) assert.deepEqual(summary.damage, []);
      else {
        const [{ offset, bytesLost, reason, afterFrame }] = summary.damage as [CaptureDamage];
        assert.deepEqual([offset, bytesLost, afterFrame], [writeFirst(a).length, 0, 50]);
        assert.match(reason, /another capture file begins here/);
      }
      assert.deepEqual(readFrames(capture, Array(300).fill(211)), { frames, summary });
    }
  }
});

test('the places of damage: between which frames, when, how much; the list is bounded', () => {
  const at = pcap(FRAMES.slice(0, 700)).length;
  const damaged = replace(pcap(FRAMES), at, 16, new Uint8Array(16));
  const { summary } = readFrames(damaged);
  assert.deepEqual(summary.damage, [
    {
      offset: at,
      reason: 'zero bytes stand where a packet record should begin',
      bytesLost: PCAP_RECORD_BYTES + FRAMES[700]!.bytes.length,
      afterFrame: 700,
      fromUs: FRAMES[699]!.timeUs,
      toUs: FRAMES[701]!.timeUs,
    },
  ]);

  const builder = new PcapngBuilder().section().interface();
  for (let i = 0; i < 150; i++) builder.packet(FRAMES[i]!.bytes).packet(FRAMES[i]!.bytes, { interface: 1 });
  const read = readFrames(builder.bytes());
  assert.equal(read.frames.length, 150);
  assert.equal(read.summary.damage.length, 100);
  const lost = FRAMES.slice(100, 150).reduce(
    (sum, { bytes }) => sum + 32 + Math.ceil(bytes.length / 4) * 4,
    0,
  );
  assert.deepEqual(read.summary.damageLeftOut, { places: 50, bytesLost: lost });
});

test('a record whose length was changed costs at most itself', () => {
  for (const value of [0, 17, 3000, 200_000, 0x7fff_ffff]) {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, value, true);
    const damaged = replace(pcap(FRAMES), pcap(FRAMES.slice(0, 300)).length + 8, 4, length);
    checkRead(readFrames(damaged), FRAMES, 300, 1);
  }
});

test('damage twice: what lies between is read if it is long enough to be sure of, else given up', () => {
  const headerOf = (index: number) => pcap(FRAMES.slice(0, index)).length;
  const broken = replace(pcap(FRAMES), headerOf(400), 16, new Uint8Array(16));
  const far = readFrames(replace(broken, headerOf(450), 16, new Uint8Array(16)));
  assert.equal(far.summary.damage.length, 2);
  checkRead(far, FRAMES, 400, 2);
  const near = readFrames(replace(broken, headerOf(410), 16, new Uint8Array(16)));
  assert.equal(near.summary.damage.length, 1);
  checkRead(near, FRAMES, 400, 11);
});

test('a time that was damaged does not hide what comes after the next damage', () => {
  for (const [container, write] of CONTAINERS) {
    const capture = write(FRAMES.slice(0, 300));
    const record = write(FRAMES.slice(0, 100)).length;
    const timeAt = { snoop: 16, pcapng: 12, 'pcapng, big-endian': 12 }[container] ?? 0;
    capture.fill(0xff, record + timeAt, record + timeAt + 4);
    capture.fill(0xff, write(FRAMES.slice(0, 101)).length, write(FRAMES.slice(0, 101)).length + 40);
    assert.ok(readFrames(capture).frames.length >= 298, container);
  }
});

test('a record with a fraction of a second that cannot be, and nothing where it ends, is none', () => {
  for (const [container, write] of CONTAINERS.filter(
    ([name]) => name.startsWith('pcap') && !name.startsWith('pcapng'),
  )) {
    const capture = write(FRAMES.slice(0, 60));
    const at = write(FRAMES.slice(0, 30)).length;
    // The fraction and both lengths: what it would hold ends in the middle of the packet.
    const fields = [0x7fff_ffff, 14, 14];
    const view = new DataView(capture.buffer, capture.byteOffset, capture.length);
    for (const [i, value] of fields.entries())
      view.setUint32(at + 4 + 4 * i, value, !container.includes('big-endian'));
    const { frames, summary } = readFrames(capture);
    assert.deepEqual(
      frames.map(({ timeUs }) => timeUs),
      FRAMES.slice(0, 60)
        .filter((_, i) => i !== 30)
        .map(({ timeUs }) => timeUs),
      container,
    );
    assert.match(summary.damage[0]!.reason, /a time that cannot be/);
  }
});

test('fractions above a second that the writer meant are read as they are', () => {
  const capture = pcap(FRAMES.slice(0, 60));
  const view = new DataView(capture.buffer, capture.byteOffset, capture.length);
  let at = pcap([]).length;
  for (const { bytes } of FRAMES.slice(0, 60)) {
    view.setUint32(at + 4, view.getUint32(at + 4, true) + 1e6, true);
    at += PCAP_RECORD_BYTES + bytes.length;
  }
  const { frames, summary } = readFrames(capture);
  assert.deepEqual(
    frames.map(({ timeUs }) => timeUs),
    FRAMES.slice(0, 60).map(({ timeUs }) => timeUs + 1e6),
  );
  assert.deepEqual(summary.damage, []);
});

test('damage near the end of a file that was cut off as well', () => {
  for (const [container, write] of CONTAINERS) {
    const frames = FRAMES.slice(0, 60);
    const capture = write(frames);
    const at = write(frames.slice(0, 30)).length;
    const { frames: read, summary } = readFrames(
      replace(capture, at, 40, new Uint8Array(40)).subarray(0, -9),
    );
    assert.equal(read.length, 58, container);
    assert.equal(summary.damage.length, 2);
    assert.match(summary.damage[1]!.reason, /the file ends inside/);
  }
});

test('a large capture inside a large packet', () => {
  const inner = someFrames(1500, 7).map(({ bytes, timeUs }) => ({
    bytes: bytes.subarray(0, 60),
    timeUs: timeUs - 5e6,
  }));
  for (const [container, write] of CONTAINERS) {
    for (const embedded of [write(inner), write(inner).subarray(60)]) {
      const frames = carrying(embedded, someFrames(500, 9));
      const capture = write(frames);
      const at = write(frames.slice(0, 20)).length;
      for (const [from, length] of [
        [0, 16],
        [4, 4],
        [8, 4],
        [0, 40],
      ] as const) {
        const { frames: read } = readFrames(
          replace(capture, at + from, length, new Uint8Array(length).fill(0xff)),
        );
        assert.equal(read.filter(({ timeUs }) => timeUs < START_US).length, 0, `${container} ${from}`);
        assert.ok(read.length >= 520, `${container} ${from}: ${read.length}`);
      }
    }
  }
});

test('any bytes over any place: never a packet that was not recorded', () => {
  fc.assert(
    fc.property(
      // In snoop the time stands before the bytes: both go at once, and of the packet nothing can be told.
      fc.constantFrom(...CONTAINERS.filter(([name]) => name !== 'snoop')),
      fc.array(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 5000 })), { minLength: 1, maxLength: 3 }),
      ([, write], damages) => {
        const frames = FRAMES.slice(0, 400);
        const capture = write(frames);
        // Of the first packet's header nothing can be told: no packet before it says how late it may be.
        const head = write(FRAMES.slice(0, 1)).length - FRAMES[0]!.bytes.length;
        for (const [at, bytes] of damages) {
          const from = head + (at % (capture.length - head));
          capture.set(bytes.subarray(0, capture.length - from), from);
        }
        checkRead(readFrames(capture), frames, 0, frames.length);
      },
    ),
    { numRuns: 60, endOnFailure: true },
  );
});
