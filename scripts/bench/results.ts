/** From measurements to figures: medians, and ratios within the rounds. */
import { type Candidate, SEALERT } from './candidates.js';
import type { Input } from './inputs.js';
import type { Measurement } from './measure.js';
import { formatBytes, formatCount } from './sizes.js';
import { median, type Row, table } from './table.js';

/** The measurements of one candidate on one input, by round. */
export interface Series {
  readonly candidate: Candidate;
  readonly rounds: Measurement[];
  /** Why there are no more rounds. */
  failure: string | null;
}

export interface InputResult {
  readonly input: Input;
  readonly series: readonly Series[];
  /** The plain loop on this input, or on the pcap with the same packets. */
  readonly yardstick: Series | undefined;
}

const LONGEST_MESSAGE = 100;

/** One line on what the input is. */
export function describeInput({ name, format, files, bytes, packets, flows, sessions }: Input): string {
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  const kind = format === 'folder' ? `${formatCount(files.length)} captures` : format;
  const parts = [`${formatBytes(bytes)}, ${formatCount(packets)} packets, about ${formatCount(flows)} flows`];
  if (sessions.length > 0) parts.push(`${sessions.length} recorded VPN sessions, all of them found`);
  return `${title}, ${kind}: ${parts.join('; ')}`;
}

export function resultTable({ input, series, yardstick }: InputResult): string {
  const own = series.find(({ candidate }) => candidate.name === SEALERT)!;
  const isFolder = input.format === 'folder';
  const references = yardstick === undefined ? [own] : [yardstick, own];
  const header: Row = [
    'program',
    'rounds',
    'seconds',
    'CPU seconds',
    'peak memory',
    isFolder ? 'ms per file' : 'ns per packet',
    ...references.map(({ candidate }) => `times ${candidate.name}`),
  ];
  const rows = series.map((each): Row => {
    const { candidate, rounds, failure } = each;
    if (failure !== null) return [`${candidate.name}: ${inCell(failure)}`, ...header.slice(1).map(() => '')];
    const seconds = medianOf(rounds, (round) => round.seconds)!;
    return [
      candidate.name,
      String(rounds.length),
      ...figures(rounds),
      isFolder
        ? ((seconds * 1e3) / input.files.length).toFixed(3)
        : ((seconds * 1e9) / input.packets).toFixed(0),
      ...references.map((reference) => ratio(rounds, reference.rounds).toFixed(2)),
    ];
  });
  return table(header, rows);
}

/** The cells of seconds, CPU seconds and peak memory. */
export function figures(rounds: readonly Measurement[]): string[] {
  const cpu = medianOf(rounds, (round) => round.cpuSeconds);
  const peak = medianOf(rounds, (round) => round.peakBytes);
  return [
    medianOf(rounds, (round) => round.seconds)!.toFixed(2),
    cpu === null ? '' : cpu.toFixed(2),
    peak === null ? '' : `${Math.round(peak / 1e6)} MB`,
  ];
}

/** The median over the rounds of a's time divided by b's in the same round; b has as many rounds or more. */
export function ratio(a: readonly Measurement[], b: readonly Measurement[]): number {
  return median(a.map((round, i) => round.seconds / b[i]!.seconds));
}

function medianOf(
  rounds: readonly Measurement[],
  figure: (round: Measurement) => number | null,
): number | null {
  const values = rounds.map(figure).filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}

/** A message that may have lines and bars, short enough for a table. */
function inCell(message: string): string {
  return message
    .replace(/[\s|]+/g, ' ')
    .slice(0, LONGEST_MESSAGE)
    .trim();
}
