/// The flows of one kind that are followed, and how that stands in the flow
/// table: its entry holds the number of the slot in which more is kept.

import { ENTRY_WORDS, type FlowTable, STATE_DISMISSED, STATE_FOLLOWED, WORD_SLOT } from './flow-table.js';
import { SlotPool, type Slotted } from './slot-pool.js';

export interface Followed extends Slotted {
  firstUs: number;
  reset(): void;
}

export class FollowedFlows<Flow extends Followed> {
  /// Given up because there were too many.
  givenUp = 0;
  private readonly pool: SlotPool<Flow>;

  /// `end` is called before a flow is given up, and leaves it.
  constructor(
    private readonly table: FlowTable,
    maxFlows: number,
    make: () => Flow,
    private readonly end: (entry: number) => void,
  ) {
    this.pool = new SlotPool(maxFlows, make);
  }

  /// As new, once no flow is followed any more.
  clear(): void {
    this.pool.clear();
    this.givenUp = 0;
  }

  /// Flows followed at the moment.
  get count(): number {
    return this.pool.taken;
  }

  /// The flow of a followed entry.
  at(entry: number): Flow {
    return this.pool.at(this.table.words[entry * ENTRY_WORDS + WORD_SLOT]!);
  }

  /// Follows the flow of a new entry from now on.
  follow(entry: number): Flow {
    const { table } = this;
    const firstUs = table.firstUs(entry);
    if (this.pool.isFull) this.giveUpOne();
    const slot = this.pool.take(entry);
    table.setState(entry, STATE_FOLLOWED);
    table.words[entry * ENTRY_WORDS + WORD_SLOT] = slot;
    const flow = this.pool.at(slot);
    flow.firstUs = firstUs;
    flow.lastUs = firstUs;
    return flow;
  }

  /// Keeps nothing more about the flow of a followed entry.
  leave(entry: number): void {
    const slot = this.table.words[entry * ENTRY_WORDS + WORD_SLOT]!;
    this.pool.at(slot).reset();
    this.pool.release(slot);
  }

  /// Visits every followed flow; the visitor may leave it.
  forEach(visit: (flow: Flow) => void): void {
    this.pool.forEach(visit);
  }

  /// Ends those that have been silent for too long.
  endSilent(): void {
    this.pool.forEach(({ entry }) => {
      this.table.removeIfSilent(entry);
    });
  }

  private giveUpOne(): void {
    const victim = this.pool.leastMissed();
    if (victim === undefined) return;
    const { entry } = victim;
    this.givenUp++;
    this.end(entry);
    this.table.setState(entry, STATE_DISMISSED);
  }
}
