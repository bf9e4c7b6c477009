/// The same log-in where other channels of the SSH connection speak between
/// its messages: one write of each size in order, whatever else is sent.
/// Weak by itself (facts, hard cases A5).

import type { SshPiece } from './ssh-piece.js';
import type { SshSessionProfile } from './ssh-profile.js';
import type { SshScript } from './ssh-script.js';
import type { DataWindow, DirectionSizes, ScriptWindows } from './ssh-sizes.js';

const STEPS = 4;

/// Pieces of one direction that belong together: full segments and the one
/// that follows them at once.
class Write {
  open = false;
  wireBytes = 0;
  packets = 0;
  startUs = 0;
  lastUs = 0;
  frame = 0;
}

/// Puts the pieces of each direction together to writes, and takes these for either way round.
export class TolerantWatch {
  private readonly clientWrite = new Write();
  private readonly serverWrite = new Write();
  private readonly paths: readonly [Path, Path];
  /// Data of the smallest message.
  private readonly leastBytes: number;

  constructor(
    private readonly ssh: SshSessionProfile,
    { signature, hello, login, welcome }: ScriptWindows,
    private readonly client: DirectionSizes,
    private readonly server: DirectionSizes,
    found: (script: SshScript) => void,
  ) {
    const steps = [signature, hello, login, welcome];
    const path = (reversed: boolean) => new Path(reversed, steps, ssh.tolerant.maxStepUs.value, found);
    this.paths = [path(false), path(true)];
    this.leastBytes = Math.min(...steps.map(({ min }) => min));
  }

  /// A piece that is too small for any message means nothing then.
  get isIdle(): boolean {
    return !this.clientWrite.open && !this.serverWrite.open;
  }

  piece({ fromClient, wireBytes, packets, timeUs, frame }: SshPiece): void {
    const { pieceBytes, joinUs } = this.ssh.tolerant;
    const write = fromClient ? this.clientWrite : this.serverWrite;
    const other = fromClient ? this.serverWrite : this.clientWrite;
    // A write that ended with a full segment may be complete all the same.
    if (other.open) this.step(other, !fromClient);
    if (write.open && timeUs - write.lastUs >= joinUs.value) this.close(write, fromClient);
    if (!write.open) {
      write.open = true;
      write.wireBytes = 0;
      write.packets = 0;
      write.startUs = timeUs;
      write.frame = frame;
    }
    write.wireBytes += wireBytes;
    write.packets = packets === 0 || write.packets < 0 ? -1 : write.packets + packets;
    write.lastUs = timeUs;
    if (wireBytes < pieceBytes.value) this.close(write, fromClient);
  }

  end(): void {
    if (this.clientWrite.open) this.close(this.clientWrite, true);
    if (this.serverWrite.open) this.close(this.serverWrite, false);
  }

  private close(write: Write, fromClient: boolean): void {
    this.step(write, fromClient);
    write.open = false;
  }

  private step(write: Write, fromClient: boolean): void {
    const sizes = fromClient ? this.client : this.server;
    if (write.wireBytes - sizes.least < this.leastBytes) return;
    this.paths[0].step(write, fromClient, sizes);
    this.paths[1].step(write, fromClient, sizes);
  }
}

/// How far the log-in came, one way round.
class Path {
  /// Step i was last reached at, in this way: the frames and sizes of 0..i.
  private readonly reachedUs = new Float64Array(STEPS).fill(Number.NEGATIVE_INFINITY);
  private readonly startedUs = new Float64Array(STEPS);
  private readonly frames = new Float64Array(STEPS * STEPS);
  private readonly wireBytes = new Float64Array(STEPS * STEPS);

  /// `reversed`: the VPN client is on the side of the SSH server.
  constructor(
    private readonly reversed: boolean,
    private readonly steps: readonly DataWindow[],
    private readonly maxStepUs: number,
    private readonly found: (script: SshScript) => void,
  ) {}

  /// Takes a write as any step that it can be, the latest first.
  step(write: Write, fromClient: boolean, sizes: DirectionSizes): void {
    const isAsker = fromClient !== this.reversed;
    for (let i = isAsker ? STEPS - 2 : STEPS - 1; i >= 0; i -= 2) {
      if (!sizes.fits(write.wireBytes, Math.max(0, write.packets), this.steps[i]!)) continue;
      if (i > 0) {
        const sinceUs = write.startUs - this.reachedUs[i - 1]!;
        if (sinceUs < 0 || sinceUs > this.maxStepUs) continue;
      }
      this.reach(i, write);
      if (i === STEPS - 1) this.report();
    }
  }

  private reach(i: number, write: Write): void {
    for (let k = 0; k < i; k++) {
      this.frames[i * STEPS + k] = this.frames[(i - 1) * STEPS + k]!;
      this.wireBytes[i * STEPS + k] = this.wireBytes[(i - 1) * STEPS + k]!;
    }
    this.frames[i * STEPS + i] = write.frame;
    this.wireBytes[i * STEPS + i] = write.wireBytes;
    this.startedUs[i] = i === 0 ? write.startUs : this.startedUs[i - 1]!;
    this.reachedUs[i] = write.lastUs;
  }

  private report(): void {
    const last = STEPS - 1;
    const path = (table: Float64Array) => Array.from(table.subarray(last * STEPS, STEPS * STEPS));
    this.found({
      kind: 'primary',
      reversed: this.reversed,
      openedUs: Number.NaN,
      startUs: this.startedUs[last]!,
      endUs: this.reachedUs[last]!,
      frames: path(this.frames),
      wireBytes: path(this.wireBytes),
    });
    // The same welcome is not taken twice.
    this.reachedUs.fill(Number.NEGATIVE_INFINITY);
  }
}
