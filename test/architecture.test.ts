/// Who may import whom, and what the core may not mention (see docs: one
/// direction from bytes to report; the core has no I/O, no clock, no randomness).

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { softether1 } from '#sealert/profiles/softether-1.js';
import { softetherRudp } from '#sealert/profiles/softether-rudp.js';
import { softetherSsh } from '#sealert/profiles/softether-ssh.js';
import { softetherMvc, softetherVpnconnect } from '#sealert/profiles/softether-third-party.js';
import { softetherTls } from '#sealert/profiles/softether-tls.js';
import { softetherTraces } from '#sealert/profiles/softether-traces.js';
import { softetherTurns } from '#sealert/profiles/softether-turns.js';

/// This file is compiled to build/test: two folders below the root.
const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

interface Import {
  /// `./x.js` as a path below src, else the package's name or `node:...`.
  target: string;
  typeOnly: boolean;
  /// `import()` while running: only loaded when wanted.
  dynamic: boolean;
}

interface Source {
  path: string;
  /// Without comments and the content of strings.
  code: string;
  imports: Import[];
}

function readSource(path: string): Source {
  const text = readFileSync(join(SRC, path), 'utf8');
  const withoutComments = text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');
  const IMPORT = /^(import|export)(\s+type)?\s([^;'"]*?\sfrom\s+)?'([^']+)';|\bimport\('([^']+)'\)/gm;
  const imports = [...withoutComments.matchAll(IMPORT)].map(([, , typeOnly, , from, dynamic]) => {
    const name = (from ?? dynamic)!;
    const target = name.startsWith('.')
      ? posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts')
      : name.startsWith('node:')
        ? name
        : name.split('/', name.startsWith('@') ? 2 : 1).join('/');
    return { target, typeOnly: typeOnly !== undefined, dynamic: dynamic !== undefined };
  });
  const code = withoutComments.replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
  return { path, code, imports };
}

const SOURCES = filesOf(SRC)
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map(readSource);

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/// What each part may import: parts (folders or single files), packages, Node.
/// A file's part is its own name if that is listed, else its first folder.
const LAYERS: Record<string, readonly string[]> = {
  loops: ['loops'],
  capture: ['capture', 'loops'],
  wire: ['loops', 'wire'],
  flow: ['flow', 'loops', 'wire', '@noble/hashes'],
  detect: ['detect', 'flow', 'wire', '@noble/hashes', 'ipaddr.js'],
  profiles: ['profiles', 'detect/profile.ts', 'detect/ssh-profile.ts', 'detect/early-profile.ts'],
  'report/model.ts': ['detect'],
  'intake.ts': ['capture/frame-batch.ts', 'detect/caveats.ts', 'loops', 'wire'],
  'engine.ts': [
    'capture/frame-batch.ts',
    'detect',
    'flow',
    'intake.ts',
    'profiles',
    'report/model.ts',
    'wire',
  ],
  'live-engine.ts': ['detect', 'engine.ts', 'profiles'],
  'tracing-engine.ts': ['capture/frame-batch.ts', 'detect', 'engine.ts', 'flow', 'profiles', 'wire'],
  node: [
    'capture',
    'detect',
    'engine.ts',
    'intake.ts',
    'live-engine.ts',
    'tracing-engine.ts',
    'flow/flow-share.ts',
    'flow/flow-trace.ts',
    'flow/flow-tracker.ts',
    'loops/memory.ts',
    'wire/limits.ts',
    'node',
    'report/model.ts',
    'wire',
    'fzstd',
    'pcap-ng-parser',
    'xxhash-wasm',
    'xz-decompress',
    'node:',
  ],
  report: ['report', 'report/model.ts', 'cli-table3', 'csv-stringify'],
  cli: [
    'cli',
    'detect',
    'live-engine.ts',
    'node',
    'report',
    'report/model.ts',
    'cli-progress',
    'yargs',
    'node:',
  ],
  'cli.ts': ['node:', 'cli', 'node'],
  'index.ts': ['detect', 'node', 'report', 'report/model.ts'],
};

const CORE = [
  'loops',
  'capture',
  'wire',
  'flow',
  'detect',
  'profiles',
  'report/model.ts',
  'intake.ts',
  'engine.ts',
  'live-engine.ts',
  'tracing-engine.ts',
];

function partOf(path: string): string {
  return path in LAYERS ? path : path.split('/')[0]!;
}

/// The names by which a layer may allow an import.
function namesOf(target: string): string[] {
  if (target.startsWith('node:')) return ['node:'];
  return target.endsWith('.ts') ? [target, partOf(target)] : [target];
}

test('the files were found and their imports read', () => {
  assert.ok(SOURCES.length > 40);
  const engine = SOURCES.find(({ path }) => path === 'engine.ts')!;
  assert.ok(engine.imports.some(({ target }) => target === 'wire/decode.ts'));
  const stated = SOURCES.flatMap(({ path, imports }) => imports.map(({ target }) => [path, target] as const));
  for (const [path, target] of stated.filter(([, target]) => target.endsWith('.ts'))) {
    assert.ok(existsSync(join(SRC, target)), `${path} imports ${target}`);
  }
  assert.ok(stated.some(([, target]) => target === '@noble/hashes'));
  assert.ok(stated.some(([, target]) => target === 'yargs'));
});

test('every part imports only what its layer allows', () => {
  const wrong = SOURCES.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => !namesOf(target).some((name) => LAYERS[partOf(path)]?.includes(name)))
      .map(({ target }) => `${path} imports ${target}`),
  );
  assert.deepEqual(wrong, []);
});

test('no imports run in a circle, except of types and at run time', () => {
  const graph = new Map(
    SOURCES.map(({ path, imports }) => [
      path,
      imports
        .filter(({ target, typeOnly, dynamic }) => target.endsWith('.ts') && !typeOnly && !dynamic)
        .map(({ target }) => target),
    ]),
  );
  const done = new Set<string>();
  const visit = (path: string, above: string[]): void => {
    assert.ok(!above.includes(path), `a circle: ${[...above, path].join(' -> ')}`);
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...above, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
});

test('nothing imports the program, and only the command line knows its libraries', () => {
  for (const { path, imports } of SOURCES) {
    const targets = imports.map(({ target }) => target);
    assert.ok(!targets.includes('cli.ts'), path);
    if (!path.startsWith('cli'))
      assert.ok(!targets.includes('yargs') && !targets.includes('cli-progress'), path);
  }
});

test('the core mentions no clock, no randomness, no I/O', () => {
  const FORBIDDEN =
    /\b(Date|Temporal|performance|process|console|Buffer|require|globalThis|fetch|set(Timeout|Interval|Immediate)|crypto|Math\s*\.\s*random)\b/;
  for (const { path, code } of SOURCES.filter(({ path }) => CORE.includes(partOf(path)))) {
    assert.equal(FORBIDDEN.exec(code)?.[0], undefined, path);
  }
  assert.match('x = Math.random()', FORBIDDEN);
});

const PROFILES = {
  softether1,
  softetherTls,
  softetherRudp,
  softetherSsh,
  softetherTraces,
  softetherTurns,
  softetherMvc,
  softetherVpnconnect,
};

test('profiles are data: types and each other aside they import nothing, and survive copying and JSON', () => {
  const files = SOURCES.filter(({ path }) => path.startsWith('profiles/'));
  assert.equal(files.length, Object.keys(PROFILES).length - 1, 'third parties share a file');
  for (const { path, imports } of files)
    assert.ok(
      imports.every(({ typeOnly, target }) => typeOnly || target.startsWith('profiles/')),
      path,
    );
  for (const [name, profile] of Object.entries(PROFILES)) {
    assert.deepEqual(structuredClone(profile), profile, name);
    assert.deepEqual(JSON.parse(JSON.stringify(profile)), profile, name);
  }
});

test('every number of a profile says where it comes from, and every range is one', () => {
  const check = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const fields = value as Record<string, unknown>;
    const isNumber = 'value' in fields || 'min' in fields;
    if (isNumber) assert.ok(typeof fields.source === 'string' && fields.source.length > 10, path);
    if ('min' in fields) assert.ok(Number(fields.min) <= Number(fields.max), path);
    for (const [name, part] of Object.entries(fields)) check(part, `${path}.${name}`);
  };
  check(PROFILES, 'profiles');
});

test('packages: those of the code are those of package.json', () => {
  const { dependencies } = JSON.parse(readFileSync(join(dirname(SRC), 'package.json'), 'utf8'));
  const used = new Set(
    SOURCES.flatMap(({ imports }) => imports.map(({ target }) => target)).filter(
      (target) => !target.endsWith('.ts') && !target.startsWith('node:'),
    ),
  );
  assert.deepEqual([...used].sort(), Object.keys(dependencies).sort());
});
