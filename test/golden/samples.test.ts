/// Every sample gives the report that stands beside it, and what its label says.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAtLeast } from '#sealert/detect/findings.js';
import { scan } from '#sealert/node/scan.js';

const SAMPLES = 'samples';

interface Label {
  label: string;
  software: { softether?: string };
  sessions: { connections: { protocol: string; client: { ip: string; port: number } }[] }[];
}

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
    const { sessions, sightings, servers, diagnostics } = await scanSample(sample);
    const expected = JSON.parse(readFileSync(join(SAMPLES, sample, 'expected.json'), 'utf8'));
    assert.deepEqual(JSON.parse(JSON.stringify({ sessions, sightings, servers, diagnostics })), expected);
  });

  test(`${sample}: the report agrees with the label`, async () => {
    const label = labelOf(sample);
    const { sessions } = await scanSample(sample);
    const found = sessions.filter(({ verdict }) => isAtLeast(verdict, 'likely'));
    const ports = (of: { connections: { protocol: string; client: { port: number | null } }[] }[]) =>
      of.map(({ connections }) =>
        connections
          .filter(({ protocol }) => protocol === 'tcp')
          .map(({ client }) => client.port)
          .sort(),
      );
    assert.deepEqual(ports(found), ports(label.sessions));
    for (const { software } of found) {
      const generation = `${label.software.softether?.split('.')[0]}.x`;
      assert.equal(software.client.generation, generation);
      assert.equal(software.server.generation, generation);
    }
  });
}

function labelOf(sample: string): Label {
  return JSON.parse(readFileSync(join(SAMPLES, sample, 'label.json'), 'utf8'));
}

function scanSample(sample: string) {
  return scan([join(SAMPLES, sample, 'capture.pcap')], { command: 'test' });
}
