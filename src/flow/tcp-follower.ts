/// TCP flows: follows those that begin like TLS, a proxy's preamble, or in the
/// middle of TLS records; lets go of the rest.

import {
  TLS_ALERT_WARNING,
  TLS_CLIENT_HELLO,
  TLS_RECORD_ALERT,
  TLS_RECORD_HANDSHAKE,
  TLS_SERVER_HELLO,
} from '../loops/openings.js';
import { type Packet, TCP_ACK, TCP_FIN, TCP_SYN } from '../wire/packet.js';
import {
  ENTRY_WORDS,
  type FlowTable,
  KIND_CLOSED,
  KIND_FIN_A,
  KIND_FIN_B,
  KIND_PAYLOAD,
  KIND_SEQUENCE_A,
  KIND_SEQUENCE_B,
  KIND_SYN_FROM_A,
  KIND_SYN_FROM_B,
  STATE_ANSWER_DUE,
  STATE_DISMISSED,
  STATE_MASK,
  STATE_NEW,
  WORD_KIND,
  WORD_PACKETS,
  WORD_SEQUENCE,
  WORD_SLOT,
} from './flow-table.js';
import { FlowWeight } from './flow-weight.js';
import { FollowedFlows } from './followed-flows.js';
import { TCP_FLOW_BYTES } from './limits.js';
import type { MemoryBudget } from './memory-budget.js';
import { isOpenVpnReset } from './openvpn.js';
import type { Listener } from './overhear.js';
import { beginsLikeBlock } from './plain-blocks.js';
import { beginsPreamble } from './preamble.js';
import { beginsLikeSsh } from './ssh/ssh-flow.js';
import { mayBeSshPackets } from './ssh/ssh-guess.js';
import { type FlowAnalysis, type StreamAnalysis, TcpFlow } from './tcp-flow.js';
import { TLS_APPLICATION_DATA } from './tls-records.js';

/// Packets of a flow joined in its middle among which a record's header has to
/// show at the front of a segment, as it does when a program writes anew.
const MIDSTREAM_PATIENCE = 64;

const PORT_SSH = 22;

/// Packets of a flow joined in its middle among which one that looks like SSH is tried on any port.
const SSH_GUESS_PATIENCE = 8;

const ANY_CLOSE = KIND_CLOSED | KIND_FIN_A | KIND_FIN_B;

/// Makes the analysis of each flow that is followed.
export interface TcpAnalysts {
  tls(flow: TcpFlow): FlowAnalysis;
  ssh(flow: TcpFlow, budget: MemoryBudget): StreamAnalysis;
  openVpn(flow: TcpFlow, budget: MemoryBudget): StreamAnalysis;
  /// Hears what begins a flow, if there is one.
  listener?: Listener;
  /// For a flow joined in its middle that looks like blocks in clear.
  plain(flow: TcpFlow): StreamAnalysis;
}

export class TcpFollower {
  /// Stretches of followed streams that were never captured.
  gaps = 0;
  readonly flows: FollowedFlows<TcpFlow>;

  constructor(
    private readonly table: FlowTable,
    private readonly analysts: TcpAnalysts,
    private readonly budget: MemoryBudget,
    maxFlows: number,
  ) {
    this.flows = new FollowedFlows(
      table,
      maxFlows,
      TCP_FLOW_BYTES,
      (total) => new TcpFlow(budget, new FlowWeight(total)),
      (entry) => this.end(entry),
    );
  }

  clear(): void {
    this.flows.clear();
    this.gaps = 0;
  }

  /// Decides by a new flow's first payload, or by an answer that is due, whether it is followed.
  first(entry: number, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { table } = this;
    const { words, fromB } = table;
    const at = entry * ENTRY_WORDS;
    words[at + WORD_KIND]! |= KIND_PAYLOAD;
    const kind = words[at + WORD_KIND]!;
    if ((kind & STATE_MASK) === STATE_ANSWER_DUE) {
      this.takeAnswer(entry, packet, bytes, timeUs, frame);
      return;
    }
    const anySyn = (kind & (KIND_SYN_FROM_A | KIND_SYN_FROM_B)) !== 0;
    const clientSpeaks = !anySyn || (kind & (fromB ? KIND_SYN_FROM_B : KIND_SYN_FROM_A)) !== 0;
    const sequence = this.firstSequence(at, fromB) ?? packet.sequence;
    // With a known start, a segment further on may just have overtaken the first.
    const overtook = ((packet.sequence - sequence) | 0) > 0;
    const mayBegin = clientSpeaks && !overtook;
    if (mayBegin) this.analysts.listener?.opening(packet, bytes, timeUs, frame);
    const preamble = mayBegin
      ? beginsPreamble(bytes, packet.payloadAt, packet.payloadCaptured, packet.payloadLen)
      : null;
    // Cut off before its first byte, it can be anything.
    const isBlank = mayBegin && anySyn && packet.payloadCaptured === 0;
    const isHello = beginsLikeTls(bytes, packet, TLS_CLIENT_HELLO, false);
    if (clientSpeaks && (overtook || preamble !== null || isHello || isBlank)) {
      const flow = this.follow(entry, fromB, packet);
      flow.startSeen = anySyn;
      flow.preamble = preamble;
      flow.client.stream.begin(sequence);
      this.beginPeer(flow.server, at, packet);
      flow.analysis = this.analysts.tls(flow);
      this.nextSegment(flow, packet, bytes, timeUs, frame);
    } else if (!(anySyn && clientSpeaks) && beginsLikeTls(bytes, packet, TLS_SERVER_HELLO, !anySyn)) {
      this.joinAtServer(entry, packet, bytes, timeUs, frame);
    } else if (mayBegin && beginsLikeOpenVpn(bytes, packet)) {
      const flow = this.follow(entry, fromB, packet);
      const analysis = this.analysts.openVpn(flow, this.budget);
      this.followStream(flow, analysis, packet, bytes, timeUs, frame, anySyn);
    } else if (beginsLikeSsh(bytes, packet.payloadAt, packet.payloadCaptured) && !overtook) {
      // Either side may speak first.
      const clientIsB = anySyn ? (kind & KIND_SYN_FROM_B) !== 0 : fromB === isClientPort(packet);
      const flow = this.follow(entry, clientIsB, packet);
      this.followStream(flow, this.analysts.ssh(flow, this.budget), packet, bytes, timeUs, frame, anySyn);
    } else if (!anySyn && isSshPort(packet) && packet.payloadCaptured > 0) {
      this.joinSsh(entry, false, packet, bytes, timeUs, frame);
    } else if (!anySyn && beginsLikeBlock(bytes, packet.payloadAt, packet.payloadCaptured)) {
      const flow = this.follow(entry, fromB === isClientPort(packet), packet);
      flow.midstream = true;
      this.followStream(flow, this.analysts.plain(flow), packet, bytes, timeUs, frame, false);
    } else if (!anySyn && beginsLikeTlsData(bytes, packet)) {
      this.joinMidstream(entry, packet, bytes, timeUs, frame);
    } else if (
      !anySyn &&
      words[at + WORD_PACKETS]! <= SSH_GUESS_PATIENCE &&
      beginsLikeSshPackets(bytes, packet)
    ) {
      this.joinSsh(entry, true, packet, bytes, timeUs, frame);
    } else if (anySyn || words[at + WORD_PACKETS]! >= MIDSTREAM_PATIENCE) {
      table.setState(entry, STATE_DISMISSED);
    }
  }

  /// The hello, seen to already, rules the flow out. All that is left to see is what the server says in clear.
  private takeAnswer(entry: number, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { fromB } = this.table;
    const sequence = this.firstSequence(entry * ENTRY_WORDS, fromB) ?? packet.sequence;
    const ahead = (packet.sequence - sequence) | 0;
    // Of before the first byte, as probes are that keep a connection alive.
    if (ahead < 0) return;
    if (ahead === 0 && !mayBeginAnswer(bytes, packet)) {
      this.table.setState(entry, STATE_DISMISSED);
      return;
    }
    const flow = this.follow(entry, !fromB, packet);
    flow.startSeen = true;
    flow.isRuledOut = true;
    flow.server.stream.begin(sequence);
    // The client's next bytes are a record of its own.
    flow.client.stream.begin(packet.acknowledgement);
    flow.analysis = this.analysts.tls(flow);
    this.nextSegment(flow, packet, bytes, timeUs, frame);
  }

  /// The flow was running before the capture began, and SSH: by its port, or a guess.
  private joinSsh(
    entry: number,
    guessed: boolean,
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
  ): void {
    const flow = this.follow(entry, this.table.fromB === isClientPort(packet), packet);
    flow.midstream = true;
    flow.guessed = guessed;
    this.followStream(flow, this.analysts.ssh(flow, this.budget), packet, bytes, timeUs, frame, false);
  }

  private followStream(
    flow: TcpFlow,
    analysis: StreamAnalysis,
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
    startSeen: boolean,
  ): void {
    const { fromB } = this.table;
    const at = flow.entry * ENTRY_WORDS;
    flow.startSeen = startSeen;
    const fromClient = fromB === flow.clientIsB;
    flow.direction(fromClient).stream.begin(this.firstSequence(at, fromB) ?? packet.sequence);
    this.beginPeer(flow.direction(!fromClient), at, packet);
    flow.streamAnalysis = analysis;
    this.nextSegment(flow, packet, bytes, timeUs, frame);
  }

  /// What the client sent first is not in the capture: lost, or it takes
  /// another path. The server's acknowledgements tell how much it was.
  private joinAtServer(
    entry: number,
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
  ): void {
    const { fromB } = this.table;
    const at = entry * ENTRY_WORDS;
    const flow = this.follow(entry, !fromB, packet);
    flow.startSeen = this.firstSequence(at, fromB) !== undefined;
    flow.server.stream.begin(packet.sequence);
    this.beginPeer(flow.client, at, packet);
    flow.analysis = this.analysts.tls(flow);
    this.nextSegment(flow, packet, bytes, timeUs, frame);
  }

  /// The flow was running before the capture began, and TLS it seems. Who is
  /// the client is not known then; servers listen on the smaller port.
  private joinMidstream(
    entry: number,
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
  ): void {
    const { fromB } = this.table;
    const senderIsClient = isClientPort(packet);
    const flow = this.follow(entry, fromB === senderIsClient, packet);
    flow.startSeen = false;
    flow.midstream = true;
    flow.direction(senderIsClient).stream.begin(packet.sequence);
    flow.direction(!senderIsClient).stream.begin(packet.acknowledgement);
    flow.client.records.beginInside();
    flow.server.records.beginInside();
    flow.analysis = this.analysts.tls(flow);
    this.nextSegment(flow, packet, bytes, timeUs, frame);
  }

  private follow(entry: number, clientIsB: boolean, packet: Packet): TcpFlow {
    const flow = this.flows.follow(entry);
    flow.clientIsB = clientIsB;
    flow.layers = packet.layers.copy();
    return flow;
  }

  /// Begins the stream of the end that has not spoken yet.
  private beginPeer(peer: TcpFlow['server'], at: number, packet: Packet): void {
    const sequence = this.firstSequence(at, !this.table.fromB);
    if (sequence !== undefined) peer.stream.begin(sequence);
    // A first payload inside the SYN (RFC 7413) acknowledges nothing: the first segment tells.
    else if ((packet.tcpFlags & TCP_ACK) !== 0) peer.stream.begin(packet.acknowledgement);
  }

  /// Sequence number of an end's first byte, if its SYN was seen.
  private firstSequence(at: number, ofB: boolean): number | undefined {
    const { words } = this.table;
    const known = (words[at + WORD_KIND]! & (ofB ? KIND_SEQUENCE_B : KIND_SEQUENCE_A)) !== 0;
    return known ? words[at + WORD_SEQUENCE + (ofB ? 1 : 0)]! : undefined;
  }

  /// Takes a packet of a followed flow.
  next(entry: number, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    this.nextSegment(this.flows.at(entry), packet, bytes, timeUs, frame);
    this.flows.makeRoom();
  }

  private nextSegment(flow: TcpFlow, packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    if (timeUs > flow.lastUs) flow.lastUs = timeUs;
    const fromClient = this.table.fromB === flow.clientIsB;
    if ((packet.tcpFlags & TCP_FIN) !== 0) {
      flow.direction(fromClient).stream.finish((packet.sequence + packet.payloadLen) | 0);
    }
    const peer = flow.direction(!fromClient).stream;
    // A side that is not in the capture is only heard of; of others the segments themselves tell more.
    if (packet.payloadLen === 0 && (peer.seen || peer.byteCount === 0)) return;
    if ((packet.tcpFlags & TCP_ACK) !== 0) peer.acknowledged(packet.acknowledgement, timeUs, frame);
    if (packet.payloadLen > 0) this.deliver(flow, fromClient, packet, bytes, timeUs, frame);
    if (flow.dismissed) this.dismiss(flow);
  }

  private deliver(
    flow: TcpFlow,
    fromClient: boolean,
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
  ): void {
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
  }

  /// A flow that was wrongly guessed to be SSH may still be something else.
  private dismiss(flow: TcpFlow): void {
    const { entry, guessed, firstUs } = flow;
    this.leave(flow);
    this.table.setState(entry, guessed ? STATE_NEW : STATE_DISMISSED);
    if (guessed) this.table.words[entry * ENTRY_WORDS + WORD_SLOT] = firstUs % 1e6;
  }

  /// Called before a followed entry goes.
  end(entry: number): void {
    const flow = this.flows.at(entry);
    flow.client.stream.end();
    flow.server.stream.end();
    if (!flow.dismissed) {
      this.readTable(flow);
      flow.ended = true;
      (flow.analysis ?? flow.streamAnalysis)!.end(flow);
    }
    this.leave(flow);
  }

  /// Tells what the followed flows are so far.
  soFar(): void {
    this.flows.forEach((flow) => {
      const asked = (flow.analysis ?? flow.streamAnalysis)!;
      if (asked.soFar === undefined) return;
      this.readTable(flow);
      asked.soFar(flow);
    });
  }

  /// What the table knows of a flow.
  private readTable(flow: TcpFlow): void {
    const at = flow.entry * ENTRY_WORDS;
    flow.packets = this.table.words[at + WORD_PACKETS]!;
    flow.closeSeen = (this.table.words[at + WORD_KIND]! & ANY_CLOSE) !== 0;
    if (flow.ends !== null) return;
    const { a, b } = this.table.endsOf(flow.entry);
    flow.ends = flow.clientIsB ? { client: b, server: a } : { client: a, server: b };
  }

  private leave(flow: TcpFlow): void {
    this.gaps += flow.client.stream.gaps + flow.server.stream.gaps;
    this.flows.leave(flow.entry);
  }
}

/// The sender's guess where no SYN tells: servers listen on the smaller port.
function isClientPort(packet: Packet): boolean {
  return packet.sourcePort > packet.destinationPort;
}

/// Only on this port is an SSH connection looked for whose beginning was not captured.
function isSshPort(packet: Packet): boolean {
  return packet.sourcePort === PORT_SSH || packet.destinationPort === PORT_SSH;
}

function beginsLikeSshPackets(bytes: Uint8Array, packet: Packet): boolean {
  return mayBeSshPackets(bytes, packet.payloadAt, packet.payloadCaptured, packet.payloadLen);
}

/// True if the payload begins with the header of a TLS record of application data.
function beginsLikeTlsData(bytes: Uint8Array, packet: Packet): boolean {
  const at = packet.payloadAt;
  return (
    packet.payloadCaptured >= 5 &&
    bytes[at] === TLS_APPLICATION_DATA &&
    bytes[at + 1] === 3 &&
    bytes[at + 2]! <= 4 &&
    bytes[at + 3]! <= 0x48
  );
}

/// True if the payload is the message that opens OpenVPN, behind its length.
function beginsLikeOpenVpn(bytes: Uint8Array, { payloadAt: at, payloadCaptured }: Packet): boolean {
  const length = payloadCaptured - 2;
  return bytes[at] === 0 && bytes[at + 1] === length && isOpenVpnReset(bytes, at + 2, length);
}

/// True if the payload can be the beginning of what a server answers to a hello, and not a refusal: its hello, or
/// a warning before it (RFC 8446 section 6).
function mayBeginAnswer(bytes: Uint8Array, { payloadAt: at, payloadCaptured: have }: Packet): boolean {
  const isRefusal = have > 5 && bytes[at + 5] !== TLS_ALERT_WARNING;
  const isRecord = bytes[at] === TLS_RECORD_HANDSHAKE || (bytes[at] === TLS_RECORD_ALERT && !isRefusal);
  return have === 0 || (isRecord && (have < 2 || bytes[at + 1] === 3));
}

/// True if the payload can be the beginning of a TLS hello: a handshake record
/// of version 3.x whose first message is of that type. Where that byte `mustShow`,
/// it may not be cut off.
function beginsLikeTls(bytes: Uint8Array, packet: Packet, message: number, mustShow: boolean): boolean {
  const at = packet.payloadAt;
  const have = packet.payloadCaptured;
  if (have < (mustShow ? 6 : 1)) return false;
  return (
    bytes[at] === TLS_RECORD_HANDSHAKE &&
    (have < 2 || bytes[at + 1] === 3) &&
    (have < 6 || bytes[at + 5] === message)
  );
}
