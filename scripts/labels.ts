/// Labelled captures: what was recorded, as the recording side knows it.
/// The format is the one that scripts/lab writes.

import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeError } from '#sealert/node/errors.js';

export interface LabelledEnd {
  ip: string;
  port: number | null;
}

export interface LabelledConnection {
  protocol: string;
  role: string;
  client: LabelledEnd;
  server: LabelledEnd;
}

export interface Label {
  capture: string;
  scenario: string;
  /// `session`, or what it is instead: `attempt`, `management`, `clone`, `self`, `benign`.
  label: string;
  sessions: { carrier: string; connections: LabelledConnection[] }[];
  others: LabelledConnection[];
}

/// A capture and its label.
export interface LabelledCapture {
  path: string;
  label: Label;
}

/// Finds every labelled capture below `folder`: JSON files that name a capture beside them.
export async function findLabelled(folder: string): Promise<LabelledCapture[]> {
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new Error(`${folder} cannot be read: ${describeError(error)}`);
  });
  const found: LabelledCapture[] = [];
  for (const name of names.filter((name) => name.endsWith('.json')).sort()) {
    const labelPath = join(folder, name);
    const label = JSON.parse(await readFile(labelPath, 'utf8')) as Partial<Label>;
    if (typeof label.capture !== 'string' || !Array.isArray(label.sessions)) continue;
    found.push({ path: join(dirname(labelPath), label.capture), label: label as Label });
  }
  return found;
}
