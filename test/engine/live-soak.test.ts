/// Memory stays flat however long the live engine runs. `npm run soak -- 12` plays
/// twelve hours of sessions; without it half an hour has to do.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LivePlayer } from '../support/live.js';
import { samplePath } from '../support/paths.js';
import { type ReadFrame, readFrames } from '../support/read.js';

const HOURS = Number(process.argv[2] ?? 0.5);

/// Every so often all of these begin again, between other addresses.
const PERIOD_US = 60_000_000;

/// So many periods later the same addresses come again.
const ROUNDS = 32;
const NAMES = [
  'direct-default',
  'direct-443-noenc-udp',
  'rudp-dns',
  'ssh-L-22.client',
  'failed-login',
  'management',
  'midstream',
  'benign-https-posts',
];

/// What may be kept more at the end than after a third of the time.
const MOST_GROWTH_BYTES = 4_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  // Since V8 12 one collection leaves some buffers to the next.
  for (let i = 0; i < 4; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/// Frames of a period in the order of their times, those of captures that began in periods before included.
function template(): { frame: ReadFrame; atUs: number; ago: number }[] {
  const all = NAMES.flatMap((name, i) => {
    const { frames } = readFrames(readFileSync(samplePath(name)));
    const beginUs = frames[0]!.timeUs - i * 1_000_000;
    return frames.map((frame) => ({ frame, us: frame.timeUs - beginUs }));
  });
  return all
    .map(({ frame, us }) => ({ frame, atUs: us % PERIOD_US, ago: Math.floor(us / PERIOD_US) }))
    .sort((a, b) => a.atUs - b.atUs);
}

/// The frame at another time; IPv4 over Ethernet, between other addresses.
function moved({ bytes, ...frame }: ReadFrame, timeUs: number, round: number): ReadFrame {
  const copy = bytes.slice();
  if (copy[12] === 8 && copy[13] === 0) {
    for (const at of [26, 30]) {
      copy[at + 2]! ^= round % ROUNDS;
    }
  }
  return { ...frame, bytes: copy, timeUs };
}

test(`memory stays flat over ${HOURS} h of sessions`, () => {
  const frames = template();
  const beginUs = frames[0]!.frame.timeUs;
  const player = new LivePlayer(64);
  const periods = Math.round((HOURS * 3600e6) / PERIOD_US);
  let ended = 0;
  let early = 0;
  for (let period = 0; period < periods; period++) {
    const startUs = beginUs + period * PERIOD_US;
    player.play(
      frames
        .filter(({ ago }) => ago <= period)
        .map(({ frame, atUs, ago }) => moved(frame, startUs + atUs, period - ago)),
    );
    for (const { kind, session } of player.told) {
      if (kind !== 'ended') continue;
      ended++;
      assert.ok(!session.caveats.some((caveat) => caveat.includes('shows less')), 'no verdict was too high');
    }
    player.told.length = 0;
    player.sighted.length = 0;
    if (period === Math.floor(periods / 3)) early = usedBytes();
  }
  const growth = usedBytes() - early;
  assert.ok(ended > periods * 4, `${ended} sessions ended`);
  assert.ok(growth < MOST_GROWTH_BYTES, `${growth} bytes more than after a third of the time`);
  assert.deepEqual(player.end().diagnostics.limitsHit, {});
  if (HOURS > 1) console.log(`${ended} sessions ended; ${growth} bytes more than after a third of the time`);
});
