/// Where the formats go, and their writing.

import { constants } from 'node:fs';
import { access, chmod, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { formatPlural } from '../report/units.js';
import type { Format } from '../report/writer.js';
import { EXIT } from './exit-code.js';
import { UsageError } from './usage-error.js';

export interface Output {
  format: Format;
  /// Null is standard output.
  file: string | null;
}

/// Gives the n-th format to the n-th file; formats without a file go to
/// standard output. Without any format, a file or a pipe gets the log and a
/// terminal the table. Files come first in the result, so that a closed pipe
/// cannot keep them from being written.
export function planOutputs(
  formats: readonly Format[],
  files: readonly string[],
  isTerminal: boolean,
): Output[] {
  if (formats.length === 0 && files.length <= 1) {
    const file = files[0] === '-' ? null : (files[0] ?? null);
    return [{ format: file === null && isTerminal ? 'table' : 'log', file }];
  }
  if (files.length > formats.length) {
    throw new UsageError(
      `${formatPlural(files.length, 'output')} but ${formatPlural(formats.length, 'format')}: the n-th --output takes the n-th --format.`,
    );
  }
  const outputs = formats.map((format, position) => {
    const file = files[position] ?? '-';
    return { format, file: file === '-' ? null : file };
  });
  const named = outputs.flatMap(({ file }) => (file === null ? [] : [resolve(file)]));
  if (new Set(named).size < named.length) throw new UsageError('An output file is named twice.');
  return [...outputs.filter(({ file }) => file !== null), ...outputs.filter(({ file }) => file === null)];
}

/// Rejects with the system's error if a file could not be written at this path.
export async function checkWritable(file: string): Promise<void> {
  const status = await statusOf(file);
  if (status?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  await access(status === undefined ? dirname(resolve(file)) : file, constants.W_OK);
}

/// True if both paths lead to the same file.
export async function isSameFile(file: string, other: string): Promise<boolean> {
  const [status, otherStatus] = await Promise.all([statusOf(file), statusOf(other)]);
  if (status === undefined || otherStatus === undefined) return false;
  return status.isFile() && status.dev === otherStatus.dev && status.ino === otherStatus.ino;
}

async function statusOf(path: string) {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

/// Writes a file under another name first and then moves it into place, so
/// that a failure leaves the old file as it was. Devices and pipes, and files
/// in folders that admit no new ones, are written directly.
export async function writeOutputFile(file: string, text: Iterable<string>): Promise<void> {
  const status = await statusOf(file);
  const target = status === undefined ? resolve(file) : await realpath(file);
  if (status !== undefined && !(status.isFile() && (await canCreateIn(dirname(target))))) {
    await writeFile(target, inBlocks(text));
    return;
  }
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    await writeFile(draft, inBlocks(text));
    if (status !== undefined) await chmod(draft, status.mode);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function canCreateIn(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/// Writes to standard output and waits until it is taken. Rejects with the system's error.
export async function writeStandardOutput(text: Iterable<string>): Promise<void> {
  for (const block of inBlocks(text)) {
    await new Promise<void>((done, fail) => {
      process.stdout.write(block, (error) => (error ? fail(error) : done()));
    });
  }
}

const BLOCK_CHARACTERS = 65536;

/// The same text in pieces worth a system call.
function* inBlocks(text: Iterable<string>): Generator<string> {
  let block = '';
  for (const piece of text) {
    block += piece;
    if (block.length >= BLOCK_CHARACTERS) {
      yield block;
      block = '';
    }
  }
  if (block !== '') yield block;
}

/// Writes a text to standard output and returns the exit code.
export async function writeText(text: string): Promise<number> {
  try {
    await writeStandardOutput([text]);
    return EXIT.complete;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPIPE' ? EXIT.complete : EXIT.outputFailed;
  }
}
