/// A TCP flow that begins like TLS and is followed: both ordered streams, the
/// turns, the TLS records, what the handshake says in clear.

import { type HandshakeMessages, readHandshake } from '../wire/tls-hello.js';
import { ASSUMED_PROTECTION, type RecordProtection, recordProtection } from '../wire/tls-suites.js';
import type { MemoryBudget } from './memory-budget.js';
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
  /// The flow has ended; its facts are final.
  end(flow: TcpFlow): void;
}

/// Both ends of a flow. Addresses are 4 or 16 bytes.
export interface FlowEnds {
  clientAddress: Uint8Array;
  clientPort: number;
  serverAddress: Uint8Array;
  serverPort: number;
}

export class TcpFlow {
  readonly client: TcpDirection;
  readonly server: TcpDirection;
  readonly turns = new TurnTracker();
  analysis: FlowAnalysis | null = null;
  /// The flow's entry in the table.
  entry = -1;
  /// The client is the entry's B end.
  clientIsB = false;
  /// False if the capture begins inside the flow.
  startSeen = false;
  /// A FIN or RST was seen; known when the flow ends.
  closeSeen = false;
  firstUs = 0;
  lastUs = 0;
  packets = 0;
  ends: FlowEnds | null = null;
  dismissed = false;
  /// Known from the first application record on.
  handshake: HandshakeMessages | null = null;
  protection: RecordProtection = ASSUMED_PROTECTION;

  constructor(budget: MemoryBudget) {
    this.client = new TcpDirection(this, true, budget);
    this.server = new TcpDirection(this, false, budget);
  }

  reset(): void {
    this.client.reset();
    this.server.reset();
    this.turns.reset();
    this.analysis = null;
    this.ends = null;
    this.dismissed = false;
    this.handshake = null;
    this.protection = ASSUMED_PROTECTION;
  }

  direction(fromClient: boolean): TcpDirection {
    return fromClient ? this.client : this.server;
  }

  /// Reads what the server said in clear, once, when the clear part is over.
  readHandshake(): void {
    const answered = readHandshake(this.server.handshakeBody());
    this.handshake = {
      clientHello: null,
      serverHello: answered.serverHello,
      certificate: answered.certificate,
    };
    const hello = answered.serverHello;
    if (hello !== null) {
      this.protection = recordProtection(hello.version, hello.suite, hello.encryptThenMac);
    }
    this.server.dropHandshake();
  }

  /// Reads the ClientHello of a flow that ends as one of interest: most are dismissed before.
  readClientHello(): void {
    if (this.handshake === null) return;
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
    if (this.flow.dismissed) return;
    this.flow.turns.payload(this.fromClient, length, timeUs, frame);
    this.records.bytes(bytes, at, length, timeUs, frame);
  }

  missing(length: number, timeUs: number, frame: number): void {
    if (this.flow.dismissed) return;
    this.missingBytes += length;
    this.flow.turns.payload(this.fromClient, length, timeUs, frame);
    this.records.missing(length);
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

  notTls(timeUs: number, frame: number): void {
    if (!this.flow.analysis!.notTls(this.flow, this.fromClient, timeUs, frame)) this.dismiss();
  }

  private dismiss(): void {
    this.flow.dismissed = true;
    this.records.stop();
  }
}
