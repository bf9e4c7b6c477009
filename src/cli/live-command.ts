/// `sealert live`: watches until it is told to end, then reports.

import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { describeError, describeWriteError } from '../node/errors.js';
import { type LiveEvent, LiveRun, type LiveSource } from '../node/live/live-run.js';
import { serveMetrics } from '../node/live/metrics.js';
import { PacketFile } from '../node/live/packet-file.js';
import { PacketRing } from '../node/live/packet-ring.js';
import { VERSION } from '../node/version.js';
import { damageSentences, unreadableSentence } from '../report/input-problems.js';
import { isAtLeast, type Report } from '../report/model.js';
import { askForDevice, findDevices, resolveDevices } from './devices-command.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import type { LiveRequest } from './live-arguments.js';
import { LiveOutlets } from './live-outlets.js';
import { StatusDisplay } from './live-status.js';
import { eventMessage, statusText } from './live-texts.js';
import { say } from './messages.js';
import { writableOutputs, writeOutputs } from './report-outputs.js';
import { listenFor } from './signals.js';
import { UsageError } from './usage-error.js';

const APPLICATION = `sealert ${VERSION}`;

/// Runs until a signal and returns the exit code. Throws UsageError for devices that do not exist.
export async function runLive(request: LiveRequest, command: string): Promise<number> {
  const source = await sourceOf(request);
  if (source === undefined) return EXIT.nothingRead;
  const outputs = writableOutputs(request.outputs);
  const means = await meansOf(request);
  if (means === undefined) return EXIT.outputFailed;
  const { ca, ring } = means;

  // The terminal that closes (SIGHUP) and the reader that goes away end the run as a signal does.
  const signals = listenFor(['SIGINT', 'SIGTERM', 'SIGHUP'], () => display.clear());
  const closed = new AbortController();
  let pipeClosed = false;
  const tell = (text: string) => {
    display.clear();
    say(text);
  };
  const file = packetFileOf(request, tell);
  const outlets = new LiveOutlets({
    request,
    ca,
    ring,
    tell,
    pipeClosed: () => {
      pipeClosed = true;
      closed.abort();
    },
    beforeLine: () => display.clear(),
  });
  const run = new LiveRun({
    command,
    source,
    signal: AbortSignal.any([signals.abort, closed.signal]),
    ...(file === undefined ? {} : { file }),
    ...(ring === undefined ? {} : { ring }),
    changed: (change) => outlets.session(change),
    sighted: (sighting) => outlets.sighting(sighting),
    event: (event) => {
      outlets.event(event);
      display.clear();
      sayEvent(event, request);
    },
  });
  const display = new StatusDisplay(request, () => run.status());
  const server = await metricsServer(request, run);

  const report = await run.run();

  server?.close();
  const allWritten = await endWriting({ outlets, ring, file, display, run });
  sayEnd(report, run, request);
  const written = await writeOutputs(report, outputs, request);
  return exitCodeOf({
    signal: undefined,
    outputFailed: !allWritten || server === null || written.failed || outputs.length < request.outputs.length,
    pipeClosed: pipeClosed || written.pipeClosed,
    nothingRead: report.inputs.every(({ error }) => error !== undefined),
    verdictReached: report.sessions.some(
      ({ verdict }) => request.failOn !== undefined && isAtLeast(verdict, request.failOn),
    ),
    partial: report.inputs.some(({ damage }) => damage.length > 0),
  });
}

/// Undefined, with a message, if there is nothing to capture with or on.
async function sourceOf(request: LiveRequest): Promise<LiveSource | undefined> {
  if (request.devices[0] === '-') {
    if (process.stdin.isTTY) throw new UsageError('Standard input is this terminal; pipe a capture into it.');
    return { kind: 'stream', name: '-', stream: process.stdin };
  }
  const isAsked = request.devices.length === 0;
  if (isAsked && !(process.stdin.isTTY && process.stderr.isTTY)) {
    throw new UsageError(
      'live needs a DEVICE: a number or name that sealert devices lists, or - for standard input.',
    );
  }
  const found = await findDevices(request.captureTool);
  if (found === undefined) return undefined;
  const { tool, devices } = found;
  let names: string[];
  if (isAsked) {
    const answer = await askForDevice(devices);
    if (answer === undefined) throw new UsageError('No device was chosen.');
    names = [answer.name];
  } else names = resolveDevices(devices, request.devices, request.wait);
  const { settings, retryMs, wait } = request;
  return { kind: 'devices', tool, names, settings, retryMs, wait };
}

/// What has to be there before the capture begins; undefined, with a message, if it cannot be had.
async function meansOf(
  request: LiveRequest,
): Promise<{ ca: string | undefined; ring: PacketRing | undefined } | undefined> {
  const { syslogCa, ring } = request;
  let ca: string | undefined;
  try {
    if (syslogCa !== undefined) ca = await readFile(syslogCa, 'utf8');
  } catch (error) {
    say(`${syslogCa} cannot be read: ${describeError(error)}.`);
    return undefined;
  }
  if (ring === undefined) return { ca, ring };
  try {
    return { ca, ring: await PacketRing.open({ ...ring, application: APPLICATION, tell: say }) };
  } catch (error) {
    say(`${ring.folder} cannot be used: ${describeWriteError(error)}.`);
    return undefined;
  }
}

/// What is written to while the run lasts.
interface Writing {
  outlets: LiveOutlets;
  ring: PacketRing | undefined;
  file: PacketFile | undefined;
  display: StatusDisplay;
  run: LiveRun;
}

/// Returns whether everything was written.
async function endWriting({ outlets, ring, file, display, run }: Writing): Promise<boolean> {
  const delivered = await outlets.end();
  await ring?.end();
  await file?.end(run.droppedByDevice(), run.latestUs);
  const told = await display.end();
  return delivered && told && ring?.failed !== true && file?.error === undefined;
}

function packetFileOf({ write }: LiveRequest, tell: (text: string) => void): PacketFile | undefined {
  if (write === undefined) return undefined;
  return new PacketFile(write, APPLICATION, (error) =>
    tell(
      `${write} cannot be written: ${describeWriteError(error)}. No more packets are kept in it; the capture goes on.`,
    ),
  );
}

/// Null, with a message, if the port cannot be had: watching is more important.
async function metricsServer({ metricsPort }: LiveRequest, run: LiveRun): Promise<Server | null | undefined> {
  if (metricsPort === undefined) return undefined;
  try {
    return await serveMetrics(metricsPort, () => run.status());
  } catch (error) {
    say(`the metrics cannot be served on port ${metricsPort}: ${describeError(error)}.`);
    return null;
  }
}

function sayEvent(event: LiveEvent, { quiet }: LiveRequest): void {
  // The line of 2004, as it was.
  if (event.kind === 'began') {
    if (!quiet) process.stderr.write(`${eventMessage(event)}\n`);
  } else if (!quiet || event.kind === 'broke') say(eventMessage(event));
}

function sayEnd(report: Report, run: LiveRun, { quiet }: LiveRequest): void {
  for (const input of report.inputs) {
    const unreadable = unreadableSentence(input);
    if (unreadable !== undefined) say(unreadable);
    else if (!quiet && input.path === '-') for (const sentence of damageSentences(input)) say(sentence);
  }
  const hasBegun = report.inputs.some(({ error }) => error === undefined);
  if (hasBegun && !quiet) say(`the capture ended: ${statusText(run.status())}.`);
}
