/// The log-in of a SoftEther connection as turns of an SSH connection.
///
///     side of the VPN client         side of the VPN server
///     [Finished +] signature
///                                    [tickets +] hello
///     log-in, or: attach
///                                    welcome, or: attach answer [+ first records]
///
/// The last four turns are kept; whichever side sent the last one is the
/// server's, so forwarding in both directions (-L, -D and -R) is read alike.
/// Constant state, nothing is allocated per packet.

import type { SshPiece } from './ssh-piece.js';
import type { SshSessionProfile } from './ssh-profile.js';
import type { DataWindow, DirectionSizes, ScriptWindows } from './ssh-sizes.js';

const STEPS = 4;

/// A script that was found.
export interface SshScript {
  kind: 'primary' | 'additional';
  /// The VPN client is on the side of the SSH server (-R).
  reversed: boolean;
  /// When its channel was opened; NaN if that was not seen.
  openedUs: number;
  /// First byte of the signature, last one of the welcome or the attach answer.
  startUs: number;
  endUs: number;
  /// The frame that began each of the four messages, and its bytes on the wire.
  frames: number[];
  wireBytes: number[];
}

export class ScriptWatch {
  /// Turns begun; turn i stands at i % 4.
  private turns = 0;
  private readonly fromClient = new Uint8Array(STEPS);
  private readonly wireBytes = new Float64Array(STEPS);
  /// Packets of the turn; negative if not known.
  private readonly packets = new Float64Array(STEPS);
  private readonly startUs = new Float64Array(STEPS);
  private readonly lastUs = new Float64Array(STEPS);
  private readonly frame = new Float64Array(STEPS);
  private reported = -1;

  constructor(
    private readonly ssh: SshSessionProfile,
    private readonly windows: ScriptWindows,
    private readonly client: DirectionSizes,
    private readonly server: DirectionSizes,
    private readonly found: (script: SshScript) => void,
  ) {}

  /// Takes the next piece that can hold a record.
  piece({ fromClient, wireBytes, packets, timeUs, frame }: SshPiece, roundTripUs: number): void {
    // Tickets, which come when they like, end no turn.
    if ((fromClient ? this.client : this.server).isTickets(wireBytes)) return;
    let at = (this.turns - 1) % STEPS;
    const sinceUs = this.turns === 0 ? 0 : timeUs - this.lastUs[at]!;
    const goesOn =
      this.turns > 0 &&
      this.fromClient[at] === (fromClient ? 1 : 0) &&
      sinceUs <= this.ssh.turnPauseUs.value + 2 * roundTripUs;
    // A pause completes the welcome; other messages are only complete with the answer.
    if (!goesOn || sinceUs > this.ssh.welcomePauseUs.value) this.check();
    if (!goesOn) {
      at = this.turns++ % STEPS;
      this.fromClient[at] = fromClient ? 1 : 0;
      this.wireBytes[at] = 0;
      this.packets[at] = 0;
      this.startUs[at] = timeUs;
      this.frame[at] = frame;
    }
    this.wireBytes[at] = this.wireBytes[at]! + wireBytes;
    this.packets[at] = packets === 0 || this.packets[at]! < 0 ? -1 : this.packets[at]! + packets;
    this.lastUs[at] = timeUs;
  }

  /// The connection has ended.
  end(): void {
    this.check();
  }

  /// Compares the last four turns with the script.
  private check(): void {
    const first = this.turns - STEPS;
    if (first < 0 || this.reported === this.turns) return;
    const { windows } = this;
    if (!this.fits(first, windows.signature) || !this.fits(first + 1, windows.hello)) return;
    const third = (first + 2) % STEPS;
    const second = (first + 1) % STEPS;
    const start = first % STEPS;
    const last = (first + 3) % STEPS;
    if (this.fromClient[start] !== this.fromClient[third]) return;
    if (this.fromClient[start] === this.fromClient[second]) return;
    if (this.fromClient[second] !== this.fromClient[last]) return;
    for (let i = first; i < first + STEPS - 1; i++) {
      const waitedUs = this.startUs[(i + 1) % STEPS]! - this.lastUs[i % STEPS]!;
      if (waitedUs > this.ssh.maxStepUs.value) return;
    }
    const isPrimary = this.fits(first + 2, windows.login) && this.fits(first + 3, windows.welcome);
    const isAdditional = this.fits(first + 2, windows.attach) && this.fits(first + 3, windows.attachAnswer);
    if (!isPrimary && !isAdditional) return;
    this.reported = this.turns;
    const order = [start, second, third, last];
    this.found({
      kind: isPrimary ? 'primary' : 'additional',
      reversed: this.fromClient[last] === 1,
      openedUs: Number.NaN,
      startUs: this.startUs[start]!,
      endUs: this.lastUs[last]!,
      frames: order.map((at) => this.frame[at]!),
      wireBytes: order.map((at) => this.wireBytes[at]!),
    });
  }

  private fits(turn: number, window: DataWindow): boolean {
    const at = turn % STEPS;
    const sizes = this.fromClient[at] === 1 ? this.client : this.server;
    return sizes.fits(this.wireBytes[at]!, Math.max(0, this.packets[at]!), window);
  }
}
