/// The packed program starts from compiled code, and also where that is of no use.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CLI } from './support/cli.js';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const { COMPILER_FLAG } = createRequire(import.meta.url)(`${DIST}start.cjs`) as { COMPILER_FLAG: string };

function node(...args: string[]): string {
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
}

test('what was compiled when the program was packed is accepted', () => {
  const look = `
    const bin = ${JSON.stringify(`${DIST}bin/`)};
    const compiled = 'program.' + process.version + '-' + process.platform + '-' + process.arch + '.bin';
    const text = require('node:module').wrap(require('node:fs').readFileSync(bin + 'program.js', 'latin1'));
    const cachedData = require('node:fs').readFileSync(bin + compiled);
    const script = new (require('node:vm').Script)(text, { filename: bin + 'program.js', cachedData });
    console.log(script.cachedDataRejected);`;
  assert.equal(node(COMPILER_FLAG, '-e', look), 'false');
  assert.equal(node('-e', look), 'true', 'without the flag it is refused: the test can tell');
});

test('with flags for which nothing was compiled the program starts all the same', () => {
  assert.equal(node('--stack-size=900', CLI, '--version'), version);
});

test('the program is ASCII, as it is read', () => {
  assert.ok(readFileSync(`${DIST}bin/program.js`).every((byte) => byte < 0x80));
});
