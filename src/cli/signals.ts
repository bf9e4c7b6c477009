/// The end of a run from outside: the first signal asks it to finish early, a
/// second one ends it at once.

import type { EndSignal } from './exit-code.js';

export interface Signals {
  /// Aborted at the first signal.
  abort: AbortSignal;
  /// The first signal, if there was one.
  received(): EndSignal | undefined;
}

/// By the signal itself, because an exit would wait for a read that may never
/// come back (of a named pipe without a writer, for example).
function endAtOnce(signal: EndSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

export function listenForSignals(onFirst: () => void): Signals {
  const controller = new AbortController();
  let first: EndSignal | undefined;
  const listen = (signal: EndSignal) => {
    process.on(signal, () => {
      if (first !== undefined) endAtOnce(signal);
      first = signal;
      onFirst();
      controller.abort();
    });
  };
  listen('SIGINT');
  listen('SIGTERM');
  return { abort: controller.signal, received: () => first };
}
