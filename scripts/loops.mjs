// Compiles assembly/ to WebAssembly and writes it as a module of the core, src/loops/code.ts,
// which TypeScript takes from there. Plain JavaScript, because it runs before that.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'src', 'loops', 'code.ts');

/** Memory that threads share has to have an end: no less than src/loops/memory.ts asks for may stand here. */
const OPTIONS = [
  ...['--runtime', 'stub', '--noAssert', '-O3'],
  ...['--importMemory', '--sharedMemory', '--enable', 'threads', '--enable', 'simd'],
  ...['--initialMemory', '1', '--maximumMemory', '65535'],
];

if (isFresh()) process.exit();
const { default: asc } = await import('assemblyscript/asc');
let code;
const { error, stderr } = await asc.main(
  ['assembly/index.ts', '--baseDir', root, '-o', 'loops.wasm', ...OPTIONS],
  {
    readFile: (name, base) => {
      const path = join(base, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    },
    writeFile: (_name, contents) => {
      code = contents;
    },
    listFiles: (folder, base) => readdirSync(join(base, folder)),
  },
);
if (error) {
  process.stderr.write(stderr.toString());
  process.exit(1);
}
writeFileSync(
  target,
  `/// Made by scripts/loops.mjs.\nexport const CODE = new Uint8Array([${code.join(',')}]);\n`,
);

function isFresh() {
  if (!existsSync(target)) return false;
  const made = statSync(target).mtimeMs;
  const folders = [join(root, 'assembly'), dirname(target)];
  const sources = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  // With another compiler, or other options, the result is another one.
  sources.push(join(root, 'package-lock.json'), fileURLToPath(import.meta.url));
  return sources.every((path) => path === target || statSync(path).mtimeMs < made);
}
