/** A fast scan that finds nothing is worth nothing: checks what it found. */
import type { Report, Session } from '#sealert/report/model.js';
import { isAtLeast } from '#sealert/report/model.js';
import type { Contents } from './inputs.js';
import type { ExpectedSession } from './recordings.js';

/** What is wrong with the report on an input; empty if nothing is. */
export function faultsOf(report: Report, input: Contents): string[] {
  const faults: string[] = [];
  const { packets } = report.diagnostics;
  if (packets !== input.packets) faults.push(`${packets} packets were read, ${input.packets} are there`);
  const found = report.sessions.filter(({ verdict }) => isAtLeast(verdict, 'likely'));
  const missing = [...input.sessions];
  for (const session of found) {
    const place = missing.findIndex((expected) => isSame(session, expected));
    if (place >= 0) missing.splice(place, 1);
    else faults.push(`session ${session.id}, reported as ${session.verdict}, is none or one too many`);
  }
  for (const { sample, client, server } of missing) {
    faults.push(
      `the session of ${sample}, ${client.ip}:${client.port} to ${server.ip}:${server.port}, was not found`,
    );
  }
  return faults;
}

/** What twins have to agree on, whatever their container. */
export function comparable({ sessions, sightings, servers, diagnostics }: Report): string {
  return JSON.stringify({ sessions, sightings, servers, diagnostics });
}

/** What no option may change. */
export function sessionIds({ sessions }: Report): string {
  return sessions.map(({ id, verdict }) => `${id} ${verdict}`).join('\n');
}

function isSame({ connections }: Session, { client, server }: ExpectedSession): boolean {
  return connections.some(
    (connection) =>
      connection.client.ip === client.ip &&
      connection.client.port === client.port &&
      connection.server.ip === server.ip &&
      connection.server.port === server.port,
  );
}
