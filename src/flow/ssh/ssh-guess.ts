/// SSH joined in its middle on any port: nothing in it is in clear, but every
/// packet of every cipher and MAC has a multiple of 4 bytes (RFC 4253 section
/// 6: blocks of 8 or 16; MACs of 8, 12, 16, 20, 32 or 64), and its bytes look random.

const UNIT_BYTES = 4;
/// The smallest packet: 8 to 16 bytes and a MAC.
const MIN_PACKET_BYTES = 28;
/// Longer segments may be cut anywhere.
const WHOLE_WRITE_BYTES = 1200;
/// Of 24 random bytes fewer than 17 differ with a probability below 2^-15; of text and of fields, more seldom do.
const SAMPLE_BYTES = 24;
const MIN_DIFFERENT_BYTES = 17;
/// One small segment in so many may end elsewhere: TCP cut it.
const FITTING_SHARE = 8;

/// True if the payload can be whole encrypted packets of SSH.
export function mayBeSshPackets(bytes: Uint8Array, at: number, captured: number, length: number): boolean {
  if (length < MIN_PACKET_BYTES || length > WHOLE_WRITE_BYTES || length % UNIT_BYTES !== 0) return false;
  if (captured < length) return false;
  return new Set(bytes.subarray(at, at + SAMPLE_BYTES)).size >= MIN_DIFFERENT_BYTES;
}

/// Watches whether one direction goes on like that.
export class SshGuess {
  private total = 0;
  private segments = 0;
  private misfits = 0;

  /// False as soon as this is no SSH.
  fits(length: number): boolean {
    this.total += length;
    if (length > WHOLE_WRITE_BYTES) return true;
    this.segments++;
    if (this.total % UNIT_BYTES !== 0) this.misfits++;
    return this.misfits * FITTING_SHARE <= this.segments;
  }

  missing(length: number): void {
    this.total += length;
  }
}
