/// The capture on one device: a child process whose output is read like a
/// file, started again when it ends before it should.

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureFormat } from '../../capture/capture-summary.js';
import type { FrameSink } from '../../capture/frame-batch.js';
import { describeError } from '../errors.js';
import {
  type CaptureSettings,
  type CaptureTool,
  captureArguments,
  permissionAdvice,
} from './capture-tool.js';
import { findDevice, listDevices } from './devices.js';
import { followStream } from './follow-stream.js';

/// A tool that was asked to end, but does not.
const END_TIMEOUT_MS = 5_000;

/// How long after its first bytes a tool surely handles signals.
const SETTLED_MS = 1_000;

/// Of what a tool says on standard error, the last lines are kept.
const MAX_SAID = 20;

export interface DeviceCaptureOptions {
  tool: CaptureTool;
  settings: CaptureSettings;
  /// How long to wait before a further attempt, or null for none.
  retryMs: number | null;
  /// Whether to wait for a device that is not there at first.
  wait: boolean;
  signal: AbortSignal;
  sink: FrameSink;
  /// Resolves when more can be taken.
  ready(): Promise<void> | undefined;
  /// The capture has begun, for the first time or again.
  began(isFirst: boolean): void;
  /// The capture ended before it should; `again` says whether there will be another attempt.
  broke(reason: string, again: boolean): void;
}

export class DeviceCapture {
  /// Packets dropped before they reached us, by all children so far.
  dropped = { kernel: 0, tool: 0 };
  format: CaptureFormat | null = null;
  bytes = 0;
  private begun = false;
  /// Since when the present attempt has brought something; NaN if it has not.
  private sinceMs = Number.NaN;
  private droppedBefore = { kernel: 0, tool: 0 };
  private child: ChildProcess | undefined;

  constructor(
    readonly device: string,
    private readonly options: DeviceCaptureOptions,
  ) {}

  /// Captures until the signal, or until the capture ended and there is no further attempt.
  async run(): Promise<void> {
    const { retryMs, signal, wait, broke } = this.options;
    let lastReason = '';
    for (;;) {
      this.sinceMs = Number.NaN;
      const reason = await this.attempt();
      if (signal.aborted) return;
      const again = retryMs !== null && (this.begun || wait);
      // A device that stays away is told of once.
      if (!Number.isNaN(this.sinceMs) || reason !== lastReason || !again) broke(reason, again);
      lastReason = reason;
      if (!again) return;
      await sleep(retryMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  /// Asks a running tcpdump to say how much was dropped so far; dumpcap only says so at its end.
  askForDrops(): void {
    // A tcpdump that is not ready for the signal would be ended by it.
    const isSettled = performance.now() - this.sinceMs > SETTLED_MS;
    if (this.options.tool.name !== 'tcpdump' || !isSettled) return;
    if (process.platform === 'linux') this.child?.kill('SIGUSR1');
    else if (process.platform !== 'win32') this.child?.kill('SIGINFO');
  }

  /// Returns why it ended.
  private async attempt(): Promise<string> {
    const { tool, settings, signal } = this.options;
    try {
      const devices = await listDevices(tool);
      if (findDevice(devices, this.device) === undefined) return 'there is no such device';
    } catch (error) {
      return describeError(error);
    }
    if (signal.aborted) return '';
    this.droppedBefore = { ...this.dropped };
    const child = spawn(tool.path, captureArguments(tool, this.device, settings), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const ended = new Promise<string>((resolve) => {
      child.on('error', (error) => resolve(`${tool.name} could not be started: ${describeError(error)}`));
      child.on('close', (code, killedBy) => resolve(`${tool.name} ended ${endText(code, killedBy)}`));
    });
    const stop = () => this.stop(child);
    signal.addEventListener('abort', stop);
    const said = this.listen(child);
    const damage = await this.read(child).catch((error) => {
      child.kill('SIGKILL');
      return describeError(error);
    });
    const how = await ended;
    signal.removeEventListener('abort', stop);
    this.child = undefined;
    if (said.some((line) => /permission|not permitted/i.test(line))) {
      // The tools' own advice is long, and of Wireshark rather than of us.
      return `${how}: ${said[0]} ${permissionAdvice(tool)}`;
    }
    const words = said.length === 0 ? '' : `: ${said.join(' ')}`;
    return `${how}${words}${damage === undefined ? '' : `; ${damage}`}`;
  }

  private stop(child: ChildProcess): void {
    // Both tools end in good order at this signal, with their counts; on Windows it ends them at once.
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
    child.on('close', () => clearTimeout(timer));
  }

  /// Reads what the child captures, to its end; returns what was wrong with it.
  private async read(child: ChildProcess): Promise<string | undefined> {
    const { sink, ready, began } = this.options;
    const summary = await followStream(child.stdout!, {
      sink,
      ready,
      bytes: (count) => {
        this.bytes += count;
      },
      began: (format) => {
        this.format = format;
        this.sinceMs = performance.now();
        began(!this.begun);
        this.begun = true;
      },
    });
    this.countDrops(summary.dropped ?? 0, 0);
    return summary.damage[0]?.reason;
  }

  private listen(child: ChildProcess): string[] {
    const said: string[] = [];
    let rest = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split(/[\r\n]+/);
      rest = lines.pop()!;
      for (const line of lines) this.hear(line.trim(), said);
    });
    child.stderr!.on('end', () => this.hear(rest.trim(), said));
    return said;
  }

  private hear(line: string, said: string[]): void {
    const dropped = parseDrops(line);
    if (dropped !== undefined) this.countDrops(dropped.kernel, dropped.tool);
    else if (!isChatter(line)) {
      said.push(line);
      if (said.length > MAX_SAID) said.shift();
    }
  }

  /// The counts are those of the present child, and only grow.
  private countDrops(kernel: number, tool: number): void {
    const { dropped, droppedBefore } = this;
    dropped.kernel = Math.max(dropped.kernel, droppedBefore.kernel + kernel);
    dropped.tool = Math.max(dropped.tool, droppedBefore.tool + tool);
  }
}

function endText(code: number | null, killedBy: NodeJS.Signals | null): string {
  return killedBy === null ? `with exit code ${code}` : `by ${killedBy}`;
}

/// What the tools say about dropped packets:
/// `Packets received/dropped on interface 'eth0': 17/3 (pcap:1/dumpcap:2/flushed:0/ps_ifdrop:0) (85.0%)`,
/// `3 packets dropped by kernel`, and on one line with other counts at a signal.
export function parseDrops(line: string): { kernel: number; tool: number } | undefined {
  const dumpcap = /\(pcap:(\d+)\/dumpcap:(\d+)\/flushed:(\d+)\/ps_ifdrop:(\d+)\)/.exec(line);
  if (dumpcap !== null) {
    const [pcap, own, flushed, device] = dumpcap.slice(1).map(Number);
    return { kernel: pcap! + device!, tool: own! + flushed! };
  }
  const tcpdump = /(\d+) packets? dropped by kernel/.exec(line);
  return tcpdump === null ? undefined : { kernel: Number(tcpdump[1]), tool: 0 };
}

/// What the tools say although all is well.
function isChatter(line: string): boolean {
  return /^$|^Capturing on |^File: |^Packets |^tcpdump: listening on |^\d+ packets? |, \d+ packets? /.test(
    line,
  );
}
