import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { addressText } from '#sealert/detect/identity.js';
import { scan } from '#sealert/node/scan.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet, STOP_NONE, STOP_NOT_IP } from '#sealert/wire/packet.js';
import { concat, pcap, type TestFrame } from '../support/capture-builder.js';
import { temporaryFolder } from '../support/cli.js';
import { CORPORA, filesBelow, NO_CORPORA, samplePath, samples } from '../support/paths.js';
import { type ReadFrame, readFrames } from '../support/read.js';
import { PACKET_COUNTS } from './known-differences.js';

/// One line of tshark's output: a value for each field, empty where there is none.
type Row = Record<string, string>;

function parseRows(text: string): Row[] {
  const [header, ...lines] = text.trimEnd().split('\n');
  const names = header!.split('\t');
  return lines.map((line) => {
    const values = line.split('\t');
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
  });
}

/// tshark's time with nanoseconds as microseconds, rounded down.
function toUs(epoch: string): number {
  const [seconds, fraction] = epoch.split('.');
  return Number(seconds) * 1e6 + Number(fraction!.slice(0, 6));
}

/// What the project says of a frame, in tshark's fields.
function describe({ frame, timeUs, originalLen, linkType, bytes }: ReadFrame): Row {
  const row: Row = {
    'frame.number': `${frame}`,
    'frame.time_epoch': `${timeUs}`,
    'frame.len': `${originalLen}`,
    'frame.cap_len': `${bytes.length}`,
    'ip.src': '',
    'ip.dst': '',
    'ipv6.src': '',
    'ipv6.dst': '',
    'tcp.srcport': '',
    'tcp.dstport': '',
    'tcp.len': '',
  };
  const packet = new Packet();
  const view = new DataView(bytes.buffer);
  const stop = decodeFrame(view, 0, bytes.length, originalLen, linkType, packet);
  if (stop === STOP_NOT_IP) return row;
  const at = packet.addressesAt;
  const v6 = packet.version === 6;
  const ends = v6
    ? [bytes.slice(at, at + 16), bytes.slice(at + 16, at + 32)]
    : [packet.source, packet.destination];
  const [source, destination] = ends.map((end) =>
    addressText(typeof end === 'number' ? Uint8Array.of(end >>> 24, end >>> 16, end >>> 8, end) : end),
  );
  row[v6 ? 'ipv6.src' : 'ip.src'] = source!;
  row[v6 ? 'ipv6.dst' : 'ip.dst'] = destination!;
  if (stop !== STOP_NONE || packet.protocol !== 6) return row;
  row['tcp.srcport'] = `${packet.sourcePort}`;
  row['tcp.dstport'] = `${packet.destinationPort}`;
  row['tcp.len'] = `${packet.payloadLen}`;
  return row;
}

test('there are samples, each with what tshark says of it', () => {
  assert.ok(samples().length >= 10);
  const missing = samples().filter((name) => !existsSync(samplePath(name, 'frames.tsv')));
  assert.deepEqual(missing, [], 'run node build/scripts/refresh-tshark.js');
});

for (const name of samples()) {
  test(`frame by frame as tshark: ${name}`, () => {
    const rows = parseRows(readFileSync(samplePath(name, 'frames.tsv'), 'utf8'));
    const { frames, summary } = readFrames(readFileSync(samplePath(name)));
    assert.deepEqual(summary.damage, []);
    assert.equal(frames.length, rows.length);
    rows.forEach((row, i) => {
      const expected = { ...row, 'frame.time_epoch': `${toUs(row['frame.time_epoch']!)}` };
      assert.deepEqual(describe(frames[i]!), expected);
    });
  });
}

function missingProgram(program: string): string | false {
  const { error } = spawnSync(program, ['--version']);
  return error ? `${program} is not installed: nothing was compared with Wireshark itself` : false;
}

const noTshark = NO_CORPORA || missingProgram('tshark');
const noCapinfos = NO_CORPORA || missingProgram('capinfos');

/// Says in the test's output, too, that it did not run.
function skipLoudly(
  t: { skip(why: string): void; diagnostic(text: string): void },
  why: string | false,
): boolean {
  if (why === false) return false;
  t.diagnostic(`SKIPPED: ${why}`);
  t.skip(why);
  return true;
}

const FIELDS = ['frame.number', 'frame.time_epoch', 'frame.len', 'frame.cap_len', 'frame.encap_type'];

/// Wireshark's own numbers of link types, as LINKTYPE_ numbers.
const LINK_TYPE_OF_ENCAPSULATION: Record<string, number> = { 1: 1, 15: 0 };

async function liveRows(path: string, fields: readonly string[] = FIELDS): Promise<Row[]> {
  const columns = fields.flatMap((field) => ['-e', field]);
  const args = ['-n', '-r', path, '-T', 'fields', '-E', 'header=y', '-E', 'occurrence=f', ...columns];
  const { stdout } = await promisify(execFile)('tshark', args, { maxBuffer: 1 << 26 });
  return parseRows(stdout);
}

test('pcapng conformance files: frame by frame as tshark', async (t) => {
  if (skipLoudly(t, noTshark)) return;
  const folder = join(CORPORA, 'pcapng-test-generator');
  const files = filesBelow(folder).filter((path) => path.endsWith('.pcapng'));
  assert.equal(files.length, 48);
  const compare = async (path: string) => {
    const { frames, summary } = readFrames(readFileSync(path));
    assert.deepEqual(summary.damage, [], path);
    const ours = new Map(frames.map((frame) => [frame.frame, frame]));
    let lastUs = 0;
    for (const row of await liveRows(path)) {
      const frame = ours.get(Number(row['frame.number']));
      ours.delete(Number(row['frame.number']));
      const time = row['frame.time_epoch']!;
      // A block that has a number but holds no packet.
      if (frame === undefined) assert.equal(time, '', path);
      else {
        const lengths = [frame.originalLen, frame.bytes.length];
        assert.deepEqual(lengths, [Number(row['frame.len']), Number(row['frame.cap_len'])], path);
        assert.equal(frame.linkType, LINK_TYPE_OF_ENCAPSULATION[row['frame.encap_type']!], path);
        // A simple packet block has no time: see NO_TIME in known-differences.ts.
        assert.equal(frame.timeUs, time === '' ? lastUs : toUs(time), path);
        lastUs = frame.timeUs;
      }
    }
    assert.equal(ours.size, 0, `${path}: frames that tshark does not number`);
  };
  // Two at a time: each takes tshark a fifth of a second.
  const queue = [...files];
  const worker = async () => {
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) await compare(path);
  };
  await Promise.all([worker(), worker()]);
});

/// What a file of any kind may take.
const MOST_SECONDS = 5;
const MOST_MEMORY_KB = 262_144;

test('captures of other projects: as many packets as Wireshark reads, in little time and memory', async (t) => {
  if (skipLoudly(t, noCapinfos)) return;
  const files = filesBelow(CORPORA).filter((path) => !path.endsWith('.md'));
  const names = files.map((path) => relative(CORPORA, path));
  // `-T -m -Q -c`: a table of quoted values with the number of packets.
  const { stdout } = spawnSync('capinfos', ['-T', '-m', '-Q', '-c', ...names], {
    cwd: CORPORA,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const counts = new Map<string, number>();
  for (const [, name, packets] of stdout.matchAll(/^"(.*)","(\d+)"$/gm)) counts.set(name!, Number(packets));
  let equal = 0;
  let slowest = 0;
  const unexplained: string[] = [];
  for (const [i, path] of files.entries()) {
    const name = names[i]!;
    const began = performance.now();
    const { inputs } = await scan([path], { command: 'test' });
    slowest = Math.max(slowest, performance.now() - began);
    const { packets, error } = inputs[0]!;
    const theirs = counts.get(name);
    const known = PACKET_COUNTS[name];
    if (known !== undefined) assert.equal(packets, known.packets, `${name}: ${known.why}`);
    if (theirs === undefined ? error !== undefined : theirs === packets) equal++;
    else if (known === undefined) unexplained.push(`${name}: ${theirs ?? 'refused'} there, ${packets} here`);
  }
  assert.deepEqual(unexplained, []);
  assert.ok(slowest < MOST_SECONDS * 1000, `${slowest} ms for one file`);
  const { maxRSS } = process.resourceUsage();
  assert.ok(maxRSS < MOST_MEMORY_KB, `${maxRSS} KB for all files`);
  t.diagnostic(`${equal} of ${files.length} files alike, the others as known-differences.ts has them`);
  t.diagnostic(`at most ${Math.ceil(slowest)} ms for a file, ${Math.ceil(maxRSS / 1024)} MB for all`);
});

const noMergecap = missingProgram('mergecap') || missingProgram('tshark');

test('several link types in one file are read in full, where other programs stop', async (t) => {
  if (skipLoudly(t, noMergecap)) return;
  const folder = await temporaryFolder(t);
  const recorded = readFrames(readFileSync(samplePath('direct-default'))).frames;
  // The same packets as Ethernet, as a Linux cooked capture, and without a link layer.
  const cooked = Uint8Array.of(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0);
  const ip = recorded.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0);
  const twins: [string, number, TestFrame[]][] = [
    ['ethernet', 1, ip],
    ['cooked', 113, ip.map((frame) => replaceLinkLayer(frame, cooked, frame.originalLen + 2))],
    ['raw', 101, ip.map((frame) => replaceLinkLayer(frame, new Uint8Array(0), frame.originalLen - 14))],
  ];
  for (const [name, linkType, frames] of twins) {
    writeFileSync(join(folder, name), pcap(frames, { linkType }));
  }
  const merged = join(folder, 'merged.pcapng');
  const names = twins.map(([name]) => join(folder, name));
  // -a: one after the other.
  assert.equal(spawnSync('mergecap', ['-a', '-F', 'pcapng', '-w', merged, ...names]).status, 0);
  const { frames, summary } = readFrames(readFileSync(merged));
  assert.deepEqual(summary.damage, []);
  assert.equal(frames.length, 3 * ip.length);
  const rows = frames.map((frame) => describe(frame));
  const expected = (await liveRows(merged, Object.keys(rows[0]!))).map((row) => {
    return { ...row, 'frame.time_epoch': `${toUs(row['frame.time_epoch']!)}` };
  });
  assert.deepEqual(rows, expected);
  const report = await scan([merged], { command: 'test' });
  assert.equal(report.sessions.length, 1);
});

function replaceLinkLayer({ bytes, timeUs }: ReadFrame, by: Uint8Array, originalLen: number): TestFrame {
  return { timeUs, originalLen, bytes: concat(by, bytes.subarray(14)) };
}
