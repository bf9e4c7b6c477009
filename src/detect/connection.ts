/// A flow that may be a connection of a session: what the sessions are made of.

import type { ProxyRequest } from '../flow/preamble.js';
import type { TcpFlow } from '../flow/tcp-flow.js';
import type { HandshakeMessages } from '../wire/tls-hello.js';
import type { RecordProtection } from '../wire/tls-suites.js';
import type { RawEnd } from './identity.js';
import type { RecordLog } from './record-log.js';
import type { ScriptReading } from './script.js';
import type { Tunnel } from './tunnel.js';

/// The facts of a TCP flow, copied when it ends: the flow itself is used again.
export interface FlowFacts {
  input: number;
  client: RawEnd;
  server: RawEnd;
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
  handshake: HandshakeMessages | null;
  /// What a proxy was asked for, if the connection goes through one.
  proxy: ProxyRequest | null;
}

/// `primary` logged in, `additional` attached, `running` was up before the capture began.
export interface TlsConnection extends FlowFacts {
  kind: 'primary' | 'additional' | 'running';
  script: ScriptReading;
  log: RecordLog;
  tunnel: Tunnel;
  /// Blocks read in clear after the log-in, if encryption is off.
  plain: { client: PlainSide; server: PlainSide } | null;
  protection: RecordProtection;
  /// The frame with the beginning of the ClientHello, or of what was seen first.
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

export function connectionOf(flow: TcpFlow, input: number): FlowFacts {
  const ends = flow.ends!;
  const { client, server } = flow;
  return {
    input,
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
    handshake: flow.handshake,
    proxy: flow.preamble?.request ?? null,
  };
}
