/// The start of a SoftEther connection read from the volumes of its turns:
///
///     client                        server
///     [proxy ...]                   [proxy ...]
///     ClientHello                   flight of the handshake
///     [rest of the handshake]       [its end, tickets]
///     then the script of `script.ts`, each message a turn

import { PAYLOAD_BYTES } from '../wire/tls-suites.js';
import type { Range, TurnProfile } from './profile.js';
import { RecordLog } from './record-log.js';
import { readMessages, type ScriptReading } from './script.js';

export interface TurnReading {
  script: ScriptReading;
  /// The turns that its messages stand for.
  log: RecordLog;
}

/// Tickets may come in two writes.
const MAX_CROSSINGS = 2;

/// Reads the log, a turn each entry, both sides in turn. With `afterProxy` a
/// conversation with a proxy may stand in front.
export function readTurnScript(log: RecordLog, profile: TurnProfile, afterProxy: boolean): TurnReading {
  let best: TurnReading = { script: { outcome: 'failed', messages: [] }, log };
  for (const start of scriptStarts(log, profile, afterProxy)) {
    for (let crossings = 0; crossings <= MAX_CROSSINGS; crossings++) {
      const turns = withoutTickets(log, start, crossings, profile.tickets);
      if (turns === null) break;
      for (const withProbe of [true, false]) {
        const reading = { script: readFrom(turns, start, profile, withProbe), log: turns };
        const { outcome } = reading.script;
        if (outcome === 'primary' || outcome === 'additional') return reading;
        if (outcome === 'open') best = reading;
      }
    }
  }
  return best;
}

function readFrom(log: RecordLog, start: number, profile: TurnProfile, withProbe: boolean): ScriptReading {
  const turns = Array.from({ length: Math.max(0, log.count - start) }, (_, i) => start + i);
  return readMessages(log, turns, PAYLOAD_BYTES, profile, withProbe);
}

/// The server sends its tickets while the client may already be speaking: its
/// message is in pieces then. The log with the pieces put together; null if
/// what comes between them can be no tickets.
function withoutTickets(log: RecordLog, start: number, crossings: number, tickets: Range): RecordLog | null {
  if (crossings === 0) return log;
  const joined = new RecordLog();
  const last = start + 2 * crossings;
  for (let i = 0; i < log.count; i++) {
    const bytes = log.length[i]!;
    const fromClient = log.fromClient[i] === 1;
    if (i <= start || i > last) joined.add(fromClient, bytes, log.timeUs[i]!, log.frame[i]!);
    else if (fromClient) joined.length[start] = joined.length[start]! + bytes;
    else if (bytes < tickets.min || bytes > tickets.max) return null;
  }
  // The rest of the message is still to come: nothing is known of it.
  if (log.count <= last) joined.count = Math.min(joined.count, start);
  return joined;
}

/// Turns that may be the first of the script: those behind what can be a handshake.
function scriptStarts(log: RecordLog, profile: TurnProfile, afterProxy: boolean): number[] {
  const { handshake, maxProxyTurns } = profile;
  const fits = (turn: number, range: Range) =>
    turn >= log.count || (log.length[turn]! >= range.min && log.length[turn]! <= range.max);
  const starts: number[] = [];
  // The client's turns are the even ones.
  const lastHello = afterProxy ? maxProxyTurns.value : 0;
  for (let hello = 0; hello <= lastHello; hello += 2) {
    if (!fits(hello, handshake.hello) || !fits(hello + 1, handshake.flight)) continue;
    starts.push(hello + 2);
    const hasMore = fits(hello + 2, handshake.moreFromClient) && fits(hello + 3, handshake.moreFromServer);
    if (hasMore) starts.push(hello + 4);
  }
  return starts;
}
