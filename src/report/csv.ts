/// CSV for spreadsheets and databases: RFC 4180 with CRLF and a header. The
/// order of the columns is fixed; new ones are added at the end. Text that a
/// spreadsheet would take for a formula is preceded by an apostrophe, and
/// characters that a terminal would obey are escaped as in the table, so that
/// one row is one line; `json` has the exact text.

import { stringify } from 'csv-stringify/sync';
import type { Connection, Evidence, Report, Session } from './model.js';
import { encapsulationName } from './names.js';
import { printable } from './text.js';
import { formatRfc3339, secondsBetween, type Zone } from './time.js';
import { shownSessions, type WriteOptions } from './writer.js';

type Value = string | number | boolean | null | undefined;

interface Column<Row> {
  name: string;
  of: (row: Row) => Value;
}

interface SessionRow {
  session: Session;
  report: Report;
  zone: Zone;
}

interface ConnectionRow {
  session: Session;
  connection: Connection;
  zone: Zone;
}

/// The columns of `csv`, one row per session. `captures` names the inputs that
/// hold the evidence; lists are joined by `; `.
const SESSION_COLUMNS: readonly Column<SessionRow>[] = [
  { name: 'id', of: ({ session }) => session.id },
  { name: 'verdict', of: ({ session }) => session.verdict },
  { name: 'carrier', of: ({ session }) => session.carrier },
  { name: 'product', of: ({ session }) => session.software.product },
  { name: 'clientGeneration', of: ({ session }) => session.software.client.generation },
  { name: 'serverGeneration', of: ({ session }) => session.software.server.generation },
  { name: 'clientIp', of: ({ session }) => session.client.ip },
  { name: 'clientPort', of: ({ session }) => session.client.port },
  { name: 'serverIp', of: ({ session }) => session.server.ip },
  { name: 'serverPort', of: ({ session }) => session.server.port },
  { name: 'targetHost', of: ({ session }) => session.target?.host },
  { name: 'targetPort', of: ({ session }) => session.target?.port },
  { name: 'start', of: ({ session, zone }) => formatRfc3339(session.start, zone) },
  { name: 'end', of: ({ session, zone }) => formatRfc3339(session.end, zone) },
  { name: 'durationSeconds', of: ({ session }) => secondsBetween(session.start, session.end).toFixed(6) },
  { name: 'startCaptured', of: ({ session }) => session.startCaptured },
  { name: 'connections', of: ({ session }) => session.connections.length },
  { name: 'bytesFromClient', of: ({ session }) => total(session, 'bytesFromClient') },
  { name: 'bytesFromServer', of: ({ session }) => total(session, 'bytesFromServer') },
  { name: 'packets', of: ({ session }) => total(session, 'packets') },
  { name: 'evidence', of: ({ session }) => session.evidence.map(evidenceText).join('; ') },
  { name: 'against', of: ({ session }) => session.against.map(featureText).join('; ') },
  { name: 'caveats', of: ({ session }) => session.caveats.join('; ') },
  { name: 'captures', of: ({ session, report }) => capturesOf(session, report).join('; ') },
  { name: 'encapsulation', of: ({ session }) => session.encapsulation?.map(encapsulationName).join('; ') },
];

/// The columns of `csv-connections`, one row per connection.
const CONNECTION_COLUMNS: readonly Column<ConnectionRow>[] = [
  { name: 'session', of: ({ session }) => session.id },
  { name: 'verdict', of: ({ session }) => session.verdict },
  { name: 'protocol', of: ({ connection }) => connection.protocol },
  { name: 'role', of: ({ connection }) => connection.role },
  { name: 'clientIp', of: ({ connection }) => connection.client.ip },
  { name: 'clientPort', of: ({ connection }) => connection.client.port },
  { name: 'serverIp', of: ({ connection }) => connection.server.ip },
  { name: 'serverPort', of: ({ connection }) => connection.server.port },
  { name: 'start', of: ({ connection, zone }) => formatRfc3339(connection.start, zone) },
  { name: 'end', of: ({ connection, zone }) => formatRfc3339(connection.end, zone) },
  { name: 'bytesFromClient', of: ({ connection }) => connection.bytesFromClient },
  { name: 'bytesFromServer', of: ({ connection }) => connection.bytesFromServer },
  { name: 'packets', of: ({ connection }) => connection.packets },
  { name: 'communityId', of: ({ connection }) => connection.communityId },
];

function total(session: Session, field: 'bytesFromClient' | 'bytesFromServer' | 'packets'): number {
  return session.connections.reduce((sum, connection) => sum + connection[field], 0);
}

function featureText({ feature, detail }: { feature: string; detail: string }): string {
  return `${feature}: ${detail}`;
}

function evidenceText(evidence: Evidence): string {
  return `${evidence.strength} ${featureText(evidence)}`;
}

function capturesOf(session: Session, report: Report): string[] {
  const inputs = new Set(session.evidence.flatMap(({ frames }) => frames.map(({ input }) => input)));
  return [...inputs].sort((a, b) => a - b).map((input) => report.inputs[input]?.path ?? `input ${input}`);
}

/// One row per session, the header first.
export function* writeCsv(report: Report, options: WriteOptions = {}): Generator<string> {
  const zone = options.zone ?? 'UTC';
  yield header(SESSION_COLUMNS);
  for (const session of shownSessions(report, options.minVerdict)) {
    yield line(SESSION_COLUMNS, { session, report, zone });
  }
}

/// One row per connection of every session, the header first.
export function* writeConnectionsCsv(report: Report, options: WriteOptions = {}): Generator<string> {
  const zone = options.zone ?? 'UTC';
  yield header(CONNECTION_COLUMNS);
  for (const session of shownSessions(report, options.minVerdict)) {
    for (const connection of session.connections) {
      yield line(CONNECTION_COLUMNS, { session, connection, zone });
    }
  }
}

function header<Row>(columns: readonly Column<Row>[]): string {
  return toCsv(columns.map(({ name }) => name));
}

function line<Row>(columns: readonly Column<Row>[], row: Row): string {
  return toCsv(columns.map(({ of }) => fieldOf(of(row))));
}

// Booleans as words: csv-stringify would write 1 and nothing.
function fieldOf(value: Value): string | number {
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'boolean') return String(value);
  return value ?? '';
}

function toCsv(fields: readonly (string | number)[]): string {
  return stringify([fields as (string | number)[]], { record_delimiter: 'windows', escape_formulas: true });
}
