/// Tells the copies of datagrams: a mirror that sees both sides of a port or of
/// a router records every packet twice. TCP tells copies by their sequence
/// numbers; what SoftEther sends by UDP and ICMP never says the same twice (it
/// begins with random bytes, or with a clock of milliseconds).

import { COPY_US } from './limits.js';

/// Datagrams of each end that are remembered: a burst may pass a router before
/// the first copy of it comes.
const REMEMBERED = 32;

/// What is compared, with the length: headers and the beginning of what is
/// carried, and the last bytes.
const HEAD_BYTES = 96;
const TAIL_BYTES = 16;

export class RecentDatagrams {
  private readonly hashes = new Int32Array(2 * REMEMBERED);
  private readonly times = new Float64Array(2 * REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  private next = 0;

  reset(): void {
    this.times.fill(Number.NEGATIVE_INFINITY);
  }

  /// True if the same end sent the same bytes just before.
  isCopy(fromA: boolean, bytes: Uint8Array, at: number, length: number, timeUs: number): boolean {
    const hash = hashOf(bytes, at, length);
    const first = fromA ? 0 : REMEMBERED;
    for (let i = first; i < first + REMEMBERED; i++) {
      if (this.hashes[i] === hash && Math.abs(timeUs - this.times[i]!) <= COPY_US) return true;
    }
    this.next = (this.next + 1) % REMEMBERED;
    this.hashes[first + this.next] = hash;
    this.times[first + this.next] = timeUs;
    return false;
  }
}

function hashOf(bytes: Uint8Array, at: number, length: number): number {
  let hash = length;
  const end = at + length;
  const headEnd = Math.min(end, at + HEAD_BYTES);
  for (let i = at; i < headEnd; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193) ^ (hash >>> 15);
  for (let i = Math.max(headEnd, end - TAIL_BYTES); i < end; i++) {
    hash = Math.imul(hash ^ bytes[i]!, 0x01000193) ^ (hash >>> 15);
  }
  return hash;
}
