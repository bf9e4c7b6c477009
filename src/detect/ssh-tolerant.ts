/// The same log-in where other channels of the SSH connection speak between
/// its messages: one write of each size in order, whatever else is sent.
/// Weak by itself (facts, hard cases A5).

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
  /// The last piece was a full one: more may follow.
  full = false;
}

export class TolerantWatch {
  private readonly steps: readonly DataWindow[];
  private readonly clientWrite = new Write();
  private readonly serverWrite = new Write();
  /// Step i was last reached at, in this way: the frames and sizes of 0..i.
  private readonly reachedUs = new Float64Array(STEPS).fill(Number.NEGATIVE_INFINITY);
  private readonly startedUs = new Float64Array(STEPS);
  private readonly frames = new Float64Array(STEPS * STEPS);
  private readonly wireBytes = new Float64Array(STEPS * STEPS);

  /// `reversed`: the VPN client is on the side of the SSH server.
  constructor(
    private readonly reversed: boolean,
    private readonly ssh: SshSessionProfile,
    windows: ScriptWindows,
    private readonly client: DirectionSizes,
    private readonly server: DirectionSizes,
    private readonly found: (script: SshScript) => void,
  ) {
    this.steps = [windows.signature, windows.hello, windows.login, windows.welcome];
  }

  piece(fromClient: boolean, wireBytes: number, packets: number, timeUs: number, frame: number): void {
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

  /// Takes a write as any step that it can be, the latest first.
  private step(write: Write, fromClient: boolean): void {
    const sizes = fromClient ? this.client : this.server;
    const isAsker = fromClient !== this.reversed;
    for (let i = isAsker ? STEPS - 2 : STEPS - 1; i >= 0; i -= 2) {
      if (!sizes.fits(write.wireBytes, Math.max(0, write.packets), this.steps[i]!)) continue;
      if (i > 0) {
        const sinceUs = write.startUs - this.reachedUs[i - 1]!;
        if (sinceUs < 0 || sinceUs > this.ssh.tolerant.maxStepUs.value) continue;
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
