/// Packets -> flows: finds the flow of each packet, follows those that begin
/// like TLS, lets go of the rest.

import { type Packet, PROTOCOL_TCP, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../wire/packet.js';
import {
  DEFAULT_FLOW_TABLE_LIMITS,
  ENTRY_WORDS,
  FlowTable,
  type FlowTableLimits,
  KIND_CLOSED,
  KIND_FIN_A,
  KIND_FIN_B,
  KIND_IPV6,
  KIND_SEQUENCE_A,
  KIND_SEQUENCE_B,
  KIND_SYN_FROM_A,
  KIND_SYN_FROM_B,
  STATE_DISMISSED,
  STATE_FOLLOWED,
  STATE_MASK,
  STATE_NEW,
  WORD_ADDRESS_A,
  WORD_ADDRESS_B,
  WORD_KIND,
  WORD_PACKETS,
  WORD_PORTS,
  WORD_SEQUENCE,
  WORD_SLOT,
} from './flow-table.js';
import { MAX_FOLLOWED_FLOWS, MAX_KEPT_BYTES } from './limits.js';
import { MemoryBudget } from './memory-budget.js';
import { type FlowAnalysis, type FlowEnds, TcpFlow } from './tcp-flow.js';

export interface FlowTrackerLimits extends FlowTableLimits {
  maxFollowedFlows: number;
  /// Most bytes kept of all followed flows.
  maxKeptBytes: number;
}

export const DEFAULT_FLOW_LIMITS: FlowTrackerLimits = {
  ...DEFAULT_FLOW_TABLE_LIMITS,
  maxFollowedFlows: MAX_FOLLOWED_FLOWS,
  maxKeptBytes: MAX_KEPT_BYTES,
};

/// Followed flows compared when one has to be given up.
const GIVE_UP_CANDIDATES = 32;

const ANY_CLOSE = KIND_CLOSED | KIND_FIN_A | KIND_FIN_B;
const SYN_FIN_RST = TCP_SYN | TCP_FIN | TCP_RST;

export class FlowTracker {
  readonly table: FlowTable;
  /// Followed flows given up because there were too many.
  givenUpFlows = 0;
  /// Stretches of followed streams that were never captured.
  gaps = 0;
  private readonly flows: TcpFlow[] = [];
  private readonly freeSlots: number[] = [];
  private giveUpAt = 0;
  private readonly budget: MemoryBudget;

  /// `analyse` is asked for the analysis of each flow that is followed.
  constructor(
    private readonly analyse: (flow: TcpFlow) => FlowAnalysis,
    private readonly limits: FlowTrackerLimits = DEFAULT_FLOW_LIMITS,
  ) {
    this.budget = new MemoryBudget(limits.maxKeptBytes);
    this.table = new FlowTable(limits, (entry) => this.endFlow(entry));
  }

  /// Takes a decoded packet; `bytes` and `view` are the batch it lies in.
  packet(packet: Packet, bytes: Uint8Array, view: DataView, timeUs: number, frame: number): void {
    const table = this.table;
    const entry = table.find(packet, view, timeUs);
    if (packet.protocol !== PROTOCOL_TCP) return;
    if ((packet.tcpFlags & SYN_FIN_RST) !== 0 && !table.noteTcpFlags(entry, packet)) {
      table.restart(entry, timeUs);
      table.noteTcpFlags(entry, packet);
    }
    const at = entry * ENTRY_WORDS;
    switch (table.words[at + WORD_KIND]! & STATE_MASK) {
      case STATE_DISMISSED:
        return;
      case STATE_NEW:
        if (packet.payloadLen > 0) this.firstPayload(entry, packet, bytes, timeUs, frame);
        return;
      case STATE_FOLLOWED:
        this.nextSegment(this.flows[table.words[at + WORD_SLOT]!]!, packet, bytes, timeUs, frame);
    }
  }

  /// Forgets everything, ready for another capture; `table.endAll` comes first.
  clear(): void {
    this.table.clear();
    this.givenUpFlows = 0;
    this.gaps = 0;
  }

  /// Decides by its first payload whether a flow is followed.
  private firstPayload(
    entry: number,
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
  ): void {
    const { table } = this;
    const { words, fromB } = table;
    const at = entry * ENTRY_WORDS;
    const kind = words[at + WORD_KIND]!;
    const synFrom = fromB ? KIND_SYN_FROM_B : KIND_SYN_FROM_A;
    const anySyn = (kind & (KIND_SYN_FROM_A | KIND_SYN_FROM_B)) !== 0;
    const knowsSequence = (kind & (fromB ? KIND_SEQUENCE_B : KIND_SEQUENCE_A)) !== 0;
    const sequence = knowsSequence ? words[at + WORD_SEQUENCE + (fromB ? 1 : 0)]! : packet.sequence;
    // With a known start, a segment further on may just have overtaken the first.
    const overtook = knowsSequence && ((packet.sequence - sequence) | 0) > 0;
    const clientSpeaks = !anySyn || (kind & synFrom) !== 0;
    if (!clientSpeaks || !(overtook || beginsLikeTls(bytes, packet))) {
      table.setState(entry, STATE_DISMISSED);
      return;
    }
    const firstUs = table.firstUs(entry);
    const flow = this.takeSlot(entry);
    flow.clientIsB = fromB;
    flow.startSeen = anySyn;
    flow.firstUs = firstUs;
    flow.client.stream.begin(sequence);
    const peerKnown = (kind & (fromB ? KIND_SEQUENCE_A : KIND_SEQUENCE_B)) !== 0;
    if (peerKnown) flow.server.stream.begin(words[at + WORD_SEQUENCE + (fromB ? 0 : 1)]!);
    // A ClientHello inside the SYN (RFC 7413) acknowledges nothing: the first segment tells.
    else if ((packet.tcpFlags & TCP_ACK) !== 0) flow.server.stream.begin(packet.acknowledgement);
    flow.analysis = this.analyse(flow);
    this.nextSegment(flow, packet, bytes, timeUs, frame);
  }

  private nextSegment(flow: TcpFlow, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    flow.lastUs = timeUs;
    const fromClient = this.table.fromB === flow.clientIsB;
    if ((packet.tcpFlags & TCP_FIN) !== 0) {
      flow.direction(fromClient).stream.finish((packet.sequence + packet.payloadLen) | 0);
    }
    if (packet.payloadLen === 0) return;
    if ((packet.tcpFlags & TCP_ACK) !== 0) {
      flow.direction(!fromClient).stream.acknowledged(packet.acknowledgement, timeUs, frame);
    }
    const sequence = (packet.tcpFlags & TCP_SYN) !== 0 ? (packet.sequence + 1) | 0 : packet.sequence;
    flow
      .direction(fromClient)
      .stream.segment(
        sequence,
        bytes,
        packet.payloadAt,
        packet.payloadCaptured,
        packet.payloadLen,
        timeUs,
        frame,
      );
    if (flow.dismissed) this.dismiss(flow);
  }

  private dismiss(flow: TcpFlow): void {
    this.table.setState(flow.entry, STATE_DISMISSED);
    this.freeSlot(this.table.words[flow.entry * ENTRY_WORDS + WORD_SLOT]!);
  }

  /// Called by the table before a followed entry goes.
  private endFlow(entry: number): void {
    const at = entry * ENTRY_WORDS;
    const slot = this.table.words[at + WORD_SLOT]!;
    const flow = this.flows[slot]!;
    flow.client.stream.end();
    flow.server.stream.end();
    if (!flow.dismissed) {
      flow.readClientHello();
      flow.packets = this.table.words[at + WORD_PACKETS]!;
      flow.closeSeen = (this.table.words[at + WORD_KIND]! & ANY_CLOSE) !== 0;
      flow.ends = endsOf(this.table.words, at, flow.clientIsB);
      flow.analysis!.end(flow);
    }
    this.freeSlot(slot);
  }

  private takeSlot(entry: number): TcpFlow {
    if (this.flows.length - this.freeSlots.length >= this.limits.maxFollowedFlows) this.giveUpOne();
    let slot = this.freeSlots.pop();
    if (slot === undefined) {
      slot = this.flows.length;
      this.flows.push(new TcpFlow(this.budget));
    }
    const flow = this.flows[slot]!;
    flow.entry = entry;
    this.table.setState(entry, STATE_FOLLOWED);
    this.table.words[entry * ENTRY_WORDS + WORD_SLOT] = slot;
    return flow;
  }

  private freeSlot(slot: number): void {
    const flow = this.flows[slot]!;
    this.gaps += flow.client.stream.gaps + flow.server.stream.gaps;
    flow.entry = -1;
    flow.reset();
    this.freeSlots.push(slot);
  }

  /// Ends the longest silent of some followed flows.
  private giveUpOne(): void {
    let victim: TcpFlow | undefined;
    for (let i = 0; i < GIVE_UP_CANDIDATES; i++) {
      const flow = this.flows[this.giveUpAt++ % this.flows.length]!;
      if (flow.entry >= 0 && (victim === undefined || flow.lastUs < victim.lastUs)) victim = flow;
    }
    if (victim === undefined) return;
    const { entry } = victim;
    this.givenUpFlows++;
    this.endFlow(entry);
    this.table.setState(entry, STATE_DISMISSED);
  }
}

/// True if the payload can be the beginning of a TLS ClientHello: a handshake
/// record of version 3.x whose first message is of type 1 (RFC 8446 section 4).
function beginsLikeTls(bytes: Uint8Array, packet: Packet): boolean {
  const at = packet.payloadAt;
  const have = packet.payloadCaptured;
  return (
    have >= 1 && bytes[at] === 22 && (have < 2 || bytes[at + 1] === 3) && (have < 6 || bytes[at + 5] === 1)
  );
}

function endsOf(words: Int32Array, at: number, clientIsB: boolean): FlowEnds {
  const length = (words[at + WORD_KIND]! & KIND_IPV6) !== 0 ? 16 : 4;
  const a = addressBytes(words, at + WORD_ADDRESS_A, length);
  const b = addressBytes(words, at + WORD_ADDRESS_B, length);
  const portA = words[at + WORD_PORTS]! >>> 16;
  const portB = words[at + WORD_PORTS]! & 0xffff;
  return clientIsB
    ? { clientAddress: b, clientPort: portB, serverAddress: a, serverPort: portA }
    : { clientAddress: a, clientPort: portA, serverAddress: b, serverPort: portB };
}

function addressBytes(words: Int32Array, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < length; i += 4) view.setInt32(i, words[at + i / 4]!, false);
  return bytes;
}
