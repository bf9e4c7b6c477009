import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameBatch } from '#sealert/capture/frame-batch.js';
import { FrameMerger } from '#sealert/capture/frame-merge.js';

/// A batch of frames at these times, each holding its time as text.
function batchAt(times: readonly number[]): FrameBatch {
  const batch = new FrameBatch();
  const texts = times.map((time) => Buffer.from(String(time)));
  batch.bytes = Buffer.concat([Buffer.alloc(3), ...texts]);
  batch.view = new DataView(batch.bytes.buffer);
  let offset = 3;
  for (const [i, time] of times.entries()) {
    batch.offset[i] = offset;
    batch.capturedLen[i] = texts[i]!.length;
    batch.originalLen[i] = 100;
    batch.timeUs[i] = time;
    batch.linkType[i] = 1;
    offset += texts[i]!.length;
  }
  batch.count = times.length;
  return batch;
}

function collector() {
  const got: string[] = [];
  const merger = new FrameMerger((batch, sourceOf) => {
    for (let i = 0; i < batch.count; i++) {
      const start = batch.offset[i]!;
      const text = Buffer.from(batch.bytes.subarray(start, start + batch.capturedLen[i]!)).toString();
      assert.equal(Number(text), batch.timeUs[i]);
      assert.equal(batch.originalLen[i], 100);
      got.push(`${sourceOf(i)}${text}`);
    }
  });
  return { got, merger };
}

test('frames wait until every source has got past them', () => {
  const { got, merger } = collector();
  const [a, b] = [merger.add('a'), merger.add('b')];
  a.push(batchAt([1, 5, 9]));
  assert.deepEqual(got, []);
  b.push(batchAt([2, 6]));
  assert.deepEqual(got, ['a1', 'b2', 'a5', 'b6']);
  merger.release(8);
  assert.equal(got.length, 4);
  b.end();
  assert.deepEqual(got, ['a1', 'b2', 'a5', 'b6', 'a9']);
  a.push(batchAt([10]));
  assert.equal(got.at(-1), 'a10');
});

test('a silent source holds the others up only as long as the caller says', () => {
  const { got, merger } = collector();
  const a = merger.add('a');
  merger.add('silent');
  a.push(batchAt([1, 5]));
  merger.release(4);
  assert.deepEqual(got, ['a1']);
  merger.release(Number.POSITIVE_INFINITY);
  assert.deepEqual(got, ['a1', 'a5']);
});

test('however the sources come in turn: every frame once, in order of time', () => {
  const gaps = fc.array(fc.array(fc.nat(50), { minLength: 1, maxLength: 20 }), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(gaps, { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.nat()),
      (sources, picks) => {
        const { got, merger } = collector();
        const feeds = sources.map((batches, i) => {
          let time = 0;
          return {
            source: merger.add(`${i}:`),
            batches: batches.map((steps) =>
              steps.map((step) => {
                time += step;
                return time;
              }),
            ),
          };
        });
        const wanted = feeds.flatMap(({ batches }) => batches.flat()).sort((x, y) => x - y);
        for (
          let left = [...feeds];
          left.length > 0;
          left = left.filter((feed) => feed.source !== undefined)
        ) {
          const feed = left[picks.next().value! % left.length]!;
          const next = feed.batches.shift();
          if (next !== undefined) feed.source.push(batchAt(next));
          else {
            feed.source.end();
            left.splice(left.indexOf(feed), 1);
          }
        }
        assert.deepEqual(
          got.map((text) => Number(text.split(':')[1])),
          wanted,
        );
      },
    ),
  );
});
