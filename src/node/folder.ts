/// The files below a folder.

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from './errors.js';

export interface FolderContents {
  /// Regular files, those behind links too.
  files: string[];
  /// Folders and links that could not be opened, and why.
  unreadable: { path: string; reason: string }[];
}

/// Lists a folder and all below it, each folder in the order of its names.
/// Links are followed; a folder that they lead to twice is listed once.
export async function listFolder(folder: string): Promise<FolderContents> {
  const contents: FolderContents = { files: [], unreadable: [] };
  await walk(folder, contents, new Set());
  return contents;
}

async function walk(folder: string, contents: FolderContents, seen: Set<string>): Promise<void> {
  let entries: Dirent[];
  try {
    const real = await realpath(folder);
    if (seen.has(real)) return;
    seen.add(real);
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    contents.unreadable.push({ path: folder, reason: describeError(error) });
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const kind = entry.isSymbolicLink() ? await targetOf(path, contents) : entry;
    if (kind?.isDirectory()) await walk(path, contents, seen);
    else if (kind?.isFile()) contents.files.push(path);
  }
}

async function targetOf(path: string, contents: FolderContents) {
  try {
    return await stat(path);
  } catch (error) {
    contents.unreadable.push({ path, reason: describeError(error) });
    return undefined;
  }
}
