/// `npm run test:long`: inputs that ask for more memory than there is. They are
/// made while they are read; nothing of them is ever a file.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ByteChunk, CHUNK_BYTES } from '#sealert/capture/byte-chunk.js';
import { CaptureReader } from '#sealert/capture/reader.js';
import { Engine } from '#sealert/engine.js';
import { readerPool } from '#sealert/node/buffer-pool.js';
import { DEFAULT_MEMORY_BYTES } from '#sealert/node/memory-plan.js';
import { ByteWriter, concat, PcapngBuilder, pcap, type TestFrame } from '../support/capture-builder.js';
import { ended, startSealert } from '../support/cli.js';
import { ADDRESSES, ethernet, ipv4, SYN, tcp } from '../support/frames.js';
import { samplePath } from '../support/paths.js';
import { readFrames } from '../support/read.js';

/// What the program may take, whatever it is given: the flow table is 72 MB of it.
const MAX_RESIDENT_BYTES = 600_000_000;

/// Reads a capture that comes piece by piece, and watches the memory.
function analysePieces(pieces: Iterable<Uint8Array>) {
  const engine = new Engine();
  engine.begin(0);
  const buffers = readerPool.take();
  const reader = new CaptureReader((batch) => engine.push(batch), buffers);
  let resident = 0;
  let count = 0;
  for (const piece of pieces) {
    reader.push(piece);
    if (count++ % 64 === 0) resident = Math.max(resident, process.memoryUsage().rss);
  }
  reader.end();
  assert.ok(resident < MAX_RESIDENT_BYTES, `${resident} bytes resident`);
  const findings = engine.end();
  readerPool.give(buffers);
  engine.dispose();
  return { summary: reader.summary, findings };
}

const SYN_FRAME = ethernet(ipv4(ADDRESSES, tcp({ flags: SYN })));
const SOURCE_AT = 14 + 12;
const SOURCE_PORT_AT = 14 + 20;

/// `flows` records of a SYN each, from other addresses and ports each time, in
/// pieces; the frames of a real session stand between them at even distances.
function* flood(flows: number, woven: readonly TestFrame[]): Generator<Uint8Array> {
  yield pcap([]);
  const record = pcap([{ bytes: SYN_FRAME, timeUs: 0 }]).subarray(24);
  const perPiece = Math.floor(CHUNK_BYTES / 2 / record.length);
  const piece = new Uint8Array(perPiece * record.length);
  const view = new DataView(piece.buffer);
  for (let i = 0; i < perPiece; i++) piece.set(record, i * record.length);
  const step = Math.floor(flows / woven.length);
  let made = 0;
  for (const frame of woven) {
    for (let left = step; left > 0; ) {
      const count = Math.min(left, perPiece);
      for (let i = 0; i < count; i++, made++) {
        const at = i * record.length;
        view.setUint32(at, Math.floor(frame.timeUs / 1e6), true);
        view.setUint32(at + 4, frame.timeUs % 1e6, true);
        view.setUint32(at + 16 + SOURCE_AT, 0x0b00_0000 + Math.floor(made / 50_000), false);
        view.setUint16(at + 16 + SOURCE_PORT_AT, 1024 + (made % 50_000), false);
      }
      yield piece.subarray(0, count * record.length);
      left -= count;
    }
    yield pcap([frame]).subarray(24);
  }
}

test('ten million flows: the memory is bounded, it is said, and the session is found', (t) => {
  const sample = new Uint8Array(readFileSync(samplePath('direct-default')));
  const woven = readFrames(sample).frames;
  const alone = analysePieces([sample]);
  const [session] = alone.findings.sessions;
  assert.equal(session!.verdict, 'confirmed');

  const FLOWS = 10_000_000;
  const { findings } = analysePieces(flood(FLOWS, woven));
  const found = findings.sessions.map(({ id, verdict }) => ({ id, verdict }));
  assert.deepEqual(found, [{ id: session!.id, verdict: session!.verdict }]);
  const { flows, limitsHit } = findings.diagnostics;
  assert.ok(flows.tcp > FLOWS - woven.length);
  assert.ok(limitsHit.flows! > FLOWS / 2, `${limitsHit.flows} flows were given up`);
  t.diagnostic(`${limitsHit.flows} of ${flows.tcp} flows given up`);
});

/// SSH connections none of whose beginnings is there, in turn: in each round the server asks and
/// the client answers, packets of one of the sizes that polls have under some cipher.
function* openSsh(flows: number, rounds: number): Generator<Uint8Array> {
  const { source, destination } = ADDRESSES;
  yield pcap([]);
  for (let round = 0; round < rounds; round++) {
    const payload = new Uint8Array(76 + 4 * (round % 43));
    const question = tcp({ sourcePort: 22, sequence: 1000 * round }, payload);
    const answer = tcp({ destinationPort: 22, sequence: 1000 * round }, payload);
    const packets = [ipv4({ source: destination, destination: source }, question), ipv4(ADDRESSES, answer)];
    for (const fromClient of [false, true]) {
      const bytes = ethernet(packets[fromClient ? 1 : 0]!);
      const record = pcap([{ bytes, timeUs: round * 1e6 + (fromClient ? 100_000 : 0) }]).subarray(24);
      const piece = concat(...Array<Uint8Array>(flows).fill(record));
      const view = new DataView(piece.buffer);
      for (let flow = 0; flow < flows; flow++) {
        const at = flow * record.length + 16;
        view.setUint32(at + SOURCE_AT + (fromClient ? 0 : 4), 0x0b00_0000 + flow, false);
      }
      yield piece;
    }
  }
}

const canMeasure = process.platform === 'linux' ? false : 'the memory of a process is read from /proc';

test('8,000 SSH connections that poll: the program stays in its budget', { skip: canMeasure }, async (t) => {
  const child = startSealert(['scan', '-q', '--format', 'json', '-']);
  const end = ended(child);
  let peakKib = 0;
  for (const piece of openSsh(8_000, 86)) {
    if (!child.stdin!.write(piece)) await once(child.stdin!, 'drain');
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1];
    peakKib = Math.max(peakKib, Number(peak));
  }
  child.stdin!.end();
  const { diagnostics } = JSON.parse((await end).stdout);
  assert.equal(diagnostics.packets, 8_000 * 86 * 2);
  t.diagnostic(`${diagnostics.evictedFlows} flows given up, ${peakKib} KiB resident`);
  assert.ok(peakKib * 1024 < DEFAULT_MEMORY_BYTES, `${peakKib} KiB resident`);
});

test('a million interfaces', () => {
  const ONE = new PcapngBuilder().interface().bytes();
  const many = concat(...Array(10_000).fill(ONE));
  function* pieces() {
    yield new PcapngBuilder().section().bytes();
    for (let i = 0; i < 100; i++) yield many;
    yield new PcapngBuilder().packet(SYN_FRAME).packet(SYN_FRAME, { interface: 999_999 }).bytes();
    yield new PcapngBuilder().packet(SYN_FRAME, { interface: 7 }).bytes();
  }
  const { summary } = analysePieces(pieces());
  assert.equal(summary.packets, 2);
  assert.deepEqual(summary.limitsHit, { interfaces: 1_000_000 - 65_536 });
  assert.match(summary.damage[0]!.reason, /beyond the limit of 65536 interfaces/);
});

test('a block that claims 4 GiB, and half a gigabyte of it', () => {
  const claim = new ByteWriter(true).u32(0x0bae).u32(0xffff_fffc).bytes();
  const body = new ByteChunk().data;
  function* pieces() {
    yield new PcapngBuilder().section().interface().packet(SYN_FRAME).bytes();
    yield claim;
    for (let i = 0; i < 500; i++) yield body;
    for (let i = 0; i < 5000; i++) yield new PcapngBuilder().packet(SYN_FRAME).bytes();
  }
  const { summary } = analysePieces(pieces());
  assert.equal(summary.packets, 5001);
  assert.equal(summary.damage.length, 1);
  assert.match(summary.damage[0]!.reason, /claims a length of 4294967292 bytes/);
});
