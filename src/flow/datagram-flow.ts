/// A UDP flow, or the ICMP messages between two hosts, that is followed.

import { type Layer, NO_LAYERS } from '../wire/layers.js';
import type { FlowEnd } from './flow-table.js';
import type { FlowWeight } from './flow-weight.js';
import { RecentDatagrams } from './recent-datagrams.js';

/// What the detection keeps for such a flow.
export interface DatagramAnalysis {
  /// Takes the next datagram: a UDP payload, or a whole ICMP message. `length`
  /// bytes were sent, `captured` of them lie in `bytes` from `at` on. Returns
  /// false if the flow cannot be what is looked for.
  datagram(
    flow: DatagramFlow,
    fromA: boolean,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean;
  /// Tells what the flow is while it goes on; `end` tells it a last time. Changes
  /// nothing. Left out where only the whole flow can tell.
  soFar?(flow: DatagramFlow): void;
  /// The flow has ended; its facts are final.
  end(flow: DatagramFlow): void;
  /// The flow is let go before its end.
  dismiss(): void;
}

export class DatagramFlow {
  entry = -1;
  isIcmp = false;
  /// It begins like OpenVPN.
  isOpenVpn = false;
  analysis: DatagramAnalysis | null = null;
  firstUs = 0;
  lastUs = 0;
  /// Packets so far, copies included.
  packets = 0;
  /// No more of it will come.
  ended = false;
  /// Payload bytes of each end since the flow is followed, copies left out.
  bytesFromA = 0;
  bytesFromB = 0;
  portA = 0;
  portB = 0;
  /// What stands around its packets, from the outside in.
  layers: readonly Layer[] = NO_LAYERS;
  readonly recent = new RecentDatagrams();
  private ends: { a: FlowEnd; b: FlowEnd } | null = null;

  /// `endsOf` copies the ends of an entry out of the table.
  constructor(
    private readonly endsOf: (entry: number) => { a: FlowEnd; b: FlowEnd },
    readonly weight: FlowWeight,
  ) {}

  /// Both ends, copied when first asked for: most flows are let go before.
  get a(): FlowEnd {
    this.ends ??= this.endsOf(this.entry);
    return this.ends.a;
  }

  get b(): FlowEnd {
    this.ends ??= this.endsOf(this.entry);
    return this.ends.b;
  }

  reset(): void {
    this.analysis = null;
    this.ended = false;
    this.bytesFromA = 0;
    this.bytesFromB = 0;
    this.ends = null;
    this.layers = NO_LAYERS;
    this.recent.reset();
  }
}
