/// What the detection says: the sessions, sightings and servers of the JSON
/// report, version 1. The shapes are those of the report itself, so that no
/// writer has to translate; times are RFC 3339 in UTC with microseconds.

import type { LayerName } from '../wire/layers.js';

/// How sure the tool is that a VPN session was there. `confirmed` rests on a
/// feature that does not occur by chance, `likely` on a pattern measured at no
/// false positive on the benign corpora, `suspected` on anything weaker.
export type Verdict = 'suspected' | 'likely' | 'confirmed';

/// The verdicts from the weakest to the strongest.
export const VERDICTS: readonly Verdict[] = ['suspected', 'likely', 'confirmed'];

/// True if `verdict` is at least as sure as `minimum`.
export function isAtLeast(verdict: Verdict, minimum: Verdict): boolean {
  return VERDICTS.indexOf(verdict) >= VERDICTS.indexOf(minimum);
}

/// How the first connection of a session travels.
export type Carrier = 'tcp' | 'http-proxy' | 'socks4' | 'socks5' | 'ssh' | 'udp' | 'icmp' | 'dns';

/// One end of a connection. ICMP has no ports: `port` is null there.
export interface Endpoint {
  ip: string;
  port: number | null;
}

/// One packet that a finding rests on: the position of its capture in the
/// report's `inputs` and its 1-based number there, as Wireshark counts.
export interface FrameReference {
  input: number;
  frame: number;
}

/// One thing that speaks for a verdict.
export interface Evidence {
  feature: string;
  detail: string;
  frames: FrameReference[];
  strength: 'decisive' | 'strong' | 'supporting';
}

/// One thing that speaks against a verdict.
export interface CounterEvidence {
  feature: string;
  detail: string;
}

/// One header around the packets of a session: a tag, a label or a tunnel.
export interface Encapsulation {
  kind: LayerName;
  /// Its number: VLAN, label, network (VNI), key, session, or tunnel endpoint (TEID).
  id?: number;
  /// The outer addresses of a tunnel, of the packet that the connection was known by.
  source?: string;
  destination?: string;
}

export type ConnectionRole = 'primary' | 'additional' | 'udp-acceleration' | 'carrier';

/// One TCP connection, UDP flow or ICMP exchange of a session.
/// Bytes are payload bytes above TCP or UDP, retransmissions left out.
export interface Connection {
  protocol: 'tcp' | 'udp' | 'icmp';
  role: ConnectionRole;
  client: Endpoint;
  server: Endpoint;
  start: string;
  end: string;
  bytesFromClient: number;
  bytesFromServer: number;
  packets: number;
  communityId: string;
}

export type Generation = '4.x' | '5.x' | null;

/// One VPN session: a virtual LAN card connected to a virtual hub, by way of
/// one or more connections.
export interface Session {
  /// The same for the same packets, whatever the container, path or number of jobs.
  id: string;
  verdict: Verdict;
  carrier: Carrier;
  software: {
    product: string;
    /// `product` where the client is not the product's own.
    client: { generation: Generation; product?: string };
    server: { generation: Generation };
  };
  /// The ends of the first connection as seen on the wire.
  client: Endpoint;
  server: Endpoint;
  /// What a proxy was asked for.
  target?: { host: string; port: number };
  /// What stands around the packets of the first connection, from the outside
  /// in; left out if nothing does.
  encapsulation?: Encapsulation[];
  start: string;
  end: string;
  startCaptured: boolean;
  connections: Connection[];
  evidence: Evidence[];
  against: CounterEvidence[];
  caveats: string[];
}

/// Anything that is SoftEther but no VPN session.
export interface Sighting {
  kind: string;
  firstSeen: string;
  lastSeen: string;
  count: number;
  client: Endpoint;
  server: Endpoint;
  detail: string;
  frames: FrameReference[];
}

/// Another VPN protocol that SoftEther servers speak.
export type Offer = 'openvpn' | 'ipsec' | 'l2tp';

/// One SoftEther server, over all its sessions.
export interface ServerEntry {
  ip: string;
  ports: number[];
  names: string[];
  certificate?: { subject: string; issuer: string; notBefore: string; notAfter: string; sha256: string };
  /// Other VPN protocols that it was seen to speak.
  offers?: Offer[];
  clients: string[];
  firstSeen: string;
  lastSeen: string;
  sessions: string[];
}
