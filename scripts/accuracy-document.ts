/// The measured part of docs/accuracy.md: tables between two markers, written
/// by `npm run accuracy -- FOLDER... --write`.

import { readFile, writeFile } from 'node:fs/promises';
import { recallByCarrier, type Score, type Share } from './score.js';
import { wilson } from './wilson.js';

const DOCUMENT = 'docs/accuracy.md';
const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/// What the tables rest on.
export interface Measurement {
  /// How the sets are called in the document, by folder name.
  sets: readonly string[];
  scores: readonly Score[];
  minVerdict: string;
  masked: boolean;
}

/// Puts the tables in place of the last ones.
export async function writeDocument(measurement: Measurement): Promise<void> {
  const text = await readFile(DOCUMENT, 'utf8');
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has lost the markers ${BEGIN} and ${END}`);
  const tables = [recallTable(measurement), otherTable(measurement)].join('\n');
  await writeFile(DOCUMENT, `${text.slice(0, from + BEGIN.length)}\n\n${tables}\n${text.slice(to)}`);
}

function recallTable({ sets, scores, minVerdict, masked }: Measurement): string {
  const lines = [
    `Sessions found at \`${minVerdict}\` or better${masked ? ', installation masked' : ''}, over ${sets.join(' and ')}; in brackets the 95 % interval (Wilson):`,
    '',
    '| carrier | captures | sessions found | connections found | false connections |',
    '| --- | --- | --- | --- | --- |',
  ];
  for (const { carrier, captures, sessions, connections, falseConnections } of recallByCarrier(scores)) {
    lines.push(
      `| ${carrier} | ${captures.whole} | ${share(sessions)} | ${share(connections)} | ${falseConnections} |`,
    );
  }
  lines.push('');
  return lines.join('\n');
}

function otherTable({ scores }: Measurement): string {
  const others = scores.filter((score) => score.label !== 'session');
  const lines = [
    'Captures without a session, and how many of them gave one at all:',
    '',
    '| label | captures | `suspected` only | `likely` or better | upper bound of the last, 95 % |',
    '| --- | --- | --- | --- | --- |',
  ];
  for (const label of [...new Set(others.map((score) => score.label))].sort()) {
    const of = others.filter((score) => score.label === label);
    const sure = of.filter(({ verdicts }) => verdicts.some((verdict) => verdict !== 'suspected')).length;
    const suspected = of.filter(({ verdicts }) => verdicts.length > 0).length - sure;
    lines.push(
      `| ${label} | ${of.length} | ${suspected} | ${sure} | ${percent(wilson(sure, of.length).high)} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function share({ part, whole }: Share): string {
  const { low, high } = wilson(part, whole);
  return `${part} of ${whole} (${percent(low)} to ${percent(high)})`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
