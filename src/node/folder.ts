/// The files below a folder.

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { describeError } from './errors.js';
import { joinPath, pathText, type SystemPath } from './system-path.js';

export interface FolderContents {
  /// Regular files, those behind links too.
  files: SystemPath[];
  /// Folders and links that could not be opened, and why.
  unreadable: { path: string; reason: string }[];
}

/// Lists a folder and all below it, each folder in the order of its names.
/// Links are followed; a folder that they lead to twice is listed once.
export async function listFolder(folder: SystemPath): Promise<FolderContents> {
  const contents: FolderContents = { files: [], unreadable: [] };
  await walk(folder, contents, new Set());
  return contents;
}

async function walk(folder: SystemPath, contents: FolderContents, seen: Set<string>): Promise<void> {
  let entries: Dirent<Buffer>[];
  try {
    const real = await realpath(folder);
    if (seen.has(real)) return;
    seen.add(real);
    entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    contents.unreadable.push({ path: pathText(folder), reason: describeError(error) });
    return;
  }
  for (const entry of entries.sort((a, b) => a.name.compare(b.name))) {
    const path = joinPath(folder, entry.name);
    const kind = entry.isSymbolicLink() ? await targetOf(path, contents) : entry;
    if (kind?.isDirectory()) await walk(path, contents, seen);
    else if (kind?.isFile()) contents.files.push(path);
  }
}

async function targetOf(path: SystemPath, contents: FolderContents) {
  try {
    return await stat(path);
  } catch (error) {
    contents.unreadable.push({ path: pathText(path), reason: describeError(error) });
    return undefined;
  }
}
