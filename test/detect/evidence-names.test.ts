/// Every name of evidence that the detection can give is explained to users.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const DETECT = 'src/detect';
const section = readFileSync('docs/detection.md', 'utf8').split('## Evidence by name')[1]!.split('\n## ')[0]!;

function namesInCode(): Set<string> {
  const code = readdirSync(DETECT)
    .map((file) => readFileSync(`${DETECT}/${file}`, 'utf8'))
    .join('\n');
  const features = code.matchAll(/feature: (?:\w+ \? )?'([\w-]+)'(?: : '([\w-]+)')?/g);
  const notes = code.matchAll(/\bnote\(\s*'([\w-]+)'/g);
  return new Set(
    [...features, ...notes].flatMap(([, ...names]) => names.filter((name) => name !== undefined)),
  );
}

test('docs/detection.md lists the evidence that there is, and no other', () => {
  const listed = [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, names]) =>
    [...names!.matchAll(/`([\w-]+)`/g)].map(([, name]) => name!),
  );
  assert.ok(listed.length > 25);
  assert.deepEqual([...listed].sort(), [...namesInCode()].sort());
});
