/** What every part of the benchmark is given. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Candidate } from './candidates.js';
import type { Place } from './scan.js';

export interface Bench extends Place {
  /** Bytes that `--size` asks for. */
  readonly bytes: number;
  readonly rounds: number;
  /** Where the inputs of this size are. */
  readonly inputs: string;
  readonly samples: string;
  readonly candidates: readonly Candidate[];
}

/** Measures something; returns its sections of the document. */
export type Part = (bench: Bench) => Promise<string>;

/** What takes time is told on standard error. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Reads the files once, so that every program finds them in memory. */
export function warm(files: readonly string[]): void {
  const buffer = new Uint8Array(1 << 20);
  for (const file of files) {
    const descriptor = openSync(file, 'r');
    while (readSync(descriptor, buffer) > 0);
    closeSync(descriptor);
  }
}
