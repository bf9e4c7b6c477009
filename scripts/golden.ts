/// `npm run golden`: compares the report of every sample with what is expected
/// of it. `--update` writes the expectations anew; nothing else does.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scan } from '#sealert/node/scan.js';

const SAMPLES = 'samples';

/// The part of a report that depends on the packets alone, as text.
async function expectation(sample: string): Promise<string> {
  const report = await scan([join(SAMPLES, sample, 'capture.pcap')], { command: 'golden' });
  const { sessions, sightings, servers, diagnostics } = report;
  return `${JSON.stringify({ sessions, sightings, servers, diagnostics }, null, 2)}\n`;
}

const update = process.argv.includes('--update');
const entries = await readdir(SAMPLES, { withFileTypes: true });
for (const { name } of entries
  .filter((entry) => entry.isDirectory())
  .sort((a, b) => (a.name < b.name ? -1 : 1))) {
  const path = join(SAMPLES, name, 'expected.json');
  const now = await expectation(name);
  const before = await readFile(path, 'utf8').catch(() => '');
  if (now === before) continue;
  console.log(`${update ? 'updated' : 'differs'}: ${path}`);
  if (update) await writeFile(path, now);
  else process.exitCode = 1;
}
