/// Bytes that all followed flows together may keep of what they read: segments
/// that came too early, handshake messages. Hostile traffic can ask for more
/// than one flow's limit times the number of flows; this is what it gets.
export class MemoryBudget {
  /// How often something was not kept for want of room, and how often one
  /// direction held back as much as it may.
  refused = 0;
  overflows = 0;
  private used = 0;

  constructor(private readonly limitBytes: number) {}

  get usedBytes(): number {
    return this.used;
  }

  /// True if `bytes` more may be kept; they count until given back.
  take(bytes: number): boolean {
    if (this.used + bytes > this.limitBytes) {
      this.refused++;
      return false;
    }
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}
