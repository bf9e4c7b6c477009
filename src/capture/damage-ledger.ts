import type { CaptureDamage, CaptureSummary } from './capture-summary.js';
import type { FrameWriter } from './frame-writer.js';
import { MAX_DAMAGE_LISTED } from './limits.js';

/// Keeps the book of damage: what was lost where, between which packets.
export class DamageLedger {
  /// The last place, listed or not.
  private last: CaptureDamage | null = null;

  constructor(
    private readonly summary: CaptureSummary,
    private readonly writer: FrameWriter,
  ) {}

  /// A place begins at `offset`. What breaks before another frame was read
  /// belongs to the place before.
  open(offset: number, reason: string): void {
    const { summary, writer } = this;
    if (this.last?.afterFrame === writer.frameCount) return;
    const fromUs = summary.lastUs;
    this.last = { offset, reason, bytesLost: 0, afterFrame: writer.frameCount, fromUs, toUs: Number.NaN };
    if (summary.damage.length < MAX_DAMAGE_LISTED) summary.damage.push(this.last);
    else summary.damageLeftOut.places++;
  }

  /// Records go on at `offset`, or the file ends there.
  close(offset: number): void {
    const { last, summary } = this;
    if (last === null) return;
    if (offset < last.offset) {
      last.offset = offset;
      last.reason = 'a packet record claims more bytes than it has: the next one begins inside it';
    }
    const more = offset - last.offset - last.bytesLost;
    last.bytesLost += more;
    if (summary.damage.at(-1) !== last) summary.damageLeftOut.bytesLost += more;
    this.writer.noteTimeAfter(last);
  }

  /// Says the last place in clearer words, now that more is known.
  restate(reason: string): void {
    if (this.last !== null) this.last.reason = reason;
  }

  /// Adds why no more bytes can be had.
  addReason(reason: string): void {
    if (this.last !== null && !this.last.reason.includes(reason)) this.last.reason += `; ${reason}`;
  }
}
