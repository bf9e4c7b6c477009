/** A profile of V8 (`.cpuprofile`) in figures: where a run spends its time. */

/** What of the file is used; times are microseconds. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  /** The node that ran at each sample, and the time since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  /** Empty for what is not JavaScript. */
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

/** Name and share of the time, the largest first. */
export type Shares = readonly (readonly [name: string, share: number])[];

export interface ProfileSummary {
  readonly functions: Shares;
  /** By folder of `src/`; beside them packages, Node.js, and the work of V8 in brackets. */
  readonly folders: Shares;
}

/** Self time, in shares of all but idle time. */
export function summarise({ nodes, samples, timeDeltas }: CpuProfile): ProfileSummary {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map<string, number>();
  const folders = new Map<string, number>();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    const frame = frames.get(id)!;
    if (frame.functionName === '(idle)') continue;
    const time = timeDeltas[i]!;
    add(functions, nameOf(frame), time);
    add(folders, folderOf(frame), time);
    total += time;
  }
  return { functions: shares(functions, total), folders: shares(folders, total) };
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = /(?:dist|node_modules)\/(.+)$/.exec(url)?.[1] ?? url;
  return file === '' ? functionName : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}

function folderOf({ functionName, url }: CallFrame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'C++ of Node.js';
  if (url.startsWith('node:')) return 'JavaScript of Node.js';
  return url.includes('/node_modules/') ? 'packages' : (/\/dist\/([^/]+)/.exec(url)?.[1] ?? url);
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}

function shares(times: ReadonlyMap<string, number>, total: number): Shares {
  return [...times].map(([name, time]) => [name, time / total] as const).sort(([, a], [, b]) => b - a);
}
