/** Runs one program to its end: wall time, processor time, peak memory. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

export interface Measurement {
  readonly seconds: number;
  /** Seconds of all processors together; null where GNU time is missing. */
  readonly cpuSeconds: number | null;
  /** Largest resident set; null where neither GNU time nor /proc tells it. */
  readonly peakBytes: number | null;
}

const GNU_TIME = '/usr/bin/time';
const hasGnuTime = spawnSync(GNU_TIME, ['--version']).status === 0;

/** How memory was measured, for the report. */
export const MEMORY_FROM = hasGnuTime ? 'GNU time' : 'VmHWM in /proc, read every 10 ms';

const POLL_MS = 10;
const KEPT_ERROR_CHARACTERS = 2000;

/** Standard output is thrown away. Rejects if the program fails. */
export async function measure(command: readonly string[]): Promise<Measurement> {
  const figures = join(tmpdir(), `sealert-bench-${process.pid}.time`);
  const prefix = hasGnuTime ? [GNU_TIME, '-f', '%U %S %M', '-o', figures] : [];
  const [program, ...args] = [...prefix, ...command];
  const begin = performance.now();
  const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors = (errors + data).slice(-KEPT_ERROR_CHARACTERS);
  });
  const polled = hasGnuTime ? () => null : pollMemory(child);
  const [code, signal] = await once(child, 'exit');
  const seconds = (performance.now() - begin) / 1000;
  const peakPolled = polled();
  if (code !== 0) throw new Error(`${basename(command[0]!)} ended with ${code ?? signal}: ${errors.trim()}`);
  if (!hasGnuTime) return { seconds, cpuSeconds: null, peakBytes: peakPolled };
  const [user, system, kilobytes] = readFileSync(figures, 'utf8').trim().split(' ').map(Number);
  rmSync(figures);
  return { seconds, cpuSeconds: user! + system!, peakBytes: kilobytes! * 1024 };
}

/** Reads the kernel's own high-water mark while the child lives; the returned function ends that. */
function pollMemory(child: ChildProcess): () => number | null {
  let peak: number | null = null;
  const read = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(status)?.[1];
      if (kilobytes !== undefined) peak = Number(kilobytes) * 1024;
    } catch {
      // No /proc on this system, or the child has just ended.
    }
  };
  const timer = setInterval(read, POLL_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
