/// `node build/scripts/refresh-tshark.js [SAMPLE...]`: writes down what tshark
/// says of each frame of the samples, as `samples/NAME/frames.tsv`. The test
/// `test/differential/tshark.test.ts` compares the project with these files, so
/// that it runs where there is no tshark.

import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SAMPLES = 'samples';

/// Addresses and ports are those of the outermost headers (`occurrence=f`).
const FIELDS = [
  'frame.number',
  'frame.time_epoch',
  'frame.len',
  'frame.cap_len',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.len',
];

const named = process.argv.slice(2);
const samples = named.length > 0 ? named : readdirSync(SAMPLES).sort();
for (const name of samples) {
  const columns = FIELDS.flatMap((field) => ['-e', field]);
  const fields = ['-T', 'fields', '-E', 'header=y', '-E', 'occurrence=f', ...columns];
  // No names looked up, fragments not put together: each frame for itself.
  const capture = join(SAMPLES, name, 'capture.pcap');
  const args = ['-n', '-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE', '-r', capture, ...fields];
  const { error, status, stdout, stderr } = spawnSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`tshark could not read ${capture}: ${stderr}`);
  writeFileSync(join(SAMPLES, name, 'frames.tsv'), stdout);
  console.log(`${capture}: ${stdout.split('\n').length - 2} frames`);
}
