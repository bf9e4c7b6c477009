/// The main job of `sealert live`, without a terminal: devices or a stream to
/// the engine, and word of what it finds and of how the capture goes.

import type { Readable } from 'node:stream';
import type { CaptureFormat } from '../../capture/capture-summary.js';
import { type FrameBatch, LINKTYPE_NO_PACKET } from '../../capture/frame-batch.js';
import { FrameMerger } from '../../capture/frame-merge.js';
import type { Session, Sighting } from '../../detect/findings.js';
import { rfc3339 } from '../../detect/rfc3339.js';
import { byStart } from '../../detect/sessions.js';
import { type LiveCounts, LiveEngine, type SessionChange } from '../../live-engine.js';
import type { Damage, Input, Report } from '../../report/model.js';
import { damageOf, lossesOf } from '../describe-input.js';
import { describeError } from '../errors.js';
import { GarbageWatch } from '../garbage.js';
import { newHashSeed } from '../hash-seed.js';
import { newReport } from '../new-report.js';
import type { CaptureSettings, CaptureTool } from './capture-tool.js';
import { DeviceCapture } from './device-capture.js';
import { followStream } from './follow-stream.js';
import type { PacketFile } from './packet-file.js';
import type { PacketRing } from './packet-ring.js';
import type { LiveStatus } from './status.js';

/// What the packets come from: devices by name, or a capture in a stream.
export type LiveSource =
  | {
      kind: 'devices';
      tool: CaptureTool;
      names: readonly string[];
      settings: CaptureSettings;
      /// How long to wait before a further attempt on a device, or null for none.
      retryMs: number | null;
      /// Whether to wait for devices that are not there at first.
      wait: boolean;
    }
  | { kind: 'stream'; name: string; stream: Readable };

/// How the capture goes.
export type LiveEvent =
  | { kind: 'began' | 'resumed'; source: string }
  /// It ended before it should, or could not begin; `again` says whether that is tried again.
  | { kind: 'broke'; source: string; reason: string; had: boolean; again: boolean }
  /// Packets lost since the last word of it.
  | { kind: 'dropped'; kernel: number; tool: number };

export interface LiveRunOptions {
  command: string;
  source: LiveSource;
  /// Ends the run.
  signal: AbortSignal;
  /// Gets every packet.
  file?: PacketFile;
  ring?: PacketRing;
  changed(change: SessionChange): void;
  sighted(sighting: Sighting): void;
  event(event: LiveEvent): void;
}

const EVALUATE_EVERY_MS = 50;
/// With many sessions a look takes long: it is repeated after so many times its
/// own duration, but no later than the engine asks for.
const LOOK_SHARE = 5;
const LOOK_AT_LEAST_EVERY_MS = 200;
const MEASURE_SPEED_EVERY_MS = 1_000;
const CHECK_DROPS_EVERY_MS = 5_000;

/// How long frames wait for older ones of another device. The tools hand on
/// what they captured within 0.25 s (dumpcap) and 1 s (tcpdump).
const HOLD_US = 1_200_000;

/// Interruptions that the report names one by one.
const MAX_DAMAGE = 100;

/// From half of it on garbage counts. The unit for systemd allows twice as much.
const MEMORY_BYTES = 1_073_741_824;

/// Sessions that the report at the end names, the latest ones; some 4 KB each.
const MAX_REPORTED = 10_000;

export class LiveRun {
  private readonly engine: LiveEngine;
  private readonly merger: FrameMerger | undefined;
  private captures: DeviceCapture[] = [];
  private readonly capturing = new Set<string>();
  private readonly damage: Damage[] = [];
  private readonly garbage = new GarbageWatch(MEMORY_BYTES);
  private format: CaptureFormat | null = null;
  private bytesRead = 0;
  private frames = 0;
  private firstUs = Number.NaN;
  private lastUs = Number.NaN;
  private lastArrivedMs = 0;
  private nextLookMs = 0;
  private streamDropped = 0;
  private toldDropped = { kernel: 0, tool: 0 };
  private interruptions = 0;
  /// The engine forgets its own when it ends.
  private finalCounts: LiveCounts | undefined;
  private readonly running = new Set<string>();
  private sessionCount = 0;
  /// The final records, for the report at the end.
  private readonly ended: Session[] = [];
  private speed = { bitsPerSecond: 0, bytes: 0, timeMs: performance.now() };

  constructor(private readonly options: LiveRunOptions) {
    this.engine = new LiveEngine({
      changed: (change) => this.changed(change),
      sighted: options.sighted,
      hashSeed: newHashSeed(),
    });
    const { source } = options;
    if (source.kind === 'devices' && source.names.length > 1) {
      this.merger = new FrameMerger((batch, sourceOf) => this.take(batch, sourceOf));
    }
  }

  /// Captures until the signal, or until nothing more can come, and returns the report.
  async run(): Promise<Report> {
    const { source, command } = this.options;
    const report = newReport(command);
    this.engine.begin(0);
    const timers = [
      setInterval(() => this.evaluate(), EVALUATE_EVERY_MS),
      setInterval(() => this.measureSpeed(), MEASURE_SPEED_EVERY_MS),
      setInterval(() => this.checkDrops(), CHECK_DROPS_EVERY_MS),
    ];
    let failure: string | undefined;
    if (source.kind === 'devices') {
      this.captures = source.names.map((name) => this.captureOn(name, source));
      await Promise.all(this.captures.map((capture) => capture.run()));
    } else failure = await this.follow(source);
    for (const timer of timers) clearInterval(timer);
    this.merger?.release(Number.POSITIVE_INFINITY);
    this.tellDrops();
    this.finalCounts = this.engine.counts();
    const findings = this.engine.end();
    const { sightings, servers, diagnostics } = findings;
    return {
      ...report,
      // A live capture is complete whenever it ends.
      run: { ...report.run, finishedAt: new Date().toISOString(), complete: true },
      inputs: [{ ...this.describe(failure), ...lossesOf(findings) }],
      sessions: this.ended.sort(byStart),
      sightings,
      servers,
      diagnostics,
    };
  }

  /// How it goes now.
  status(): LiveStatus {
    const { packets, bytes, flows } = this.finalCounts ?? this.engine.counts();
    return {
      time: new Date().toISOString(),
      packets,
      bytes,
      bitsPerSecond: this.speed.bitsPerSecond,
      flows: flows.tcp + flows.udp + flows.icmp,
      dropped: this.dropped(),
      sessions: this.sessionCount,
      capturing: [...this.capturing],
      interruptions: this.interruptions,
      memoryBytes: process.memoryUsage.rss(),
    };
  }

  /// Packets lost on each device.
  droppedByDevice(): Map<string, number> {
    return new Map(this.captures.map(({ device, dropped }) => [device, dropped.kernel + dropped.tool]));
  }

  /// The time of the latest packet, in microseconds since 1970.
  get latestUs(): number {
    return this.lastUs;
  }

  private captureOn(name: string, source: Extract<LiveSource, { kind: 'devices' }>): DeviceCapture {
    const { signal, event } = this.options;
    const { tool, settings, retryMs, wait } = source;
    let merged: ReturnType<FrameMerger['add']> | undefined;
    const capture = new DeviceCapture(name, {
      tool,
      settings,
      retryMs,
      wait,
      signal,
      sink: (batch) => (merged === undefined ? this.take(batch, () => name) : merged.push(batch)),
      ready: () => this.ready(),
      began: (isFirst) => {
        this.format = capture.format;
        this.capturing.add(name);
        merged = this.merger?.add(name);
        event({ kind: isFirst ? 'began' : 'resumed', source: name });
      },
      broke: (reason, again) => {
        merged?.end();
        const had = this.capturing.delete(name);
        if (had) this.noteInterruption(name, reason);
        event({ kind: 'broke', source: name, reason, had, again });
      },
    });
    return capture;
  }

  private noteInterruption(name: string, reason: string): void {
    if (++this.interruptions > MAX_DAMAGE) return;
    this.noteDamage(this.readBytes(), `the capture on ${name} ended: ${reason}`);
  }

  private noteDamage(offset: number, reason: string): void {
    const { frames: afterFrame, lastUs: fromUs } = this;
    this.damage.push(damageOf({ offset, reason, bytesLost: 0, afterFrame, fromUs, toUs: Number.NaN }));
  }

  /// Returns why the stream was no capture.
  private async follow({
    name,
    stream,
  }: Extract<LiveSource, { kind: 'stream' }>): Promise<string | undefined> {
    const { signal } = this.options;
    signal.addEventListener('abort', () => stream.destroy());
    if (signal.aborted) stream.destroy();
    try {
      const summary = await followStream(stream, {
        sink: (batch) => this.take(batch, () => name),
        ready: () => this.ready(),
        bytes: (count) => {
          this.bytesRead += count;
        },
        began: (format) => {
          this.format = format;
          this.capturing.add(name);
          this.options.event({ kind: 'began', source: name });
        },
      });
      this.damage.push(...summary.damage.map(damageOf));
      this.streamDropped = summary.dropped ?? 0;
      return summary.notACapture ?? undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      const reason = `reading failed: ${describeError(error)}`;
      this.noteDamage(this.bytesRead, reason);
      return this.format === null ? reason : undefined;
    }
  }

  private take(batch: FrameBatch, sourceOf: (i: number) => string): void {
    const { file, ring } = this.options;
    for (let i = 0; i < batch.count; i++) {
      if (batch.linkType[i] === LINKTYPE_NO_PACKET) continue;
      // One count for all devices: the packet's number in the file of -w.
      batch.frame[i] = ++this.frames;
      this.lastUs = batch.timeUs[i]!;
    }
    if (Number.isNaN(this.firstUs)) this.firstUs = batch.timeUs[0]!;
    this.lastArrivedMs = performance.now();
    this.garbage.read(batch.count);
    file?.add(batch, sourceOf);
    ring?.add(batch, sourceOf);
    this.engine.push(batch);
  }

  private ready(): Promise<void> | undefined {
    return this.options.file?.ready() ?? this.options.ring?.ready();
  }

  private evaluate(): void {
    const nowMs = performance.now();
    const nowUs = this.lastUs + (nowMs - this.lastArrivedMs) * 1000;
    if (this.merger !== undefined) this.merger.release(Date.now() * 1000 - HOLD_US);
    // Before the first packet there is no time at all.
    if (Number.isNaN(nowUs) || nowMs < this.nextLookMs) return;
    this.engine.evaluate(nowUs);
    const tookMs = performance.now() - nowMs;
    this.nextLookMs = nowMs + Math.min(LOOK_SHARE * tookMs, LOOK_AT_LEAST_EVERY_MS);
  }

  private measureSpeed(): void {
    const { bytes } = this.engine.counts();
    const timeMs = performance.now();
    const bitsPerSecond = ((bytes - this.speed.bytes) * 8000) / (timeMs - this.speed.timeMs);
    this.speed = { bitsPerSecond: Math.round(bitsPerSecond), bytes, timeMs };
  }

  private changed(change: SessionChange): void {
    const { session, kind } = change;
    if (!this.running.has(session.id)) {
      this.running.add(session.id);
      this.sessionCount++;
    }
    if (kind === 'ended') {
      this.running.delete(session.id);
      this.ended.push(session);
      // The log has them all; the report at the end has the latest.
      if (this.ended.length > MAX_REPORTED) this.ended.shift();
    }
    this.options.changed(change);
  }

  private checkDrops(): void {
    for (const capture of this.captures) capture.askForDrops();
    this.tellDrops();
  }

  private tellDrops(): void {
    const { kernel, tool } = this.dropped();
    const since = { kernel: kernel - this.toldDropped.kernel, tool: tool - this.toldDropped.tool };
    if (since.kernel === 0 && since.tool === 0) return;
    this.toldDropped = { kernel, tool };
    this.options.event({ kind: 'dropped', ...since });
  }

  private dropped(): { kernel: number; tool: number } {
    const sum = { kernel: this.streamDropped, tool: 0 };
    for (const { dropped } of this.captures) {
      sum.kernel += dropped.kernel;
      sum.tool += dropped.tool;
    }
    return sum;
  }

  private readBytes(): number {
    return this.captures.reduce((sum, { bytes }) => sum + bytes, this.bytesRead);
  }

  private describe(failure: string | undefined): Input {
    const { source } = this.options;
    const { kernel, tool } = this.dropped();
    const hasPackets = this.frames > 0;
    const never = this.format === null ? (failure ?? 'the capture never began') : undefined;
    return {
      path: source.kind === 'devices' ? source.names.join(', ') : source.name,
      format: this.format,
      compression: null,
      bytes: this.readBytes(),
      packets: this.frames,
      firstPacket: hasPackets ? rfc3339(this.firstUs) : null,
      lastPacket: hasPackets ? rfc3339(this.lastUs) : null,
      ...(this.format === null ? {} : { droppedByCapture: kernel + tool }),
      ...(never === undefined ? {} : { error: never }),
      damage: this.damage,
    };
  }
}
