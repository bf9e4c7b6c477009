/// Engines with a share of the flows each find together what one finds alone, whatever
/// the clock of the capture does. (`test/node/shards.test.ts` does so with real threads.)

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BATCH_FRAMES } from '#sealert/capture/frame-batch.js';
import { CaptureReader } from '#sealert/capture/reader.js';
import { Engine, type Findings } from '#sealert/engine.js';
import { Intake, IntakeCounts } from '#sealert/intake.js';
import { PacketBatch } from '#sealert/wire/packet-batch.js';
import { analyse } from '../support/analyse.js';
import { pcap, type TestFrame } from '../support/capture-builder.js';
import { samplePath, samples } from '../support/paths.js';
import fc from '../support/property.js';
import { readFrames } from '../support/read.js';

/// Where flows are put differs from that of one engine, what is found does not.
const HASH_SEED = 0x5eed;

const START_US = 1_700_000_000_000_000;
/// The last that a pcap can say.
const LATEST_US = 4_294_967_295_000_000;

const recorded = samples()
  .map((name) => readFrames(readFileSync(samplePath(name))).frames)
  .filter((frames) => frames.length < 1_500 && frames.every(({ linkType }) => linkType === 1));

function analyseInShares(capture: Uint8Array, of: number): Findings {
  const engines = Array.from({ length: of }, (_, index) => {
    const engine = new Engine({ share: { index, of }, hashSeed: HASH_SEED });
    engine.begin(0);
    const counts = new IntakeCounts();
    engine.intakeIs(counts);
    return { engine, counts };
  });
  const packets = new PacketBatch(BATCH_FRAMES, HASH_SEED);
  const intake = new Intake(
    (batch) => {
      for (const { engine, counts } of engines) {
        counts.beganUs = intake.counts.beganUs;
        engine.take(batch);
      }
    },
    () => packets,
  );
  const reader = new CaptureReader((batch) => intake.push(batch));
  reader.push(capture);
  reader.end();
  const whole = new Engine();
  whole.begin(0);
  whole.intakeIs(intake.counts);
  for (const { engine } of engines) whole.absorb(structuredClone(engine.endShare()));
  return whole.end();
}

/// A sample, shifted in time.
const anyRecording = fc.record({
  sample: fc.nat(recorded.length - 1),
  beginUs: fc.oneof(fc.constant(0), fc.nat(600_000_000)),
});

/// What a clock does to the packet at `from` of all, and to those after it.
const anyClock = fc.oneof(
  fc.constant(null),
  fc.record({
    at: fc.nat(),
    onceUs: fc.constantFrom(1_000_000_000, LATEST_US, -LATEST_US),
    laterUs: fc.constant(0),
  }),
  fc.record({
    at: fc.nat(),
    onceUs: fc.constant(0),
    laterUs: fc.integer({ min: -500, max: 500 }).map((s) => s * 1e6),
  }),
);

test('several engines, any clock', () => {
  let sessions = 0;
  fc.assert(
    fc.property(
      fc.array(anyRecording, { minLength: 1, maxLength: 4 }),
      anyClock,
      fc.integer({ min: 2, max: 4 }),
      (recordings, clock, shares) => {
        const frames: TestFrame[] = recordings.flatMap(({ sample, beginUs }) => {
          const some = recorded[sample]!;
          const shiftUs = START_US + beginUs - some[0]!.timeUs;
          return some.map(({ bytes, originalLen, timeUs }) => ({
            bytes,
            originalLen,
            timeUs: timeUs + shiftUs,
          }));
        });
        frames.sort((a, b) => a.timeUs - b.timeUs);
        const at = clock === null ? 0 : clock.at % frames.length;
        const changed = frames.map((frame, i) => {
          const addUs = (i === at ? (clock?.onceUs ?? 0) : 0) + (i >= at ? (clock?.laterUs ?? 0) : 0);
          return { ...frame, timeUs: Math.min(Math.max(frame.timeUs + addUs, 0), LATEST_US) };
        });
        const capture = pcap(changed);
        const alone = analyse(capture);
        sessions += alone.sessions.length;
        assert.deepEqual(analyseInShares(capture, shares), alone);
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(sessions > 50);
});
