/// What `sealert live` says: the lines of the log besides those of sessions,
/// the status line, and the variables of `--exec`.

import type { SessionChange } from '../live-engine.js';
import type { LiveEvent } from '../node/live/live-run.js';
import type { LiveStatus } from '../node/live/status.js';
import { logLine } from '../report/log.js';
import type { Session, Sighting } from '../report/model.js';
import { endpointName } from '../report/names.js';
import { printable } from '../report/text.js';
import { formatClock, type Zone } from '../report/time.js';
import { formatBytes, formatCount, formatPlural } from '../report/units.js';

/// The line for the log when the capture had a hole, for then sessions may be missing.
export function eventLine(event: LiveEvent, time: Date, zone: Zone = 'local'): string | undefined {
  const text = holeText(event);
  return text === undefined ? undefined : `[${formatClock(time.toISOString(), zone)}] ${printable(text)}`;
}

function holeText(event: LiveEvent): string | undefined {
  switch (event.kind) {
    case 'began':
      return undefined;
    case 'resumed':
      return `Capture Resumed (device ${event.source})`;
    case 'broke':
      return event.had ? `Capture Interrupted (device ${event.source}: ${event.reason})` : undefined;
    case 'dropped':
      return `Packets Dropped (${droppedText(event)}): sessions may be missed`;
  }
}

/// The same for the person at the terminal.
export function eventMessage(event: LiveEvent): string {
  switch (event.kind) {
    case 'began':
      return `Starting Capture Packets at [${event.source}].`;
    case 'resumed':
      return `capturing on ${event.source} again.`;
    case 'broke': {
      const what = event.had ? 'the capture ended early' : 'the capture could not begin';
      const then = event.again ? ' It is tried again.' : '';
      return `${event.source}: ${what}: ${event.reason.replace(/\.$/, '')}.${then}`;
    }
    case 'dropped':
      return `packets were dropped (${droppedText(event)}); sessions may be missed.`;
  }
}

function droppedText({ kernel, tool }: { kernel: number; tool: number }): string {
  return `${formatCount(kernel)} by the system, ${formatCount(tool)} by the capture tool`;
}

/// `12,345 packets, 3.2 Mbit/s, 17 flows, 2 sessions, 0 dropped, 64 MB`
export function statusText({
  packets,
  bitsPerSecond,
  flows,
  sessions,
  dropped,
  memoryBytes,
}: LiveStatus): string {
  return [
    formatPlural(packets, 'packet'),
    `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`,
    formatPlural(flows, 'flow'),
    formatPlural(sessions, 'session'),
    `${formatCount(dropped.kernel + dropped.tool)} dropped`,
    formatBytes(memoryBytes),
  ].join(', ');
}

/// `session 368fa8a16f4c: ended, confirmed, 2 connections, 1.2 MB from the client, 57 MB from the server`
export function changeText({ kind, session }: SessionChange): string {
  const { id, verdict, connections } = session;
  const fromClient = connections.reduce((sum, { bytesFromClient }) => sum + bytesFromClient, 0);
  const fromServer = connections.reduce((sum, { bytesFromServer }) => sum + bytesFromServer, 0);
  return [
    `session ${id}: ${kind}, ${verdict}`,
    formatPlural(connections.length, 'connection'),
    `${formatBytes(fromClient)} from the client`,
    `${formatBytes(fromServer)} from the server`,
  ].join(', ');
}

export function sightingText({ kind, client, server, detail }: Sighting): string {
  return `sighting of ${kind}: client ${endpointName(client)}, server ${endpointName(server)}: ${detail}`;
}

/// What a program learns of a session. Text from the capture is made printable.
export function sessionVariables(session: Session, zone: Zone | undefined): Record<string, string> {
  const { id, verdict, carrier, software, client, server, target, start, startCaptured } = session;
  const facts = {
    ID: id,
    VERDICT: verdict,
    CARRIER: carrier,
    PRODUCT: software.product,
    CLIENT_IP: client.ip,
    CLIENT_PORT: client.port ?? '',
    SERVER_IP: server.ip,
    SERVER_PORT: server.port ?? '',
    TARGET_HOST: target?.host ?? '',
    TARGET_PORT: target?.port ?? '',
    START: start,
    START_CAPTURED: startCaptured,
    LINE: logLine(session, zone),
  };
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [`SEALERT_${name}`, printable(String(value))]),
  );
}
