/// Where the formats go, and their writing.

import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
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

/// Throws the system's error if a file could not be written at this path.
export function checkWritable(file: string): void {
  const status = statusOf(file);
  if (status?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  accessSync(status === undefined ? dirname(resolve(file)) : file, constants.W_OK);
}

/// True if one of the other paths leads to the same file.
export function isOneOf(file: string, others: Iterable<string>): boolean {
  const status = statusOf(file);
  if (status === undefined || !status.isFile()) return false;
  for (const path of others) {
    const other = statusOf(path);
    if (other !== undefined && status.dev === other.dev && status.ino === other.ino) return true;
  }
  return false;
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/// Writes a file under another name first and then moves it into place, so
/// that a failure leaves the old file as it was. Devices and pipes, and files
/// in folders that admit no new ones, are written directly.
///
/// By calls that wait: there is nothing else to do at the end of a run, and a thread woken for each of some
/// twenty calls takes hundredths of a second. Only a pipe may keep one waiting for ever.
export async function writeOutputFile(file: string, text: Iterable<string>): Promise<void> {
  const status = statusOf(file);
  const target = status === undefined ? resolve(file) : realpathSync(file);
  if (status !== undefined && !status.isFile()) {
    await writeFile(target, inBlocks(text));
    return;
  }
  if (status !== undefined && !canCreateIn(dirname(target))) {
    writeBlocks(target, text);
    return;
  }
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    writeBlocks(draft, text);
    if (status !== undefined) chmodSync(draft, status.mode);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function writeBlocks(path: string, text: Iterable<string>): void {
  const file = openSync(path, 'w');
  try {
    for (const block of inBlocks(text)) writeFileSync(file, block);
  } finally {
    closeSync(file);
  }
}

function canCreateIn(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
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
