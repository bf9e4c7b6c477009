/// The report into its outputs, each in its format.

import { describeWriteError } from '../node/errors.js';
import type { Report, Verdict } from '../report/model.js';
import type { Zone } from '../report/time.js';
import { loadWriter, type WriteOptions } from '../report/writer.js';
import { say, sayInternalError } from './messages.js';
import { checkWritable, isOneOf, type Output, writeOutputFile, writeStandardOutput } from './outputs.js';

/// What the user wants of all formats.
export interface WriteRequest {
  minVerdict: Verdict | undefined;
  zone: Zone | undefined;
}

/// The outputs that can be written as far as one can know beforehand, so that
/// a mistyped folder is noticed before an hour of reading, not after.
export function writableOutputs(outputs: readonly Output[]): Output[] {
  const writable: Output[] = [];
  for (const output of outputs) {
    try {
      if (output.file !== null) checkWritable(output.file);
      writable.push(output);
    } catch (error) {
      sayUnwritable(output, error);
    }
  }
  return writable;
}

function sayUnwritable({ file, format }: Output, error: unknown): void {
  say(`${format} could not be written to ${file ?? 'standard output'}: ${describeWriteError(error)}.`);
}

export interface Written {
  failed: boolean;
  pipeClosed: boolean;
}

export async function writeOutputs(
  report: Report,
  outputs: readonly Output[],
  request: WriteRequest,
): Promise<Written> {
  const written = { failed: false, pipeClosed: false };
  for (const output of outputs) {
    const { format, file } = output;
    try {
      const writer = await loadWriter(format);
      const text = writer(report, writeOptionsFor(output, request));
      if (file === null) {
        if (!written.pipeClosed) await writeStandardOutput(text);
        continue;
      }
      // Inside a folder that was scanned, the output may be one of the captures.
      const captures = report.inputs.map(({ path }) => path);
      if (isOneOf(file, captures)) throw new Error('it is one of the captures');
      await writeOutputFile(file, text);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (file === null && code === 'EPIPE') {
        written.pipeClosed = true;
        continue;
      }
      written.failed = true;
      if (error instanceof TypeError || error instanceof RangeError) sayInternalError(error);
      else sayUnwritable(output, error);
    }
  }
  return written;
}

function writeOptionsFor({ file }: Output, { minVerdict, zone }: WriteRequest): WriteOptions {
  const isTerminal = file === null && process.stdout.isTTY === true;
  const isDumb = process.env.TERM === 'dumb';
  return {
    ...(minVerdict === undefined ? {} : { minVerdict }),
    ...(zone === undefined ? {} : { zone }),
    ...(isTerminal ? { columns: process.stdout.columns } : {}),
    color: isTerminal && !isDumb && !process.env.NO_COLOR,
    ascii: isTerminal && isDumb,
  };
}
