// Runs tests with other versions of Node.js: `npm run test:nodes -- 24 cli/ node/` those of two folders with the newest
// 24; without a version with each that is still maintained beside this one, without a part of a name all of them.
// They are installed from npm into build/nodes/, and left out with a warning where that cannot be done.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const MAINTAINED = ['22', '24', '26'];

const isVersion = (word) => /^\d+$/.test(word);
const words = process.argv.slice(2);
const asked = words.filter(isVersion);
const versions = asked.length > 0 ? asked : MAINTAINED;
const parts = words.filter((word) => !isVersion(word));

let failed = false;
for (const version of versions) {
  const node = install(version);
  if (node === null) {
    console.warn(`WARNING: Node.js ${version} could not be installed from npm: not tested with it.`);
    continue;
  }
  console.log(`Node.js ${version}`);
  const { status } = spawnSync(node, [join(root, 'scripts', 'run-tests.mjs'), ...parts], {
    stdio: 'inherit',
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);

function install(version) {
  const folder = join(root, 'build', 'nodes', version);
  const node = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  const options = ['--no-save', '--no-audit', '--no-fund', '--prefix', folder];
  spawnSync('npm', ['install', ...options, `node@${version}`], { stdio: 'ignore' });
  return existsSync(node) ? node : null;
}
