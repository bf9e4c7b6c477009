/// Connections -> sessions: what speaks for each, how sure that makes us, and
/// what it looks like in the report.

import type { ProxyRequest } from '../flow/preamble.js';
import { PROTOCOL_TCP } from '../wire/packet.js';
import { contradicts, counterEvidence, evaluateClauses, type Held } from './clauses.js';
import type { TlsConnection } from './connection.js';
import type { Connection, ConnectionRole, Evidence, Session, Verdict } from './findings.js';
import { clientGeneration, serverGeneration } from './generation.js';
import { groupConnections, type SessionGroup } from './grouping.js';
import { addressText, communityId, type RawEnd, sessionId } from './identity.js';
import type { TlsSessionProfile, VerdictRule } from './profile.js';
import { rfc3339 } from './rfc3339.js';

export interface SessionOptions {
  /// Use what belongs to one installation (names, the shape of the ClientHello)
  /// as supporting evidence and to name the software. Never part of a verdict.
  installationTraits: boolean;
}

export class SessionBuilder {
  private readonly connections: TlsConnection[] = [];

  constructor(
    private readonly profile: TlsSessionProfile,
    private readonly options: SessionOptions,
  ) {}

  add(connection: TlsConnection): void {
    this.connections.push(connection);
  }

  /// The sessions, in the order of their starts.
  finish(): Session[] {
    const groups = groupConnections(this.connections, this.profile.additional.max.value);
    return groups.flatMap((group) => this.describe(group) ?? []);
  }

  /// Null if nothing in the profile makes this a session.
  private describe(group: SessionGroup): Session | null {
    const { profile } = this;
    const { primary } = group;
    const { installationTraits } = this.options;
    const connections = [primary, ...group.additional];
    const held = evaluateClauses(group, profile);
    const verdict = verdictOf(held, profile);
    if (verdict === null) return null;
    return {
      id: sessionId(primary.firstUs, PROTOCOL_TCP, primary.client, primary.server),
      verdict: contradicts(group, profile) ? 'suspected' : verdict,
      carrier: primary.proxy?.carrier ?? 'tcp',
      software: {
        product: profile.product,
        client: { generation: installationTraits ? clientGeneration(primary) : null },
        server: { generation: installationTraits ? serverGeneration(primary) : null },
      },
      client: endpoint(primary.client),
      server: endpoint(primary.server),
      ...(primary.proxy === null ? {} : { target: targetOf(primary.proxy) }),
      start: rfc3339(primary.firstUs),
      end: rfc3339(Math.max(...connections.map((connection) => connection.lastUs))),
      startCaptured: primary.startSeen,
      connections: connections.map((connection) => describeConnection(connection, roleOf(connection))),
      evidence: [...held.values(), ...(installationTraits ? clientHello(primary) : [])],
      against: counterEvidence(group, profile),
      caveats: caveatsOf(group),
    };
  }
}

function verdictOf(held: Held, profile: TlsSessionProfile): Verdict | null {
  const reached = (rules: readonly VerdictRule[]) =>
    rules.some(
      (rule) =>
        rule.all.every((clause) => held.has(clause)) &&
        rule.of.filter((clause) => held.has(clause)).length >= rule.count,
    );
  if (reached(profile.verdict.confirmed)) return 'confirmed';
  if (reached(profile.verdict.likely)) return 'likely';
  return reached(profile.verdict.suspected) ? 'suspected' : null;
}

function roleOf(connection: TlsConnection): ConnectionRole {
  return connection.kind === 'primary' ? 'primary' : 'additional';
}

function describeConnection(connection: TlsConnection, role: ConnectionRole): Connection {
  return {
    protocol: 'tcp',
    role,
    client: endpoint(connection.client),
    server: endpoint(connection.server),
    start: rfc3339(connection.firstUs),
    end: rfc3339(connection.lastUs),
    bytesFromClient: connection.bytesFromClient,
    bytesFromServer: connection.bytesFromServer,
    packets: connection.packets,
    communityId: communityId(PROTOCOL_TCP, connection.client, connection.server),
  };
}

function targetOf({ host, port }: ProxyRequest): { host: string; port: number } {
  return { host: typeof host === 'string' ? host : addressText(host), port };
}

function endpoint(end: RawEnd): { ip: string; port: number } {
  return { ip: addressText(end.address), port: end.port };
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

function caveatsOf(group: SessionGroup): string[] {
  const connections = [group.primary, ...group.additional];
  const caveats: string[] = [];
  const missing = connections.reduce((sum, connection) => sum + connection.missingBytes, 0);
  const gaps = connections.reduce((sum, connection) => sum + connection.gaps, 0);
  if (connections.some((connection) => !connection.startSeen)) {
    caveats.push('The capture does not hold the first packet (SYN) of every connection.');
  }
  if (gaps > 0) caveats.push(`Packets are missing in ${gaps} places of the session's connections.`);
  if (missing > 0) {
    caveats.push(
      `${missing} payload bytes of the session are not in the capture (lost, or cut by the snap length).`,
    );
  }
  return caveats;
}
