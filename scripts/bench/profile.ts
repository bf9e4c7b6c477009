/**
 * `npm run profile [-- FILE]`: scans the mixed input, or FILE, under V8's profiler, and says which functions
 * and folders take the time. The profile itself stays in build/profile/.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { say } from './bench.js';
import { prepareInput } from './inputs.js';
import { type Shares, summarise } from './profile-summary.js';
import { parseSize } from './sizes.js';
import { table } from './table.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const HEAVIEST = 30;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1GB' },
    inputs: { type: 'string', default: join(ROOT, 'build', 'bench-inputs') },
  },
});

async function mixedInput(): Promise<string> {
  const folder = join(values.inputs, values.size);
  const samples = join(ROOT, 'samples');
  return (await prepareInput('mixed', 'pcap', parseSize(values.size), folder, samples, say)).path;
}

function percent(title: string, rows: Shares): string {
  const cells = rows.map(([name, share]) => [name, `${(share * 100).toFixed(1)} %`]);
  return table([title, 'of all time'], cells);
}

const file = positionals[0] ?? (await mixedInput());
const folder = join(ROOT, 'build', 'profile');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
// The program as it is compiled, not as it is packed: its functions keep their files. One thread, one profile.
const { FLAGS } = createRequire(import.meta.url)(join(ROOT, 'dist', 'start.cjs'));
const profiler = [...FLAGS, '--cpu-prof', `--cpu-prof-dir=${folder}`];
const program = [
  join(ROOT, 'dist', 'cli.js'),
  'scan',
  '--jobs',
  '1',
  '--format',
  'json',
  '-o',
  join(folder, 'report.json'),
];
const { status } = spawnSync(process.execPath, [...profiler, ...program, file], { stdio: 'inherit' });
const profile = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
if (profile === undefined) throw new Error(`the scan ended with ${status} and left no profile`);
const { functions, folders } = summarise(JSON.parse(readFileSync(join(folder, profile), 'utf8')));
console.log(`${file}; the profile is ${join(folder, profile)}\n`);
console.log(`${percent('function', functions.slice(0, HEAVIEST))}\n`);
console.log(percent('folder', folders));
