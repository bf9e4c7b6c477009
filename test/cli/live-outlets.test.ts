/// What gets which word of a session while it runs.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readArguments } from '#sealert/cli/arguments.js';
import type { LiveRequest } from '#sealert/cli/live-arguments.js';
import { LiveOutlets } from '#sealert/cli/live-outlets.js';
import { logLine } from '#sealert/report/log.js';
import { temporaryFolder } from '../support/cli.js';
import { session as sessionWith } from '../support/report.js';

async function outlets(t: TestContext, ...args: string[]) {
  const folder = await temporaryFolder(t);
  const program = join(folder, 'note');
  const noted = join(folder, 'noted');
  await writeFile(program, `#!/bin/sh\necho "$SEALERT_VERDICT" >> '${noted}'\n`, { mode: 0o755 });
  const file = (name: string) => join(folder, name);
  // A report on standard output keeps the lines from there.
  const line = [
    'live',
    '-',
    '--format',
    'json',
    '--log',
    file('log'),
    '--ndjson',
    file('json'),
    '--exec',
    program,
  ];
  const request = (await readArguments([...line, ...args], false)) as LiveRequest;
  const told: string[] = [];
  const out = new LiveOutlets({
    request,
    ca: undefined,
    ring: undefined,
    tell: (text) => told.push(text),
    pipeClosed: () => {},
    beforeLine: () => {},
  });
  const read = (name: string) =>
    existsSync(file(name)) ? readFileSync(file(name), 'utf8').split('\n').slice(0, -1) : [];
  return {
    out,
    told,
    log: () => read('log'),
    json: () => read('json').map((text) => JSON.parse(text)),
    noted: () => read('noted'),
  };
}

const likely = sessionWith({ id: 'a', verdict: 'likely' });
const confirmed = sessionWith({ id: 'a', verdict: 'confirmed' });

test('a session has one line in the log, however its verdict rises', async (t) => {
  const { out, log, json, noted } = await outlets(t);
  out.session({ kind: 'reached', session: likely });
  out.session({ kind: 'update', session: likely });
  out.session({ kind: 'reached', session: confirmed });
  out.session({ kind: 'ended', session: confirmed });
  assert.equal(await out.end(), true);
  assert.deepEqual(log(), [logLine(likely)]);
  assert.deepEqual(
    json().map(({ change, verdict }) => [change, verdict]),
    [
      ['reached', 'likely'],
      ['reached', 'confirmed'],
      ['ended', 'confirmed'],
    ],
  );
  assert.deepEqual(noted().sort(), ['confirmed', 'likely']);
});

test('below the least verdict nothing is said; a session that only its end shows has its line', async (t) => {
  const { out, log, json } = await outlets(t);
  const suspected = sessionWith({ id: 'b', verdict: 'suspected' });
  out.session({ kind: 'reached', session: suspected });
  out.session({ kind: 'ended', session: suspected });
  out.session({ kind: 'ended', session: likely });
  await out.end();
  assert.deepEqual(log(), [logLine(likely)]);
  assert.deepEqual(
    json().map(({ id }) => id),
    ['a'],
  );
});

test('--verbose: what else is learned, as JSON and in words', async (t) => {
  const { out, json, told } = await outlets(t, '--verbose');
  out.session({ kind: 'reached', session: likely });
  out.session({ kind: 'update', session: likely });
  await out.end();
  assert.deepEqual(
    json().map(({ change }) => change),
    ['reached', 'update'],
  );
  assert.match(
    told[1]!,
    /^session a: update, likely, \d+ connections?, .* from the client, .* from the server$/,
  );
});
