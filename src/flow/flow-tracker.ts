/// Packets -> flows: finds the flow of each packet and hands it to those who
/// follow flows of its kind.

import { PROTOCOL_TCP } from '../wire/packet.js';
import { IS_FRAGMENT, KEY_PROTOCOL_MASK, NO_PACKET, type PacketBatch } from '../wire/packet-batch.js';
import type { DatagramAnalysis, DatagramFlow } from './datagram-flow.js';
import { DatagramFollower } from './datagram-follower.js';
import { ALL_FLOWS } from './flow-share.js';
import {
  DEFAULT_FLOW_TABLE_LIMITS,
  ENTRY_WORDS,
  FlowTable,
  type FlowTableLimits,
  STATE_FOLLOWED,
  STATE_MASK,
  WORD_KIND,
} from './flow-table.js';
import { MAX_FOLLOWED_DATAGRAM_FLOWS, MAX_FOLLOWED_FLOWS, MAX_KEPT_BYTES } from './limits.js';
import { MemoryBudget } from './memory-budget.js';
import { type TcpAnalysts, TcpFollower } from './tcp-follower.js';

export interface FlowTrackerLimits extends FlowTableLimits {
  /// Most TCP flows, and most UDP and ICMP flows, followed at once.
  maxFollowedFlows: number;
  maxFollowedDatagramFlows: number;
  /// Most bytes kept of all followed flows.
  maxKeptBytes: number;
}

export const DEFAULT_FLOW_LIMITS: FlowTrackerLimits = {
  ...DEFAULT_FLOW_TABLE_LIMITS,
  maxFollowedFlows: MAX_FOLLOWED_FLOWS,
  maxFollowedDatagramFlows: MAX_FOLLOWED_DATAGRAM_FLOWS,
  maxKeptBytes: MAX_KEPT_BYTES,
};

/// Makes the analysis of each flow that is followed.
export interface Analysts extends TcpAnalysts {
  datagrams(flow: DatagramFlow, budget: MemoryBudget): DatagramAnalysis;
}

export class FlowTracker {
  readonly table: FlowTable;
  private readonly tcp: TcpFollower;
  private readonly datagrams: DatagramFollower;
  private readonly budget: MemoryBudget;

  /// `fragment` is told of each fragment among the packets, in its turn. Of a `share` of
  /// the flows the packets of all others are passed over. `seed` is that of the batches. What is never offered
  /// (`Openings`) rules a flow out before anybody follows it; without it all openings go to the followers.
  constructor(
    analysts: Analysts,
    limits: FlowTrackerLimits = DEFAULT_FLOW_LIMITS,
    private readonly fragment: (batch: PacketBatch, i: number) => void = () => {},
    share = ALL_FLOWS,
    seed = 0,
    neverOffered: string | null = null,
  ) {
    const budget = new MemoryBudget(limits.maxKeptBytes);
    this.budget = budget;
    const nameEndings = analysts.listener?.nameEndings ?? [];
    const openings = neverOffered === null ? null : { neverOffered, nameEndings };
    this.table = new FlowTable(limits, (entry) => this.release(entry), seed, share, openings);
    this.tcp = new TcpFollower(this.table, analysts, budget, limits.maxFollowedFlows);
    this.datagrams = new DatagramFollower(
      this.table,
      (flow) => analysts.datagrams(flow, budget),
      limits.maxFollowedDatagramFlows,
      analysts.listener,
    );
  }

  /// Followed flows given up because there were too many.
  get givenUpFlows(): number {
    return this.tcp.flows.givenUp + this.datagrams.flows.givenUp;
  }

  /// Limits that were hit, by the names of docs/limits.md, and how often.
  get limitsHit(): Record<string, number> {
    const counts = {
      flows: this.table.evictedFlows,
      followedFlows: this.tcp.flows.givenUp,
      followedDatagramFlows: this.datagrams.flows.givenUp,
      keptBytes: this.budget.refused,
      heldBytes: this.budget.overflows,
    };
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  }

  /// Stretches of followed streams that were never captured.
  get gaps(): number {
    return this.tcp.gaps;
  }

  /// True if anything was given up because there was too much of it.
  get reachedLimit(): boolean {
    return this.table.evictedFlows > 0 || this.givenUpFlows > 0 || this.budget.refused > 0;
  }

  /// True if more is kept now than these limits would allow.
  exceeds(limits: FlowTrackerLimits): boolean {
    return (
      this.table.flows > limits.maxFlows ||
      this.tcp.flows.count > limits.maxFollowedFlows ||
      this.datagrams.flows.count > limits.maxFollowedDatagramFlows ||
      this.budget.usedBytes > limits.maxKeptBytes
    );
  }

  /// Takes the packets of a batch, in recorded order.
  packets(batch: PacketBatch): void {
    const { table } = this;
    const { flags, key } = batch;
    const { bytes, bytesAt = 0, count, frame, timeUs } = batch.frames;
    for (let i = table.lookUp(batch, 0); i < count; i = table.lookUp(batch, i + 1)) {
      let isLooked = bytesAt !== 0;
      if (table.entry < 0) {
        const what = flags[i]!;
        if ((what & (NO_PACKET | IS_FRAGMENT)) !== 0) {
          if ((what & IS_FRAGMENT) !== 0) this.fragment(batch, i);
          continue;
        }
        if (!table.lookUpOne(batch, i)) continue;
        isLooked = false;
      }
      const { entry } = table;
      const state = table.words[entry * ENTRY_WORDS + WORD_KIND]! & STATE_MASK;
      if (state !== STATE_FOLLOWED && !isLooked && table.look(batch, i)) continue;
      const packet = batch.packetAt(i);
      const follower = (key[i]! & KEY_PROTOCOL_MASK) === PROTOCOL_TCP ? this.tcp : this.datagrams;
      if (state === STATE_FOLLOWED) follower.next(entry, packet, bytes, timeUs[i]!, frame[i]!);
      else follower.first(entry, packet, bytes, timeUs[i]!, frame[i]!);
    }
  }

  /// Ends the followed flows that have been silent for too long at `nowUs`. New flows
  /// do that as well, but live none may come.
  endSilent(nowUs: number): void {
    this.table.advance(nowUs);
    this.tcp.flows.endSilent();
    this.datagrams.flows.endSilent();
  }

  /// Has the analyses tell what their flows are so far.
  soFar(): void {
    this.tcp.soFar();
    this.datagrams.soFar();
  }

  /// Forgets everything, ready for another capture; `table.endAll` comes first.
  clear(): void {
    this.table.clear();
    this.tcp.clear();
    this.datagrams.flows.clear();
    this.budget.refused = 0;
    this.budget.overflows = 0;
  }

  /// Gives the memory of the table back; nothing may be asked of it any more.
  dispose(): void {
    this.table.dispose();
  }

  /// Called by the table before a followed entry goes.
  private release(entry: number): void {
    const protocol = this.table.words[entry * ENTRY_WORDS + WORD_KIND]! & KEY_PROTOCOL_MASK;
    if (protocol === PROTOCOL_TCP) this.tcp.end(entry);
    else this.datagrams.end(entry);
  }
}
