/// UDP flows and ICMP messages: follows those that may be SoftEther's own
/// channels, lets go of the rest after a few datagrams.

import { DATAGRAMS_BEFORE, isQuicVersion, MIN_DATAGRAM_BYTES, PORT_DNS } from '../loops/openings.js';
import { type Packet, PROTOCOL_UDP } from '../wire/packet.js';
import { type DatagramAnalysis, DatagramFlow } from './datagram-flow.js';
import { ENTRY_WORDS, type FlowTable, STATE_DISMISSED, WORD_PACKETS } from './flow-table.js';
import { FlowWeight } from './flow-weight.js';
import { FollowedFlows } from './followed-flows.js';
import { DATAGRAM_FLOW_BYTES } from './limits.js';
import { isOpenVpnReset } from './openvpn.js';
import type { Listener } from './overhear.js';
import { findCarried, isIcmpCandidate, OPENING_BYTES } from './rudp/carriers.js';

const ICMP_HEADER_BYTES = 8;

export class DatagramFollower {
  readonly flows: FollowedFlows<DatagramFlow>;
  private readonly carried = { at: 0, captured: 0, length: 0 };

  /// `analyse` is asked for the analysis of each flow that is followed.
  constructor(
    private readonly table: FlowTable,
    private readonly analyse: (flow: DatagramFlow) => DatagramAnalysis,
    maxFlows: number,
    private readonly listener?: Listener,
  ) {
    this.flows = new FollowedFlows(
      table,
      maxFlows,
      DATAGRAM_FLOW_BYTES,
      (total) => new DatagramFlow((entry) => table.endsOf(entry), new FlowWeight(total)),
      (entry) => this.end(entry),
    );
  }

  /// Takes a packet of a flow that is not followed yet.
  first(entry: number, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const isUdp = packet.protocol === PROTOCOL_UDP;
    if (isUdp && this.listener?.datagram(packet, bytes, timeUs, frame)) return;
    if (beginsLikeQuic(packet, bytes)) {
      this.table.setState(entry, STATE_DISMISSED);
      return;
    }
    if (!this.isWorthFollowing(entry, packet, bytes)) return;
    const flow = this.flows.follow(entry);
    flow.isIcmp = !isUdp;
    flow.isOpenVpn = isUdp && isOpenVpnReset(bytes, packet.payloadAt, packet.payloadCaptured);
    flow.portA = this.table.fromB ? packet.destinationPort : packet.sourcePort;
    flow.portB = this.table.fromB ? packet.sourcePort : packet.destinationPort;
    flow.layers = packet.layers.copy();
    flow.analysis = this.analyse(flow);
    this.deliver(entry, packet, bytes, timeUs, frame);
  }

  /// Takes a packet of a followed flow: it may still be a message in clear.
  next(entry: number, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const isUdp = packet.protocol === PROTOCOL_UDP;
    if (isUdp && this.listener?.datagram(packet, bytes, timeUs, frame)) return;
    this.deliver(entry, packet, bytes, timeUs, frame);
    this.flows.makeRoom();
  }

  private deliver(entry: number, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { table } = this;
    const flow = this.flows.at(entry);
    const { fromB } = table;
    if (timeUs > flow.lastUs) flow.lastUs = timeUs;
    flow.packets = table.words[entry * ENTRY_WORDS + WORD_PACKETS]!;
    // Of ICMP the whole message: its type is part of what is looked at.
    const head = flow.isIcmp ? ICMP_HEADER_BYTES : 0;
    const messageAt = packet.payloadAt - head;
    const captured = packet.payloadCaptured + head;
    if (flow.recent.isCopy(!fromB, bytes, messageAt, captured, timeUs)) return;
    if (fromB) flow.bytesFromB += packet.payloadLen;
    else flow.bytesFromA += packet.payloadLen;
    const kept = flow.analysis!.datagram(
      flow,
      !fromB,
      bytes,
      messageAt,
      captured,
      packet.payloadLen + head,
      timeUs,
      frame,
    );
    if (kept) return;
    flow.analysis!.dismiss();
    this.flows.leave(entry);
    table.setState(entry, STATE_DISMISSED);
  }

  /// Called before a followed entry goes.
  end(entry: number): void {
    const flow = this.flows.at(entry);
    flow.ended = true;
    flow.analysis!.end(flow);
    this.flows.leave(entry);
  }

  /// Tells what the followed flows are so far.
  soFar(): void {
    this.flows.forEach((flow) => {
      flow.analysis!.soFar?.(flow);
    });
  }

  private isWorthFollowing(entry: number, packet: Packet, bytes: Uint8Array): boolean {
    const { payloadAt, payloadCaptured, payloadLen } = packet;
    if (packet.protocol !== PROTOCOL_UDP) {
      const head = ICMP_HEADER_BYTES;
      return isIcmpCandidate(bytes, payloadAt - head, payloadCaptured + head, payloadLen + head);
    }
    if (packet.sourcePort === PORT_DNS || packet.destinationPort === PORT_DNS) {
      return findCarried('dns', bytes, payloadAt, payloadCaptured, payloadLen, this.carried);
    }
    if (payloadLen === OPENING_BYTES) return true;
    if (isOpenVpnReset(bytes, payloadAt, payloadCaptured)) return true;
    const packets = this.table.words[entry * ENTRY_WORDS + WORD_PACKETS]!;
    return packets >= DATAGRAMS_BEFORE && payloadLen >= MIN_DATAGRAM_BYTES;
  }
}

/// True for a QUIC packet with a long header, the first of each connection.
function beginsLikeQuic({ payloadAt: at, payloadCaptured }: Packet, bytes: Uint8Array): boolean {
  if (payloadCaptured < 5 || (bytes[at]! & 0xc0) !== 0xc0) return false;
  const version = (bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
  return isQuicVersion(version);
}
