/// The output formats: one generator of text per format, loaded when it is needed.

import type { Report, Session, Verdict } from './model.js';
import { isAtLeast } from './model.js';
import type { Zone } from './time.js';

export const FORMATS = ['table', 'log', 'csv', 'csv-connections', 'json', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

export interface WriteOptions {
  /// Sessions below this verdict are left out; `json` always has all. Default `likely`.
  minVerdict?: Verdict;
  /// The zone of the times; without it, local for `log` and `table`, UTC for
  /// CSV. The JSON formats are always in UTC.
  zone?: Zone;
  /// Cells of a terminal line, for `table`; at least 80 are used. Default 80.
  columns?: number;
  /// Whether `table` may use colours. Default no.
  color?: boolean;
  /// Whether `table` draws its lines with ASCII characters. Default no.
  ascii?: boolean;
}

/// The text of a report in one format, in pieces of any size.
export type Writer = (report: Report, options?: WriteOptions) => Iterable<string>;

/// The writer of a format; each brings in its own library only when asked for.
export async function loadWriter(format: Format): Promise<Writer> {
  switch (format) {
    case 'table':
      return (await import('./table.js')).writeTable;
    case 'log':
      return (await import('./log.js')).writeLog;
    case 'csv':
      return (await import('./csv.js')).writeCsv;
    case 'csv-connections':
      return (await import('./csv.js')).writeConnectionsCsv;
    case 'json':
      return (await import('./json.js')).writeJson;
    case 'ndjson':
      return (await import('./json.js')).writeNdjson;
  }
}

/// The verdict from which sessions are shown unless the user says otherwise.
export const DEFAULT_MIN_VERDICT: Verdict = 'likely';

/// The sessions that are sure enough to be shown.
export function shownSessions(report: Report, minVerdict: Verdict = DEFAULT_MIN_VERDICT): Session[] {
  return report.sessions.filter((session) => isAtLeast(session.verdict, minVerdict));
}
