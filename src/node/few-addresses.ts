/// Where the system lets a process have few addresses (`ulimit -v`, LimitAS= of systemd).
///
/// For each memory of WebAssembly Node.js reserves 10 GB of addresses, and leaves out checks of bounds for
/// that. Whether it does so is told when it starts, so the program starts itself once more.

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { hasMemory } from '../loops/memory.js';

export { OutOfMemory } from '../loops/memory.js';

const CHECKED = '--disable-wasm-trap-handler';

/// Enough for a memory, and what a thread needs besides, for each of twenty threads.
const ENOUGH_BYTES = 2 ** 38;

/// Of fewer addresses each memory gets a part, so that some are left for all else; a gigabyte is as
/// much as any needs unless --memory asks for more.
const PART_OF_ALL = 1 / 8;
const MOST_BYTES = 2 ** 30;
const PAGE_BYTES = 65_536;

const FORWARDED = ['SIGINT', 'SIGTERM'] as const;

/// True if the program has to be started by `startWithFew` to have what it needs.
export function hasFewAddresses(): boolean {
  const isStartedSo = process.execArgv.includes(CHECKED) || process.env.NODE_OPTIONS?.includes(CHECKED);
  return !isStartedSo && (addresses() < ENOUGH_BYTES || !hasMemory());
}

/// Bytes that this process may address; infinite where that cannot be learned.
function addresses(): number {
  try {
    const found = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return found === null ? Number.POSITIVE_INFINITY : Number(found[1]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/// Runs the same command line in a process that needs fewer addresses; returns its exit code.
export async function startWithFew(): Promise<number> {
  // Hardly ever needed, and slow to load.
  const { spawn } = await import('node:child_process');
  const pages = Math.floor(Math.min(addresses() * PART_OF_ALL, MOST_BYTES) / PAGE_BYTES);
  const args = [CHECKED, `--wasm-max-mem-pages=${pages}`, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      // The terminal sends its interrupt to both.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}
