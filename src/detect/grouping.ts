/// Which connections belong to one session: the first one logs in, the further
/// ones attach to it from the same client address, at the same server port.

import type { FlowEnd } from '../flow/flow-table.js';
import { networkOf } from '../wire/layers.js';
import { reverse, type TlsConnection, turn } from './connection.js';
import type { AccelerationChannel } from './datagram-analysis.js';
import { endKey } from './identity.js';
import type { ChainReading } from './nonce-chain.js';

/// The connections of one VPN session in the order of their starts. The first
/// is the primary one, unless that was not captured.
export interface SessionGroup {
  primary: TlsConnection;
  additional: TlsConnection[];
  /// Further connections that the server turned away: closed right after its answer.
  refused: TlsConnection[];
  /// UDP acceleration, its ends as client and server.
  channels: Channel[];
  /// The same session between proxy and server, if the capture holds that too.
  serverLeg: SessionGroup | null;
}

/// A UDP flow of a session that carries frames beside its connections.
export interface Channel {
  flow: AccelerationChannel;
  client: FlowEnd;
  server: FlowEnd;
  fromClient: ChainReading;
  fromServer: ChainReading;
}

/// A session whose connections are all silent dies after its time-out, 60 s at
/// most (Cedar.h: TIMEOUT_MAX); until then it can open a new one.
export const SESSION_SURVIVES_US = 60_000_000;

/// The default distance between the starts of a session's connections, with
/// the client's polling interval (Session.c: ClientAdditionalThread; 1.00 to
/// 1.30 s measured). Tells sessions apart that share both addresses.
const USUAL_START_DISTANCE_US = 1_150_000;

interface OpenGroup extends SessionGroup {
  lastStartUs: number;
  lastUs: number;
}

/// Groups connections, given in any order. A session whose log-in was not
/// captured has the first connection that was in its place.
export function groupConnections(
  connections: readonly TlsConnection[],
  maxAdditional: number,
): SessionGroup[] {
  const groups = new Map<string, OpenGroup[]>();
  const all: SessionGroup[] = [];
  for (const connection of alignSides(connections).sort(byStart)) {
    const key = partiesOf(connection);
    let candidates = groups.get(key);
    if (candidates === undefined) {
      candidates = [];
      groups.set(key, candidates);
    }
    const open = (primary: TlsConnection) => {
      const group: OpenGroup = {
        primary,
        additional: [],
        refused: [],
        channels: [],
        serverLeg: null,
        lastStartUs: primary.tunnel.beginUs,
        lastUs: primary.lastUs,
      };
      candidates.push(group);
      all.push(group);
    };
    if (connection.kind === 'primary') {
      open(connection);
      continue;
    }
    const group = ownerOf(connection, candidates, maxAdditional);
    if (endedAtOnce(connection)) {
      group?.refused.push(connection);
      continue;
    }
    if (group === undefined) {
      open(connection);
      continue;
    }
    group.additional.push(connection);
    group.lastStartUs = connection.firstUs;
    group.lastUs = Math.max(group.lastUs, connection.lastUs);
  }
  return all;
}

/// Turns running connections that were taken the wrong way round. An end that
/// several connections share is the server's: a client takes a port for each.
/// Else those between the same ends tell whose client is known.
function alignSides(connections: readonly TlsConnection[]): TlsConnection[] {
  const known = new Set(connections.filter(({ sidesKnown }) => sidesKnown).map(partiesOf));
  const sharing = new Map<string, number>();
  for (const { input, client, server } of connections) {
    for (const end of [client, server]) {
      const key = `${input} ${endKey(end)}`;
      sharing.set(key, (sharing.get(key) ?? 0) + 1);
    }
  }
  const isReversed = (connection: TlsConnection) => {
    const { kind, input, client, server, sidesKnown } = connection;
    if (kind !== 'running') return false;
    const more = sharing.get(`${input} ${endKey(client)}`)! - sharing.get(`${input} ${endKey(server)}`)!;
    if (more !== 0) return more > 0;
    return !sidesKnown && !known.has(partiesOf(connection)) && known.has(partiesOf(reverse(connection)));
  };
  return connections.map((connection) => (isReversed(connection) ? turn(connection) : connection));
}

/// Who talks to whom: connections of one session have it in common.
function partiesOf({ input, client, server, proxy, layers }: TlsConnection): string {
  const target = proxy === null ? '' : `${proxy.host} ${proxy.port}`;
  return `${input} ${hostOf(client)} ${endKey(server)} ${target} ${networkOf(layers)}`;
}

function hostOf(end: FlowEnd): string {
  const key = endKey(end);
  return key.slice(0, key.lastIndexOf(' '));
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
        (connection.kind === 'running' || group.primary.tunnel.beginUs <= connection.firstUs) &&
        connection.firstUs <= group.lastUs + SESSION_SURVIVES_US &&
        group.additional.length < maxAdditional,
    )
    .sort((a, b) => distance(a) - distance(b))[0];
}

/// Closed with nothing sent after the server's answer; over R-UDP that may travel in bulk packets.
export function endedAtOnce({ closeSeen, tunnel, rudp }: TlsConnection): boolean {
  return closeSeen && !tunnel.used && (rudp === null || rudp.bulkLinks === 0);
}

function byStart(a: TlsConnection, b: TlsConnection): number {
  return a.firstUs - b.firstUs || a.client.port - b.client.port;
}

/// Puts both legs of a proxied session together where the capture holds both:
/// a proxy hands TLS on unchanged, so the ClientHello is the same on both sides.
export function joinLegs(groups: readonly SessionGroup[]): SessionGroup[] {
  const byRandom = new Map<string, SessionGroup>();
  const keyOf = ({ primary }: SessionGroup) => {
    const random = primary.handshake?.clientHello?.random;
    return random === undefined ? null : `${primary.input} ${random}`;
  };
  for (const group of groups) {
    const key = keyOf(group);
    if (key !== null && group.primary.proxy !== null) byRandom.set(key, group);
  }
  return groups.filter((group) => {
    const key = keyOf(group);
    const clientLeg = key === null ? undefined : byRandom.get(key);
    if (clientLeg === undefined || clientLeg === group) return true;
    clientLeg.serverLeg = group;
    clientLeg.channels.push(...group.channels);
    return false;
  });
}

/// Gives each channel to the session between the same hosts that was running
/// when it began; returns those that have none.
export function assignChannels(
  groups: readonly SessionGroup[],
  channels: readonly AccelerationChannel[],
): AccelerationChannel[] {
  const byHosts = new Map<string, SessionGroup[]>();
  for (const group of groups) {
    const { input, client, server } = group.primary;
    const key = hostsOf(input, client, server);
    const same = byHosts.get(key);
    if (same === undefined) byHosts.set(key, [group]);
    else same.push(group);
  }
  return channels.filter((channel) => {
    const distance = ({ primary }: SessionGroup) => Math.abs(primary.firstUs - channel.firstUs);
    const owner = (byHosts.get(hostsOf(channel.input, channel.a, channel.b)) ?? [])
      .filter(
        (group) =>
          networkOf(channel.layers) === networkOf(group.primary.layers) &&
          group.primary.firstUs <= channel.lastUs &&
          channel.firstUs <= endOf(group) + SESSION_SURVIVES_US,
      )
      .sort((a, b) => distance(a) - distance(b))[0];
    owner?.channels.push(orient(channel, isSame(owner.primary.client.address, channel.a.address)));
    return owner === undefined;
  });
}

/// The channel with its A end as the client, or its B end.
export function orient(flow: AccelerationChannel, clientIsA: boolean): Channel {
  return clientIsA
    ? { flow, client: flow.a, server: flow.b, fromClient: flow.fromA, fromServer: flow.fromB }
    : { flow, client: flow.b, server: flow.a, fromClient: flow.fromB, fromServer: flow.fromA };
}

/// The two hosts, whichever is the client.
function hostsOf(input: number, one: FlowEnd, other: FlowEnd): string {
  return `${input} ${[hostOf(one), hostOf(other)].sort().join(' ')}`;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/// When the last of the group's connections fell silent.
export function endOf({ primary, additional }: SessionGroup): number {
  return Math.max(primary.lastUs, ...additional.map((connection) => connection.lastUs));
}
