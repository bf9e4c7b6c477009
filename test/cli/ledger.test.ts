/// The book of losses from the capture to the report: what is damaged, cut,
/// dropped or one-sided, and which sessions that concerns.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scan } from '#sealert/node/scan.js';
import type { Report } from '#sealert/report/model.js';
import { concat, PcapngBuilder, pcap, type TestFrame } from '../support/capture-builder.js';
import { temporaryFolder } from '../support/cli.js';
import { ENDS, softetherDialogue } from '../support/dialogue.js';
import { assertValidReport } from '../support/schema.js';

async function reportOn(test: TestContext, capture: Uint8Array): Promise<Report> {
  const path = join(await temporaryFolder(test), 'capture');
  await writeFile(path, capture);
  const report = await scan([path], { command: 'test' });
  assertValidReport(report);
  return report;
}

const FRAMES = softetherDialogue({ additional: 0 });

test('damage: the session around it is found, and says what is missing', async (t) => {
  const at = pcap(FRAMES.slice(0, -20)).length;
  const hit = FRAMES.at(-20)!;
  const capture = pcap(FRAMES);
  capture.fill(0, at, at + 16);
  const { inputs, sessions, diagnostics } = await reportOn(t, capture);
  const [damage] = inputs[0]!.damage;
  assert.equal(damage!.offset, at);
  assert.equal(damage!.bytesLost, 16 + hit.bytes.length);
  assert.equal(damage!.afterFrame, FRAMES.length - 20);
  assert.ok(damage!.from! < damage!.to!);
  assert.equal(diagnostics.packets, FRAMES.length - 1);
  assert.equal(sessions.length, 1);
  assert.ok(
    sessions[0]!.caveats.includes(
      `The capture is damaged at byte ${at}, after frame ${FRAMES.length - 20}: the packets in ${damage!.bytesLost} bytes are missing.`,
    ),
  );
});

test('a file cut off: sessions that were up say so, sessions long over do not', async (t) => {
  const later = softetherDialogue({
    additional: 0,
    startUs: FRAMES.at(-1)!.timeUs + 600e6,
    ends: { ...ENDS, clientPort: 50_900 },
  });
  const capture = pcap([...FRAMES, ...later]);
  const { sessions, inputs } = await reportOn(t, capture.subarray(0, capture.length - 5));
  assert.match(inputs[0]!.damage[0]!.reason, /the file ends inside a packet record/);
  const caveats = sessions.map(
    (session) => session.caveats.filter((caveat) => /damaged/.test(caveat)).length,
  );
  assert.deepEqual(caveats, [0, 1]);
});

test('drop counters, jumps of the clock, packets cut off', async (t) => {
  const builder = new PcapngBuilder().section().interface();
  const leap = FRAMES.length - 10;
  for (const [i, { bytes, timeUs }] of FRAMES.entries()) {
    const shown = bytes.subarray(0, 200);
    builder.packet(shown, { ticks: BigInt(timeUs + (i >= leap ? 7200e6 : 0)), originalLen: bytes.length });
  }
  const { inputs, sessions, diagnostics } = await reportOn(
    t,
    builder.statistics(0, { ifdrop: 120n }).bytes(),
  );
  const cut = FRAMES.filter(({ bytes }) => bytes.length > 200).length;
  assert.deepEqual(inputs[0]!.cut, { packets: cut, longest: 200 });
  assert.equal(inputs[0]!.clockJumps!.length, 1);
  assert.equal(inputs[0]!.clockJumps![0]!.frame, leap + 1);
  assert.ok(Math.abs(inputs[0]!.clockJumps![0]!.seconds - 7200) < 60);
  assert.equal(diagnostics.clockJumps.forward, 1);
  const caveats = sessions[0]!.caveats.join('\n');
  assert.match(caveats, /drop counter says that 120 packets were lost/);
  assert.match(caveats, /were cut at 200 bytes/);
  assert.match(caveats, /cut by the snap length/);
  assert.match(caveats, new RegExp(`jumps by \\d+ s at frame ${leap + 1}`));
});

test('one direction only: the flows are counted', async (t) => {
  const fromClient = ({ bytes }: TestFrame) => bytes[26] === 10;
  const both = await reportOn(t, pcap(FRAMES));
  assert.equal(both.diagnostics.oneSidedFlows, 0);
  const one = await reportOn(t, pcap(FRAMES.filter(fromClient)));
  assert.equal(one.diagnostics.oneSidedFlows, 1);
  assert.equal(one.diagnostics.flows.tcp, 1);
});

test('captures joined by cat: read to the end, and noted', async (t) => {
  const later = softetherDialogue({
    additional: 0,
    startUs: FRAMES.at(-1)!.timeUs + 600e6,
    ends: { ...ENDS, clientPort: 50_900 },
  });
  const { inputs, sessions } = await reportOn(t, concat(pcap(FRAMES), pcap(later)));
  assert.equal(inputs[0]!.packets, FRAMES.length + later.length);
  assert.equal(inputs[0]!.damage[0]!.bytesLost, 0);
  assert.equal(sessions.length, 2);
});
