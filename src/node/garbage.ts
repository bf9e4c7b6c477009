/// How much garbage V8 lets lie.

import { setFlagsFromString } from 'node:v8';

/// The program begins with a collector that waits until there is nine times as much garbage as there is in use
/// (`start.cts`), which is right for a small heap; now until there is a seventh.
const SPARING = '--heap-growing-percent=15';

/// Of the memory that a run should take, the part from which on garbage counts.
const SHORT_OF_MEMORY = 0.5;

/// A look at the memory takes ten microseconds.
const LOOK_PACKETS = 20_000;

/// Watches the memory of this process.
export class GarbageWatch {
  private packets = 0;

  constructor(private readonly memoryBytes: number) {}

  /// So many packets were read since the last call.
  read(packets: number): void {
    this.packets += packets;
    if (this.packets < LOOK_PACKETS) return;
    this.packets = 0;
    // Each time anew: a thread that starts sets what the program begins with, for the whole process.
    if (process.memoryUsage.rss() >= this.memoryBytes * SHORT_OF_MEMORY) setFlagsFromString(SPARING);
  }
}
