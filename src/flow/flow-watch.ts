/// One flow at the level of packets, whatever it carries: its turns, sizes and
/// first bytes. For explanations of flows that nobody follows.

import type { Layer } from '../wire/layers.js';
import {
  type Packet,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  TCP_ACK,
  TCP_SYN,
} from '../wire/packet.js';
import type { FlowEnd } from './flow-table.js';
import { type FlowName, isNamed, isSameEnd } from './flow-trace.js';

const MAX_TURNS = 1_000;
const MAX_FLOWS = 16;
const FIRST_BYTES = 16;
const MAX_NEIGHBOURS = 20;
const PAUSE_US = 1_000_000;

export interface WatchedTurn {
  fromClient: boolean;
  bytes: number;
  packets: number;
  /// Times that the side went on after a pause.
  resumed: number;
  timeUs: number;
  lastUs: number;
  frame: number;
}

export interface WatchedFlow {
  protocol: number;
  /// Who sent the SYN, else who was seen first.
  client: FlowEnd;
  server: FlowEnd;
  startSeen: boolean;
  /// What its first packet travels in.
  layers: readonly Layer[];
  firstUs: number;
  lastUs: number;
  packets: number;
  /// Payload; what TCP sent again is left out.
  bytesFromClient: number;
  bytesFromServer: number;
  firstPayload: { fromClient: boolean; bytes: Uint8Array; frame: number } | null;
  turns: WatchedTurn[];
}

/// Where the next new byte of each side is due.
interface Due {
  client: number | null;
  server: number | null;
}

export class FlowWatch {
  readonly flows: WatchedFlow[] = [];
  /// Other flows that have an end's address in common with the one looked for.
  readonly neighbours = new Map<string, { protocol: number; a: FlowEnd; b: FlowEnd }>();
  private due: Due = { client: null, server: null };

  constructor(private readonly name: FlowName) {}

  packet(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { protocol } = packet;
    const source = endOf(packet, bytes, true);
    const destination = endOf(packet, bytes, false);
    const wanted = this.name.protocol;
    const isIcmp = protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
    const fits =
      wanted === null ||
      wanted === protocol ||
      (isIcmp && (wanted === PROTOCOL_ICMP || wanted === PROTOCOL_ICMPV6));
    if (!fits || !isNamed(this.name, source, destination)) {
      this.noteNeighbour(protocol, source, destination);
      return;
    }
    const isSyn = protocol === PROTOCOL_TCP && (packet.tcpFlags & TCP_SYN) !== 0;
    let flow = this.flows.at(-1);
    const beginsAnew = isSyn && (packet.tcpFlags & TCP_ACK) === 0 && flow?.firstPayload != null;
    if (flow === undefined || (beginsAnew && this.flows.length < MAX_FLOWS)) {
      const answers = isSyn && (packet.tcpFlags & TCP_ACK) !== 0;
      flow = {
        protocol,
        client: answers ? destination : source,
        server: answers ? source : destination,
        startSeen: isSyn,
        layers: packet.layers.copy(),
        firstUs: timeUs,
        lastUs: timeUs,
        packets: 0,
        bytesFromClient: 0,
        bytesFromServer: 0,
        firstPayload: null,
        turns: [],
      };
      this.flows.push(flow);
      this.due = { client: null, server: null };
    }
    flow.packets++;
    flow.lastUs = timeUs;
    if (packet.payloadLen > 0)
      this.payload(flow, isSameEnd(source, flow.client), packet, bytes, timeUs, frame);
  }

  private payload(
    flow: WatchedFlow,
    fromClient: boolean,
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
  ): void {
    const side = fromClient ? 'client' : 'server';
    let fresh = packet.payloadLen;
    if (flow.protocol === PROTOCOL_TCP) {
      const end = (packet.sequence + packet.payloadLen) | 0;
      const due = this.due[side];
      if (due !== null) fresh = Math.min(fresh, (end - due) | 0);
      if (fresh <= 0) return;
      this.due[side] = end;
    }
    flow.firstPayload ??= {
      fromClient,
      bytes: bytes.slice(packet.payloadAt, packet.payloadAt + Math.min(packet.payloadCaptured, FIRST_BYTES)),
      frame,
    };
    if (fromClient) flow.bytesFromClient += fresh;
    else flow.bytesFromServer += fresh;
    const turn = flow.turns.at(-1);
    if (turn?.fromClient === fromClient) {
      turn.bytes += fresh;
      turn.packets++;
      if (timeUs - turn.lastUs > PAUSE_US) turn.resumed++;
      turn.lastUs = timeUs;
    } else if (flow.turns.length < MAX_TURNS) {
      flow.turns.push({ fromClient, bytes: fresh, packets: 1, resumed: 0, timeUs, lastUs: timeUs, frame });
    }
  }

  private noteNeighbour(protocol: number, a: FlowEnd, b: FlowEnd): void {
    if (this.neighbours.size === MAX_NEIGHBOURS) return;
    const isNear = this.name.ends.every((end) =>
      [a, b].some(({ address }) => isSameEnd({ address, port: 0 }, { address: end.address, port: 0 })),
    );
    if (!isNear) return;
    const key = [`${a.address} ${a.port}`, `${b.address} ${b.port}`].sort().join(' ');
    if (!this.neighbours.has(key)) this.neighbours.set(key, { protocol, a, b });
  }
}

function endOf(packet: Packet, bytes: Uint8Array, isSource: boolean): FlowEnd {
  const length = packet.version === 4 ? 4 : 16;
  const at = packet.addressesAt + (isSource ? 0 : length);
  const hasPorts = packet.protocol !== PROTOCOL_ICMP && packet.protocol !== PROTOCOL_ICMPV6;
  const port = isSource ? packet.sourcePort : packet.destinationPort;
  return { address: bytes.slice(at, at + length), port: hasPorts ? port : 0 };
}
