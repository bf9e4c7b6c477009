/** Our own scan, as a process of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '#sealert/report/model.js';
import { type Measurement, measure } from './measure.js';

/** Where a run of the benchmark works. */
export interface Place {
  /** The project's folder. */
  readonly root: string;
  /** For reports and whatever programs write; removed at the end. */
  readonly work: string;
}

export function programFile({ root }: Place): string {
  return join(root, 'dist', 'bin', 'sealert.js');
}

export function scanCommand(place: Place, paths: readonly string[], options: readonly string[] = []) {
  const own = ['scan', '--format', 'json', '-o', reportFile(place)];
  return [process.execPath, programFile(place), ...own, ...options, ...paths];
}

/** The report of the scan that ran last. */
export function readReport(place: Place): Report {
  return JSON.parse(readFileSync(reportFile(place), 'utf8'));
}

export async function scan(
  place: Place,
  paths: readonly string[],
  options: readonly string[] = [],
): Promise<{ measurement: Measurement; report: Report }> {
  const measurement = await measure(scanCommand(place, paths, options));
  return { measurement, report: readReport(place) };
}

function reportFile({ work }: Place): string {
  return join(work, 'report.json');
}
