/// The report as JSON: `json` is the whole report, as report-v1.schema.json
/// describes it; `ndjson` is the same as lines, for tools that read a stream.

import type { Report } from './model.js';
import { UNSAFE_CHARACTERS } from './text.js';
import { shownSessions, type WriteOptions } from './writer.js';

// JSON allows every character above U+001F as it is, but a terminal obeys or
// hides some; written as \u escapes they mean the same to every reader.
function toJson(value: unknown, space: number): string {
  return JSON.stringify(value, null, space).replace(UNSAFE_CHARACTERS, (text) =>
    // The line feeds of the layout; those inside strings are \n already.
    text === '\n' ? text : escapeCodeUnits(text),
  );
}

function escapeCodeUnits(text: string): string {
  let escaped = '';
  for (let i = 0; i < text.length; i++) escaped += `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}

/// Any value as one JSON document, indented by two spaces, that no terminal obeys.
export function jsonDocument(value: unknown): string {
  return `${toJson(value, 2)}\n`;
}

/// The report as one JSON document, indented by two spaces, all verdicts.
/// It is given out element by element: a report of a large archive as one
/// string could exceed what the runtime allows for one.
export function* writeJson(report: Report): Generator<string> {
  let before = '{\n';
  for (const [key, value] of Object.entries(report)) {
    yield `${before}  ${JSON.stringify(key)}: `;
    if (Array.isArray(value)) yield* writeElements(value);
    else yield indent(toJson(value, 2), 2);
    before = ',\n';
  }
  yield '\n}\n';
}

function* writeElements(elements: readonly unknown[]): Generator<string> {
  let before = '[\n    ';
  for (const element of elements) {
    yield before + indent(toJson(element, 2), 4);
    before = ',\n    ';
  }
  yield elements.length === 0 ? '[]' : '\n  ]';
}

function indent(json: string, spaces: number): string {
  return json.replaceAll('\n', `\n${' '.repeat(spaces)}`);
}

/// The report as one JSON object per line. The first has `type` `run` with
/// `schemaVersion`, `tool` and `run` of the report; then one line for every
/// `input` (their order is what `frames[].input` counts, from 0), `session`,
/// `sighting` and `server`, each with the fields it has in the report, and
/// last `diagnostics`. Sessions below the least verdict are left out.
export function* writeNdjson(report: Report, options: WriteOptions = {}): Generator<string> {
  const { schemaVersion, tool, run } = report;
  yield jsonLine('run', { schemaVersion, tool, run });
  for (const input of report.inputs) yield jsonLine('input', input);
  for (const session of shownSessions(report, options.minVerdict)) yield jsonLine('session', session);
  for (const sighting of report.sightings) yield jsonLine('sighting', sighting);
  for (const server of report.servers) yield jsonLine('server', server);
  yield jsonLine('diagnostics', report.diagnostics);
}

/// One line of NDJSON, with its line end.
export function jsonLine(type: string, value: object): string {
  return `${toJson({ type, ...value }, 0)}\n`;
}
