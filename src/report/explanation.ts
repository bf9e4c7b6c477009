/// An explanation as text for a terminal. Its numbers have no commas, as in the
/// texts of the evidence and in Wireshark, where they are looked up.

import type { ClauseAccount, Explanation, StripRow } from './model.js';
import { CARRIER_NAMES, encapsulationName, endpointName, softwareName, targetName } from './names.js';
import { printable, wrap } from './text.js';
import { formatClock, secondsBetween, type Zone } from './time.js';
import { formatBytes, formatDuration, formatPlural } from './units.js';

export interface ExplanationLayout {
  /// Cells of a line, at least 80.
  columns?: number;
  zone?: Zone;
}

const MIN_COLUMNS = 80;
const MAX_FRAMES = 12;

/// Cells of a row's bytes; the rows of the server stand so far to the right.
const BYTES_CELLS = 10;

/// `path` is the capture that it was found in.
export function* writeExplanation(
  explanation: Explanation,
  path: string,
  layout: ExplanationLayout = {},
): Generator<string> {
  const columns = Math.max(layout.columns ?? MIN_COLUMNS, MIN_COLUMNS);
  const zone = layout.zone ?? 'local';
  const paragraph = (text: string, indent = 2) => `${wrap(text, columns, indent).join('\n')}\n`;
  const item = (text: string, depth = 2) =>
    `${wrap(`${' '.repeat(depth)}${text}`.replace(/^ +/, ''), columns - depth, 2)
      .map((line) => ' '.repeat(depth) + line)
      .join('\n')}\n`;

  for (const line of headLines(explanation, path, zone)) yield paragraph(line);
  yield paragraph(printable(explanation.summary));

  const { strip } = explanation;
  yield `\nStrip (${strip.unit}; > client, < server; bytes of ${strip.unit === 'TLS records' ? 'plaintext; what each would be)' : 'payload)'}\n`;
  yield '   frame       at       gap\n';
  for (const row of strip.rows) yield `${stripLine(row)}\n`;
  if (strip.rows.length === 0) yield '  nothing\n';
  if (strip.omitted > 0) yield `  ... and ${strip.omitted} more ${strip.unit}\n`;

  if (explanation.clauses.length > 0) {
    yield '\nClauses (+ held, - not held)\n';
    for (const clause of explanation.clauses) {
      yield item(`${clause.held ? '+' : '-'} ${printable(clause.clause)}${framesText(clause)}`);
      if (clause.expected !== '') yield item(`expected: ${printable(clause.expected)}`, 4);
      yield item(`seen: ${printable(clause.seen)}`, 4);
      for (const { name, expected, seen, held, frame } of clause.steps) {
        const where = frame === null ? '' : `, frame ${frame}`;
        yield item(printable(`${held ? '+' : '-'} ${name}: ${seen} (expected ${expected}${where})`), 6);
      }
    }
  }

  yield '\nWhat speaks against it\n';
  const { against, caveats } = explanation;
  for (const { feature, detail } of against) yield item(printable(`${feature}: ${detail}`));
  for (const caveat of caveats) yield item(printable(`caveat: ${caveat}`));
  if (against.length + caveats.length === 0) yield '  nothing that the engine looks for\n';

  yield '\nNearest benign application (a guess by rough rules, no part of the verdict)\n';
  yield item(printable(explanation.nearest));
  yield '\nWhat would raise the verdict\n';
  yield item(printable(explanation.raise));

  yield '\nWireshark display filters\n';
  // Not wrapped, so that they can be copied.
  yield `  ${printable(explanation.filters.flow)}\n`;
  if (explanation.filters.frames !== null) yield `  ${printable(explanation.filters.frames)}\n`;
}

function headLines(explanation: Explanation, path: string, zone: Zone): string[] {
  const { session, client, server, encapsulation, protocol, start, end } = explanation;
  const times = (from: string, to: string) =>
    `${printable(formatClock(from, zone))} to ${printable(formatClock(to, zone))} (${formatDuration(secondsBetween(from, to))})`;
  const lines: string[] = [];
  if (session === null) lines.push('No session was reported of this flow.');
  else {
    const target = session.target === undefined ? '' : ` for ${targetName(session.target)}`;
    lines.push(
      `Session ${printable(session.id)}: ${session.verdict}, ${softwareName(session.software)}, ${CARRIER_NAMES[session.carrier]}`,
      `${endpointName(session.client)} to ${endpointName(session.server)}${target}, ${formatPlural(session.connections.length, 'connection')}, ${times(session.start, session.end)}`,
    );
  }
  lines.push(
    `Flow ${protocol} ${endpointName(client)} to ${endpointName(server)}, ${times(start, end)}, ${explanation.packets} ${explanation.packets === 1 ? 'packet' : 'packets'}, ${formatBytes(explanation.bytesFromClient)} up, ${formatBytes(explanation.bytesFromServer)} down`,
    ...(encapsulation === undefined ? [] : [`Inside ${encapsulation.map(encapsulationName).join(', ')}`]),
    `Capture ${printable(path)}`,
  );
  return lines;
}

function stripLine({ frame, atSeconds, gapSeconds, fromClient, bytes, records, role }: StripRow): string {
  const gap = gapSeconds >= 0.0005 ? `+${gapSeconds.toFixed(3)}` : '';
  const amount = `${fromClient ? '>' : '<'} ${bytes}`;
  const drawn = fromClient
    ? amount.padEnd(2 * BYTES_CELLS)
    : `${' '.repeat(BYTES_CELLS)}${amount.padEnd(BYTES_CELLS)}`;
  const count = records > 1 ? `${role === '' ? '' : ' '}x ${records}` : '';
  const line = `${String(frame).padStart(8)} ${atSeconds.toFixed(3).padStart(8)} ${gap.padStart(9)}  ${drawn}${printable(role)}${count}`;
  return line.trimEnd();
}

function framesText({ frames }: ClauseAccount): string {
  if (frames.length === 0) return '';
  const shown = frames.slice(0, MAX_FRAMES).join(', ');
  return ` (${frames.length === 1 ? 'frame' : 'frames'} ${shown}${frames.length > MAX_FRAMES ? ', ...' : ''})`;
}
