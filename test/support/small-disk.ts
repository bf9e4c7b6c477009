/// A file system of 64 kB, to be filled up.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from './cli.js';

export const NO_SMALL_DISK = 'a small file system cannot be mounted here (needs Linux and root)';

/// Where it is mounted until the test ends; undefined where that cannot be done.
export async function smallDisk(test: TestContext): Promise<string | undefined> {
  let folder: string | undefined;
  // Before the folder around it is removed.
  test.after(() => folder !== undefined && spawnSync('umount', [folder]));
  const wanted = join(await temporaryFolder(test), 'disk');
  mkdirSync(wanted);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', wanted]);
  if (status === 0) folder = wanted;
  return folder;
}
