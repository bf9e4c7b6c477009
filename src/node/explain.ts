/// Reads a capture again to explain one session or flow.

import type { Explanation } from '../detect/explanation.js';
import type { Session } from '../detect/findings.js';
import { parseFlowName } from '../detect/flow-name.js';
import type { FlowName } from '../flow/flow-trace.js';
import type { Report } from '../report/model.js';
import { TracingEngine } from '../tracing-engine.js';
import { newHashSeed } from './hash-seed.js';
import { type ScanOptions, scan } from './scan.js';

/// What is asked about: a session by its id, or a flow by its ends.
export type Subject = { session: string } | { flow: FlowName };

export interface Answer {
  /// What was read, and what was found in it.
  report: Report;
  /// Null if there is no such session or flow.
  explanation: Explanation | null;
  /// Further flows with the same ends, before or after it.
  more: number;
  /// Other flows between the same hosts, where the flow was not found.
  neighbours: string[];
}

/// Reads the path, for a session twice: its flow is only known after the first time.
export async function explain(path: string, subject: Subject, options: ScanOptions): Promise<Answer> {
  if ('flow' in subject) {
    const { report, engine } = await trace(path, subject.flow, options);
    const reported = engine.explanations.find(({ session }) => session !== null);
    const explanation = reported ?? engine.explanations[0] ?? null;
    return {
      report,
      explanation,
      more: Math.max(engine.explanations.length - 1, 0),
      neighbours: [...engine.neighbours],
    };
  }
  const first = await scan([path], options);
  const session = first.sessions.find(({ id }) => id === subject.session);
  const flow = session === undefined ? null : flowOf(session);
  if (flow === null || options.signal?.aborted) {
    return { report: first, explanation: null, more: 0, neighbours: [] };
  }
  const { report, engine } = await trace(path, flow, options);
  const explanation = engine.explanations.find(({ session }) => session?.id === subject.session) ?? null;
  return { report, explanation, more: 0, neighbours: [] };
}

async function trace(path: string, flow: FlowName, options: ScanOptions) {
  const engine = new TracingEngine(flow, newHashSeed());
  const report = await scan([path], { ...options, engine });
  return { report, engine };
}

/// The flow of the session's first connection.
function flowOf({ connections }: Session): FlowName | null {
  const [first] = connections;
  if (first === undefined) return null;
  const ends = [first.client, first.server].map(({ ip, port }) => {
    const address = ip.includes(':') ? `[${ip}]` : ip;
    return port === null ? address : `${address}:${port}`;
  });
  return parseFlowName([first.protocol, ...ends].join(' '));
}
