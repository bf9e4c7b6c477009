/// The end of a run from outside: the first signal asks it to finish early, a
/// second one ends it at once.

import type { EndSignal } from './exit-code.js';

export interface Signals<S extends NodeJS.Signals = EndSignal> {
  /// Aborted at the first signal.
  abort: AbortSignal;
  /// The first signal, if there was one.
  received(): S | undefined;
}

/// By the signal itself, because an exit would wait for a read that may never
/// come back (of a named pipe without a writer, for example).
function endAtOnce(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

export function listenForSignals(onFirst: () => void): Signals {
  return listenFor(['SIGINT', 'SIGTERM'], onFirst);
}

export function listenFor<S extends NodeJS.Signals>(signals: readonly S[], onFirst: () => void): Signals<S> {
  const controller = new AbortController();
  let first: S | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (first !== undefined) endAtOnce(signal);
      first = signal;
      onFirst();
      controller.abort();
    });
  }
  return { abort: controller.signal, received: () => first };
}
