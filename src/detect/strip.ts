/// A flow drawn as a strip: its records in order, each with what it is taken for.

import type { TracedFlow, TracedRecord } from '../flow/flow-trace.js';
import type { WatchedFlow } from '../flow/flow-watch.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';
import type { RecordProtection } from '../wire/tls-suites.js';
import type { TlsConnection } from './connection.js';
import type { Strip, StripRow } from './explanation.js';
import type { TlsSessionProfile } from './profile.js';
import { Tunnel } from './tunnel.js';

/// Rows of a drawing.
const MAX_ROWS = 40;

/// A row ends where its side is silent for so long.
const PAUSE_US = 500_000;

const KEEP_ALIVE = 'like a keep-alive';

/// Content types of TLS records (RFC 8446 section 5.1).
const RECORD_NAMES: Readonly<Record<number, string>> = {
  20: 'handshake',
  21: 'alert',
  22: 'handshake',
};

/// What is known of the application records of a flow, by their place.
export interface Roles {
  messages: ReadonlyMap<number, string>;
  /// The first one after the handshake.
  firstData: number;
  /// The first one after the log-in; null if the log-in is not one.
  firstTunnel: number | null;
}

export function rolesOf({ script, kind }: TlsConnection): Roles {
  const messages = new Map(script.messages.map(({ name, record }) => [record, name]));
  const last = script.messages.at(-1);
  return {
    messages,
    firstData: script.messages[0]?.record ?? 0,
    firstTunnel: kind === 'running' ? 0 : (last?.record ?? -1) + 1,
  };
}

export function stripOfRecords(
  { records, unkept, firstUs }: Pick<TracedFlow, 'records' | 'unkept' | 'firstUs'>,
  protection: RecordProtection,
  roles: Roles,
  profile: TlsSessionProfile,
): Strip {
  const rows: StripRow[] = [];
  let tunnel: Tunnel | null = null;
  let place = 0;
  let clientFinished = false;
  // Before that, only tickets come in between.
  const lastMessage = Math.max(...roles.messages.keys());
  let drawn = 0;
  let lastUs = firstUs;
  for (const record of records) {
    const { fromClient, type, length, timeUs, frame } = record;
    const isData = type === TLS_APPLICATION_DATA;
    const inTunnel = isData && roles.firstTunnel !== null && place >= roles.firstTunnel;
    if (inTunnel) tunnel ??= new Tunnel(lastUs, profile);
    let role = RECORD_NAMES[type] ?? 'TLS record';
    if (inTunnel) role = tunnelRole(tunnel!, record, protection, roles.firstTunnel === 0);
    else if (isData) {
      const isTicket = clientFinished && !fromClient && !roles.messages.has(place);
      if (place < roles.firstData) role = isTicket ? 'session ticket' : 'handshake, encrypted';
      else role = roles.messages.get(place) ?? (!fromClient && place < lastMessage ? 'session ticket' : '');
      clientFinished ||= fromClient;
    }
    const bytes = isData ? Math.max(protection.plaintextMax(length), 0) : length;
    if (isData) place++;
    const row = rows.at(-1);
    const joins =
      row?.fromClient === fromClient &&
      row.role === role &&
      role !== KEEP_ALIVE &&
      timeUs - lastUs < PAUSE_US;
    if (!joins && rows.length === MAX_ROWS) break;
    if (joins) {
      row.bytes += bytes;
      row.records++;
    } else {
      rows.push({
        frame,
        atSeconds: (timeUs - firstUs) / 1e6,
        gapSeconds: (timeUs - lastUs) / 1e6,
        fromClient,
        bytes,
        records: 1,
        role,
      });
    }
    lastUs = timeUs;
    drawn++;
  }
  return { unit: 'TLS records', rows, omitted: records.length - drawn + unkept };
}

/// What the tunnel takes a record for, told by what it counts.
function tunnelRole(
  tunnel: Tunnel,
  record: TracedRecord,
  protection: RecordProtection,
  isMidstream: boolean,
): string {
  const { fromClient, length, timeUs, frame } = record;
  const side = fromClient ? tunnel.client : tunnel.server;
  const before = {
    keepAlives: side.keepAlives.count,
    polls: tunnel.polls.answered.count,
    framed: tunnel.frameSized.count,
    first: side.first,
    tiny: side.trailingTiny,
  };
  tunnel.record(fromClient, length, protection, timeUs, frame);
  if (side.trailingTiny > before.tiny) return 'too short for a block';
  if (before.first === null) return isMidstream ? 'first record seen' : 'first record after the log-in';
  if (tunnel.polls.answered.count > before.polls) return 'like a reply to a hub poll';
  if (side.keepAlives.count > before.keepAlives) return KEEP_ALIVE;
  if (tunnel.frameSized.count > before.framed) return 'like one Ethernet frame';
  return 'data';
}

export function stripOfTurns({ turns, firstUs }: WatchedFlow): Strip {
  let lastUs = firstUs;
  const rows = turns.slice(0, MAX_ROWS).map(({ fromClient, bytes, packets, timeUs, frame }): StripRow => {
    const gapSeconds = (timeUs - lastUs) / 1e6;
    lastUs = timeUs;
    const atSeconds = (timeUs - firstUs) / 1e6;
    return { frame, atSeconds, gapSeconds, fromClient, bytes, records: packets, role: '' };
  });
  return { unit: 'turns of payload', rows, omitted: turns.length - rows.length };
}
