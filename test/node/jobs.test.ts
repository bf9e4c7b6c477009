import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type InputPath, listInputs } from '#sealert/node/inputs.js';
import { DEFAULT_MEMORY_BYTES, planMemory } from '#sealert/node/memory-plan.js';
import { type ScanOptions, scan } from '#sealert/node/scan.js';
import { analyseInThreads, type ThreadedRun } from '#sealert/node/threads.js';
import type { Report } from '#sealert/report/model.js';
import { sealert, temporaryFolder } from '../support/cli.js';
import { ROOT } from '../support/paths.js';
import { cutPcap, tinyPcap } from '../support/tiny-pcap.js';

const SAMPLES = join(ROOT, 'samples');
/// Enough for four threads.
const MEMORY_BYTES = 2 ** 30;

/// All of a report but when and how it was made.
function contentOf({ inputs, sessions, sightings, servers, diagnostics }: Report): string {
  return JSON.stringify({ inputs, sessions, sightings, servers, diagnostics });
}

async function oddFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'good.pcap'), tinyPcap());
  await writeFile(join(folder, 'cut.pcap'), cutPcap());
  return folder;
}

test('the report is the same for any number of jobs', async (t) => {
  const paths = [SAMPLES, await oddFolder(t), join(ROOT, 'package.json'), 'missing.pcap'];
  const options: ScanOptions = { command: '', memoryBytes: MEMORY_BYTES };
  const one = await scan(paths, { ...options, jobs: 1 });
  assert.ok(one.sessions.length > 20);
  assert.ok(one.inputs.some(({ error }) => error !== undefined));
  for (const jobs of [2, 4]) assert.equal(contentOf(await scan(paths, { ...options, jobs })), contentOf(one));
  const progress = { bytes: 0, packets: 0 };
  await scan(paths, {
    ...options,
    jobs: 2,
    onProgress: ({ bytesRead, packets }) => Object.assign(progress, { bytes: bytesRead, packets }),
  });
  assert.equal(
    progress.bytes,
    one.inputs.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  assert.equal(progress.packets, one.diagnostics.packets);
});

test('the program has its threads with it, and reads standard input beside them', async () => {
  const [first, second] = ['direct-default', 'ipv6'].map((name) => join(SAMPLES, name));
  const args = ['scan', first!, second!, '-', '--format', 'csv-connections', '--jobs'];
  const [one, two] = await Promise.all(
    ['1', '2'].map((jobs) => sealert([...args, jobs], { input: tinyPcap() })),
  );
  assert.equal(two!.stderr, '');
  assert.ok(one!.stdout.split('\n').length > 3);
  assert.deepEqual(two, one);
});

test('with the least memory the sessions are the same', async () => {
  const options: ScanOptions = { command: '', jobs: 1 };
  const [usual, least] = [
    await scan([SAMPLES], options),
    await scan([SAMPLES], { ...options, memoryBytes: 64 * 2 ** 20 }),
  ];
  assert.equal(contentOf(least), contentOf(usual));
});

test('a run that is stopped tells of the captures that were begun, in their order', async () => {
  const all = await scan([SAMPLES], { command: '', jobs: 1 });
  const stop = new AbortController();
  const stopped = await scan([SAMPLES], {
    command: '',
    jobs: 2,
    signal: stop.signal,
    onProgress: ({ bytesRead }) => {
      if (bytesRead > 500_000) stop.abort();
    },
  });
  assert.equal(stopped.run.complete, false);
  assert.ok(stopped.inputs.length > 1 && stopped.inputs.length < all.inputs.length);
  const paths = ({ inputs }: Report) => inputs.map(({ path }) => path);
  assert.deepEqual(paths(stopped), paths(all).slice(0, stopped.inputs.length));
  assert.ok(stopped.sessions.length > 0);
  // At most one for each thread was read in part; what the others gave is all there.
  const finished = new Set(
    [...stopped.inputs.keys()].filter((i) => isDeepStrictEqual(stopped.inputs[i], all.inputs[i])),
  );
  assert.ok(finished.size >= stopped.inputs.length - 2);
  const inFinished = ({ sessions }: Report) =>
    sessions.filter(({ evidence }) =>
      evidence.every(({ frames }) => frames.every(({ input }) => finished.has(input))),
    );
  assert.deepEqual(inFinished(stopped), inFinished(all));
});

test('pipes come after files, whatever their names', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await oddFolder(t);
  const { inputs } = await listInputs([
    '-',
    join(folder, 'good.pcap'),
    '/dev/null',
    join(ROOT, 'package.json'),
  ]);
  assert.deepEqual(
    inputs.map(({ size }) => size === null),
    [false, false, true, true],
  );
});

async function sampleInputs(...names: string[]): Promise<InputPath[]> {
  return (await listInputs(names.map((name) => join(SAMPLES, name, 'capture.pcap')))).inputs;
}

function runWith(changes: Partial<ThreadedRun>): ThreadedRun {
  return {
    threads: 3,
    plan: planMemory(MEMORY_BYTES),
    options: { reader: 'sealert', maskInstallation: false },
    onRead: () => {},
    ...changes,
  };
}

test('captures that need more memory than each may have take turns', async () => {
  const inputs = await sampleInputs(
    'direct-default',
    'direct-tls12',
    'ipv6',
    'http-squid.both',
    'management',
  );
  const plan = planMemory(MEMORY_BYTES);
  const usual = await analyseInThreads(inputs, runWith({}));
  const smallLimits = { ...plan.smallLimits, maxFlows: 0 };
  assert.deepEqual(await analyseInThreads(inputs, runWith({ plan: { ...plan, smallLimits } })), usual);
});

test('a thread that dies is an error of its capture, not of the run', async () => {
  const inputs = await sampleInputs('direct-default', 'direct-tls12', 'ipv6');
  const program = new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ position }) => {
        if (position === 0) throw new Error('out of luck');
        if (position === 1) process.exit(7);
        parentPort.postMessage({ kind: 'done', analysed: 'analysed', hasShare: false });
      });`)}`,
  );
  const [thrown, exited, ...rest] = await analyseInThreads(inputs, runWith({ threads: 1, program }));
  assert.equal(thrown!.input.error, 'its analysis ended early: out of luck');
  assert.equal(thrown!.input.path, inputs[0]!.path);
  assert.deepEqual(thrown!.findings.sessions, []);
  assert.equal(exited!.input.error, 'its analysis ended early: its thread ended with 7');
  assert.deepEqual(rest, ['analysed']);
});

test('limits and threads grow with the budget', () => {
  const budgets = [64, 128, 256, 512, 1024, 4096].map((mib) => mib * 2 ** 20);
  const plans = budgets.map(planMemory);
  assert.equal(planMemory(DEFAULT_MEMORY_BYTES).threads, 2);
  assert.equal(planMemory(DEFAULT_MEMORY_BYTES).limits.maxFlows, 2 ** 20);
  assert.equal(plans[0]!.threads, 1);
  for (const [i, { threads, limits, smallLimits }] of plans.entries()) {
    const before = plans[i - 1];
    assert.ok(smallLimits.maxFlows <= limits.maxFlows && smallLimits.maxFollowedFlows >= 100);
    if (before === undefined) continue;
    assert.ok(threads >= before.threads);
    assert.ok(limits.maxFlows > before.limits.maxFlows && limits.maxKeptBytes > before.limits.maxKeptBytes);
  }
});
