/// A network namespace of its own, with pairs of devices: what is sent on one
/// end can be captured on the other. Nothing leaves it.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CLI, ended, type Ran } from './cli.js';

/// Why namespaces cannot be had here, or false.
export const NO_NAMESPACES = reasonAgainst();

function reasonAgainst(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const program of ['ip', 'dumpcap', 'tcpdump', 'tcpreplay']) {
    if (spawnSync(program, ['-V']).error !== undefined) return `${program} is not installed`;
  }
  const name = `sealert-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'network namespaces cannot be made here';
  spawnSync('ip', ['netns', 'delete', name]);
  return false;
}

/// Captured packets may be longer than those of Ethernet: the kernel joins segments.
const LONGEST_MTU = '65535';

let count = 0;

export class Namespace {
  readonly name = `sealert-${process.pid}-${++count}`;

  constructor(test: TestContext) {
    this.ip('netns', 'add', this.name);
    test.after(() => this.ip('netns', 'delete', this.name));
    // Else the devices would speak of their own accord.
    for (const devices of ['all', 'default']) {
      execFileSync('ip', this.inside('sysctl', '-qw', `net.ipv6.conf.${devices}.disable_ipv6=1`));
    }
  }

  /// Makes two devices that are the ends of one cable.
  cable(one: string, other: string): void {
    this.ip('-n', this.name, 'link', 'add', one, 'type', 'veth', 'peer', 'name', other);
    for (const device of [one, other]) {
      this.ip('-n', this.name, 'link', 'set', device, 'mtu', LONGEST_MTU, 'up');
    }
  }

  removeDevice(device: string): void {
    this.ip('-n', this.name, 'link', 'delete', device);
  }

  /// Sends the packets of a capture, `times` faster than they were recorded.
  replay(device: string, path: string, times = 20): void {
    execFileSync('ip', this.inside('tcpreplay', '-q', '-i', device, '-x', String(times), path), {
      stdio: 'ignore',
    });
  }

  /// Sends them so many times, as fast as it goes.
  flood(device: string, path: string, loops: number): void {
    execFileSync('ip', this.inside('tcpreplay', '-q', '-i', device, '-K', '-t', '-l', String(loops), path), {
      stdio: 'ignore',
    });
  }

  /// As `replay` on two devices: what this network sends on one, all else on the other.
  replayAsTap(one: string, other: string, path: string, network: string): void {
    const folder = mkdtempSync(join(tmpdir(), 'sealert-tap-'));
    const cache = join(folder, 'cache');
    execFileSync('tcpprep', ['-c', network, '-i', path, '-o', cache], { stdio: 'ignore' });
    const command = ['tcpreplay', '-q', '-i', one, '-I', other, '-c', cache, '-x', '10', path];
    execFileSync('ip', this.inside(...command), { stdio: 'ignore' });
    rmSync(folder, { recursive: true });
  }

  /// Starts `sealert` with its streams being pipes, by way of another program if one is given.
  start(args: readonly string[], cwd: string, by: readonly string[] = []): LiveProcess {
    const child = spawn('ip', this.inside(...by, process.execPath, CLI, ...args), {
      cwd,
      env: { ...process.env, TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new LiveProcess(child);
  }

  /// The command line that runs a program inside, for `ip`.
  inside(...command: string[]): string[] {
    return ['netns', 'exec', this.name, ...command];
  }

  private ip(...args: string[]): void {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

/// A program that runs until it is told to end.
export class LiveProcess {
  stderr = '';
  stdout = '';
  private readonly end: Promise<Ran>;

  constructor(readonly child: ChildProcess) {
    this.end = ended(child);
    child.stderr!.on('data', (text: string) => {
      this.stderr += text;
    });
    child.stdout!.on('data', (text: string) => {
      this.stdout += text;
    });
  }

  /// Resolves once the program has written this to standard error.
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) {
      if (this.child.exitCode !== null) throw new Error(`it ended without ${pattern}: ${this.stderr}`);
      await Promise.race([once(this.child.stderr!, 'data'), once(this.child, 'exit')]);
    }
  }

  /// The processes that it started.
  children(): number[] {
    const { stdout } = spawnSync('pgrep', ['-P', String(this.child.pid)], { encoding: 'utf8' });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  }

  async endBy(signal: NodeJS.Signals): Promise<Ran> {
    this.child.kill(signal);
    return this.end;
  }

  ended(): Promise<Ran> {
    return this.end;
  }
}
