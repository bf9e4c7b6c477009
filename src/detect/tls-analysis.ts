/// Follows one TLS flow through the script into the tunnel.

import type { PlainBlockWalk } from '../flow/plain-blocks.js';
import type { ProxyRequest } from '../flow/preamble.js';
import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';
import type { HandshakeMessages } from '../wire/tls-hello.js';
import type { RecordProtection } from '../wire/tls-suites.js';
import type { TlsSessionProfile } from './profile.js';
import { RecordLog } from './record-log.js';
import { readScript, type ScriptReading } from './script.js';
import { Tunnel } from './tunnel.js';

/// A flow that went through the script: what the sessions are made of. Its
/// facts are copied, the flow itself is used again.
export interface TlsConnection {
  kind: 'primary' | 'additional';
  input: number;
  client: { address: Uint8Array; port: number };
  server: { address: Uint8Array; port: number };
  firstUs: number;
  lastUs: number;
  packets: number;
  bytesFromClient: number;
  bytesFromServer: number;
  startSeen: boolean;
  closeSeen: boolean;
  /// Bytes on the wire that the capture does not hold, and stretches lost whole.
  missingBytes: number;
  gaps: number;
  script: ScriptReading;
  log: RecordLog;
  tunnel: Tunnel;
  /// Blocks read in clear after the log-in, if encryption is off.
  plain: { client: PlainSide; server: PlainSide } | null;
  handshake: HandshakeMessages | null;
  protection: RecordProtection;
  /// What a proxy was asked for, if the connection goes through one.
  proxy: ProxyRequest | null;
  /// The frame with the beginning of the ClientHello.
  helloFrame: number;
  /// The SYN until the first byte of the client: one round trip.
  roundTripUs: number;
}

/// What one side sent without encryption.
export interface PlainSide {
  blocks: number;
  frames: number;
  /// The frame with the first bytes that are no TLS; 0 if there were none.
  firstFrame: number;
}

export class TlsAnalysis implements FlowAnalysis {
  private readonly log = new RecordLog();
  private reading: ScriptReading | null = null;
  private tunnel: Tunnel | null = null;
  private readonly plainFrames = { client: 0, server: 0 };
  private helloUs = 0;
  private helloFrame = 0;

  /// `found` gets the connection when its flow ends.
  constructor(
    private readonly profile: TlsSessionProfile,
    private readonly input: number,
    private readonly found: (connection: TlsConnection) => void,
  ) {}

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (this.helloFrame === 0) {
      this.helloUs = timeUs;
      this.helloFrame = frame;
    }
    if (type !== TLS_APPLICATION_DATA) return true;
    if (this.tunnel !== null) {
      this.tunnel.record(fromClient, length, flow.protection, timeUs, frame);
      return true;
    }
    if (this.log.full) return false;
    this.log.add(fromClient, length, timeUs, frame);
    const reading = readScript(this.log, flow.protection, this.profile);
    if (reading.outcome === 'failed') return false;
    if (reading.outcome !== 'open') {
      this.reading = reading;
      this.tunnel = new Tunnel(timeUs, this.profile);
    }
    return true;
  }

  notTls(_flow: TcpFlow, fromClient: boolean, _timeUs: number, frame: number): boolean {
    // After the script a tunnel may go on without encryption; before it, this is something else.
    if (this.tunnel === null) return false;
    this.tunnel.leftTls = true;
    if (fromClient) this.plainFrames.client = frame;
    else this.plainFrames.server = frame;
    return true;
  }

  end(flow: TcpFlow): void {
    const { reading, tunnel } = this;
    if (reading === null || tunnel === null) return;
    const ends = flow.ends!;
    const { client, server } = flow;
    this.found({
      kind: reading.outcome === 'primary' ? 'primary' : 'additional',
      input: this.input,
      client: { address: ends.clientAddress, port: ends.clientPort },
      server: { address: ends.serverAddress, port: ends.serverPort },
      firstUs: flow.firstUs,
      lastUs: flow.lastUs,
      packets: flow.packets,
      bytesFromClient: client.stream.byteCount,
      bytesFromServer: server.stream.byteCount,
      startSeen: flow.startSeen,
      closeSeen: flow.closeSeen,
      missingBytes: client.missingBytes + server.missingBytes,
      gaps: client.stream.gaps + server.stream.gaps,
      script: reading,
      log: this.log,
      tunnel,
      plain: tunnel.leftTls
        ? {
            client: plainSide(client.blocks, this.plainFrames.client),
            server: plainSide(server.blocks, this.plainFrames.server),
          }
        : null,
      handshake: flow.handshake,
      protection: flow.protection,
      proxy: flow.preamble?.request ?? null,
      helloFrame: this.helloFrame,
      roundTripUs: flow.startSeen ? this.helloUs - flow.firstUs : 0,
    });
  }
}

function plainSide({ blocks, frames }: PlainBlockWalk, firstFrame: number): PlainSide {
  return { blocks, frames, firstFrame };
}
