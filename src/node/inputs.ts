/// From the paths of the command line to the captures to read, in order.

import { stat } from 'node:fs/promises';
import { describeError } from './errors.js';
import { peek } from './file-source.js';
import { listFolder } from './folder.js';

/// One path to read. `folder` files were found, not named: if they are no
/// captures, that is nobody's mistake.
export interface InputPath {
  path: string;
  named: boolean;
  /// Stored bytes; null for a pipe.
  size: number | null;
  /// Time of the first packet, as far as it can be known beforehand.
  firstUs: number;
}

export interface InputList {
  inputs: InputPath[];
  /// Paths from which nothing can be read, and why.
  unreadable: { path: string; reason: string }[];
  /// Files inside folders that are no captures.
  otherFiles: number;
}

export const STANDARD_INPUT = '-';

/// Resolves files, folders (recursively) and `-`. Captures come in the order
/// of their first packet, standard input last.
export async function listInputs(paths: readonly string[], signal?: AbortSignal): Promise<InputList> {
  const list: InputList = { inputs: [], unreadable: [], otherFiles: 0 };
  const standardInput: InputPath[] = [];
  for (const path of paths) {
    if (path === STANDARD_INPUT) {
      standardInput.push({ path, named: true, size: null, firstUs: Number.NaN });
      continue;
    }
    try {
      const found = await stat(path);
      if (found.isDirectory()) await addFolder(path, list, signal);
      else await addFile(path, found.isFile() ? found.size : null, list);
    } catch (error) {
      list.unreadable.push({ path, reason: describeError(error) });
    }
  }
  list.inputs.sort((a, b) => byTime(a.firstUs, b.firstUs) || (a.path < b.path ? -1 : 1));
  list.inputs.push(...standardInput.slice(0, 1));
  return list;
}

async function addFile(path: string, size: number | null, list: InputList): Promise<void> {
  // A pipe or device cannot be looked into without taking its bytes.
  const firstUs = size === null ? Number.NaN : (await peek(path)).firstUs;
  list.inputs.push({ path, named: true, size, firstUs });
}

async function addFolder(folder: string, list: InputList, signal?: AbortSignal): Promise<void> {
  const { files, unreadable } = await listFolder(folder);
  list.unreadable.push(...unreadable);
  let captures = 0;
  let others = 0;
  for (const path of files) {
    if (signal?.aborted) break;
    try {
      const head = await peek(path);
      if (head.isCapture) {
        captures++;
        list.inputs.push({ path, named: false, size: head.size, firstUs: head.firstUs });
      } else others++;
    } catch (error) {
      list.unreadable.push({ path, reason: describeError(error) });
    }
  }
  list.otherFiles += others;
  if (captures === 0 && !unreadable.some(({ path }) => path === folder)) {
    const rest = others === 0 ? 'it holds no file' : `it holds ${others} other file(s)`;
    list.unreadable.push({ path: folder, reason: `no capture was found in this folder; ${rest}` });
  }
}

/// Unknown times come last.
function byTime(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}
