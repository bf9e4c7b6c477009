/// `sealert explain`: why a session was reported, or a flow was not.

import { parseFlowName } from '../detect/flow-name.js';
import { type Answer, explain, type Subject } from '../node/explain.js';
import { writeExplanation } from '../report/explanation.js';
import { jsonDocument } from '../report/json.js';
import type { ExplainRequest } from './arguments.js';
import { exitCodeOf, outcomeOf } from './exit-code.js';
import { say, sayInputProblems } from './messages.js';
import { writeStandardOutput } from './outputs.js';
import { listenForSignals } from './signals.js';
import { UsageError } from './usage-error.js';

/// Ids or flows named in a message.
const MAX_NAMED = 20;

/// Runs the command and returns the exit code. Throws UsageError if there is no such session or flow.
export async function runExplain(request: ExplainRequest, command: string): Promise<number> {
  const { path, zone, quiet } = request;
  if (path === '-' && process.stdin.isTTY) {
    throw new UsageError('Standard input is this terminal; pipe a capture into it.');
  }
  const subject = subjectOf(request);
  const signals = listenForSignals(() => {
    if (!quiet) say('interrupted.');
  });
  const answer = await explain(path, subject, { command, signal: signals.abort });
  const { report, explanation } = answer;
  sayInputProblems(report.inputs, quiet);
  const outcome = {
    signal: signals.received(),
    outputFailed: false,
    pipeClosed: false,
    verdictReached: false,
    ...outcomeOf(report.inputs),
  };
  if (explanation === null) {
    if (outcome.signal !== undefined || outcome.nothingRead) return exitCodeOf(outcome);
    throw new UsageError(notFoundText(request, answer));
  }
  if (answer.more > 0 && !quiet) {
    say(
      `the capture holds ${answer.more} more with the same ends; this is ${explanation.session === null ? 'the first' : 'one that was reported'}.`,
    );
  }
  try {
    const isTerminal = process.stdout.isTTY === true;
    const text =
      request.format === 'json'
        ? [jsonDocument(explanation)]
        : writeExplanation(explanation, report.inputs[explanation.input]?.path ?? path, {
            ...(zone === undefined ? {} : { zone }),
            ...(isTerminal ? { columns: process.stdout.columns } : {}),
          });
    await writeStandardOutput(text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') outcome.pipeClosed = true;
    else outcome.outputFailed = true;
  }
  return exitCodeOf(outcome);
}

function subjectOf({ session, flow, path }: ExplainRequest): Subject {
  if (session !== undefined) {
    if (path === '-') {
      throw new UsageError(
        'A session is explained by reading the capture twice; standard input (-) can be read only once.',
      );
    }
    return { session };
  }
  const name = parseFlowName(flow!);
  if (name === null) {
    throw new UsageError(
      `"${flow}" names no flow; --flow takes two ends, such as 'tcp 10.1.0.10:36320 203.0.113.10:443' or '[2001:db8::1]:36320 [2001:db8::2]:443'.`,
    );
  }
  return { flow: name };
}

function notFoundText({ session, flow, path }: ExplainRequest, { report, neighbours }: Answer): string {
  if (session === undefined) {
    const near = neighbours.slice(0, MAX_NAMED).join('; ');
    return `There is no flow "${flow}" in ${path}${near === '' ? '' : `; between the same hosts there are: ${near}`}.`;
  }
  const ids = report.sessions.map(({ id, verdict }) => `${id} (${verdict})`);
  if (ids.length === 0) return `There is no session "${session}" in ${path}: none was found there.`;
  const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
  return `There is no session "${session}" in ${path}; found were: ${ids.slice(0, MAX_NAMED).join(', ')}${more}.`;
}
