import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CaptureReader } from '#sealert/capture/reader.js';
import { parseFlowName } from '#sealert/detect/flow-name.js';
import { TracingEngine } from '#sealert/tracing-engine.js';
import { analyse } from '../support/analyse.js';
import { samplePath, samples } from '../support/paths.js';

test('tracing a flow changes nothing of what is found', () => {
  for (const sample of samples()) {
    const capture = readFileSync(samplePath(sample));
    const plain = analyse(capture);
    const connection = plain.sessions[0]?.connections[0];
    const ends = connection && [connection.client, connection.server].map(({ ip, port }) => `${ip}:${port}`);
    const name = parseFlowName(ends?.join(' ') ?? '10.0.118.84:46102 203.0.113.245:443');
    // ICMP has no ports, so its flows have no such name.
    if (name === null) continue;
    const engine = new TracingEngine(name);
    engine.begin(0);
    const reader = new CaptureReader((batch) => engine.push(batch));
    reader.push(capture);
    reader.end();
    const traced = engine.end();
    assert.deepEqual(traced.sessions, plain.sessions, sample);
    assert.deepEqual(traced.diagnostics, plain.diagnostics, sample);
    if (connection === undefined) continue;
    const [explanation] = engine.explanations;
    assert.equal(explanation?.session?.id, plain.sessions[0]!.id);
    assert.equal(explanation?.packets, connection.packets);
    const held = explanation.clauses.filter(({ held }) => held).map(({ clause }) => clause);
    const features = plain.sessions[0]!.evidence.map(({ feature }) => feature);
    assert.deepEqual(held.sort(), features.filter((feature) => feature !== 'client-hello').sort(), sample);
  }
});
