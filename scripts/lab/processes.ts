/**
 * Starting and ending programs inside the lab's namespaces. A program is ended
 * by the number of a process that the lab started, never by name, and only
 * while that process still lives in the lab's own namespace.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A namespace together with the private folders that its programs see as the system's own. */
export interface Place {
  readonly namespace: string;
  readonly hostName: string;
  readonly home: string;
}

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly seconds?: number;
  readonly allowFailure?: boolean;
}

export interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly place: Place;
  readonly logFile: string;
}

/**
 * Runs inside the new mount and UTS namespace before the program. SoftEther
 * looks for its folders under /var and /run and exits silently without them; as
 * root it writes kernel.threads-max of the whole machine, hence the read-only
 * /proc/sys; and its certificate carries the host name.
 */
const ENTER = `set -e
home=$1; host=$2; shift 2
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount --bind "$home/lib" /var/lib
mount --bind "$home/log" /var/log
mount --bind "$home/run" /run
if [ -e /etc/resolv.conf ]; then mount --bind "$home/resolv.conf" /etc/resolv.conf; fi
hostname "$host"
cd "$home"
exec "$@"`;

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function makeHome(place: Place): void {
  for (const folder of ['lib/softether', 'log/softether', 'run/softether', 'run/sshd']) {
    mkdirSync(join(place.home, folder), { recursive: true });
  }
}

function inside(place: Place, command: readonly string[]): string[] {
  const enter = ['unshare', '--uts', 'bash', '-c', ENTER, 'lab', place.home, place.hostName];
  return ['netns', 'exec', place.namespace, ...enter, ...command];
}

function environment(home: string, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: SYSTEM_PATH, LANG: 'C.UTF-8', HOME: home, ...extra };
}

function collect(child: ChildProcess, command: readonly string[], options: RunOptions): Promise<Result> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    const limit = setTimeout(() => child.kill('SIGKILL'), (options.seconds ?? 60) * 1000);
    child.stdout?.on('data', (data) => {
      stdout += data;
    });
    child.stderr?.on('data', (data) => {
      stderr += data;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      if (code === 0 || options.allowFailure) resolve({ code, stdout, stderr });
      else reject(new Error(`${command.join(' ')} ended with ${code}: ${(stderr || stdout).trim()}`));
    });
    // A program may end without reading its input.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs a program of this machine (ip, openssl, tshark, ...) to its end. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<Result> {
  const [program, ...args] = command;
  const child = spawn(program!, args, { env: { ...environment('/'), ...options.env } });
  return collect(child, command, options);
}

/** Runs a program in a place to its end. */
export function runIn(place: Place, command: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = spawn('ip', inside(place, command), { env: environment(place.home, options.env) });
  return collect(child, command, options);
}

/** Starts a program in a place; its output goes to a file in the place's home. Standard input stays open. */
export function startIn(place: Place, name: string, command: readonly string[], env = {}): Running {
  const logFile = join(place.home, `${name}.out`);
  const log = openSync(logFile, 'w');
  const child = spawn('ip', inside(place, command), {
    env: environment(place.home, env),
    stdio: ['pipe', log, log],
    detached: true,
  });
  closeSync(log);
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  return { name, child, place, logFile };
}

export function outputOf(running: Running): string {
  return readFileSync(running.logFile, 'utf8');
}

/** Waits until the program has printed `text`. */
export async function waitForOutput(running: Running, text: string, seconds = 10): Promise<void> {
  await waitUntil(
    () => {
      if (outputOf(running).includes(text)) return true;
      if (hasEnded(running)) throw new Error(`${running.name} ended early: ${outputOf(running).trim()}`);
      return false;
    },
    `${running.name} to print "${text}"`,
    seconds,
  );
}

export async function waitUntil(
  test: () => boolean | Promise<boolean>,
  what: string,
  seconds = 10,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await test())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(100);
  }
}

export async function waitForPort(place: Place, port: number): Promise<void> {
  const listens = async () => (await runIn(place, ['ss', '-Hlnt'])).stdout.includes(`:${port} `);
  await waitUntil(listens, `a listener on port ${port}`, 20);
}

export async function debianVersion(name: string): Promise<Record<string, string>> {
  const { stdout } = await run(['dpkg-query', '-W', '-f', `\${Version}`, name], { allowFailure: true });
  return { [name]: stdout.trim() };
}

export function hasEnded(running: Running): boolean {
  return running.child.exitCode !== null || running.child.signalCode !== null;
}

/** Waits for a program that ends by itself. */
export async function finish(running: Running, seconds: number): Promise<void> {
  await waitUntil(() => hasEnded(running), `${running.name} to end`, seconds);
}

/** Asks a program to end and waits; what does not go is left to the namespace's own clearing. */
export async function stop(running: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const pid = running.child.pid;
  if (pid === undefined || hasEnded(running)) return;
  if (await livesIn(pid, running.place.namespace)) process.kill(pid, signal);
  await waitUntil(() => hasEnded(running), `${running.name} to end`, 5).catch(() => {});
}

/** Ends every process of a lab namespace: the children that services forked are in it too. */
export async function clearNamespace(namespace: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
    const { stdout } = await run(['ip', 'netns', 'pids', namespace], { allowFailure: true });
    const pids = stdout.split('\n').filter(Boolean).map(Number);
    if (pids.length === 0) return;
    for (const pid of pids) {
      if (await livesIn(pid, namespace)) {
        try {
          process.kill(pid, signal);
        } catch {
          // It ended by itself in the meantime.
        }
      }
    }
    await sleep(signal === 'SIGTERM' ? 1500 : 300);
  }
}

async function livesIn(pid: number, namespace: string): Promise<boolean> {
  try {
    const [own, theirs] = await Promise.all([readlink('/proc/self/ns/net'), readlink(`/proc/${pid}/ns/net`)]);
    if (own === theirs) return false;
    const { stdout } = await run(['ip', 'netns', 'identify', String(pid)], { allowFailure: true });
    return stdout.trim() === namespace;
  } catch {
    return false;
  }
}
