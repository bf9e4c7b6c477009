// Brings a fresh clone to the point where the program and its tests can run:
// installs what the lockfile names if it is not there yet, then builds and packs. Plain
// JavaScript, because it runs before the compiler is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function run(command, args) {
  // npm and tsc are .cmd files on Windows, which only a shell can start.
  const windows = process.platform === 'win32';
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: windows });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** True if node_modules holds exactly what the lockfile asks for, by npm's own record of its last install. */
function installed() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
  );
}

if (!installed()) run('npm', ['ci', '--no-audit', '--no-fund']);
run(process.execPath, [join(root, 'scripts', 'loops.mjs')]);
run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', root]);
run(process.execPath, [join(root, 'scripts', 'bundle.mjs')]);
