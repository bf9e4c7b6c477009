// Packs the program into one file, dist/bin/program.js, and keeps what the compiler
// makes of it beside that: loading some 150 small modules one by one and compiling
// them costs more than a short scan.
// What is packed from other packages keeps its licence in dist/bin/LICENSES.txt.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const target = join(dist, 'bin');

/** What is started by itself, the threads by the name of their file; see src/start.cts. */
const PARTS = {
  sealert: 'cli.js',
  'analysis-worker': 'node/analysis-worker.js',
  'shard-worker': 'node/shard-worker.js',
  'evidence-worker': 'node/live/evidence-worker.js',
};

if (isFresh()) process.exit();
rmSync(target, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  stdin: {
    contents: Object.entries(PARTS)
      .map(([part, file]) => `exports['${part}'] = () => import('./${file}');\n`)
      .join(''),
    resolveDir: dist,
  },
  outfile: join(target, 'program.js'),
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  charset: 'ascii',
  define: { 'import.meta.url': 'programUrl' },
  banner: { js: "const programUrl = require('node:url').pathToFileURL(__filename).href;" },
  // What a packed program imports while it runs would have to be compiled by itself.
  supported: { 'dynamic-import': false },
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n');
for (const part of Object.keys(PARTS)) {
  const text = `#!/usr/bin/env node\nrequire('../start.cjs').start('${part}');\n`;
  writeFileSync(join(target, `${part}.js`), text, { mode: 0o755 });
}
writeLicenses();
keepCompiled();

function writeLicenses() {
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
}

/** A scan that meets all kinds of traffic has compiled what others need. */
function keepCompiled() {
  const keep = `require('./dist/start.cjs').startAndKeep()`;
  const scan = ['scan', 'samples', '--format', 'json,table', '-o', devNull, '-o', '-'];
  const { status, error } = spawnSync(process.execPath, ['-e', keep, '--', 'sealert', ...scan], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`the packed program scanned the samples and ended with ${status}`);
}

/** True if nothing was compiled since, for this version of Node.js: another process may be running what is there. */
function isFresh() {
  const { COMPILED, PROGRAM } = createRequire(import.meta.url)(join(dist, 'start.cjs'));
  if (!existsSync(PROGRAM) || !existsSync(COMPILED)) return false;
  const packedAt = statSync(PROGRAM).mtimeMs;
  return readdirSync(dist, { recursive: true }).every((path) => {
    const isCompiled = /\.c?js$/.test(path) && !path.startsWith('bin');
    return !isCompiled || statSync(join(dist, path)).mtimeMs < packedAt;
  });
}
