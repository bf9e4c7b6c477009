/// What is kept of the packets: `-w`, the ring, the evidence.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CaptureReader } from '#sealert/capture/reader.js';
import { PacketFile } from '#sealert/node/live/packet-file.js';
import { PacketRing } from '#sealert/node/live/packet-ring.js';
import { PcapngWriter } from '#sealert/node/pcapng-writer.js';
import { scan } from '#sealert/node/scan.js';
import { temporaryFolder } from '../support/cli.js';
import { samplePath, samples } from '../support/paths.js';
import { NO_SMALL_DISK, smallDisk } from '../support/small-disk.js';

const APPLICATION = 'sealert test';

test('every sample, written as pcapng, gives the same findings', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of samples()) {
    const path = samplePath(name);
    const file = new PacketFile(join(folder, `${name}.pcapng`), APPLICATION);
    new CaptureReader((batch) => file.add(batch, () => 'eth0')).push(readFileSync(path));
    await file.end();
    const [kept, original] = await Promise.all([
      scan([file.path], { command: '' }),
      scan([path], { command: '' }),
    ]);
    assert.equal(kept.inputs[0]!.format, 'pcapng');
    for (const part of ['sessions', 'sightings', 'servers', 'diagnostics'] as const) {
      assert.deepEqual(kept[part], original[part], `${name}: ${part}`);
    }
  }
});

test('interfaces by name and link type, texts with letters of any kind, and dropped packets', () => {
  const writer = new PcapngWriter({ application: APPLICATION, comment: 'Grüße, 三' });
  const source = new CaptureReader((batch) => {
    for (let i = 0; i < batch.count; i++) writer.add(batch, i, i % 2 === 0 ? 'eth0' : 'eth1');
  });
  source.push(readFileSync(samplePath('direct-default')));
  writer.addDropped('eth1', 2 ** 33 + 7, source.summary.lastUs);
  writer.addDropped('eth2', 5, source.summary.lastUs);
  const reader = new CaptureReader(() => {});
  reader.push(writer.take());
  reader.end();
  const { summary } = reader;
  assert.equal(summary.packets, 328);
  assert.deepEqual(
    summary.interfaces.map(({ linkType }) => linkType),
    [1, 1],
  );
  assert.equal(summary.dropped, 2 ** 33 + 7);
  assert.deepEqual(summary.damage, []);
});

test('a file that cannot be written says so, and nobody waits for it', async (t) => {
  const file = new PacketFile(join(await temporaryFolder(t), 'no', 'folder.pcapng'), APPLICATION);
  new CaptureReader((batch) => file.add(batch, () => 'eth0')).push(
    readFileSync(samplePath('direct-default')),
  );
  await file.ready();
  await file.flushed();
  await file.end();
  assert.equal((file.error as NodeJS.ErrnoException).code, 'ENOENT');
});

async function filledRing(folder: string, maxBytes: number, names: readonly string[]) {
  const told: string[] = [];
  const tell = (text: string) => told.push(text);
  const ring = await PacketRing.open({ folder, maxBytes, maxMs: 60_000, application: APPLICATION, tell });
  for (const name of names) {
    const bytes = readFileSync(samplePath(name));
    const reader = new CaptureReader((batch) => ring.add(batch, () => 'eth0'));
    for (let at = 0; at < bytes.length; at += 10_000) reader.push(bytes.subarray(at, at + 10_000));
  }
  return { ring, told };
}

test('a ring on a full disk is told of once, and holds nobody up', async (t) => {
  const folder = await smallDisk(t);
  if (folder === undefined) return t.skip(NO_SMALL_DISK);
  const { ring, told } = await filledRing(folder, 50_000_000, ['direct-default', 'two-clients']);
  const reader = new CaptureReader((batch) => ring.add(batch, () => 'eth0'));
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  reader.push(readFileSync(samplePath('two-clients')));
  await ring.end();
  assert.equal(ring.failed, true);
  assert.deepEqual(told, ['the packet ring: there is no space left; packets are missing from it.']);
  assert.deepEqual(readdirSync(folder), []);
});

test('the evidence of a session: its packets alone, with what came before the verdict', async (t) => {
  const folder = await temporaryFolder(t);
  const names = ['direct-default', 'two-clients', 'benign-http2'];
  const { ring, told } = await filledRing(folder, 50_000_000, names);
  const { sessions } = await scan([samplePath('two-clients')], { command: '' });
  for (const session of sessions) ring.copy(session);
  await ring.end();
  assert.deepEqual(told, []);
  assert.deepEqual(readdirSync(folder).sort(), sessions.map(({ id }) => `${id}.pcapng`).sort());
  for (const { id, client, server } of sessions) {
    const report = await scan([join(folder, `${id}.pcapng`)], { command: '' });
    assert.ok(report.sessions.some((found) => found.id === id));
    for (const other of report.sessions) {
      assert.deepEqual([other.client.ip, other.server.ip], [client.ip, server.ip]);
    }
  }
});

test('a second copy keeps what has left the ring since', async (t) => {
  const folder = await temporaryFolder(t);
  const { sessions } = await scan([samplePath('direct-default')], { command: '' });
  const [session] = sessions;
  const first = await filledRing(folder, 50_000_000, ['direct-default']);
  first.ring.copy(session!);
  await first.ring.end();
  const path = join(folder, `${session!.id}.pcapng`);
  const before = await scan([path], { command: '' });
  const second = await filledRing(folder, 50_000_000, ['benign-http2']);
  second.ring.copy(session!);
  await second.ring.end();
  const after = await scan([path], { command: '' });
  assert.equal(after.inputs[0]!.packets, before.inputs[0]!.packets);
  assert.deepEqual(after.sessions, before.sessions);
});

test('the ring keeps to its size: the oldest packets give way', async (t) => {
  const folder = await temporaryFolder(t);
  const { ring } = await filledRing(folder, 80_000, ['benign-http2', 'two-clients', 'direct-default']);
  const { sessions } = await scan([samplePath('direct-default')], { command: '' });
  ring.copy(sessions[0]!);
  // Copying waits for the disk.
  while (!readdirSync(folder).includes(`${sessions[0]!.id}.pcapng`))
    await new Promise((r) => setTimeout(r, 10));
  const segments = readdirSync(folder).filter((name) => name.startsWith('ring-'));
  const bytes = segments.reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0);
  assert.ok(bytes > 40_000 && bytes <= 100_000, String(bytes));
  await ring.end();
});

test('at its end the ring has removed every segment, also those that gave way earlier', async (t) => {
  const folder = await temporaryFolder(t);
  const names = ['benign-http2', 'two-clients', 'direct-default'];
  const { ring, told } = await filledRing(folder, 80_000, [...names, ...names]);
  await ring.end();
  assert.deepEqual(readdirSync(folder), []);
  assert.deepEqual(told, []);
});
