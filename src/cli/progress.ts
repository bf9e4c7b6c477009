/// The progress line of a long run.

import { basename } from 'node:path';
import type { SingleBar } from 'cli-progress';
import type { Progress } from '../node/scan.js';
import { printable, shorten } from '../report/text.js';
import { formatBytes, formatDuration } from '../report/units.js';

/// A shorter run shows nothing: a line that flashes by helps nobody.
const QUIET_START_MS = 1000;

export interface ProgressLine {
  update(progress: Progress): void;
  /// Removes the line.
  stop(): void;
}

/// A line on `terminal` with the speed, and with the share and the time left
/// where the size of the inputs is known.
export async function createProgressLine(terminal: NodeJS.WriteStream): Promise<ProgressLine> {
  const { default: progress } = await import('cli-progress');
  const startMs = performance.now();
  let bar: SingleBar | undefined;
  return {
    update(now) {
      const seconds = (performance.now() - startMs) / 1000;
      if (seconds * 1000 < QUIET_START_MS) return;
      const total = now.bytesTotal;
      const fields = fieldsOf(now, seconds);
      if (bar === undefined) {
        const format =
          total === null ? '{read} read, {speed}, {path}' : '{bar} {percentage}%, {speed}, {left}, {path}';
        bar = new progress.SingleBar({ format, barsize: 20, stream: terminal, clearOnComplete: true });
        bar.start(total ?? 0, now.bytesRead, fields);
      } else bar.update(now.bytesRead, fields);
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}

function fieldsOf({ bytesRead, bytesTotal, path }: Progress, seconds: number): Record<string, string> {
  const bytesPerSecond = bytesRead / seconds;
  const left = bytesTotal === null || bytesRead === 0 ? undefined : (bytesTotal - bytesRead) / bytesPerSecond;
  return {
    read: formatBytes(bytesRead),
    speed: `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`,
    left: left === undefined ? 'time left unknown' : `${formatDuration(Math.max(left, 0))} left`,
    path: shorten(printable(path === '-' ? 'standard input' : basename(path)), 24),
  };
}
