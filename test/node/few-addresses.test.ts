/// WebAssembly reserves addresses, of which a system may let a process have few.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Report } from '#sealert/report/model.js';
import { pcap, type TestFrame } from '../support/capture-builder.js';
import { CLI, ended, sealert, temporaryFolder } from '../support/cli.js';
import { ADDRESSES, ethernet, ip, udp } from '../support/frames.js';

const CHECKED = '--disable-wasm-trap-handler';
/// Of IPv4 behind Ethernet.
const SOURCE_AT = 26;
/// V8 14 of Node.js 26 needs more for a second thread: 5.5 GB are too few, 6 GB were enough each time.
const FEW_KILOBYTES = Number(process.versions.node.split('.')[0]) < 26 ? 4_000_000 : 8_000_000;
const SAMPLES = ['samples/direct-default', 'samples/vlan', 'samples/benign-http2'];

/// `sealert` where a process may have so many kilobytes of addresses.
function limited(kilobytes: number, args: readonly string[]) {
  const command = `ulimit -v ${kilobytes}; exec "$0" "$@"`;
  return ended(spawn('sh', ['-c', command, process.execPath, CLI, ...args]));
}

/// `sealert` with a memory of the loops of so many pages at most.
function withPages(pages: number, args: readonly string[]) {
  return ended(spawn(process.execPath, [CHECKED, `--wasm-max-mem-pages=${pages}`, CLI, ...args]));
}

function found(json: string): Omit<Report, 'run'> {
  const { run, ...rest } = JSON.parse(json) as Report;
  assert.ok(run.complete);
  return rest;
}

function flood(flows: number): Uint8Array {
  const bytes = ethernet(ip(ADDRESSES, udp(1000, 2000, new Uint8Array(16))));
  const frames: TestFrame[] = [];
  for (let i = 0; i < flows; i++) {
    const own = bytes.slice();
    new DataView(own.buffer).setUint32(SOURCE_AT, i, false);
    frames.push({ bytes: own, timeUs: 1_700_000_000_000_000 + i });
  }
  return pcap(frames);
}

for (const jobs of ['1', '2']) {
  test(`with few addresses and ${jobs} jobs a scan finds the same`, {
    skip: process.platform !== 'linux' && 'only Linux has such a limit',
  }, async () => {
    const args = ['scan', ...SAMPLES, '-q', '--format', 'json', '--jobs', jobs];
    const [free, few] = [await sealert(args), await limited(FEW_KILOBYTES, args)];
    assert.equal(few.stderr, '');
    assert.equal(few.code, 0);
    assert.deepEqual(found(few.stdout), found(free.stdout));
  });
}

test('where there is no memory for a larger table, flows are given up and counted', async (t) => {
  const path = join(await temporaryFolder(t), 'flood.pcap');
  const flows = 300_000;
  await writeFile(path, flood(flows));
  const args = ['scan', path, '-q', '--format', 'json'];
  const free = found((await sealert(args)).stdout);
  const few = await withPages(320, args);
  assert.equal(few.stderr, '');
  const { inputs, diagnostics } = found(few.stdout);
  assert.equal(diagnostics.flows.udp, flows);
  assert.equal(free.diagnostics.evictedFlows, 0);
  // There was memory for the first larger table.
  assert.ok(diagnostics.evictedFlows > 0 && diagnostics.evictedFlows <= flows - 65_536);
  assert.deepEqual(inputs, free.inputs);
});

test('without room for the loops a sentence says what to do', async () => {
  const { code, stderr, stdout } = await withPages(64, ['scan', ...SAMPLES]);
  assert.equal(code, 4);
  assert.equal(stdout, '');
  assert.match(stderr, /^sealert: the system does not let .*ulimit -v.*\.\n$/);
});
