/// UDP acceleration without encryption (UseEncrypt = false): no nonces, but a
/// header in clear. A link is a datagram whose header fits the one before.
///
///     cookie 4 | my tick 8 | your tick 8 | size 2 | flag 1 | data
///
/// Facts: UdpAccel.c UdpAccelSend, version 1 and 2, PlainTextMode. From source
/// alone: no recording of this mode was at hand.

const HEADER_BYTES = 23;
const MY_TICK_AT = 4;
const YOUR_TICK_AT = 12;
const SIZE_AT = 20;

/// Ticks are milliseconds since some start: the upper words of a tick are
/// nearly empty. 2^20 in the upper half are 142,000 years.
const MAX_TICK_HIGH = 1 << 20;

/// How far a tick may be off the time between two packets: the sender takes it
/// once in a loop that waits up to 256 ms (Connection.c, SELECT_TIME), and the path
/// adds its jitter.
const TICK_TOLERANCE_MS = 1_000;

export class PlainTicks {
  /// Datagrams whose header fits the one before, and all after the first that has the form.
  links = 0;
  pairs = 0;
  private fitting = 0;
  private cookie = 0;
  private tick = 0;
  private tickUs = 0;

  reset(): void {
    this.links = 0;
    this.pairs = 0;
    this.fitting = 0;
    this.tick = 0;
  }

  /// True if the datagram is a link. `other` follows the other direction.
  datagram(
    other: PlainTicks,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
  ): boolean {
    if (captured < HEADER_BYTES) return false;
    if (((bytes[at + SIZE_AT]! << 8) | bytes[at + SIZE_AT + 1]!) !== length - HEADER_BYTES) return false;
    const tick = readTick(bytes, at + MY_TICK_AT);
    const yourTick = readTick(bytes, at + YOUR_TICK_AT);
    if (tick <= 0 || yourTick < 0) return false;
    const cookie = readInt(bytes, at);
    const first = this.fitting === 0 || cookie !== this.cookie;
    this.fitting++;
    if (first) {
      this.keep(cookie, tick, timeUs);
      return false;
    }
    const advancedMs = tick - this.tick;
    // Several within one millisecond say nothing.
    if (advancedMs === 0) return false;
    this.pairs++;
    // Your tick repeats the greatest that came from the other side; none can be ahead of it.
    const echoes = other.fitting === 0 || yourTick <= other.tick;
    const inTime = Math.abs(advancedMs - (timeUs - this.tickUs) / 1e3) <= TICK_TOLERANCE_MS;
    if (advancedMs < 0 || !inTime || !echoes || cookie === 0) return false;
    this.keep(cookie, tick, timeUs);
    this.links++;
    return true;
  }

  private keep(cookie: number, tick: number, timeUs: number): void {
    this.cookie = cookie;
    this.tick = tick;
    this.tickUs = timeUs;
  }
}

function readInt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/// A tick in milliseconds, or -1 if it is none.
function readTick(bytes: Uint8Array, at: number): number {
  const high = readInt(bytes, at) >>> 0;
  return high < MAX_TICK_HIGH ? high * 2 ** 32 + (readInt(bytes, at + 4) >>> 0) : -1;
}
