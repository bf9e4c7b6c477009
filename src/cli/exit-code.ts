/// What the exit code says. Part of the contract: scripts rely on the numbers.

import type { Input } from '../report/model.js';

export const EXIT = {
  complete: 0,
  usage: 2,
  /// Some input was damaged or cut off, or a named path was no capture.
  partial: 3,
  nothingRead: 4,
  outputFailed: 5,
  /// `--fail-on` was given and a session reached that verdict.
  verdictReached: 10,
  interrupted: { SIGINT: 130, SIGTERM: 143 },
} as const;

export type EndSignal = keyof typeof EXIT.interrupted;

/// What happened in a run.
export interface Outcome {
  signal: EndSignal | undefined;
  outputFailed: boolean;
  /// The reader of standard output went away.
  pipeClosed: boolean;
  nothingRead: boolean;
  verdictReached: boolean;
  partial: boolean;
}

/// The one number for all that happened, the weightiest first. Whoever closes
/// the pipe has seen enough, so what was read no longer matters then; that a
/// file was not written still does.
export function exitCodeOf(outcome: Outcome): number {
  if (outcome.signal !== undefined) return EXIT.interrupted[outcome.signal];
  if (outcome.outputFailed) return EXIT.outputFailed;
  if (outcome.pipeClosed) return EXIT.complete;
  if (outcome.nothingRead) return EXIT.nothingRead;
  if (outcome.verdictReached) return EXIT.verdictReached;
  if (outcome.partial) return EXIT.partial;
  return EXIT.complete;
}

/// What the inputs of a report say of a run.
export function outcomeOf(inputs: readonly Input[]): Pick<Outcome, 'nothingRead' | 'partial'> {
  return {
    nothingRead: !inputs.some(
      ({ error, packets, damage }) => error === undefined && (packets > 0 || damage.length === 0),
    ),
    partial: inputs.some(({ error, damage }) => error !== undefined || damage.length > 0),
  };
}
