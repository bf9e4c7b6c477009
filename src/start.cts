/// Starts the packed program, dist/bin/program.js, or a thread of it, from what
/// V8 made of it when it was packed. Compiling it anew
/// takes a tenth of the time in which a gigabyte is analysed.
///
/// CommonJS, as everything in dist/bin: only a `Script` can be given compiled code.

import fs = require('node:fs');
import nodeModule = require('node:module');
import path = require('node:path');
import v8 = require('node:v8');
import vm = require('node:vm');

/// Inlining less, the compiler takes a tenth less of all processor time, and what
/// it makes is as fast (scripts/bench/README.md). The collector looks through everything once there is so much
/// percent more than was in use the last time, buffers outside of the heap among it, and zlib takes a new
/// one for each part that it unpacks: by itself it would do so ninety times for a gigabyte. Compiled
/// code is of use only to a process that has the same flags.
const FLAGS = ['--max-inlined-bytecode-size-cumulative=300', '--heap-growing-percent=900'];
/// What threads change (`node/threads.ts`) begins with what the V8 of Node.js 20 has by itself, for those that start
/// after others; later ones have several compilers, with budgets of their own.
if (process.versions.v8.startsWith('11.')) FLAGS.push('--interrupt-budget=67584');

/// What is a process or a thread by itself (`scripts/bundle.mjs` lists them). Each begins when it is loaded.
type Part = 'sealert' | 'analysis-worker' | 'shard-worker' | 'evidence-worker';

type Program = Record<Part, () => Promise<unknown>>;

const PROGRAM = path.join(__dirname, 'bin', 'program.js');

/// Of this version of Node.js alone. The compiler refuses what another version, or other flags, made; that
/// both were made of the same text it cannot see: they are made and replaced together.
const COMPILED = path.join(
  __dirname,
  'bin',
  `program.${process.version}-${process.platform}-${process.arch}.bin`,
);

function start(part: Part): void {
  if (part === 'sealert' && /^(--version|-V)$/.test(process.argv.slice(2).join(' '))) {
    // That needs no program.
    process.stdout.write(`${version()}\n`);
    return;
  }
  const compiled = fs.existsSync(COMPILED) ? fs.readFileSync(COMPILED) : undefined;
  void run(load(compiled), part);
}

/// Runs the program as `start` does, and keeps what was compiled of it until its end.
function startAndKeep(): void {
  const script = load();
  process.on('exit', () => fs.writeFileSync(COMPILED, script.createCachedData()));
  void run(script, 'sealert');
}

function version(): string {
  const manifest = fs.readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function load(cachedData?: Buffer): vm.Script {
  for (const flag of FLAGS) v8.setFlagsFromString(flag);
  // Packed as ASCII, which is read faster as what it is.
  const text = nodeModule.wrap(fs.readFileSync(PROGRAM, 'latin1'));
  return new vm.Script(text, { filename: PROGRAM, ...(cachedData === undefined ? {} : { cachedData }) });
}

function run(script: vm.Script, part: Part): Promise<unknown> {
  const module = { exports: {} as Program };
  const require = nodeModule.createRequire(PROGRAM);
  script.runInThisContext()(module.exports, require, module, PROGRAM, path.dirname(PROGRAM));
  return module.exports[part]();
}

export = { COMPILED, FLAGS, PROGRAM, start, startAndKeep };
