/// A second look at one flow: what its analysis was told, and when it gave up.
/// Nothing of this exists unless somebody asks for an explanation.

import type { RecordProtection } from '../wire/tls-suites.js';
import type { FlowEnd } from './flow-table.js';
import type { FlowAnalysis, TcpFlow } from './tcp-flow.js';

/// Records kept of one flow.
const MAX_TRACED_RECORDS = 4_000;

/// Flows kept that share one 5-tuple, one after the other.
const MAX_TRACED_FLOWS = 16;

/// A flow as a person names it: the ends in either order. Null as protocol is any.
export interface FlowName {
  protocol: number | null;
  ends: readonly [FlowEnd, FlowEnd];
}

export interface TracedRecord {
  fromClient: boolean;
  /// Content type and length field, as they stand on the wire.
  type: number;
  length: number;
  timeUs: number;
  frame: number;
}

/// What a traced flow showed.
export interface TracedFlow {
  firstUs: number;
  midstream: boolean;
  client: FlowEnd;
  server: FlowEnd;
  /// Of the records that came last.
  protection: RecordProtection;
  records: TracedRecord[];
  /// Records that came after the limit.
  unkept: number;
  /// How many records had come when the analysis let go of the flow, the one
  /// that decided included; null if it never did.
  refusedAfter: number | null;
  /// The client's hello alone rules the flow out.
  isRuledOut: boolean;
}

export class FlowTrace {
  readonly flows: TracedFlow[] = [];

  constructor(readonly name: FlowName) {}

  /// The analysis itself, or where the flow is the one that is asked for, one
  /// that does the same and keeps a record of it.
  wrap(analysis: FlowAnalysis, flow: TcpFlow, ends: { a: FlowEnd; b: FlowEnd }): FlowAnalysis {
    if (!isNamed(this.name, ends.a, ends.b) || this.flows.length === MAX_TRACED_FLOWS) return analysis;
    const traced: TracedFlow = {
      firstUs: flow.firstUs,
      midstream: flow.midstream,
      client: flow.clientIsB ? ends.b : ends.a,
      server: flow.clientIsB ? ends.a : ends.b,
      protection: flow.protection,
      records: [],
      unkept: 0,
      refusedAfter: null,
      isRuledOut: false,
    };
    this.flows.push(traced);
    return new TracedAnalysis(analysis, traced);
  }
}

/// Forwards everything until the analysis lets go, and goes on listening then.
class TracedAnalysis implements FlowAnalysis {
  constructor(
    private inner: FlowAnalysis,
    private readonly traced: TracedFlow,
  ) {}

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    const { traced } = this;
    traced.protection = flow.protection;
    if (traced.records.length < MAX_TRACED_RECORDS) {
      traced.records.push({ fromClient, type, length, timeUs, frame });
    } else traced.unkept++;
    if (traced.refusedAfter !== null) return traced.records.length < MAX_TRACED_RECORDS;
    if (!this.inner.tlsRecord(flow, fromClient, type, length, timeUs, frame)) {
      traced.refusedAfter = traced.records.length;
      traced.isRuledOut = flow.isRuledOut;
    }
    return true;
  }

  notTls(flow: TcpFlow, fromClient: boolean, timeUs: number, frame: number): boolean {
    const { traced } = this;
    if (traced.refusedAfter !== null) return false;
    const goesOn = this.inner.notTls(flow, fromClient, timeUs, frame);
    if (!goesOn) traced.refusedAfter = traced.records.length;
    return goesOn;
  }

  headersLost(flow: TcpFlow): FlowAnalysis {
    if (this.traced.refusedAfter === null) this.inner = this.inner.headersLost?.(flow) ?? this.inner;
    return this;
  }

  soFar(flow: TcpFlow): void {
    if (this.traced.refusedAfter === null) this.inner.soFar?.(flow);
  }

  end(flow: TcpFlow): void {
    if (this.traced.refusedAfter === null) this.inner.end(flow);
  }
}

/// True if these ends are those of the name, in either order.
export function isNamed({ ends: [first, second] }: FlowName, a: FlowEnd, b: FlowEnd): boolean {
  return (isSameEnd(first, a) && isSameEnd(second, b)) || (isSameEnd(first, b) && isSameEnd(second, a));
}

export function isSameEnd(one: FlowEnd, other: FlowEnd): boolean {
  return (
    one.port === other.port &&
    one.address.length === other.address.length &&
    one.address.every((byte, i) => byte === other.address[i])
  );
}
