/// Bytes that all followed flows together may keep of what they read: segments
/// that came too early, handshake messages. Hostile traffic can ask for more
/// than one flow's limit times the number of flows; this is what it gets.
export class MemoryBudget {
  private used = 0;
  constructor(private readonly limitBytes: number) {}

  /// True if `bytes` more may be kept; they count until given back.
  take(bytes: number): boolean {
    if (this.used + bytes > this.limitBytes) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}
