/// The report for a person in a hurry: what was read, one row per session with
/// the reason below it, what was damaged, and what it comes to.

import Table from 'cli-table3';
import { damageSentences, lossSentences, unreadableSentence } from './input-problems.js';
import type { Report, Session, Sighting, Verdict } from './model.js';
import { isAtLeast, VERDICTS } from './model.js';
import { CARRIER_NAMES, endpointName, softwareName, targetName } from './names.js';
import { reasonTexts } from './reasons.js';
import { printable, wrap } from './text.js';
import { formatClock, secondsBetween, type Zone } from './time.js';
import { formatBytes, formatCount, formatDuration, formatPlural } from './units.js';
import { DEFAULT_MIN_VERDICT, shownSessions, type WriteOptions } from './writer.js';

interface Layout {
  /// Cells of a whole line.
  columns: number;
  /// Cells of the text in each column of the box.
  widths: readonly number[];
  zone: Zone;
  color: boolean;
  ascii: boolean;
}

const MIN_COLUMNS = 80;

/// The box repeats its head after so many sessions. A reader keeps the columns
/// in sight, and cli-table3, whose time grows with the square of the rows,
/// stays fast (measured: 4000 sessions in one box take 2.1 s).
const SESSIONS_PER_BOX = 100;

const MAX_SIGHTINGS = 10;

export function* writeTable(report: Report, options: WriteOptions = {}): Generator<string> {
  const layout = layoutOf(options);
  const minVerdict = options.minVerdict ?? DEFAULT_MIN_VERDICT;
  const sessions = shownSessions(report, minVerdict);
  yield paragraph(headText(report, layout.zone), layout);
  for (let from = 0; from < sessions.length; from += SESSIONS_PER_BOX) {
    yield `\n${drawBox(sessions.slice(from, from + SESSIONS_PER_BOX), report, layout)}\n`;
  }
  if (report.sightings.length > 0) yield `\n${sightingsText(report.sightings, layout)}`;
  const problems = problemLines(report);
  if (problems.length > 0) yield '\n';
  for (const problem of problems) yield paragraph(problem, layout);
  yield `\n${paragraph(closingText(report, minVerdict), layout)}`;
}

function layoutOf(options: WriteOptions): Layout {
  const columns = Math.max(options.columns ?? MIN_COLUMNS, MIN_COLUMNS);
  // Six lines and a space on either side of five texts.
  const text = columns - 6 - 5 * 2;
  const isWide = columns >= 100;
  // A date over a time, or beside it; `SoftEther VPN` over `5.x`, or beside it.
  const start = isWide ? 19 : 10;
  const how = isWide ? 17 : 13;
  const verdict = 9;
  const traffic = 11;
  return {
    columns,
    widths: [start, verdict, text - start - verdict - how - traffic, how, traffic],
    zone: options.zone ?? 'local',
    color: options.color ?? false,
    ascii: options.ascii ?? false,
  };
}

function paragraph(text: string, layout: Layout): string {
  return `${wrap(text, layout.columns, 2).join('\n')}\n`;
}

function headText(report: Report, zone: Zone): string {
  const packets = report.inputs.reduce((sum, input) => sum + input.packets, 0);
  const others = report.run.otherFiles;
  const inputs = [formatPlural(report.inputs.length, 'input')];
  if (others > 0)
    inputs.push(`(and ${formatPlural(others, 'other file')} that ${others === 1 ? 'is' : 'are'} no capture)`);
  const parts = [inputs.join(' '), formatPlural(packets, 'packet')];
  const times = report.inputs.flatMap(({ firstPacket, lastPacket }) => [firstPacket, lastPacket]);
  const known = times.filter((time) => time !== null).sort();
  if (known.length > 0) {
    const [first, last] = [known[0]!, known.at(-1)!].map((time) => printable(formatClock(time, zone)));
    parts.push(`${first} to ${last} ${zone === 'local' ? 'local time' : zone}`);
  }
  return parts.join(', ');
}

const ASCII_LINES = {
  ...{ top: '-', 'top-mid': '+', 'top-left': '+', 'top-right': '+' },
  ...{ bottom: '-', 'bottom-mid': '+', 'bottom-left': '+', 'bottom-right': '+' },
  ...{ left: '|', 'left-mid': '+', mid: '-', 'mid-mid': '+', right: '|', 'right-mid': '+', middle: '|' },
};

function drawBox(sessions: readonly Session[], report: Report, layout: Layout): string {
  const table = new Table({
    head: ['Start', 'Verdict\nDuration', 'Client\nServer', 'How\nSoftware', 'Connections\nBytes'],
    colWidths: layout.widths.map((width) => width + 2),
    ...(layout.ascii ? { chars: ASCII_LINES } : {}),
    // Nothing is cut off, because everything is wrapped before. But cli-table3
    // cuts a copy of every cell to ten characters for its debug output, one
    // by one; a mark as long as that leaves it nothing to do (measured: 3000
    // sessions take 0.9 s instead of 6.7 s).
    truncate: '.'.repeat(10),
    // No colours of its own: it would not ask whether they are wanted.
    style: { head: [], border: [] },
  });
  for (const session of sessions) {
    table.push(sessionCells(session, layout));
    const width = layout.columns - 4;
    const lines = reasonTexts(session, report, width).flatMap((text) => wrap(text, width, 2));
    table.push([{ colSpan: layout.widths.length, content: lines.join('\n') }]);
  }
  return table.toString();
}

function sessionCells(session: Session, layout: Layout): string[] {
  const sum = (side: 'bytesFromClient' | 'bytesFromServer') =>
    session.connections.reduce((bytes, connection) => bytes + connection[side], 0);
  const ends = [endpointName(session.client), endpointName(session.server)];
  if (session.target !== undefined) ends.push(`for ${targetName(session.target)}`);
  const cells = [
    [printable(formatClock(session.start, layout.zone))],
    [session.verdict, formatDuration(secondsBetween(session.start, session.end))],
    ends,
    [CARRIER_NAMES[session.carrier], softwareText(session.software)],
    [
      formatCount(session.connections.length),
      `${formatBytes(sum('bytesFromClient'))} up`,
      `${formatBytes(sum('bytesFromServer'))} down`,
    ],
  ].map((texts, column) => texts.flatMap((text) => wrap(text, layout.widths[column]!)).join('\n'));
  if (layout.color) cells[1] = cells[1]!.replace(session.verdict, paint(session.verdict));
  return cells;
}

function softwareText(software: Session['software']): string {
  const { client, server } = software;
  if (client.generation === server.generation) return softwareName(software);
  return `${softwareName(software)} (client ${client.generation ?? 'unknown'}, server ${server.generation ?? 'unknown'})`;
}

/// SGR foreground colours: red, yellow, cyan.
const VERDICT_COLORS: Readonly<Record<Verdict, number>> = { confirmed: 31, likely: 33, suspected: 36 };

function paint(verdict: Verdict): string {
  return `\x1b[${VERDICT_COLORS[verdict]}m${verdict}\x1b[39m`;
}

function sightingsText(sightings: readonly Sighting[], layout: Layout): string {
  const lines = sightings
    .slice(0, MAX_SIGHTINGS)
    .map(({ kind, firstSeen, count, client, server, detail }) => {
      const times = count > 1 ? `, ${formatCount(count)} times` : '';
      const when = printable(formatClock(firstSeen, layout.zone));
      const what = `${endpointName(client)} to ${endpointName(server)}${times}: ${printable(detail)}`;
      return paragraph(`- ${when} ${printable(kind)} ${what}`, layout);
    });
  const rest = sightings.length - MAX_SIGHTINGS;
  if (rest > 0) lines.push(`- and ${formatCount(rest)} more, which --format json lists\n`);
  return `SoftEther, but no VPN session:\n${lines.join('')}`;
}

/// What limits the findings: broken inputs, and packets that were lost, cut or not understood.
function problemLines({ inputs, diagnostics }: Report): string[] {
  const lines = inputs.flatMap((input) => {
    const unreadable = unreadableSentence(input);
    return unreadable === undefined ? damageSentences(input) : [unreadable, ...damageSentences(input)];
  });
  for (const input of inputs) lines.push(...lossSentences(input));
  const { cutPackets, cutBytes, evictedFlows, oneSidedFlows } = diagnostics;
  if (cutPackets > 0) {
    lines.push(
      `${formatPlural(cutPackets, 'packet')} of ${formatCount(diagnostics.packets)} ${cutPackets === 1 ? 'was' : 'were'} recorded cut off (${formatBytes(cutBytes)} missing).`,
    );
  }
  const undecodable = Object.values(diagnostics.undecodable)
    .flatMap((reasons) => Object.values(reasons))
    .reduce((sum, count) => sum + count, 0);
  if (undecodable > 0) lines.push(`${formatPlural(undecodable, 'packet')} could not be decoded.`);
  if (evictedFlows > 0) {
    lines.push(`${formatPlural(evictedFlows, 'flow')} had to be given up early because too many were open.`);
  }
  if (oneSidedFlows > 0) {
    lines.push(`Of ${formatPlural(oneSidedFlows, 'TCP flow')} only one direction was captured.`);
  }
  return lines;
}

function closingText(report: Report, minVerdict: Verdict): string {
  const sentences: string[] = [];
  const counts = [...VERDICTS].reverse().map((verdict) => ({
    verdict,
    count: report.sessions.filter((session) => session.verdict === verdict).length,
  }));
  const shown = counts.filter(({ verdict, count }) => count > 0 && isAtLeast(verdict, minVerdict));
  const hidden = counts.filter(({ verdict, count }) => count > 0 && !isAtLeast(verdict, minVerdict));
  if (shown.length > 0) {
    const sessions = shown.reduce((sum, { count }) => sum + count, 0);
    sentences.push(`${formatPlural(sessions, 'SoftEther VPN session')}: ${shown.map(countText).join(', ')}.`);
  } else if (report.inputs.some(({ error }) => error === undefined)) {
    sentences.push('No SoftEther VPN session found.');
  } else {
    sentences.push('Nothing could be read.');
  }
  if (hidden.length > 0) {
    const weakest = hidden.at(-1)!.verdict;
    sentences.push(`Not shown: ${hidden.map(countText).join(', ')}; --min-verdict ${weakest} shows them.`);
  }
  if (report.inputs.some(({ error, damage }) => error !== undefined || damage.length > 0)) {
    sentences.push('Some input could not be read in full.');
  }
  if (!report.run.complete) sentences.push('The run was interrupted: this covers what had been read.');
  return sentences.join(' ');
}

function countText({ verdict, count }: { verdict: Verdict; count: number }): string {
  return `${formatCount(count)} ${verdict}`;
}
