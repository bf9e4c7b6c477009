/// How the capture goes, for whoever looks: a line on the terminal, JSON lines.

import { Delivery } from '../node/live/delivery.js';
import { LineFile } from '../node/live/line-file.js';
import type { LiveStatus } from '../node/live/status.js';
import { jsonLine } from '../report/json.js';
import type { LiveRequest } from './live-arguments.js';
import { statusText } from './live-texts.js';
import { say } from './messages.js';

const LINE_EVERY_MS = 1_000;
const CLEAR_LINE = '\r\x1b[K';

export class StatusDisplay {
  private readonly timers: NodeJS.Timeout[] = [];
  private file: Delivery | undefined;
  private isShown = false;

  constructor(
    { status: wanted, quiet }: Pick<LiveRequest, 'status' | 'quiet'>,
    private readonly status: () => LiveStatus,
  ) {
    if (wanted !== undefined) {
      if (wanted.file !== undefined) this.file = new Delivery(new LineFile(wanted.file), say);
      this.timers.push(setInterval(() => this.writeJson(), wanted.intervalMs));
    } else if (process.stderr.isTTY && process.env.TERM !== 'dumb' && !quiet) {
      this.timers.push(setInterval(() => this.show(), LINE_EVERY_MS));
    }
  }

  /// Makes room for another line on the terminal.
  clear(): void {
    if (this.isShown) process.stderr.write(CLEAR_LINE);
    this.isShown = false;
  }

  /// Returns whether all was written.
  async end(): Promise<boolean> {
    for (const timer of this.timers) clearInterval(timer);
    this.clear();
    if (this.file === undefined) return true;
    this.writeJson();
    const { undelivered, lost } = await this.file.end();
    return undelivered.length + lost === 0;
  }

  private show(): void {
    process.stderr.write(`${CLEAR_LINE}${statusText(this.status())}`);
    this.isShown = true;
  }

  private writeJson(): void {
    const line = jsonLine('status', this.status());
    if (this.file !== undefined) this.file.add(line);
    else process.stderr.write(line);
  }
}
