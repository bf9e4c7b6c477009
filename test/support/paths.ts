/// Where things lie. Compiled tests are three folders below the root.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/// Captures made by other projects; not part of this one, and not everywhere.
export const CORPORA = join(ROOT, '..', 'shared', 'corpora');

export const NO_CORPORA = existsSync(CORPORA)
  ? false
  : `the corpora are not at ${CORPORA}: nothing was compared with captures of other projects`;

/// Recordings that the samples were chosen from; not part of the project.
export const CAPTURES = join(ROOT, '..', 'shared', 'captures', 'dev');

export const NO_CAPTURES = existsSync(CAPTURES) ? false : `there are no more recordings at ${CAPTURES}`;

/// The project's samples by name, each a folder with `capture.pcap`.
export function samples(): string[] {
  return readdirSync(join(ROOT, 'samples'))
    .filter((name) => existsSync(samplePath(name)))
    .sort();
}

export function samplePath(name: string, file = 'capture.pcap'): string {
  return join(ROOT, 'samples', name, file);
}

/// All files below a folder, in order.
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
