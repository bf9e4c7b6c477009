/// The log of 2004: one line per VPN session, for scripts that read it since.

import type { Report, Session } from './model.js';
import { CARRIER_NAMES, endpointName, softwareName, targetName } from './names.js';
import { printable } from './text.js';
import { formatClock, type Zone } from './time.js';
import { shownSessions, type WriteOptions } from './writer.js';

/// The line of one session, without a line end:
/// `[2004/08/28 20:01:00] SoftEther 1.0 TCP Connection Detected (client 192.168.126.229:1027, server 61.197.235.210:7777)`
export function logLine(session: Session, zone: Zone = 'local'): string {
  const time = printable(formatClock(session.start, zone));
  const ends = [`client ${endpointName(session.client)}`, `server ${endpointName(session.server)}`];
  if (session.target !== undefined) ends.push(`target ${targetName(session.target)}`);
  const what = `${softwareName(session.software)} ${CARRIER_NAMES[session.carrier]}`;
  return `[${time}] ${what} Connection Detected (${ends.join(', ')})`;
}

/// One line per session, each ended by a line feed; nothing if there is none.
export function* writeLog(report: Report, options: WriteOptions = {}): Generator<string> {
  for (const session of shownSessions(report, options.minVerdict)) {
    yield `${logLine(session, options.zone)}\n`;
  }
}
