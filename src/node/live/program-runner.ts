/// Runs a program of the user's for every finding: never through a shell, a
/// few at a time, in order of the findings.

import { spawn } from 'node:child_process';
import { describeError } from '../errors.js';

const MAX_RUNNING = 4;
const MAX_WAITING = 1_000;

/// What may still run when everything else has ended.
const END_TIMEOUT_MS = 10_000;

const MAX_SAID_CHARACTERS = 500;

export class ProgramRunner {
  private readonly waiting: Readonly<Record<string, string>>[] = [];
  private readonly running = new Map<() => void, Promise<void>>();
  /// Runs that failed, or that were given up.
  failed = 0;

  constructor(
    private readonly program: string,
    private readonly tell: (text: string) => void,
  ) {}

  /// `facts` become environment variables besides our own.
  run(facts: Readonly<Record<string, string>>): void {
    if (this.waiting.length >= MAX_WAITING) {
      if (this.failed++ === 0) this.tell(`too many findings wait for ${this.program}; some are left out.`);
      return;
    }
    this.waiting.push(facts);
    this.startNext();
  }

  /// Waits for what runs and waits, but not for ever. Returns whether all of it succeeded.
  async end(): Promise<boolean> {
    let given = false;
    const timer = setTimeout(() => {
      given = true;
      this.failed += this.waiting.length;
      this.waiting.length = 0;
      for (const kill of this.running.keys()) kill();
    }, END_TIMEOUT_MS);
    while (this.running.size > 0) await Promise.all(this.running.values());
    clearTimeout(timer);
    if (given) this.tell(`${this.program} was still running after ${END_TIMEOUT_MS / 1000} s and was ended.`);
    return this.failed === 0;
  }

  private startNext(): void {
    while (this.running.size < MAX_RUNNING && this.waiting.length > 0) {
      const facts = this.waiting.shift()!;
      const child = spawn(this.program, [], {
        env: { ...process.env, ...facts },
        stdio: ['ignore', 'ignore', 'pipe'],
        shell: false,
      });
      const kill = () => child.kill('SIGKILL');
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-MAX_SAID_CHARACTERS);
      });
      const ended = new Promise<string | undefined>((done) => {
        child.on('error', (error) => done(describeError(error)));
        child.on('close', (code, signal) =>
          done(code === 0 ? undefined : `it ended with ${signal ?? `exit code ${code}`}`),
        );
      });
      const work = ended.then((failure) => {
        this.running.delete(kill);
        if (failure !== undefined) {
          this.failed++;
          const words = said.trim();
          this.tell(`${this.program} failed: ${failure}${words === '' ? '' : ` (${words})`}.`);
        }
        this.startNext();
      });
      this.running.set(kill, work);
    }
  }
}
