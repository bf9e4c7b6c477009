/** A fast scan that finds nothing is worth nothing: checks what it found. */
import type { Report, Session } from '#sealert/report/model.js';
import { isAtLeast } from '#sealert/report/model.js';
import type { Input } from './inputs.js';
import type { ExpectedSession } from './recordings.js';

/** What is wrong with the report on an input; empty if nothing is. */
export function faultsOf(report: Report, input: Input): string[] {
  const faults: string[] = [];
  const { packets } = report.diagnostics;
  if (packets !== input.packets) faults.push(`${packets} packets were read, ${input.packets} are there`);
  const found = report.sessions.filter(({ verdict }) => isAtLeast(verdict, 'likely'));
  for (const expected of input.sessions) {
    if (!found.some((session) => isSame(session, expected))) {
      const { sample, client, server } = expected;
      faults.push(
        `the session of ${sample}, ${client.ip}:${client.port} to ${server.ip}:${server.port}, was not found`,
      );
    }
  }
  for (const session of found) {
    if (input.sessions.some((expected) => isSame(session, expected))) continue;
    faults.push(`session ${session.id}, reported as ${session.verdict}, is none`);
  }
  return faults;
}

/** What twins have to agree on, whatever their container. */
export function comparable({ sessions, sightings, servers, diagnostics }: Report): string {
  return JSON.stringify({ sessions, sightings, servers, diagnostics });
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
