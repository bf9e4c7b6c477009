/// Every sample gives the report that stands beside it, and what its label says.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAtLeast } from '#sealert/detect/findings.js';
import { scan } from '#sealert/node/scan.js';
import { assertValidReport } from '../support/schema.js';

const SAMPLES = 'samples';

interface LabelledConnection {
  protocol: string;
  client: { ip: string; port: number | null };
  server: { ip: string; port: number | null };
  synSeen?: boolean;
}

interface LabelledSession {
  carrier: string;
  connections: LabelledConnection[];
}

interface Label {
  label: string;
  capturePoint: string;
  software: { softether?: string };
  settings: { host: string; port: number };
  sessions: LabelledSession[];
}

/// A recording is small enough to be kept beside the code, and so are all together.
const MAX_SAMPLE_BYTES = 300_000;
const MAX_SAMPLES_BYTES = 8_000_000;

const samples = readdirSync(SAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

test('there are samples with sessions of both generations and at least six without', () => {
  const labels = samples.map(labelOf);
  const sessions = labels.filter(({ label }) => label === 'session');
  for (const generation of ['4.', '5.']) {
    assert.ok(
      sessions.some(({ software }) => software.softether?.startsWith(generation)),
      generation,
    );
  }
  assert.ok(labels.filter(({ label }) => label === 'benign').length >= 6);
});

for (const sample of samples) {
  test(`${sample}: the report is the expected one`, async () => {
    const report = await scanSample(sample);
    assertValidReport(JSON.parse(JSON.stringify(report)));
    const { sessions, sightings, servers, diagnostics } = report;
    assert.equal(new Set(sessions.map(({ id }) => id)).size, sessions.length);
    const expected = JSON.parse(readFileSync(join(SAMPLES, sample, 'expected.json'), 'utf8'));
    assert.deepEqual(JSON.parse(JSON.stringify({ sessions, sightings, servers, diagnostics })), expected);
  });

  test(`${sample}: the report agrees with the label`, async () => {
    const label = labelOf(sample);
    const { sessions } = await scanSample(sample);
    const found = sessions.filter(({ verdict }) => isAtLeast(verdict, 'likely'));
    assert.deepEqual(found.map(outline).sort(), trueSessions(label).map(outline).sort());
    const generation = `${label.software.softether?.split('.')[0]}.x`;
    for (const session of found) {
      const { client, server } = session.software;
      const features = session.evidence.map(({ feature }) => feature);
      // Each side shows its generation in clear or not at all: it is never guessed wrong.
      const clientShown = features.includes('client-hello') || features.includes('nonce-chain');
      const serverShown = features.includes('probe') || features.includes('nonce-chain');
      assert.ok(client.generation === generation || (!clientShown && client.generation === null));
      assert.ok(server.generation === generation || (!serverShown && server.generation === null));
      const labelled = trueSessions(label).find((one) => outline(one) === outline(session))!;
      assert.equal(session.startCaptured, labelled.connections[0]!.synSeen ?? true);
      const throughProxy = ['http-proxy', 'socks4', 'socks5'].includes(session.carrier);
      const { host, port } = label.settings;
      assert.deepEqual(session.target, throughProxy ? { host, port } : undefined);
    }
  });
}

test('the samples are small', () => {
  const sizes = samples.map((sample) =>
    readdirSync(join(SAMPLES, sample)).map((file) => statSync(join(SAMPLES, sample, file)).size),
  );
  for (const [i, files] of sizes.entries()) assert.ok(Math.max(...files) < MAX_SAMPLE_BYTES, samples[i]);
  assert.ok(sizes.flat().reduce((sum, size) => sum + size, 0) < MAX_SAMPLES_BYTES);
});

/// The sessions of a label. Where both sides of a proxy are in one capture, the
/// label names its two legs one by one; they are one session.
function trueSessions({ capturePoint, sessions }: Label): LabelledSession[] {
  if (capturePoint !== 'both') return sessions;
  const connections = sessions.flatMap((session) => session.connections);
  const [proxied] = sessions.filter(({ carrier }) => carrier !== 'tcp');
  return [{ carrier: proxied!.carrier, connections }];
}

/// A session as text: its carrier and the ends of its connections. Who is the
/// client of a UDP flow is a matter of view; ICMP connections between the same
/// hosts cannot be told apart by their ends, so they count once.
function outline({ carrier, connections }: LabelledSession): string {
  const ends = connections.map(({ protocol, client, server }) => {
    const both = [client, server].map(({ ip, port }) => `${ip} ${port}`);
    return [protocol, ...(protocol === 'udp' ? both.sort() : both)].join(' ');
  });
  const all = ends.filter((text, i) => !text.startsWith('icmp') || ends.indexOf(text) === i);
  return [carrier, ...all.sort()].join(', ');
}

function labelOf(sample: string): Label {
  return JSON.parse(readFileSync(join(SAMPLES, sample, 'label.json'), 'utf8'));
}

function scanSample(sample: string) {
  return scan([join(SAMPLES, sample, 'capture.pcap')], { command: 'test' });
}
