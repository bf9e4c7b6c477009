/// New channels of an SSH connection: one side asks for one, the other
/// confirms with a message whose size is fixed (RFC 4254 sections 5.1 and 7.2).

import { type SshPacketShape, wireBytes } from '../flow/ssh/packet-shape.js';
import type { SshPiece } from './ssh-piece.js';
import type { SshSessionProfile } from './ssh-profile.js';

/// Openings remembered: a session's connections are opened a second apart.
const REMEMBERED = 4;

export class ChannelWatch {
  /// After `openedBefore`: time from asking to confirmation, a round trip at least.
  answerUs = 0;
  private readonly openLeast: number;
  private readonly openMost: number;
  private readonly confirmLeast: number;
  private readonly confirmMost: number;
  private askedUs = Number.NEGATIVE_INFINITY;
  private readonly openedUs = new Float64Array(REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  private readonly answersUs = new Float64Array(REMEMBERED);
  private next = 0;

  /// `openerIsClient`: the SSH client opens (-L, -D), not the server (-R).
  /// `opener` and `other` are the shapes of the two directions; with a null
  /// shape no opening is ever seen.
  constructor(
    private readonly openerIsClient: boolean,
    private readonly ssh: SshSessionProfile,
    opener: SshPacketShape | null,
    other: SshPacketShape | null,
    compressed: boolean,
  ) {
    const { openPayload, confirmationPayload, compressionBytes } = ssh.channel;
    const size = (shape: SshPacketShape | null, payload: number) =>
      shape === null ? -1 : wireBytes(shape, payload);
    // Compression learns from the opening before: nothing but its order remains.
    this.openLeast = size(opener, compressed ? compressionBytes.value : openPayload.min);
    this.openMost = size(opener, openPayload.max);
    this.confirmLeast = size(other, compressed ? compressionBytes.value : confirmationPayload.value);
    this.confirmMost = size(other, confirmationPayload.value) + (compressed ? ssh.compressionBytes.value : 0);
  }

  piece(piece: SshPiece): void {
    const { wireBytes: wire } = piece;
    if (piece.fromClient === this.openerIsClient) {
      if (wire >= this.openLeast && wire <= this.openMost) this.askedUs = piece.timeUs;
      return;
    }
    if (wire < this.confirmLeast || wire > this.confirmMost) return;
    const { timeUs } = piece;
    if (timeUs - this.askedUs > this.ssh.channel.confirmUs.value) return;
    this.openedUs[this.next] = timeUs;
    this.answersUs[this.next] = timeUs - this.askedUs;
    this.next = (this.next + 1) % REMEMBERED;
    this.askedUs = Number.NEGATIVE_INFINITY;
  }

  /// When the channel was opened that a signature at `timeUs` belongs to; NaN if none was.
  openedBefore(timeUs: number, roundTripUs: number): number {
    let latestUs = Number.NaN;
    this.answerUs = 0;
    for (let i = 0; i < REMEMBERED; i++) {
      const openedUs = this.openedUs[i]!;
      const sinceUs = timeUs - openedUs;
      // Hello and flight take a round trip each, a probe another.
      const answerUs = Math.max(roundTripUs, this.answersUs[i]!);
      if (sinceUs < 0 || sinceUs > this.ssh.channel.signatureUs.value + 6 * answerUs) continue;
      if (latestUs > openedUs) continue;
      latestUs = openedUs;
      this.answerUs = this.answersUs[i]!;
    }
    return latestUs;
  }
}
