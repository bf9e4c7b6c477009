/// One capture through several threads gives what one thread finds in it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Engine } from '#sealert/engine.js';
import { DEFAULT_FLOW_LIMITS } from '#sealert/flow/flow-tracker.js';
import { sharedMemory } from '#sealert/loops/memory.js';
import { type Analysed, analyse } from '#sealert/node/analysis.js';
import { listInputs } from '#sealert/node/inputs.js';
import { analyseInShards, type ShardedRun } from '#sealert/node/shards.js';
import { concat, pcap, pcapng, type TestFrame } from '../support/capture-builder.js';
import { temporaryFolder } from '../support/cli.js';
import { ADDRESSES, ethernet, ip, udp } from '../support/frames.js';
import { ROOT } from '../support/paths.js';
import { Random } from '../support/random.js';
import { readFrames } from '../support/read.js';
import { fragmented, WRAPPERS, wrapped } from '../support/wrap.js';

const START_US = 1_700_000_000_000_000;
const VXLAN = WRAPPERS.find(({ name }) => name.startsWith('VXLAN'))!;
/// Behind Ethernet, IPv4, UDP and four bytes; the last of its three bytes stays zero.
const VXLAN_NETWORK_AT = 46;

/// All samples at once, many times over: some in fragments, some in a tunnel, some recorded twice.
function crowd(rounds: number): TestFrame[] {
  const frames: TestFrame[] = [];
  const names = readdirSync(join(ROOT, 'samples')).sort();
  for (let round = 0; round < rounds; round++) {
    for (const [i, name] of names.entries()) {
      const file = readdirSync(join(ROOT, 'samples', name)).find((entry) => entry.startsWith('capture'))!;
      const recorded = readFrames(readFileSync(join(ROOT, 'samples', name, file))).frames;
      if (recorded.some(({ linkType }) => linkType !== 1)) continue;
      const shiftUs = START_US + round * 400_000_000 + i * 700_000 - recorded[0]!.timeUs;
      for (const { bytes, timeUs, originalLen, frame } of recorded) {
        const whole = { bytes, originalLen, timeUs: timeUs + shiftUs };
        if (i % 7 === 3) {
          for (const part of fragmented(bytes, 600, frame))
            frames.push({ bytes: part, timeUs: whole.timeUs });
        } else if (i % 7 === 5) frames.push({ bytes: wrapped(VXLAN, bytes), timeUs: whole.timeUs });
        else if (i % 7 === 6) frames.push(whole, { ...whole, timeUs: whole.timeUs + 20 });
        else frames.push(whole);
      }
    }
  }
  return frames.filter(({ bytes }) => bytes.length > 0).sort((a, b) => a.timeUs - b.timeUs);
}

let frames: TestFrame[] = [];
before(() => {
  frames = crowd(2);
});

/// More than the chunks and the batches that are there at a time, with damage in its middle.
function damaged(): Uint8Array {
  const whole = pcap(frames);
  const middle = Math.floor(whole.length / 2);
  return concat(whole.subarray(0, middle), new Uint8Array(777).fill(0xaa), whole.subarray(middle + 100));
}

function runWith(changes: Partial<ShardedRun>): ShardedRun {
  return { shares: 2, limits: DEFAULT_FLOW_LIMITS, maskInstallation: false, onRead: () => {}, ...changes };
}

async function written(t: TestContext, capture: Uint8Array) {
  const path = join(await temporaryFolder(t), 'capture');
  await writeFile(path, capture);
  const { inputs } = await listInputs([path]);
  return inputs[0]!;
}

async function both(t: TestContext, capture: Uint8Array, run: Partial<ShardedRun>) {
  const input = await written(t, capture);
  const shared = await analyseInShards(input, 0, runWith(run));
  const alone = await analyse(input, 0, new Engine({ limits: run.limits ?? DEFAULT_FLOW_LIMITS }), {
    reader: 'sealert',
    onRead: () => {},
  });
  return { shared, alone };
}

function isRich({ findings }: Analysed): void {
  assert.ok(findings.sessions.length > 30);
  assert.ok(findings.sightings.length > 5);
  assert.ok(findings.servers.length > 1);
  assert.ok(findings.diagnostics.fragments.reassembled > 100);
}

test('two threads, a damaged capture', async (t) => {
  const { shared, alone } = await both(t, damaged(), { shares: 2 });
  isRich(alone);
  assert.equal(alone.input.damage.length, 1);
  assert.deepEqual(shared, alone);
});

test('four threads, pcapng', async (t) => {
  const { shared, alone } = await both(t, pcapng(frames), { shares: 4 });
  isRich(alone);
  assert.deepEqual(shared, alone);
});

test('three threads, compressed, cut short', async (t) => {
  const capture = gzipSync(pcap(frames).subarray(0, -20_011), { level: 1 });
  const { shared, alone } = await both(t, capture, { shares: 3 });
  isRich(alone);
  assert.equal(alone.input.damage.length, 1);
  assert.deepEqual(shared, alone);
});

test('cut packets, a clock that jumps', async (t) => {
  const random = new Random(7);
  const thin = frames.slice(0, 20_000).map(({ bytes, timeUs, originalLen = bytes.length }, i) => ({
    bytes: random.between(0, 9) === 0 ? bytes.subarray(0, 96) : bytes,
    originalLen,
    timeUs: i > 9_000 ? timeUs - 7_000_000 : timeUs,
  }));
  const { shared, alone } = await both(t, pcap(thin), {});
  assert.ok(alone.findings.diagnostics.cutPackets > 100);
  assert.equal(alone.findings.clockJumps.length, 1);
  assert.deepEqual(shared, alone);
});

test('one packet that is ahead of its time ends the flows of every thread', async (t) => {
  const some = frames.slice(0, 8_000);
  const flowsOf = ({ findings }: Analysed) => findings.diagnostics.flows.tcp;
  const inTime = await both(t, pcap(some), {});
  // Minutes, and more seconds than a signed word holds.
  for (const aheadUs of [1_000_000_000, 2_500_000_000_000_000]) {
    const odd = { bytes: ethernet(ip(ADDRESSES, udp(1, 2))), timeUs: some[4_000]!.timeUs + aheadUs };
    const early = some.toSpliced(4_000, 0, odd);
    const { shared, alone } = await both(t, pcap(early), { shares: 3 });
    assert.ok(flowsOf(alone) > flowsOf(inTime.alone));
    assert.deepEqual(shared, alone);
  }
});

test('more networks than can be told apart', async (t) => {
  const inNetwork = (network: number, port: number) => {
    const bytes = wrapped(VXLAN, ethernet(ip(ADDRESSES, udp(port, 6_000, Uint8Array.of(1)))));
    new DataView(bytes.buffer).setUint16(VXLAN_NETWORK_AT, network, false);
    return { bytes, timeUs: START_US };
  };
  const networks = Array.from({ length: 1_500 }, (_, i) => i + 1);
  const crowded = networks.flatMap((n) => [inNetwork(n, 5_000 + (n % 7)), inNetwork(n, 5_000 + (n % 5))]);
  const { shared, alone } = await both(t, pcap(crowded), { shares: 4 });
  const { udp: flows } = alone.findings.diagnostics.flows;
  assert.ok(flows > 1_022 && flows < 2_400);
  assert.deepEqual(shared, alone);
});

test('what is no capture, and what is not there', async (t) => {
  const { shared, alone } = await both(t, new Uint8Array(5000).fill(0x20), {});
  assert.ok(alone.input.error);
  assert.deepEqual(shared, alone);
  const gone = { path: 'gone', location: 'gone', size: 1, firstUs: 0 };
  const missing = await analyseInShards(gone, 0, runWith({}));
  assert.match(missing!.input.error!, /there is no such file/);
});

test('where a limit is reached, one thread has to do it, and what was read is taken back', async (t) => {
  const input = await written(t, pcap(frames));
  const tight = {
    maxFlows: { ...DEFAULT_FLOW_LIMITS, maxFlows: 40 },
    maxFollowedFlows: { ...DEFAULT_FLOW_LIMITS, maxFollowedFlows: 4 },
    maxKeptBytes: { ...DEFAULT_FLOW_LIMITS, maxKeptBytes: 1000 },
  };
  for (const [name, limits] of Object.entries(tight)) {
    const read = { bytes: 0, packets: 0 };
    let most = 0;
    const onRead = (bytes: number, packets: number) => {
      read.bytes += bytes;
      read.packets += packets;
      most = Math.max(most, read.packets);
    };
    assert.equal(await analyseInShards(input, 0, runWith({ limits, onRead })), null, name);
    assert.deepEqual(read, { bytes: 0, packets: 0 });
    assert.ok(most < frames.length, 'what is of no use is not read to its end');
  }
});

test('all that was read is told of', async (t) => {
  const capture = pcap(frames);
  const input = await written(t, capture);
  const read = { bytes: 0, packets: 0 };
  await analyseInShards(
    input,
    0,
    runWith({
      onRead: (bytes, packets) => {
        read.bytes += bytes;
        read.packets += packets;
      },
    }),
  );
  assert.deepEqual(read, { bytes: capture.length, packets: frames.length });
});

test('a run that is stopped gives what was read', async (t) => {
  const input = await written(t, pcap(frames));
  const stop = new AbortController();
  const stopped = await analyseInShards(
    input,
    0,
    runWith({
      signal: stop.signal,
      onRead: (bytes) => {
        if (bytes > 0) stop.abort();
      },
    }),
  );
  const { packets, error } = stopped!.input;
  assert.equal(error, undefined);
  assert.ok(packets < frames.length);
  assert.equal(stopped!.findings.diagnostics.packets, packets);
});

const program = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

test('a thread that dies is an error of the capture', async (t) => {
  const input = await written(t, pcap(frames.slice(0, 100)));
  const thrown = await analyseInShards(input, 0, runWith({ program: program("throw new Error('no luck')") }));
  assert.equal(thrown!.input.error, 'its analysis ended early: no luck');
  assert.deepEqual(thrown!.findings.sessions, []);
  const exited = await analyseInShards(input, 0, runWith({ program: program('process.exit(7)') }));
  assert.equal(exited!.input.error, 'its analysis ended early: a thread ended with 7');
});

test('threads that take nothing are waited for once, and are no damage of the capture', async (t) => {
  const input = await written(t, pcap(frames));
  const ends = { "throw new Error('no luck')": 'no luck', 'setInterval(() => {}, 9)': 'one of its threads' };
  for (const [code, reason] of Object.entries(ends)) {
    const began = performance.now();
    const lost = await analyseInShards(input, 0, runWith({ program: program(code), silenceMs: 600 }));
    assert.ok(lost!.input.error!.startsWith(`its analysis ended early: ${reason}`), lost!.input.error);
    assert.deepEqual(lost!.input.damage, []);
    assert.ok(performance.now() - began < 5_000);
  }
});

test('what the threads of one capture took of the memory, those of the next take again', async (t) => {
  const input = await written(t, pcap(frames.slice(0, 2_000)));
  const { buffer } = sharedMemory() as { buffer: ArrayBufferLike };
  const taken = () => new Uint32Array(buffer)[0]!;
  await analyseInShards(input, 0, runWith({}));
  const before = taken();
  for (let i = 0; i < 6; i++) await analyseInShards(input, 0, runWith({}));
  // The tables of one run alone are as much.
  assert.ok(taken() - before < 700_000, `${taken() - before} bytes`);
});
