/// Timestamps of pcapng (draft-ietf-opsawg-pcapng, if_tsresol and if_tsoffset).

/// Turns the two halves of a 64-bit tick count into microseconds since 1970, rounded down.
export type TickConverter = (high: number, low: number) => number;

/// The resolution where an interface does not name one: 10^-6 s.
export const DEFAULT_TSRESOL = 6;

const TWO_32 = 4_294_967_296;

/// The converter for an interface.
///
/// `tsresol` is the option's byte: below 128 a negative power of ten, else its
/// low seven bits a negative power of two. `offsetSeconds` is if_tsoffset.
/// All 256 values are valid; results beyond 2^53 us lose precision.
export function tickConverter(tsresol: number, offsetSeconds: number): TickConverter {
  const offsetUs = offsetSeconds * 1e6;
  if (tsresol === 6) return (high, low) => high * TWO_32 + low + offsetUs;
  if (tsresol === 9) {
    // 2^32 = 4,294,967 x 1000 + 296: exact where a product of doubles would not be.
    return (high, low) => high * 4_294_967 + Math.floor((high * 296 + low) / 1000) + offsetUs;
  }
  // Anything else is rare enough for big integers.
  const ticksPerSecond = tsresol < 128 ? 10n ** BigInt(tsresol) : 1n << BigInt(tsresol & 0x7f);
  return (high, low) => {
    const ticks = (BigInt(high) << 32n) | BigInt(low);
    return Number((ticks * 1_000_000n) / ticksPerSecond) + offsetUs;
  };
}

/// True if ticks of this resolution can fall between two microseconds: for
/// both bases beyond the sixth power, because 10^6 is 2^6 x 5^6.
export function isFinerThanMicroseconds(tsresol: number): boolean {
  return (tsresol & 0x7f) > 6;
}
