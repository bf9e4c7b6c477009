/// Runs the built program as a user would.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/// build/test/support/ is three folders below the root.
export const CLI = fileURLToPath(new URL('../../../dist/bin/sealert.js', import.meta.url));

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /// What standard input holds; empty by default.
  input?: Uint8Array;
}

/// Runs `sealert` with the arguments, its streams being pipes, and waits for its end.
export function sealert(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = startSealert(args, options);
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? new Uint8Array());
  return ended(child);
}

/// Starts `sealert`; standard input stays open.
export function startSealert(args: readonly string[], { cwd, env }: RunOptions = {}): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], { cwd, env: { ...process.env, TZ: 'UTC', ...env } });
}

/// The end of a program that was started, with all it wrote.
export function ended(child: ChildProcess): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

/// A folder that is gone after the test.
export async function temporaryFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealert-test-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
