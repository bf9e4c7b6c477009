/// The flows of one kind that are followed, and how that stands in the flow
/// table: its entry holds the number of the slot in which more is kept.

import { ENTRY_WORDS, type FlowTable, STATE_DISMISSED, STATE_FOLLOWED, WORD_SLOT } from './flow-table.js';
import { type FlowWeight, TotalWeight } from './flow-weight.js';
import { SlotPool, type Slotted } from './slot-pool.js';

export interface Followed extends Slotted {
  firstUs: number;
  readonly weight: FlowWeight;
  reset(): void;
}

export class FollowedFlows<Flow extends Followed> {
  /// Given up because there were too many.
  givenUp = 0;
  private readonly pool: SlotPool<Flow>;
  private readonly total = new TotalWeight();

  /// `maxFlows` of those that take `bytesEach`, as an ordinary one does; fewer if some take more.
  /// `end` is called before a flow is given up, and leaves it.
  constructor(
    private readonly table: FlowTable,
    private readonly maxFlows: number,
    private readonly bytesEach: number,
    make: (total: TotalWeight) => Flow,
    private readonly end: (entry: number) => void,
  ) {
    this.pool = new SlotPool(() => make(this.total));
  }

  /// As new, once no flow is followed any more.
  clear(): void {
    this.pool.clear();
    this.givenUp = 0;
  }

  /// As many ordinary flows would take what those take that are followed at the moment.
  get count(): number {
    return this.total.bytes / this.bytesEach;
  }

  /// The flow of a followed entry.
  at(entry: number): Flow {
    return this.pool.at(this.table.words[entry * ENTRY_WORDS + WORD_SLOT]!);
  }

  /// Follows the flow of an entry that is new, or whose answer is due, from now on.
  follow(entry: number): Flow {
    const { table } = this;
    const firstUs = table.firstUs(entry);
    this.makeRoom(1);
    const slot = this.pool.take(entry);
    table.setState(entry, STATE_FOLLOWED);
    table.words[entry * ENTRY_WORDS + WORD_SLOT] = slot;
    const flow = this.pool.at(slot);
    flow.weight.add(this.bytesEach);
    flow.firstUs = firstUs;
    flow.lastUs = firstUs;
    return flow;
  }

  /// Keeps nothing more about the flow of a followed entry.
  leave(entry: number): void {
    const slot = this.table.words[entry * ENTRY_WORDS + WORD_SLOT]!;
    const flow = this.pool.at(slot);
    flow.reset();
    flow.weight.reset();
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

  /// Gives up flows until there is room for so many ordinary ones more. Due after each packet
  /// of a followed flow as well: it may take more than before.
  makeRoom(flows = 0): void {
    while (this.count + flows > this.maxFlows && this.pool.taken > 0) this.giveUpOne();
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
