/// A flow that may be a connection of a session: what the sessions are made of.

import type { DatagramFlow } from '../flow/datagram-flow.js';
import type { ProxyRequest } from '../flow/preamble.js';
import type { TcpFlow } from '../flow/tcp-flow.js';
import type { Layer } from '../wire/layers.js';
import type { HandshakeMessages } from '../wire/tls-hello.js';
import { ASSUMED_PROTECTION, type RecordProtection } from '../wire/tls-suites.js';
import type { Carrier } from './findings.js';
import type { RawEnd } from './identity.js';
import type { TlsSessionProfile } from './profile.js';
import { RecordLog } from './record-log.js';
import type { ScriptReading } from './script.js';
import { Tunnel } from './tunnel.js';

/// The facts of a TCP flow, copied when it is asked about: the flow itself is used again.
export interface FlowFacts {
  input: number;
  /// No more of it will come.
  ended: boolean;
  /// How it travels, and what the wire calls it.
  carrier: Carrier;
  protocol: 'tcp' | 'udp' | 'icmp';
  client: RawEnd;
  server: RawEnd;
  /// What stands around its packets, from the outside in.
  layers: readonly Layer[];
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
  /// Of the missing bytes those of captured packets that were cut short.
  cutBytes: number;
  /// The one side whose packets the capture holds, where it holds no others.
  onlySide: 'client' | 'server' | null;
  handshake: HandshakeMessages | null;
  /// What a proxy was asked for, if the connection goes through one.
  proxy: ProxyRequest | null;
}

/// `primary` logged in, `additional` attached, `running` was up before the capture began.
export interface TlsConnection extends FlowFacts {
  kind: 'primary' | 'additional' | 'running';
  /// What it was read by.
  profile: TlsSessionProfile;
  script: ScriptReading;
  log: RecordLog;
  tunnel: Tunnel;
  /// The same read with client and server changed over, where who is the client is a guess.
  reversedTunnel: Tunnel | null;
  /// Blocks read in clear after the log-in, if encryption is off.
  plain: { client: PlainSide; server: PlainSide } | null;
  protection: RecordProtection;
  /// The frame with the beginning of the ClientHello, or of what was seen first.
  helloFrame: number;
  /// The SYN until the first byte of the client: one round trip.
  roundTripUs: number;
  /// False if who is the client was told by the ports alone.
  sidesKnown: boolean;
  /// What was verified of R-UDP, where the connection travels in it.
  rudp: RudpFacts | null;
}

export interface RudpFacts {
  carrier: 'udp' | 'dns' | 'icmp';
  /// The opening was not captured: `segments` are the packets that take their
  /// IV or nonce from the packet before, of all that were sent.
  keyless: boolean;
  /// Segments signed with the keys of the session's opening.
  segments: number;
  /// Packets of the tunnel's data, and how many of them chain.
  bulkPackets: number;
  bulkLinks: number;
  /// The opening, and the first segments that were verified.
  frames: readonly number[];
}

/// What one side sent without encryption.
export interface PlainSide {
  blocks: number;
  frames: number;
  /// The frame with the first bytes that are no TLS; 0 if there were none.
  firstFrame: number;
}

export function connectionOf(flow: TcpFlow, input: number): FlowFacts {
  flow.readClientHello();
  const ends = flow.ends!;
  const { client, server } = flow;
  return {
    input,
    ended: flow.ended,
    carrier: flow.preamble?.request.carrier ?? 'tcp',
    protocol: 'tcp',
    client: ends.client,
    server: ends.server,
    layers: flow.layers,
    firstUs: flow.firstUs,
    lastUs: flow.lastUs,
    packets: flow.packets,
    bytesFromClient: client.stream.byteCount,
    bytesFromServer: server.stream.byteCount,
    startSeen: flow.startSeen,
    closeSeen: flow.closeSeen,
    missingBytes: client.missingBytes + server.missingBytes,
    gaps: client.stream.gaps + server.stream.gaps,
    cutBytes: client.stream.cutBytes + server.stream.cutBytes,
    onlySide: onlySideOf(flow),
    handshake: flow.handshake,
    proxy: flow.preamble?.request ?? null,
  };
}

function onlySideOf({ client, server }: TcpFlow): FlowFacts['onlySide'] {
  if (client.stream.seen === server.stream.seen) return null;
  return client.stream.seen ? 'client' : 'server';
}

/// The same of a UDP or ICMP flow, whose packets were all captured whole.
export function datagramFactsOf(
  flow: DatagramFlow,
  clientIsA: boolean,
  input: number,
  carrier: FlowFacts['carrier'],
  startSeen: boolean,
): FlowFacts {
  return {
    input,
    ended: flow.ended,
    carrier,
    protocol: flow.isIcmp ? 'icmp' : 'udp',
    client: clientIsA ? flow.a : flow.b,
    server: clientIsA ? flow.b : flow.a,
    firstUs: flow.firstUs,
    lastUs: flow.lastUs,
    packets: flow.packets,
    bytesFromClient: clientIsA ? flow.bytesFromA : flow.bytesFromB,
    bytesFromServer: clientIsA ? flow.bytesFromB : flow.bytesFromA,
    startSeen,
    closeSeen: false,
    missingBytes: 0,
    cutBytes: 0,
    onlySide: null,
    gaps: 0,
    handshake: null,
    proxy: null,
    layers: flow.layers,
  };
}

/// A connection of which nothing but its flow is known.
export function emptyConnection(facts: FlowFacts, profile: TlsSessionProfile): TlsConnection {
  return {
    ...facts,
    kind: 'running',
    profile,
    script: { outcome: 'open', messages: [] },
    log: new RecordLog(),
    tunnel: new Tunnel(facts.firstUs, profile),
    reversedTunnel: null,
    plain: null,
    protection: ASSUMED_PROTECTION,
    helloFrame: 0,
    roundTripUs: 0,
    sidesKnown: false,
    rudp: null,
  };
}

/// The same flow with client and server changed over.
export function reverse<Facts extends FlowFacts>(facts: Facts): Facts {
  return {
    ...facts,
    client: facts.server,
    server: facts.client,
    bytesFromClient: facts.bytesFromServer,
    bytesFromServer: facts.bytesFromClient,
  };
}

/// A connection whose client was a guess, and wrong.
export function turn(connection: TlsConnection): TlsConnection {
  const { tunnel, reversedTunnel, plain } = connection;
  return {
    ...reverse(connection),
    tunnel: reversedTunnel ?? tunnel,
    reversedTunnel: reversedTunnel && tunnel,
    plain: plain && { client: plain.server, server: plain.client },
  };
}
