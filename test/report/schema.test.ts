import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeJson } from '#sealert/report/json.js';
import { fullReport, report, session, textOf } from '../support/report.js';
import { assertValidReport, schemaErrors } from '../support/schema.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const emitted = (of: Parameters<typeof writeJson>[0]): Json => JSON.parse(textOf(writeJson(of)));

test('what is written is what the schema describes', () => {
  for (const one of [report(), report({ inputs: [] }), report({ sessions: [session()] }), fullReport()]) {
    assertValidReport(emitted(one));
  }
});

/// The path of every object in a JSON value.
function* objectPaths(value: Json, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield path;
  for (const [key, inner] of Object.entries(value)) yield* objectPaths(inner, [...path, key]);
}

function at(value: Json, path: readonly (string | number)[]): { [key: string]: Json } {
  return path.reduce<Json>((inner, key) => (inner as { [key: string]: Json })[key]!, value) as {
    [key: string]: Json;
  };
}

const OPTIONAL = ['droppedByCapture', 'error', 'target', 'certificate'];
const OPTIONAL_OF_INPUT = ['damageLeftOut', 'clockJumps', 'cut', 'limitsHit'];

test('every object is closed and every field that is not optional is required', () => {
  const full = emitted(fullReport());
  for (const path of objectPaths(full)) {
    // Layers, reasons and limits are names that the packets decide.
    if (path.includes('undecodable') || path.includes('limitsHit')) continue;
    const widened = structuredClone(full);
    at(widened, path).extra = 1;
    assert.notDeepEqual(schemaErrors(widened), [], `unknown field at /${path.join('/')}`);
    for (const key of Object.keys(at(full, path))) {
      const narrowed = structuredClone(full);
      delete at(narrowed, path)[key];
      const errors = schemaErrors(narrowed);
      const name = `/${[...path, key].join('/')} left out`;
      if (OPTIONAL.includes(key) || (path[0] === 'inputs' && OPTIONAL_OF_INPUT.includes(key)))
        assert.deepEqual(errors, [], name);
      else assert.notDeepEqual(errors, [], name);
    }
  }
});

test('a value of another type is refused everywhere', () => {
  const full = emitted(fullReport());
  for (const path of objectPaths(full)) {
    for (const [key, value] of Object.entries(at(full, path))) {
      const wrong = structuredClone(full);
      at(wrong, path)[key] = typeof value === 'boolean' ? 'true' : true;
      assert.notDeepEqual(schemaErrors(wrong), [], `/${[...path, key].join('/')} is a boolean`);
    }
  }
});

test('values that are no such thing are refused', () => {
  const mutations: [string, (full: ReturnType<typeof fullReport>) => unknown][] = [
    ['schema version', (full) => Object.assign(full, { schemaVersion: 2 })],
    ['verdict', (full) => Object.assign(full.sessions[0]!, { verdict: 'certain' })],
    ['carrier', (full) => Object.assign(full.sessions[0]!, { carrier: 'ftp' })],
    ['id', (full) => Object.assign(full.sessions[0]!, { id: '../etc' })],
    ['no evidence', (full) => Object.assign(full.sessions[0]!, { evidence: [] })],
    ['no connection', (full) => Object.assign(full.sessions[0]!, { connections: [] })],
    ['local time', (full) => Object.assign(full.sessions[0]!, { start: '2026-11-23T01:01:58.123456+09:00' })],
    ['milliseconds', (full) => Object.assign(full.sessions[0]!, { start: '2026-11-23T01:01:58.123Z' })],
    ['month 13', (full) => Object.assign(full.sessions[0]!, { start: '2026-13-23T01:01:58.123456Z' })],
    ['port', (full) => Object.assign(full.sessions[0]!.client, { port: 65536 })],
    ['address', (full) => Object.assign(full.sessions[0]!.client, { ip: '[::1]' })],
    ['frame 0', (full) => Object.assign(full.sessions[0]!.evidence[0]!.frames[0]!, { frame: 0 })],
    ['generation', (full) => Object.assign(full.sessions[0]!.software.client, { generation: '3.x' })],
    ['community id', (full) => Object.assign(full.sessions[0]!.connections[0]!, { communityId: '2:x' })],
    [
      '17 frames',
      (full) => Object.assign(full.sightings[0]!, { frames: Array(17).fill({ input: 0, frame: 1 }) }),
    ],
    ['negative count', (full) => Object.assign(full.diagnostics, { gaps: -1 })],
    ['fraction', (full) => Object.assign(full.inputs[0]!, { packets: 1.5 })],
    ['container', (full) => Object.assign(full.inputs[0]!, { format: 'tar' })],
  ];
  for (const [name, mutate] of mutations) {
    const full = fullReport();
    mutate(full);
    assert.notDeepEqual(schemaErrors(emitted(full)), [], name);
  }
});
