/// The packed program starts from compiled code, and also where that is of no use.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CLI } from './support/cli.js';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const { COMPILED, FLAGS, PROGRAM } = createRequire(import.meta.url)(`${DIST}start.cjs`) as {
  COMPILED: string;
  FLAGS: string[];
  PROGRAM: string;
};

function node(...args: string[]): string {
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
}

test('what was compiled when the program was packed is accepted', () => {
  const look = `
    const { readFileSync } = require('node:fs');
    const text = require('node:module').wrap(readFileSync(${JSON.stringify(PROGRAM)}, 'latin1'));
    const cachedData = readFileSync(${JSON.stringify(COMPILED)});
    const script = new (require('node:vm').Script)(text, { filename: ${JSON.stringify(PROGRAM)}, cachedData });
    console.log(script.cachedDataRejected);`;
  assert.equal(node(...FLAGS, '-e', look), 'false');
  assert.equal(node('-e', look), 'true', 'without the flags it is refused: the test can tell');
});

test('with flags for which nothing was compiled the program starts all the same', () => {
  assert.match(node('--stack-size=900', CLI, 'scan', 'samples/direct-default'), /Connection Detected/);
});

test('the program is ASCII, as it is read', () => {
  assert.ok(readFileSync(PROGRAM).every((byte) => byte < 0x80));
});
