/// Followed flows under small numbers, made once and used again.
export interface Slotted {
  /// The flow's entry in the table; -1 while the slot is free.
  entry: number;
  lastUs: number;
}

/// Flows compared when one has to be given up.
const GIVE_UP_CANDIDATES = 32;

export class SlotPool<Flow extends Slotted> {
  private flows: Flow[] = [];
  private free: number[] = [];
  private giveUpAt = 0;

  constructor(private readonly make: () => Flow) {}

  at(slot: number): Flow {
    return this.flows[slot]!;
  }

  /// Slots in use.
  get taken(): number {
    return this.flows.length - this.free.length;
  }

  /// Visits every flow that has a slot; the visitor may release that slot.
  forEach(visit: (flow: Flow) => void): void {
    for (const flow of this.flows) if (flow.entry >= 0) visit(flow);
  }

  /// The number of a free slot.
  take(entry: number): number {
    let slot = this.free.pop();
    if (slot === undefined) {
      slot = this.flows.length;
      this.flows.push(this.make());
    }
    this.flows[slot]!.entry = entry;
    return slot;
  }

  release(slot: number): void {
    this.flows[slot]!.entry = -1;
    this.free.push(slot);
  }

  /// As new, once all slots are free: what is given up next follows from nothing before.
  clear(): void {
    this.flows = [];
    this.free = [];
    this.giveUpAt = 0;
  }

  /// The longest silent of some flows.
  leastMissed(): Flow | undefined {
    let victim: Flow | undefined;
    const candidates = Math.min(GIVE_UP_CANDIDATES, this.flows.length);
    for (let i = 0; i < candidates; i++) {
      const flow = this.flows[this.giveUpAt++ % this.flows.length]!;
      if (flow.entry >= 0 && (victim === undefined || flow.lastUs < victim.lastUs)) victim = flow;
    }
    return victim;
  }
}
