import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELD_SEGMENT_BYTES, MAX_HELD_SEGMENTS } from '#sealert/flow/limits.js';
import { MemoryBudget } from '#sealert/flow/memory-budget.js';
import { Stream } from '#sealert/flow/stream.js';
import fc from '../support/property.js';

/// What a stream gave: its bytes in order, null for one that was announced as missing.
class Recorder {
  readonly out: (number | null)[] = [];
  readonly frames: number[] = [];
  readonly stream: Stream;

  constructor(readonly budget = new MemoryBudget(1 << 20)) {
    this.stream = new Stream(this, budget);
  }

  bytes(bytes: Uint8Array, at: number, length: number, _timeUs: number, frame: number): void {
    assert.ok(length > 0);
    this.out.push(...bytes.subarray(at, at + length));
    this.frames.push(frame);
  }

  missing(length: number): void {
    assert.ok(length > 0);
    for (let i = 0; i < length; i++) this.out.push(null);
  }
}

/// The same, one byte at a time.
class NaiveStream {
  readonly out: (number | null)[] = [];
  gaps = 0;
  private readonly received: (number | undefined)[] = [];

  segment(at: number, bytes: Uint8Array): void {
    bytes.forEach((byte, i) => {
      this.received[at + i] ??= byte;
    });
    this.advance();
  }

  acknowledged(to: number): void {
    while (this.out.length < to) {
      const byte = this.received[this.out.length] ?? null;
      if (byte === null && this.out.at(-1) !== null) this.gaps++;
      this.out.push(byte);
    }
    this.advance();
  }

  end(): void {
    this.acknowledged(this.received.length);
  }

  private advance(): void {
    while (this.received[this.out.length] !== undefined) this.out.push(this.received[this.out.length]!);
  }
}

const MESSAGE = Uint8Array.from({ length: 2000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

/// Segments that cover a message, then in another order, some twice or overlapping.
const anySegments = fc
  .record({
    ends: fc.array(fc.integer({ min: 1, max: MESSAGE.length }), { maxLength: 30 }),
    extra: fc.array(fc.tuple(fc.nat(MESSAGE.length - 1), fc.integer({ min: 1, max: 300 })), {
      maxLength: 20,
    }),
    order: fc.infiniteStream(fc.nat()),
  })
  .map(({ ends, extra, order }) => {
    const cuts = [...new Set([0, ...ends, MESSAGE.length])].sort((a, b) => a - b);
    const cover = cuts.slice(1).map((end, i) => ({ at: cuts[i]!, end }));
    // Every other one begins where another segment does.
    const more = extra.map(([at, length], i) => {
      const begin = i % 2 === 0 ? at : cuts[at % (cuts.length - 1)]!;
      return { at: begin, end: Math.min(begin + length, MESSAGE.length) };
    });
    return [...cover, ...more].map((segment) => ({ segment, rank: order.next().value! }));
  })
  .map((ranked) => ranked.sort((a, b) => a.rank - b.rank).map(({ segment }) => segment));

const anyStart = fc.oneof(fc.integer(), fc.constantFrom(-1000, 0x7fff_ff00, -0x8000_0000, 0));

function give(stream: Stream, start: number, at: number, end: number, frame = 1): void {
  // In the middle of other bytes, as segments lie in a batch.
  const bytes = new Uint8Array(end + 7).fill(0xbb);
  bytes.set(MESSAGE.subarray(at, end), 5);
  stream.segment((start + at) | 0, bytes, 5, end - at, end - at, frame, frame);
}

test('segments in any order, repeated and overlapping, give the message', () => {
  fc.assert(
    fc.property(anySegments, anyStart, (segments, start) => {
      const { stream, out } = beginAt(start);
      segments.forEach(({ at, end }, i) => {
        give(stream, start, at, end, i);
      });
      assert.deepEqual(out, [...MESSAGE]);
      assert.equal(stream.byteCount, MESSAGE.length);
      assert.equal(stream.gaps, 0);
      assert.equal(stream.next, (start + MESSAGE.length) | 0);
    }),
  );
});

test('losses are announced, and what comes after them still arrives', () => {
  const anyOps = fc.tuple(
    anySegments,
    fc.infiniteStream(fc.nat(9)),
    fc.infiniteStream(fc.nat(MESSAGE.length)),
  );
  fc.assert(
    fc.property(anyOps, anyStart, ([segments, dice, acknowledgements], start) => {
      const { stream, out } = beginAt(start);
      const naive = new NaiveStream();
      for (const { at, end } of segments) {
        const die = dice.next().value!;
        // Three in ten are lost, after one in ten the peer acknowledges something.
        if (die < 3) continue;
        give(stream, start, at, end);
        naive.segment(at, MESSAGE.subarray(at, end));
        if (die === 9) {
          const to = acknowledgements.next().value!;
          stream.acknowledged((start + to) | 0, 0, 1);
          naive.acknowledged(to);
        }
        assert.deepEqual(out, naive.out);
      }
      stream.end();
      naive.end();
      assert.deepEqual(out, naive.out);
      assert.equal(stream.byteCount, naive.out.length);
      if (naive.gaps === 0) assert.equal(stream.gaps, 0);
      else assert.ok(stream.gaps >= naive.gaps);
    }),
    { numRuns: 300 },
  );
});

test('bytes that the snap length cut off are missing at their place', () => {
  const anyCuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.nat(100)), {
    minLength: 1,
    maxLength: 15,
  });
  fc.assert(
    fc.property(anyCuts, fc.boolean(), (cuts, reversed) => {
      const { stream, out } = beginAt(0);
      const expected: (number | null)[] = [];
      const segments = cuts.map(([length, kept]) => {
        const at = expected.length;
        const captured = Math.min(kept, length);
        for (let i = 0; i < length; i++) expected.push(i < captured ? MESSAGE[at + i]! : null);
        return { at, captured, length };
      });
      for (const { at, captured, length } of reversed ? segments.reverse() : segments) {
        stream.segment(at, MESSAGE, at, captured, length, 0, 1);
      }
      assert.deepEqual(out, expected);
      assert.equal(stream.gaps, 0);
    }),
  );
});

test('a peer that answers what was not captured tells that it is lost', () => {
  const { stream, out } = beginAt(0);
  give(stream, 0, 0, 10);
  give(stream, 0, 20, 30);
  give(stream, 0, 40, 50);
  assert.equal(out.length, 10);
  stream.acknowledged(30, 0, 4);
  assert.deepEqual(out.slice(10), [...Array(10).fill(null), ...MESSAGE.subarray(20, 30)]);
  stream.acknowledged(35, 0, 5);
  assert.deepEqual(out.slice(30), Array(5).fill(null));
  give(stream, 0, 35, 40);
  assert.deepEqual(out.slice(35), [...MESSAGE.subarray(35, 50)]);
  assert.equal(stream.gaps, 2);
});

test('a stray acknowledgement and that of a FIN announce nothing', () => {
  const { stream, out } = beginAt(0);
  give(stream, 0, 0, 10);
  stream.acknowledged(0x4000_0000, 0, 2);
  stream.acknowledged(-5, 0, 2);
  stream.finish(10);
  stream.acknowledged(11, 0, 3);
  stream.end();
  assert.deepEqual(out, [...MESSAGE.subarray(0, 10)]);
  assert.equal(stream.gaps, 0);
});

test('keep-alive probes and copies of everything are retransmissions', () => {
  const { stream, out } = beginAt(0);
  give(stream, 0, 0, 10);
  give(stream, 0, 9, 10);
  give(stream, 0, 0, 10);
  give(stream, 0, 20, 30);
  give(stream, 0, 20, 30);
  give(stream, 0, 20, 25);
  give(stream, 0, 10, 20);
  assert.deepEqual(out, [...MESSAGE.subarray(0, 30)]);
  assert.equal(stream.retransmissions, 4);
});

test('too much held back: what is missing in front is given up', () => {
  const { stream, out } = beginAt(0);
  for (let i = 1; i <= MAX_HELD_SEGMENTS; i++) give(stream, 0, 2 * i, 2 * i + 1);
  assert.deepEqual(out, []);
  give(stream, 0, 1000, 1001);
  assert.deepEqual(out, [null, null, MESSAGE[2]]);
  assert.equal(stream.gaps, 1);
  stream.end();
  assert.equal(out.length, 1001);
  assert.equal(out.at(-1), MESSAGE[1000]);
});

test('frames are those of the segments that brought the bytes', () => {
  const recorder = beginAt(0);
  give(recorder.stream, 0, 10, 20, 1);
  give(recorder.stream, 0, 30, 40, 2);
  give(recorder.stream, 0, 0, 10, 3);
  give(recorder.stream, 0, 20, 30, 4);
  assert.deepEqual(recorder.frames, [3, 1, 4, 2]);
});

test('a stream that was not told its beginning begins with its first segment', () => {
  const { stream, out } = new Recorder();
  give(stream, 77, 500, 510);
  give(stream, 77, 0, 10);
  assert.deepEqual(out, [...MESSAGE.subarray(500, 510)]);
  stream.reset();
  give(stream, -77, 3, 5);
  assert.deepEqual(out.slice(10), [...MESSAGE.subarray(3, 5)]);
  assert.deepEqual([stream.byteCount, stream.gaps, stream.retransmissions], [2, 0, 0]);
});

test('without room for early segments, nothing more is waited for', () => {
  const most = 100 + HELD_SEGMENT_BYTES;
  const recorder = new Recorder(new MemoryBudget(most));
  const { stream, out, budget } = recorder;
  stream.begin(0);
  give(stream, 0, 10, 90);
  give(stream, 0, 100, 130);
  give(stream, 0, 90, 100);
  give(stream, 0, 0, 10);
  assert.deepEqual(out, [
    ...Array(10).fill(null),
    ...MESSAGE.subarray(10, 90),
    ...Array(10).fill(null),
    ...MESSAGE.subarray(100, 130),
  ]);
  // Everything was given back, also by a stream that ends with bytes held.
  give(stream, 0, 140, 240);
  stream.reset();
  assert.equal(budget.take(most), true);
  assert.equal(budget.take(1), false);
});

function beginAt(sequence: number): Recorder {
  const recorder = new Recorder();
  recorder.stream.begin(sequence);
  return recorder;
}
