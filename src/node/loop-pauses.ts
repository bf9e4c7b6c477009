/// Pauses between calls that do not return before they are done: signals are heard in these, and timers.

/// Calls that go on for so long are noticed by nobody.
const DUE_NS = 10_000_000n;

export class LoopPauses {
  private lastNs = 0n;

  /// Waits for what else there is to do, if the last pause is long ago.
  async ifDue(): Promise<void> {
    if (process.hrtime.bigint() - this.lastNs <= DUE_NS) return;
    await new Promise(setImmediate);
    this.lastNs = process.hrtime.bigint();
  }
}
