/// Which connections belong to one session: the first one logs in, the further
/// ones attach to it from the same client address, at the same server port.

import type { TlsConnection } from './tls-analysis.js';

/// The connections of one VPN session in the order of their starts. The first
/// is the primary one, unless that was not captured.
export interface SessionGroup {
  primary: TlsConnection;
  additional: TlsConnection[];
  /// Further connections that the server turned away: closed right after its answer.
  refused: TlsConnection[];
}

/// A session whose connections are all silent dies after its time-out, 60 s at
/// most (Cedar.h: TIMEOUT_MAX); until then it can open a new one.
const SESSION_SURVIVES_US = 60_000_000;

/// The default distance between the starts of a session's connections, with
/// the client's polling interval (Session.c: ClientAdditionalThread; 1.00 to
/// 1.30 s measured). Tells sessions apart that share both addresses.
const USUAL_START_DISTANCE_US = 1_150_000;

interface OpenGroup extends SessionGroup {
  lastStartUs: number;
  lastUs: number;
}

/// Groups connections, given in any order. Attached connections without their
/// session's first one are left out: alone they do not show a session.
export function groupConnections(
  connections: readonly TlsConnection[],
  maxAdditional: number,
): SessionGroup[] {
  const groups = new Map<string, OpenGroup[]>();
  const all: SessionGroup[] = [];
  for (const connection of [...connections].sort(byStart)) {
    const key = `${connection.input} ${connection.client.address} ${connection.server.address} ${connection.server.port}`;
    let candidates = groups.get(key);
    if (candidates === undefined) {
      candidates = [];
      groups.set(key, candidates);
    }
    if (connection.kind === 'primary') {
      const group = {
        primary: connection,
        additional: [],
        refused: [],
        lastStartUs: connection.tunnel.beginUs,
        lastUs: connection.lastUs,
      };
      candidates.push(group);
      all.push(group);
      continue;
    }
    const group = ownerOf(connection, candidates, maxAdditional);
    if (group === undefined) continue;
    if (endedAtOnce(connection)) {
      group.refused.push(connection);
      continue;
    }
    group.additional.push(connection);
    group.lastStartUs = connection.firstUs;
    group.lastUs = Math.max(group.lastUs, connection.lastUs);
  }
  return all;
}

/// The running session whose next connection was due closest to this one's start.
function ownerOf(
  connection: TlsConnection,
  candidates: readonly OpenGroup[],
  maxAdditional: number,
): OpenGroup | undefined {
  const distance = (group: OpenGroup) =>
    Math.abs(connection.firstUs - group.lastStartUs - USUAL_START_DISTANCE_US);
  return candidates
    .filter(
      (group) =>
        group.primary.tunnel.beginUs <= connection.firstUs &&
        connection.firstUs <= group.lastUs + SESSION_SURVIVES_US &&
        group.additional.length < maxAdditional,
    )
    .sort((a, b) => distance(a) - distance(b))[0];
}

/// Closed with nothing sent after the server's answer.
export function endedAtOnce(connection: TlsConnection): boolean {
  return connection.closeSeen && !connection.tunnel.used;
}

function byStart(a: TlsConnection, b: TlsConnection): number {
  return a.firstUs - b.firstUs || a.client.port - b.client.port;
}
