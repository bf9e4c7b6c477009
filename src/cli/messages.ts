/// Messages for the person at the terminal, on standard error.

import { damageSentences, unreadableSentence } from '../report/input-problems.js';
import type { Input } from '../report/model.js';
import { printable } from '../report/text.js';

/// `quiet` lets only errors through, `verbose` adds notes on the course of the run.
export interface Loudness {
  quiet: boolean;
  verbose: boolean;
}

/// Writes one message. The text may hold anything; it is made printable.
export function say(text: string): void {
  process.stderr.write(`sealert: ${printable(text)}\n`);
}

/// Says which inputs were damaged, unless `quiet`, and which could not be read at all:
/// these are named always, because the user named the path and the report says
/// nothing about what is in it.
export function sayInputProblems(inputs: readonly Input[], quiet: boolean): void {
  for (const input of inputs) {
    const unreadable = unreadableSentence(input);
    if (unreadable !== undefined) say(unreadable);
    if (!quiet) for (const sentence of damageSentences(input)) say(sentence);
  }
}

/// Says that the program itself failed. Where it did only interests whoever
/// will mend it, so the stack appears with `--verbose` alone.
export function sayInternalError(error: unknown): void {
  const verbose = process.argv.includes('--verbose') || process.argv.includes('-v');
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const how = verbose ? '' : ' (again with --verbose, it says where)';
  say(`internal error: ${message}. Please report it to the maintainers, with the command line${how}.`);
  if (verbose && stack !== undefined) {
    for (const line of stack.split('\n')) process.stderr.write(`${printable(line)}\n`);
  }
}
