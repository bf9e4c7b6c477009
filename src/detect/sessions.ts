/// Connections -> sessions: what speaks for each, how sure that makes us, and
/// what it looks like in the report.

import type { ProxyRequest } from '../flow/preamble.js';
import type { Layer } from '../wire/layers.js';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/packet.js';
import { contradicts, counterEvidence, evaluateClauses, type Held, nonceChain } from './clauses.js';
import type { FlowFacts, TlsConnection } from './connection.js';
import type { AccelerationChannel } from './datagram-analysis.js';
import type { EarlyFinding } from './early-analysis.js';
import type {
  Connection,
  ConnectionRole,
  Encapsulation,
  Endpoint,
  Evidence,
  Generation,
  Session,
  Verdict,
} from './findings.js';
import { isAtLeast } from './findings.js';
import { clientGeneration, serverGeneration } from './generation.js';
import {
  assignChannels,
  type Channel,
  endOf,
  groupConnections,
  joinLegs,
  orient,
  type SessionGroup,
} from './grouping.js';
import { addressText, communityId, flowKey, inOrder, type RawEnd, sessionId } from './identity.js';
import type { TlsSessionProfile } from './profile.js';
import { rfc3339 } from './rfc3339.js';
import type { SshFinding } from './ssh-connection.js';
import { verdictOf } from './verdict.js';

export interface SessionOptions {
  /// Use what belongs to one installation (names, the shape of the ClientHello)
  /// as supporting evidence and to name the software. Never part of a verdict.
  installationTraits: boolean;
  /// Told of every group of connections, also of those that make no session.
  explain?: (group: SessionGroup, held: Held, session: Session | null) => void;
}

/// What sightings and servers need to know of a reported session.
export interface SessionFacts {
  id: string;
  client: string;
  host: string;
  firstUs: number;
  lastUs: number;
  /// Where its first connection goes; port -1 for ICMP.
  server: RawEnd;
  proxy: ProxyRequest | null;
  names: string[];
  certificate: Uint8Array | null;
  /// Its connections as `flowKey` names them, those that were turned away too.
  flows: string[];
}

/// What may be a session, before it is judged.
export interface Candidate {
  /// The flows that it is made of, as `flowKey` names them, the primary's first.
  flows: readonly string[];
  lastUs: number;
  /// Of all its flows: while it stays, nothing was learned.
  packets: number;
  /// No more of its flows will come, though it may get others.
  ended: boolean;
  /// From when on it is known what its first connection is, and how that is read.
  settledUs: number;
  /// Null if nothing in the profile makes it a session.
  judge(): Judged | null;
}

/// A session, and what of it concerns others if it is likely at least.
export interface Judged {
  session: Session;
  facts: SessionFacts | null;
}

/// What sessions are made of, as the flows told it.
export interface SessionParts {
  connections: TlsConnection[];
  channels: AccelerationChannel[];
  ssh: SshFinding[];
  early: EarlyFinding[];
}

/// Connections that were running when the capture began are not told by a log-in, and much
/// other traffic looks a little like one. Of so many the weaker half is left out.
const MAX_RUNNING = 1_024;

export class SessionBuilder {
  /// Of the sessions that `finish` returned and that are likely at least; those inside SSH show no VPN server.
  readonly facts: SessionFacts[] = [];
  private connections: TlsConnection[] = [];
  private channels: AccelerationChannel[] = [];
  private ssh: SshFinding[] = [];
  private early: EarlyFinding[] = [];
  private cutAt: number | null = null;
  /// Connections left out because there were too many like them.
  leftOut = 0;
  private crowdedAt = MAX_RUNNING;

  constructor(
    private readonly profile: TlsSessionProfile,
    private readonly options: SessionOptions,
  ) {}

  add(connection: TlsConnection): void {
    this.connections.push(connection);
    if (this.connections.length >= this.crowdedAt) this.leaveOutWeakest();
  }

  addAcceleration(channel: AccelerationChannel): void {
    this.channels.push(channel);
  }

  addSsh(finding: SshFinding): void {
    this.ssh.push(finding);
  }

  addEarly(finding: EarlyFinding): void {
    this.early.push(finding);
  }

  /// All that was added.
  get parts(): SessionParts {
    const { connections, channels, ssh, early } = this;
    return { connections, channels, ssh, early };
  }

  /// Adds what was added to another builder, of other flows.
  absorb({ connections, channels, ssh, early }: SessionParts): void {
    for (const connection of connections) this.add(connection);
    for (const channel of channels) this.channels.push(channel);
    for (const finding of ssh) this.ssh.push(finding);
    for (const finding of early) this.early.push(finding);
  }

  /// The sessions, in the order of their starts. `cutAt`: bytes of a packet
  /// beyond which the capture holds nothing; null if its packets are whole.
  finish(cutAt: number | null): Session[] {
    const judged = this.candidates(cutAt).flatMap((candidate) => candidate.judge() ?? []);
    this.facts.push(...judged.flatMap(({ facts }) => facts ?? []));
    return judged.map(({ session }) => session).sort(byStart);
  }

  /// What may be a session by all that was added.
  candidates(cutAt: number | null): Candidate[] {
    this.cutAt = cutAt;
    const connections = inOrder(this.connections, (connection) => connection);
    const groups = joinLegs(groupConnections(connections, this.profile.additional.max.value));
    const alone = assignChannels(
      groups,
      inOrder(this.channels, (channel) => channel),
    );
    return [
      ...groups.map((group) =>
        candidateOf(flowsOfGroup(group), this.settledUs(group), () => this.judge(group)),
      ),
      ...alone.map((channel) =>
        candidateOf([channel], this.lateUs(channel), () => this.describeAlone(channel)),
      ),
      ...this.earlyBeside(groups).map((finding) =>
        candidateOf([finding.facts], 0, () => ({ session: describeEarly(finding, cutAt), facts: null })),
      ),
      ...inOrder(this.ssh, ({ facts }) => facts).map((finding) => this.sshCandidate(finding)),
    ];
  }

  /// What is known for certain to be a later version is none of the first.
  private earlyBeside(groups: readonly SessionGroup[]): EarlyFinding[] {
    if (this.early.length === 0) return [];
    const later = new Set(groups.flatMap(({ primary, additional }) => [primary, ...additional].map(flowKey)));
    return inOrder(this.early, ({ facts }) => facts).filter(({ facts }) => !later.has(flowKey(facts)));
  }

  private sshCandidate(finding: SshFinding): Candidate {
    const { facts, session } = finding;
    return {
      ...candidateOf([facts], session.startCaptured ? 0 : this.lateUs(facts), () => ({
        session: this.describeSsh(finding),
        facts: null,
      })),
      // There may be several in one flow.
      flows: [sshKey(finding)],
    };
  }

  /// A proxied session has a log-in on each side of the proxy, moments apart.
  private settledUs({ primary }: SessionGroup): number {
    const { kind, profile, tunnel } = primary;
    const isClear = kind === 'primary' && profile.unit === 'records';
    return isClear ? tunnel.beginUs + profile.firstRecords.withinUs.value : this.lateUs(primary);
  }

  /// What ran before, or is read in several ways, shows itself in time only.
  private lateUs({ firstUs }: { firstUs: number }): number {
    return firstUs + this.profile.running.settleUs.value;
  }

  /// A builder that knows the same so far.
  copy(): SessionBuilder {
    const copy = new SessionBuilder(this.profile, this.options);
    copy.absorb(this.parts);
    return copy;
  }

  /// Keeps no more than `most` connections, those that ended last; returns how many were dropped.
  keep(most: number): number {
    const before = this.connections.length + this.channels.length;
    this.connections = this.connections.slice(-most);
    this.channels = this.channels.slice(-most);
    return before - this.connections.length - this.channels.length;
  }

  /// Forgets these flows, as a candidate names them: nothing can become of them any more.
  forget(flows: ReadonlySet<string>): void {
    this.connections = this.connections.filter((connection) => !flows.has(flowKey(connection)));
    this.channels = this.channels.filter((channel) => !flows.has(flowKey(channel)));
    this.ssh = this.ssh.filter((finding) => !flows.has(sshKey(finding)));
    this.early = this.early.filter(({ facts }) => !flows.has(flowKey(facts)));
  }

  private leaveOutWeakest(): void {
    const running = this.connections.filter(({ kind }) => kind === 'running');
    const weakest = new Set(running.sort((a, b) => strengthOf(b) - strengthOf(a)).slice(MAX_RUNNING / 2));
    this.connections = this.connections.filter((connection) => !weakest.has(connection));
    this.leftOut += weakest.size;
    this.crowdedAt = this.connections.length + MAX_RUNNING / 2;
  }

  private judge(group: SessionGroup): Judged | null {
    const { profile } = group.primary;
    const held = evaluateClauses(group, profile);
    const reached = verdictOf(held, profile.verdict);
    const verdict = reached !== null && contradicts(group, profile) ? 'suspected' : reached;
    const session = verdict === null ? null : this.describe(group, held, verdict);
    this.options.explain?.(group, held, session);
    if (session === null) return null;
    // What is only suspected shows no server.
    return { session, facts: isAtLeast(session.verdict, 'likely') ? this.factsOf(group) : null };
  }

  private describe(group: SessionGroup, held: Held, verdict: Verdict): Session {
    const { primary } = group;
    const { profile } = primary;
    const { installationTraits } = this.options;
    const chained = group.channels[0];
    const traitOf = (generation: (primary: TlsConnection) => Generation) =>
      installationTraits ? generation(primary) : null;
    return {
      id: sessionId(primary.firstUs, protocolNumber(primary), primary.client, primary.server),
      verdict,
      carrier: primary.carrier,
      software: {
        product: profile.product,
        client:
          profile.clientProduct === null
            ? { generation: chained?.fromClient.generation ?? traitOf(clientGeneration) }
            : { generation: null, product: profile.clientProduct },
        server: { generation: chained?.fromServer.generation ?? traitOf(serverGeneration) },
      },
      client: endpoint(primary.client, primary.protocol),
      server: endpoint(primary.server, primary.protocol),
      ...(primary.proxy === null || primary.proxy.host === '' ? {} : { target: targetOf(primary.proxy) }),
      ...encapsulationOf(primary.layers),
      start: rfc3339(primary.firstUs),
      end: rfc3339(Math.max(endOf(group), ...group.channels.map(({ flow }) => flow.lastUs))),
      startCaptured: primary.startSeen && primary.kind === 'primary',
      connections: [
        ...describeAll(group),
        ...(group.serverLeg === null ? [] : describeAll(group.serverLeg)),
        ...group.channels.map(describeChannel),
      ],
      evidence: [...held.values(), ...(installationTraits ? clientHello(primary) : [])],
      against: counterEvidence(group, profile),
      caveats: [
        ...sideCaveats(group),
        ...loginCaveats(group),
        ...captureCaveats([primary, ...group.additional], this.cutAt),
      ],
    };
  }

  private factsOf(group: SessionGroup): SessionFacts {
    const { primary, additional, refused, channels } = group;
    const { client, server, protocol, handshake } = primary;
    const name = handshake?.clientHello?.serverName ?? null;
    const { installationTraits } = this.options;
    return {
      id: sessionId(primary.firstUs, protocolNumber(primary), client, server),
      client: addressText(client.address),
      host: addressText(server.address),
      firstUs: primary.firstUs,
      lastUs: Math.max(endOf(group), ...channels.map(({ flow }) => flow.lastUs)),
      server: protocol === 'icmp' ? { ...server, port: -1 } : server,
      proxy: primary.proxy,
      names: name === null || !installationTraits ? [] : [name],
      certificate: (installationTraits && handshake?.certificate) || null,
      flows: [primary, ...additional, ...refused].map(flowKey),
    };
  }

  /// A session inside an SSH connection, which carries all of it.
  private describeSsh({ facts, session }: SshFinding): Session {
    const caveats = [
      'The session is inside SSH: its times and bytes are those of the SSH connection since its log-in, other channels included.',
      ...captureCaveats([facts], this.cutAt),
    ];
    if (session.reversed) {
      caveats.push('The forwarding is reversed (-R): the VPN client is on the side of the SSH server.');
    }
    return {
      id: sessionId(session.startUs, PROTOCOL_TCP, facts.client, facts.server),
      verdict: session.verdict,
      carrier: 'ssh',
      software: {
        product: this.profile.product,
        client: { generation: null },
        server: { generation: null },
      },
      client: endpoint(facts.client, 'tcp'),
      server: endpoint(facts.server, 'tcp'),
      ...encapsulationOf(facts.layers),
      start: rfc3339(facts.firstUs),
      end: rfc3339(session.endUs),
      startCaptured: session.startCaptured,
      connections: [
        {
          protocol: 'tcp',
          role: 'carrier',
          client: endpoint(facts.client, 'tcp'),
          server: endpoint(facts.server, 'tcp'),
          start: rfc3339(facts.firstUs),
          end: rfc3339(facts.lastUs),
          bytesFromClient: session.bytesFromClient,
          bytesFromServer: session.bytesFromServer,
          packets: facts.packets,
          communityId: communityId(PROTOCOL_TCP, facts.client, facts.server),
        },
      ],
      evidence: session.evidence,
      against: session.against,
      caveats,
    };
  }

  /// UDP acceleration whose session the capture does not hold.
  private describeAlone(flow: AccelerationChannel): Judged {
    const { min, max } = this.profile.accelerationPorts;
    const isServerPort = (port: number) => port >= min && port <= max;
    const [aMay, bMay] = [isServerPort(flow.a.port), isServerPort(flow.b.port)];
    // A server takes the lowest free port, a client whatever its system gives.
    const clientIsA = aMay && bMay ? flow.b.port <= flow.a.port : bMay || !aMay;
    const channel = orient(flow, clientIsA);
    const { client, server } = channel;
    const evidence = nonceChain([channel]);
    const id = sessionId(flow.firstUs, PROTOCOL_UDP, client, server);
    const facts: SessionFacts = {
      id,
      client: addressText(client.address),
      host: addressText(server.address),
      firstUs: flow.firstUs,
      lastUs: flow.lastUs,
      server,
      proxy: null,
      names: [],
      certificate: null,
      flows: [],
    };
    const session: Session = {
      id,
      verdict: 'confirmed',
      carrier: 'udp',
      software: {
        product: this.profile.product,
        client: { generation: channel.fromClient.generation },
        server: { generation: channel.fromServer.generation },
      },
      client: endpoint(client, 'udp'),
      server: endpoint(server, 'udp'),
      ...encapsulationOf(flow.layers),
      start: rfc3339(flow.firstUs),
      end: rfc3339(flow.lastUs),
      startCaptured: false,
      connections: [describeChannel(channel)],
      evidence: evidence === null ? [] : [evidence],
      against: [],
      caveats: [
        ...(this.cutAt === null ? [] : [`Packets of the capture were cut at ${this.cutAt} bytes.`]),
        'The connections with the log-in are not in the capture; who is the client is told by the ports alone.',
      ],
    };
    return { session, facts };
  }
}

/// The order of sessions in a report.
export function byStart(a: Session, b: Session): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : a.id < b.id ? -1 : 1;
}

function candidateOf(
  flows: readonly (FlowFacts | AccelerationChannel)[],
  settledUs: number,
  judge: () => Judged | null,
): Candidate {
  return {
    flows: flows.map(flowKey),
    lastUs: Math.max(...flows.map(({ lastUs }) => lastUs)),
    packets: flows.reduce((sum, { packets }) => sum + packets, 0),
    ended: flows.every(({ ended }) => ended),
    settledUs,
    judge,
  };
}

function flowsOfGroup({
  primary,
  additional,
  refused,
  channels,
  serverLeg,
}: SessionGroup): (FlowFacts | AccelerationChannel)[] {
  const ofLeg = serverLeg === null ? [] : flowsOfGroup({ ...serverLeg, channels: [] });
  return [primary, ...additional, ...refused, ...channels.map(({ flow }) => flow), ...ofLeg];
}

function sshKey({ facts, session }: SshFinding): string {
  return `${flowKey(facts)} ${session.startUs}`;
}

/// Nothing of the first version can be recorded any more: what is unverified is suspected at most.
function describeEarly({ facts, product, evidence, caveat }: EarlyFinding, cutAt: number | null): Session {
  const { client, server, proxy } = facts;
  return {
    id: sessionId(facts.firstUs, PROTOCOL_TCP, client, server),
    verdict: 'suspected',
    carrier: facts.carrier,
    software: { product, client: { generation: null }, server: { generation: null } },
    client: endpoint(client, 'tcp'),
    server: endpoint(server, 'tcp'),
    ...(proxy === null ? {} : { target: targetOf(proxy) }),
    ...encapsulationOf(facts.layers),
    start: rfc3339(facts.firstUs),
    end: rfc3339(facts.lastUs),
    startCaptured: facts.startSeen,
    connections: [describeConnection(facts, 'primary')],
    evidence,
    against: [],
    caveats: [caveat, ...captureCaveats([facts], cutAt)],
  };
}

function describeConnection(connection: FlowFacts, role: ConnectionRole): Connection {
  const { protocol, client, server } = connection;
  return {
    protocol,
    role,
    client: endpoint(client, protocol),
    server: endpoint(server, protocol),
    start: rfc3339(connection.firstUs),
    end: rfc3339(connection.lastUs),
    bytesFromClient: connection.bytesFromClient,
    bytesFromServer: connection.bytesFromServer,
    packets: connection.packets,
    communityId: communityId(protocolNumber(connection), client, server),
  };
}

/// The TCP connections, UDP or ICMP flows of a group, the first one as the primary.
function describeAll({ primary, additional }: SessionGroup): Connection[] {
  return [
    describeConnection(primary, 'primary'),
    ...additional.map((connection) => describeConnection(connection, 'additional')),
  ];
}

function describeChannel({ flow, client, server }: Channel): Connection {
  const clientIsA = client === flow.a;
  return {
    protocol: 'udp',
    role: 'udp-acceleration',
    client: endpoint(client, 'udp'),
    server: endpoint(server, 'udp'),
    start: rfc3339(flow.firstUs),
    end: rfc3339(flow.lastUs),
    bytesFromClient: clientIsA ? flow.bytesFromA : flow.bytesFromB,
    bytesFromServer: clientIsA ? flow.bytesFromB : flow.bytesFromA,
    packets: flow.packets,
    communityId: communityId(PROTOCOL_UDP, client, server),
  };
}

function protocolNumber({ protocol, client }: FlowFacts): number {
  if (protocol === 'tcp') return PROTOCOL_TCP;
  if (protocol === 'udp') return PROTOCOL_UDP;
  return client.address.length === 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
}

function targetOf({ host, port }: ProxyRequest): { host: string; port: number } {
  return { host: typeof host === 'string' ? host : addressText(host), port };
}

/// Nothing if the packets travel as they are.
export function encapsulationOf(layers: readonly Layer[]): { encapsulation?: Encapsulation[] } {
  if (layers.length === 0) return {};
  return {
    encapsulation: layers.map(({ kind, id, source, destination }) => ({
      kind,
      ...(id === null ? {} : { id }),
      ...(source === null || destination === null
        ? {}
        : { source: addressText(source), destination: addressText(destination) }),
    })),
  };
}

/// ICMP has no ports.
function endpoint(end: RawEnd, protocol: Connection['protocol']): Endpoint {
  return { ip: addressText(end.address), port: protocol === 'icmp' ? null : end.port };
}

/// The ClientHello names no session by itself; it tells the reader more about it.
function clientHello(primary: TlsConnection): Evidence[] {
  const hello = primary.handshake?.clientHello;
  if (!hello) return [];
  const name = hello.serverName === null ? 'no server name' : `server name ${hello.serverName}`;
  const alpn = hello.alpn.length === 0 ? 'no ALPN' : `ALPN ${hello.alpn.join(',')}`;
  return [
    {
      feature: 'client-hello',
      detail: `ClientHello with ${name}, ${alpn}, ${hello.suites.length} suites`,
      frames: [{ input: primary.input, frame: primary.helloFrame }],
      strength: 'supporting',
    },
  ];
}

function sideCaveats({ primary, additional }: SessionGroup): string[] {
  const isGuess = primary.kind === 'running' && !primary.sidesKnown && additional.length === 0;
  return isGuess ? ['Who is the client is told by the ports alone: the end with the larger one.'] : [];
}

function loginCaveats({ primary, additional }: SessionGroup): string[] {
  const caveats: string[] = [];
  if ([primary, ...additional].some(({ profile }) => profile.unit === 'turns')) {
    caveats.push(
      'Headers of TLS records are not in the capture: the log-in is told by the payload volumes between turns of direction, and the tunnel by the sizes of segments.',
    );
  }
  const { clientProduct } = primary.profile;
  if (clientProduct !== null) {
    caveats.push(
      `The log-in is not that of SoftEther's own client: a ${clientProduct} or a modified build; what the server sends decides.`,
    );
  }
  const { onlySide } = primary;
  if (onlySide !== null) {
    caveats.push(
      `Only packets from the ${onlySide} are in the capture: what the other side sent follows from their acknowledgement numbers, its times are those of the acknowledgements.`,
    );
  }
  return caveats;
}

function captureCaveats(connections: readonly FlowFacts[], cutAt: number | null): string[] {
  const caveats: string[] = [];
  const missing = connections.reduce((sum, connection) => sum + connection.missingBytes, 0);
  const gaps = connections.reduce((sum, connection) => sum + connection.gaps, 0);
  if (connections.some((connection) => !connection.startSeen)) {
    caveats.push('The capture does not hold the first packet (SYN) of every connection.');
  }
  if (cutAt !== null && connections.some(({ cutBytes }) => cutBytes > 0)) {
    caveats.push(`Packets of the capture were cut at ${cutAt} bytes.`);
  }
  if (gaps > 0) caveats.push(`Packets are missing in ${gaps} places of the session's connections.`);
  if (missing > 0) {
    caveats.push(
      `${missing} payload bytes of the session are not in the capture (lost, or cut by the snap length).`,
    );
  }
  return caveats;
}

/// How much speaks for a connection that was running before the capture began.
function strengthOf({ plain, rudp, tunnel }: TlsConnection): number {
  const blocks = (plain?.client.blocks ?? 0) + (plain?.server.blocks ?? 0);
  const keepAlives = tunnel.client.keepAlives.count + tunnel.server.keepAlives.count;
  return tunnel.weight + 8 * keepAlives + blocks + 8 * (rudp?.segments ?? 0);
}
