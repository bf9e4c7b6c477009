/// The live engine tells while sessions run what the engine finds afterwards.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAtLeast, type Session } from '#sealert/detect/findings.js';
import { analyse } from '../support/analyse.js';
import { pcap } from '../support/capture-builder.js';
import { START_US, softetherDialogue } from '../support/dialogue.js';
import { LivePlayer, type Told } from '../support/live.js';
import { CAPTURES, filesBelow, NO_CAPTURES, samplePath, samples } from '../support/paths.js';
import { readFrames } from '../support/read.js';

/// The last word on each session, after checking that no word before was surer.
function lastWords(told: readonly Told[]): Session[] {
  const verdicts = new Map<string, Session['verdict']>();
  const last: Session[] = [];
  for (const { kind, session } of told) {
    const before = verdicts.get(session.id);
    if (kind === 'reached' && before !== undefined) assert.ok(!isAtLeast(before, session.verdict));
    if (kind !== 'reached') assert.ok(before !== undefined, `${kind} before it was reached`);
    if (before !== undefined) assert.ok(isAtLeast(session.verdict, before), `${session.id} taken back`);
    assert.ok(!last.some(({ id }) => id === session.id), 'told after its end');
    verdicts.set(session.id, session.verdict);
    if (kind === 'ended') last.push(session);
  }
  assert.equal(last.length, verdicts.size, 'each session has a last word');
  return last.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.id < b.id ? -1 : 1));
}

function checkCapture(path: string, batchFrames: number): void {
  const capture = readFileSync(path);
  const player = new LivePlayer(batchFrames).play(readFrames(capture).frames);
  player.end();
  assert.deepEqual(lastWords(player.told), analyse(capture).sessions, path);
}

test('every sample: the same sessions as afterwards, and no verdict is taken back', () => {
  for (const [i, name] of samples().entries()) checkCapture(samplePath(name), i % 2 === 0 ? 1 : 7);
});

test('every development capture likewise', { skip: NO_CAPTURES }, () => {
  for (const path of filesBelow(CAPTURES).filter((name) => name.endsWith('.pcap'))) checkCapture(path, 3);
});

test('sessions that were over long before give the same as afterwards', () => {
  const names = [
    'direct-default',
    'midstream',
    'rudp-dns',
    'ssh-L-22.client',
    'management',
    'direct-default',
  ];
  const frames = names.flatMap((name, i) => {
    const { frames } = readFrames(readFileSync(samplePath(name)));
    const shiftUs = START_US + i * 600_000_000 - frames[0]!.timeUs;
    return frames.map((frame) => ({ ...frame, timeUs: frame.timeUs + shiftUs }));
  });
  const capture = pcap(frames);
  const player = new LivePlayer(5).play(readFrames(capture).frames);
  const over = player.told.filter(({ kind }) => kind === 'ended').length;
  player.end();
  assert.ok(over >= names.length - 2, `${over} sessions were over before`);
  assert.deepEqual(lastWords(player.told), analyse(capture).sessions);
});

const dialogue = readFrames(pcap(softetherDialogue({ seed: 3 }))).frames;
const endUs = dialogue.at(-1)!.timeUs;

/// dumpcap hands packets on after so long at the most.
const HELD_BACK_US = 250_000;

test('a verdict comes within a second of the packet that decides, and rises', () => {
  const frames = readFrames(pcap(softetherDialogue({ seed: 3, additional: 0 }))).frames;
  const player = new LivePlayer().play(frames);
  const reached = player.told.filter(({ kind }) => kind === 'reached');
  assert.equal(reached.at(-1)?.session.verdict, 'confirmed');
  for (const { session, nowUs } of reached) {
    const decides = frames.find((_, i) =>
      analyse(pcap(frames.slice(0, i + 1))).sessions.some(({ verdict }) =>
        isAtLeast(verdict, session.verdict),
      ),
    );
    assert.ok(nowUs - decides!.timeUs + HELD_BACK_US <= 1_000_000, session.verdict);
  }
});

test('a further connection counts once it carries what no management connection does', () => {
  const player = new LivePlayer().play(dialogue);
  const confirmed = player.told.find(({ session }) => session.verdict === 'confirmed');
  assert.ok(confirmed!.session.connections.length === 2);
  assert.ok(confirmed!.nowUs < endUs - 20_000_000);
});

test('without packets a session that has ended is told for the last time, once', () => {
  const player = new LivePlayer().play(dialogue);
  assert.deepEqual(
    player.told.filter(({ kind }) => kind === 'ended'),
    [],
  );
  player.waitUntil(endUs + 120_000_000);
  const ended = player.told.filter(({ kind }) => kind === 'ended').map(({ session }) => session);
  assert.deepEqual(ended, analyse(pcap(dialogue)).sessions);
  assert.deepEqual(player.end().sessions, []);
  assert.equal(player.told.filter(({ kind }) => kind === 'ended').length, 1);
});

test('a session whose ends fall silent without closing ends as well', () => {
  const running = dialogue.slice(0, -8);
  const player = new LivePlayer().play(running).waitUntil(endUs + 500_000_000);
  assert.equal(player.told.at(-1)?.kind, 'ended');
  assert.deepEqual(player.told.at(-1)?.session, analyse(pcap(running)).sessions[0]);
});

test('sightings are told once, and servers at the end', () => {
  const { frames } = readFrames(readFileSync(samplePath('failed-login')));
  const again = frames.map((frame) => ({ ...frame, timeUs: frame.timeUs + 60_000_000 }));
  const player = new LivePlayer()
    .play(frames)
    .waitUntil(frames.at(-1)!.timeUs + 30_000_000)
    .play(again);
  const kinds = player.sighted.map(({ kind, detail }) => `${kind} ${detail}`);
  assert.ok(kinds.length > 0);
  assert.equal(new Set(kinds).size, kinds.length);
  assert.ok(player.end().servers.length > 0);
});

test('counts are those of the packets so far', () => {
  const player = new LivePlayer().play(dialogue);
  const { packets, flows } = player.engine.counts();
  assert.equal(packets, dialogue.length);
  assert.ok(flows.tcp > 0);
  assert.ok(dialogue[0]!.timeUs >= START_US);
});
