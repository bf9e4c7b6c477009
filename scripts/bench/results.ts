/** From measurements to figures: medians, and ratios within the rounds. */
import { type Candidate, PLAIN_LOOP, SEALERT } from './candidates.js';
import type { Input } from './inputs.js';
import type { Measurement } from './measure.js';
import { formatBytes, formatCount } from './sizes.js';
import { median, type Row, table } from './table.js';

/** The measurements of one candidate on one input, by round. */
export interface Series {
  readonly candidate: Candidate;
  readonly rounds: readonly Measurement[];
}

export interface InputResult {
  readonly input: Input;
  readonly series: readonly Series[];
  /** The plain loop on this input, or on the pcap with the same packets. */
  readonly yardstick: Series;
}

const HEADER: Row = [
  'program',
  'seconds',
  'CPU seconds',
  'peak memory',
  'ns per packet',
  `times ${PLAIN_LOOP}`,
  `times ${SEALERT}`,
];

/** One line on what the input is. */
export function describeInput({ name, format, bytes, packets, flows, sessions }: Input): string {
  const parts = [`${formatBytes(bytes)}, ${formatCount(packets)} packets, about ${formatCount(flows)} flows`];
  if (sessions.length > 0) parts.push(`${sessions.length} recorded VPN sessions, all of them found`);
  return `${name}, ${format}: ${parts.join('; ')}`;
}

export function resultTable({ input, series, yardstick }: InputResult): string {
  const own = series.find(({ candidate }) => candidate.name === SEALERT)!;
  const rows = series.map((each): Row => {
    const seconds = medianOf(each, (round) => round.seconds);
    const cpu = medianOf(each, (round) => round.cpuSeconds);
    const peak = medianOf(each, (round) => round.peakBytes);
    return [
      each.candidate.name,
      seconds!.toFixed(2),
      cpu === null ? '' : cpu.toFixed(2),
      peak === null ? '' : `${Math.round(peak / 1e6)} MB`,
      Math.round((seconds! * 1e9) / input.packets).toString(),
      ratio(each, yardstick).toFixed(2),
      ratio(each, own).toFixed(2),
    ];
  });
  return table(HEADER, rows);
}

/** The median over the rounds of a's time divided by b's in the same round. */
function ratio(a: Series, b: Series): number {
  return median(a.rounds.map((round, i) => round.seconds / b.rounds[i]!.seconds));
}

function medianOf({ rounds }: Series, figure: (round: Measurement) => number | null): number | null {
  const values = rounds.map(figure).filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}
