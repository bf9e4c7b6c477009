/// From the paths of the command line to the captures to read, in order.

import { statSync } from 'node:fs';
import { describeError } from './errors.js';
import { peek } from './file-source.js';
import { listFolder } from './folder.js';
import { LoopPauses } from './loop-pauses.js';
import { findGarbled, pathText, type SystemPath } from './system-path.js';

/// One path to read.
export interface InputPath {
  /// As text, for the report.
  path: string;
  /// What opens it.
  location: SystemPath;
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
/// of their first packet, then pipes, and standard input last.
export async function listInputs(paths: readonly string[], signal?: AbortSignal): Promise<InputList> {
  const list: InputList = { inputs: [], unreadable: [], otherFiles: 0 };
  const standardInput: InputPath[] = [];
  for (const path of paths) {
    if (path === STANDARD_INPUT) {
      standardInput.push({ path, location: path, size: null, firstUs: Number.NaN });
      continue;
    }
    try {
      const location = (await findGarbled(path)) ?? path;
      const found = statSync(location);
      if (found.isDirectory()) await addFolder(location, list, signal);
      else await addFile(location, found.isFile() ? found.size : null, list);
    } catch (error) {
      list.unreadable.push({ path, reason: describeError(error) });
    }
  }
  list.inputs.sort(
    (a, b) =>
      Number(a.size === null) - Number(b.size === null) ||
      byTime(a.firstUs, b.firstUs) ||
      (a.path < b.path ? -1 : 1),
  );
  list.inputs.push(...standardInput.slice(0, 1));
  return list;
}

async function addFile(location: SystemPath, size: number | null, list: InputList): Promise<void> {
  // A pipe or device cannot be looked into without taking its bytes.
  const firstUs = size === null ? Number.NaN : (await peek(location)).firstUs;
  list.inputs.push({ path: pathText(location), location, size, firstUs });
}

async function addFolder(folder: SystemPath, list: InputList, signal?: AbortSignal): Promise<void> {
  const { files, unreadable } = await listFolder(folder);
  list.unreadable.push(...unreadable);
  let captures = 0;
  let others = 0;
  const pauses = new LoopPauses();
  for (const location of files) {
    await pauses.ifDue();
    if (signal?.aborted) break;
    const path = pathText(location);
    try {
      const head = await peek(location);
      if (head.isCapture) {
        captures++;
        list.inputs.push({ path, location, size: head.size, firstUs: head.firstUs });
      } else others++;
    } catch (error) {
      list.unreadable.push({ path, reason: describeError(error) });
    }
  }
  list.otherFiles += others;
  if (captures === 0 && !unreadable.some(({ path }) => path === pathText(folder))) {
    const rest = others === 0 ? 'it holds no file' : `it holds ${others} other file(s)`;
    list.unreadable.push({ path: pathText(folder), reason: `no capture was found in this folder; ${rest}` });
  }
}

/// Unknown times come last.
function byTime(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}
