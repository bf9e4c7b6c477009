import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeJson, writeNdjson } from '#sealert/report/json.js';
import { anyReport } from '../support/arbitraries.js';
import { fullReport, report, session, textOf } from '../support/report.js';

const json = (of: Parameters<typeof writeJson>[0]) => textOf(writeJson(of));
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('the report comes back from its JSON', () => {
  for (const one of [report(), fullReport()]) assert.deepEqual(JSON.parse(json(one)), one);
});

test('the layout is that of JSON.stringify with two spaces', () => {
  const text = json(fullReport());
  assert.equal(text, `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
});

test('the parts of the report come in the order of the contract', () => {
  assert.deepEqual(Object.keys(JSON.parse(json(fullReport()))), [
    ...['schemaVersion', 'tool', 'run', 'inputs', 'sessions', 'sightings', 'servers', 'diagnostics'],
  ]);
});

test('all verdicts are in json, the sure ones in ndjson', () => {
  const all = report({ sessions: [session({ verdict: 'suspected' }), session({ verdict: 'confirmed' })] });
  assert.equal(JSON.parse(json(all)).sessions.length, 2);
  const verdicts = (text: string) =>
    lines(text).flatMap(({ type, verdict }) => (type === 'session' ? [verdict] : []));
  assert.deepEqual(verdicts(textOf(writeNdjson(all))), ['confirmed']);
  assert.deepEqual(verdicts(textOf(writeNdjson(all, { minVerdict: 'suspected' }))), [
    'suspected',
    'confirmed',
  ]);
});

test('ndjson holds the same report, line by line', () => {
  const full = fullReport();
  const all = lines(textOf(writeNdjson(full, { minVerdict: 'suspected' })));
  const ofType = (type: string) =>
    all.filter((line) => line.type === type).map(({ type: _, ...rest }) => rest);
  const { schemaVersion, tool, run } = full;
  assert.deepEqual(all[0], { type: 'run', schemaVersion, tool, run });
  assert.deepEqual(ofType('input'), full.inputs);
  assert.deepEqual(ofType('session'), full.sessions);
  assert.deepEqual(ofType('sighting'), full.sightings);
  assert.deepEqual(ofType('server'), full.servers);
  assert.deepEqual(ofType('diagnostics'), [full.diagnostics]);
  assert.deepEqual(Object.keys(all[0])[0], 'type');
});

test('any text survives, and none of it can drive a terminal', () => {
  fc.assert(
    fc.property(anyReport(), (any) => {
      for (const text of [json(any), textOf(writeNdjson(any, { minVerdict: 'suspected' }))]) {
        assert.doesNotMatch(text, /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
      }
      assert.deepEqual(JSON.parse(json(any)), any);
      assert.deepEqual(
        lines(textOf(writeNdjson(any, { minVerdict: 'suspected' }))).length,
        2 + any.inputs.length + any.sessions.length + any.sightings.length,
      );
    }),
  );
});
