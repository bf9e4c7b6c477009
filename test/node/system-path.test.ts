import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { scan } from '#sealert/node/scan.js';
import { pathText } from '#sealert/node/system-path.js';
import { CLI, temporaryFolder } from '../support/cli.js';
import { tinyPcap } from '../support/tiny-pcap.js';

// macOS and Windows have no such names.
const skip = process.platform !== 'linux';

test('bytes that are no UTF-8 are written as escapes', () => {
  const cases: [number[] | string, string][] = [
    [[0x61, 0xff, 0x62], 'a\\xffb'],
    [[0xe3, 0x82, 0xb3, 0xe3, 0x82], 'コ\\xe3\\x82'],
    ['日本\ufeff', '日本\ufeff'],
  ];
  for (const [bytes, text] of cases) assert.equal(pathText(Buffer.from(bytes as number[])), text);
});

test('a file whose name is no UTF-8 is read, in a folder and by its name', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const name = (...bytes: number[]) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(bytes)]);
  writeFileSync(name(0x61, 0xff), tinyPcap());
  // A folder of such a name, with a file of a good one.
  mkdirSync(name(0xe9));
  writeFileSync(name(0xe9, 0x2f, 0x62), tinyPcap(3));
  const { inputs } = await scan([folder], { command: 'test' });
  const read = inputs.map(({ path, packets, error }) => [path.slice(folder.length), packets, error]);
  assert.deepEqual(read, [
    ['/\\xe9/b', 3, undefined],
    ['/a\\xff', 2, undefined],
  ]);
  // A shell hands the name over as it is.
  const command = `exec "$0" "$1" scan "$2"/a* --format json`;
  const { stdout, status } = spawnSync('sh', ['-c', command, process.execPath, CLI, folder], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).inputs[0].path, `${folder}/a\\xff`);
});
