/// Where `sealert live` writes what it finds while it runs: standard output,
/// the log, NDJSON, syslog, a program of the user's, the packet ring.

import type { SessionChange } from '../live-engine.js';
import { Delivery, type Destination } from '../node/live/delivery.js';
import { LineFile } from '../node/live/line-file.js';
import type { LiveEvent } from '../node/live/live-run.js';
import type { PacketRing } from '../node/live/packet-ring.js';
import { ProgramRunner } from '../node/live/program-runner.js';
import { syslogDestination } from '../node/live/syslog.js';
import { jsonLine } from '../report/json.js';
import { logLine } from '../report/log.js';
import { isAtLeast, type Sighting } from '../report/model.js';
import { DEFAULT_MIN_VERDICT } from '../report/writer.js';
import type { LiveRequest } from './live-arguments.js';
import { changeText, eventLine, sessionVariables, sightingText } from './live-texts.js';
import { writeStandardOutput } from './outputs.js';

export interface OutletOptions {
  request: LiveRequest;
  /// The certificates of `--syslog-ca`.
  ca: string | undefined;
  ring: PacketRing | undefined;
  tell(text: string): void;
  /// Standard output has no reader any more.
  pipeClosed(): void;
  /// A line is about to be written to standard output.
  beforeLine(): void;
}

export class LiveOutlets {
  /// Those that get the lines of the log.
  private readonly lines: Delivery[] = [];
  private readonly terminal: Delivery | undefined;
  private readonly json: Delivery | undefined;
  private readonly program: ProgramRunner | undefined;
  /// Sessions that the log has a line of, until they end.
  private readonly logged = new Set<string>();

  constructor(private readonly options: OutletOptions) {
    const { request, ca, tell } = options;
    const deliver = (destination: Destination) => {
      const delivery = new Delivery(destination, tell);
      delivery.begin();
      return delivery;
    };
    if (request.log !== undefined) this.lines.push(deliver(new LineFile(request.log)));
    for (const target of request.syslog) this.lines.push(deliver(syslogDestination(target, ca)));
    // A report on standard output should not have other lines in it.
    const isFree = request.outputs.every(({ file }) => file !== null);
    if (isFree) this.terminal = deliver(standardOutput(options));
    if (request.ndjson !== undefined) this.json = deliver(new LineFile(request.ndjson));
    if (request.exec !== undefined) this.program = new ProgramRunner(request.exec, tell);
  }

  session({ kind, session }: SessionChange): void {
    const { request, ring } = this.options;
    const { id, verdict } = session;
    if (!isAtLeast(verdict, request.minVerdict ?? DEFAULT_MIN_VERDICT)) return;
    if (request.verbose) this.options.tell(changeText({ kind, session }));
    if (kind !== 'update' || request.verbose) {
      this.json?.add(jsonLine('session', { change: kind, ...session }));
    }
    if (kind === 'update') return;
    if (!this.logged.has(id)) {
      this.logged.add(id);
      const line = `${logLine(session, request.zone)}\n`;
      this.terminal?.add(line);
      for (const outlet of this.lines) outlet.add(line);
    }
    ring?.copy(session);
    if (kind === 'ended') this.logged.delete(id);
    else this.program?.run(this.variables(session));
  }

  sighting(sighting: Sighting): void {
    if (this.options.request.verbose) this.options.tell(sightingText(sighting));
    this.json?.add(jsonLine('sighting', sighting));
  }

  event(event: LiveEvent): void {
    const time = new Date();
    this.json?.add(jsonLine('capture', { time: time.toISOString(), event: event.kind, ...facts(event) }));
    const line = eventLine(event, time, this.options.request.zone);
    if (line !== undefined) for (const outlet of this.lines) outlet.add(`${line}\n`);
  }

  /// Waits until all is delivered or cannot be. Returns whether all was.
  async end(): Promise<boolean> {
    const deliveries = [...this.lines, this.terminal, this.json].filter((delivery) => delivery !== undefined);
    let complete = (await this.program?.end()) ?? true;
    const left = new Set<string>();
    for (const { undelivered, lost } of await Promise.all(deliveries.map((delivery) => delivery.end()))) {
      if (undelivered.length + lost > 0) complete = false;
      for (const line of undelivered) left.add(line);
    }
    // The last way out, so that what was found is not lost with the process.
    for (const line of left) this.options.tell(`not written: ${line.trimEnd()}`);
    return complete;
  }

  private variables(session: SessionChange['session']): Record<string, string> {
    const { request, ring } = this.options;
    return {
      ...sessionVariables(session, request.zone),
      ...(ring === undefined ? {} : { SEALERT_EVIDENCE: ring.evidencePath(session) }),
    };
  }
}

function facts({ kind: _, ...rest }: LiveEvent): object {
  return rest;
}

function standardOutput({ pipeClosed, beforeLine }: OutletOptions): Destination {
  return {
    name: 'standard output',
    async deliver(line) {
      beforeLine();
      try {
        await writeStandardOutput([line]);
      } catch (error) {
        // A terminal that was closed gives EIO; its SIGHUP ends the run.
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EPIPE' && code !== 'EIO') throw error;
        if (code === 'EPIPE') pipeClosed();
      }
    },
    async close() {},
  };
}
