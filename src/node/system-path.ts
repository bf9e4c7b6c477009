/// Paths as the system has them. On Unix a name is any bytes; where they are no UTF-8, a string can
/// not open the file.

import { readdir } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

export type SystemPath = string | Buffer;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/// The path of a name, given as bytes, in a folder.
export function joinPath(folder: SystemPath, name: Buffer): SystemPath {
  const text = decode(name);
  if (typeof folder === 'string' && text !== undefined) return join(folder, text);
  return Buffer.concat([Buffer.from(folder), Buffer.from(sep), name]);
}

/// The path as text; bytes that are no UTF-8 are written as `\xff`.
export function pathText(path: SystemPath): string {
  if (typeof path === 'string') return path;
  let text = '';
  for (let at = 0; at < path.length; ) {
    const length = [1, 2, 3, 4].find((count) => decode(path.subarray(at, at + count)) !== undefined);
    text += length === undefined ? `\\x${path[at]!.toString(16)}` : path.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}

/// Node hands an argument that is no UTF-8 over with U+FFFD in place of its bytes: the one file with
/// a name that reads like that, if there is one.
export async function findGarbled(path: string): Promise<SystemPath | undefined> {
  if (!path.includes('\ufffd')) return undefined;
  const folder = dirname(path);
  const names = await readdir(folder, { encoding: 'buffer' }).catch(() => []);
  const alike = names.filter((name) => name.toString('utf8') === basename(path));
  return alike.length === 1 ? joinPath(folder, alike[0]!) : undefined;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
