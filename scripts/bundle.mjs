// Packs the program into a few files, dist/bin, so that it starts in half the
// time: loading some 150 small modules one by one costs more than a short scan.
// What is packed from other packages keeps its licence in dist/bin/LICENSES.txt.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'dist', 'bin');

if (isFresh()) process.exit();
rmSync(target, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    sealert: 'dist/cli.js',
    // Threads are started by the name of their file.
    'analysis-worker': 'dist/node/analysis-worker.js',
    'shard-worker': 'dist/node/shard-worker.js',
    'evidence-worker': 'dist/node/live/evidence-worker.js',
  },
  outdir: target,
  bundle: true,
  // What a command does not need stays in a file of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Some packages are CommonJS inside.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});

const packages = new Set(
  Object.keys(metafile.inputs).flatMap(
    (path) => /^(.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path)?.[1] ?? [],
  ),
);
const texts = [...packages].sort().map((folder) => {
  const at = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  const file = readdirSync(at).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(at, file), 'utf8').trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
});
writeFileSync(join(target, 'LICENSES.txt'), texts.join(`\n${'-'.repeat(72)}\n\n`));

/** True if nothing was compiled since: another process may be running what is there. */
function isFresh() {
  const program = join(target, 'sealert.js');
  const licenses = join(target, 'LICENSES.txt');
  if (!existsSync(program) || !existsSync(licenses)) return false;
  const packedAt = statSync(program).mtimeMs;
  const dist = join(root, 'dist');
  return readdirSync(dist, { recursive: true }).every((path) => {
    const isCompiled = path.endsWith('.js') && !path.startsWith('bin');
    return !isCompiled || statSync(join(dist, path)).mtimeMs < packedAt;
  });
}
