/// A TCP flow that begins like TLS and is followed: both ordered streams, the
/// turns, the TLS records, what the handshake says in clear.

import { type Layer, NO_LAYERS } from '../wire/layers.js';
import { type HandshakeMessages, readHandshake } from '../wire/tls-hello.js';
import { ASSUMED_PROTECTION, type RecordProtection, recordProtection } from '../wire/tls-suites.js';
import type { FlowEnd } from './flow-table.js';
import type { FlowWeight } from './flow-weight.js';
import type { MemoryBudget } from './memory-budget.js';
import { PlainBlockWalk } from './plain-blocks.js';
import type { Preamble } from './preamble.js';
import { Stream, type StreamConsumer } from './stream.js';
import { TLS_APPLICATION_DATA, type TlsRecordListener, TlsRecordWalk } from './tls-records.js';
import { TurnTracker } from './turns.js';

/// What the detection keeps for a flow. It is told of records as they come and
/// can let the flow go.
export interface FlowAnalysis {
  /// Returns false if the flow cannot be what is looked for: it is dismissed.
  /// `length` is the record's length field; the turn it belongs to is `flow.turns.current`.
  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean;
  /// One direction is no TLS (any more). Returns false to dismiss the flow.
  notTls(flow: TcpFlow, fromClient: boolean, timeUs: number, frame: number): boolean;
  /// A record's header is missing in the capture. Returns what follows the flow
  /// from here on: itself, or an analysis that can do with less.
  headersLost?(flow: TcpFlow): FlowAnalysis;
  /// Tells what the flow is while it goes on, if that is settled already; `end` tells
  /// it a last time. Changes nothing. Left out where only the whole flow can tell.
  soFar?(flow: TcpFlow): void;
  /// The flow has ended; its facts are final.
  end(flow: TcpFlow): void;
}

/// Told of all payload of a flow, whether its bytes are in the capture or not.
export interface VolumeListener {
  /// The next payload in stream order; pieces of one segment have its frame in
  /// common. Returns false to dismiss the flow.
  payload(fromClient: boolean, bytes: number, timeUs: number, frame: number): boolean;
}

/// For protocols other than TLS: gets the ordered bytes themselves.
export interface StreamAnalysis {
  /// Returns false to dismiss the flow. The bytes are borrowed.
  bytes(
    flow: TcpFlow,
    fromClient: boolean,
    bytes: Uint8Array,
    at: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean;
  /// Bytes that were on the wire but not captured.
  missing(flow: TcpFlow, fromClient: boolean, length: number, timeUs: number, frame: number): void;
  /// As with `FlowAnalysis`.
  soFar?(flow: TcpFlow): void;
  /// The flow has ended; its facts are final.
  end(flow: TcpFlow): void;
}

export interface FlowEnds {
  client: FlowEnd;
  server: FlowEnd;
}

export class TcpFlow {
  readonly client: TcpDirection;
  readonly server: TcpDirection;
  readonly turns = new TurnTracker();
  /// One of these two.
  analysis: FlowAnalysis | null = null;
  streamAnalysis: StreamAnalysis | null = null;
  /// Set once headers of records are lost.
  volumes: VolumeListener | null = null;
  /// The flow's entry in the table.
  entry = -1;
  /// The client is the entry's B end.
  clientIsB = false;
  /// False if the capture begins inside the flow.
  startSeen = false;
  /// Joined in its middle: no handshake will come.
  midstream = false;
  /// The client's hello says that it is not what is looked for; only the server's part may tell something.
  isRuledOut = false;
  /// Only a guess says what it carries.
  guessed = false;
  /// A FIN or RST was seen; as of the last time that the flow was asked about.
  closeSeen = false;
  /// No more of it will come.
  ended = false;
  firstUs = 0;
  lastUs = 0;
  packets = 0;
  ends: FlowEnds | null = null;
  /// What stands around its packets, from the outside in.
  layers: readonly Layer[] = NO_LAYERS;
  dismissed = false;
  /// What comes before the connection proper where the flow goes to a proxy.
  preamble: Preamble | null = null;
  /// Known from the first application record on.
  handshake: HandshakeMessages | null = null;
  protection: RecordProtection = ASSUMED_PROTECTION;

  constructor(
    budget: MemoryBudget,
    readonly weight: FlowWeight,
  ) {
    this.client = new TcpDirection(this, true, budget);
    this.server = new TcpDirection(this, false, budget);
  }

  reset(): void {
    this.client.reset();
    this.server.reset();
    this.turns.reset();
    this.analysis = null;
    this.streamAnalysis = null;
    this.volumes = null;
    this.ends = null;
    this.layers = NO_LAYERS;
    this.ended = false;
    this.dismissed = false;
    this.midstream = false;
    this.guessed = false;
    this.isRuledOut = false;
    this.preamble = null;
    this.handshake = null;
    this.protection = ASSUMED_PROTECTION;
  }

  direction(fromClient: boolean): TcpDirection {
    return fromClient ? this.client : this.server;
  }

  /// Reads what the server said in clear, once, when the clear part is over.
  readHandshake(): void {
    const answered = readHandshake(this.server.handshakeBody());
    // That is for the client to say, and read when it is asked for.
    answered.clientHello = null;
    this.handshake = answered;
    const hello = answered.serverHello;
    if (hello !== null) {
      this.protection = recordProtection(hello.version, hello.suite, hello.encryptThenMac);
    }
    this.server.dropHandshake();
  }

  /// Reads the ClientHello of a flow of interest, once: most are dismissed before.
  readClientHello(): void {
    if (this.handshake === null || this.handshake.clientHello !== null) return;
    this.handshake.clientHello = readHandshake(this.client.handshakeBody()).clientHello;
    this.client.dropHandshake();
  }
}

const NO_BYTES = new Uint8Array(0);
const FIRST_HANDSHAKE_BYTES = 2048;

/// Buffers of that size to be used again: each flow needs one or two for a moment.
const spareBuffers: Uint8Array<ArrayBuffer>[] = [];
const MAX_SPARE_BUFFERS = 256;

/// One direction of a followed flow.
class TcpDirection implements StreamConsumer, TlsRecordListener {
  readonly stream: Stream;
  readonly records = new TlsRecordWalk(this);
  /// What follows where TLS ends before the connection does.
  readonly blocks = new PlainBlockWalk();
  leftTls = false;
  /// Bytes that were on the wire but not captured.
  missingBytes = 0;
  private kept = NO_BYTES;
  private keptLen = 0;

  constructor(
    private readonly flow: TcpFlow,
    private readonly fromClient: boolean,
    private readonly budget: MemoryBudget,
  ) {
    this.stream = new Stream(this, budget);
  }

  reset(): void {
    this.stream.reset();
    this.records.reset();
    this.blocks.reset();
    this.leftTls = false;
    this.missingBytes = 0;
    this.dropHandshake();
  }

  handshakeBody(): Uint8Array {
    return this.kept.subarray(0, this.keptLen);
  }

  dropHandshake(): void {
    this.budget.give(this.kept.length);
    if (this.kept.length === FIRST_HANDSHAKE_BYTES && spareBuffers.length < MAX_SPARE_BUFFERS) {
      spareBuffers.push(this.kept);
    }
    this.kept = NO_BYTES;
    this.keptLen = 0;
  }

  bytes(bytes: Uint8Array, at: number, length: number, timeUs: number, frame: number): void {
    const { flow, fromClient } = this;
    if (flow.dismissed) return;
    if (flow.streamAnalysis !== null) {
      if (!flow.streamAnalysis.bytes(flow, fromClient, bytes, at, length, timeUs, frame)) this.dismiss();
      return;
    }
    const spoken = this.takePreamble(bytes, at, length);
    if (spoken === length) return;
    this.countVolume(length - spoken, timeUs, frame);
    const walked = this.leftTls ? 0 : this.records.bytes(bytes, at + spoken, length - spoken, timeUs, frame);
    if (this.leftTls) this.blocks.bytes(bytes, at + spoken + walked, length - spoken - walked);
  }

  missing(length: number, timeUs: number, frame: number): void {
    if (this.flow.dismissed) return;
    this.missingBytes += length;
    if (this.flow.streamAnalysis !== null) {
      this.flow.streamAnalysis.missing(this.flow, this.fromClient, length, timeUs, frame);
      return;
    }
    if (this.flow.preamble?.state === 'open') this.flow.preamble.cut();
    this.countVolume(length, timeUs, frame);
    if (this.leftTls) this.blocks.missing(length);
    else if (this.records.missing(length)) this.loseHeaders();
  }

  private countVolume(bytes: number, timeUs: number, frame: number): void {
    const { flow, fromClient } = this;
    flow.turns.payload(fromClient, bytes, timeUs, frame);
    if (flow.volumes !== null && !flow.volumes.payload(fromClient, bytes, timeUs, frame)) this.dismiss();
  }

  private loseHeaders(): void {
    const { flow } = this;
    const { analysis } = flow;
    if (analysis?.headersLost !== undefined) flow.analysis = analysis.headersLost(flow);
  }

  /// Bytes of these that belong to the preamble; all of them if the flow is let go.
  private takePreamble(bytes: Uint8Array, at: number, length: number): number {
    const { preamble } = this.flow;
    if (preamble === null || preamble.state === 'through') return 0;
    const taken = preamble.take(this.fromClient, bytes, at, length);
    if (preamble.state !== 'refused') return taken;
    this.dismiss();
    return length;
  }

  record(type: number, _version: number, length: number, timeUs: number, frame: number): void {
    const { flow } = this;
    if (type === TLS_APPLICATION_DATA && flow.handshake === null) flow.readHandshake();
    if (!flow.analysis!.tlsRecord(flow, this.fromClient, type, length, timeUs, frame)) this.dismiss();
  }

  handshakeBytes(bytes: Uint8Array, at: number, length: number): void {
    if (this.flow.handshake !== null) return;
    const needed = this.keptLen + length;
    if (needed > this.kept.length) {
      const size = Math.max(needed, this.kept.length * 2, FIRST_HANDSHAKE_BYTES);
      if (!this.budget.take(size - this.kept.length)) return;
      const spare = size === FIRST_HANDSHAKE_BYTES ? spareBuffers.pop() : undefined;
      const larger = spare ?? new Uint8Array(size);
      larger.set(this.kept.subarray(0, this.keptLen));
      this.kept = larger;
    }
    this.kept.set(bytes.subarray(at, at + length), this.keptLen);
    this.keptLen = needed;
  }

  notTls(header: Uint8Array, timeUs: number, frame: number): void {
    if (!this.flow.analysis!.notTls(this.flow, this.fromClient, timeUs, frame)) {
      this.dismiss();
      return;
    }
    this.leftTls = true;
    this.blocks.bytes(header, 0, header.length);
  }

  private dismiss(): void {
    this.flow.dismissed = true;
    this.records.stop();
  }
}
