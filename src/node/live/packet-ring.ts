/// The last minutes of packets, so that a finding can be handed on with what
/// came before it: segments in a folder, the oldest of which give way, and a
/// thread that copies the packets of a session out of them.

import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FrameBatch } from '../../capture/frame-batch.js';
import type { Session } from '../../detect/findings.js';
import { describeWriteError } from '../errors.js';
import type { EvidenceJob } from './evidence-worker.js';
import { PacketFile } from './packet-file.js';

export interface RingOptions {
  folder: string;
  /// What the segments together may take.
  maxBytes: number;
  /// How far they reach back.
  maxMs: number;
  application: string;
  tell(text: string): void;
}

/// The ring gives way in steps of a segment: so many make up the whole.
const SEGMENTS = 8;

/// How long to wait before a further segment after one that could not be written.
const RETRY_MS = 5_000;

const SEGMENT_NAME = /^ring-\d+-\d+\.pcapng$/;

/// Sessions that wait for their evidence; each is copied once more at its end.
const MAX_WAITING = 1_000;

interface Segment {
  file: PacketFile;
  startedMs: number;
}

export class PacketRing {
  private segments: Segment[] = [];
  private count = 0;
  private readonly waiting = new Map<string, Session>();
  private work: Promise<void> | undefined;
  private readonly leaving = new Set<Promise<void>>();
  failed = false;

  private constructor(private readonly options: RingOptions) {}

  /// Makes the folder and removes what an earlier run left of its ring; evidence stays.
  static async open(options: RingOptions): Promise<PacketRing> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(options.folder)) {
      if (SEGMENT_NAME.test(name)) await rm(join(options.folder, name), { force: true });
    }
    return new PacketRing(options);
  }

  add(batch: FrameBatch, sourceOf: (i: number) => string): void {
    const now = Date.now();
    const { maxBytes, maxMs } = this.options;
    const last = this.segments.at(-1);
    const hasFailed = last?.file.error !== undefined;
    // Not at every batch: the disk stays full for a while.
    if (hasFailed && now - last!.startedMs < RETRY_MS) return;
    const isFull =
      last !== undefined &&
      (last.file.bytes >= maxBytes / SEGMENTS || now - last.startedMs >= maxMs / SEGMENTS);
    if (last === undefined || isFull || hasFailed) this.startSegment(now);
    this.segments.at(-1)!.file.add(batch, sourceOf);
  }

  ready(): Promise<void> | undefined {
    return this.segments.at(-1)?.file.ready();
  }

  /// The file that the evidence of a session is copied to.
  evidencePath({ id }: Session): string {
    return join(this.options.folder, `${id}.pcapng`);
  }

  /// Copies the packets between the ends of the session, as far as the ring holds them.
  copy(session: Session): void {
    if (this.waiting.size >= MAX_WAITING && !this.waiting.has(session.id)) {
      this.fail(`too many sessions wait; ${session.id} gets no evidence file.`);
      return;
    }
    this.waiting.set(session.id, session);
    this.work ??= this.copyAll();
  }

  /// Waits for the copies and removes the segments.
  async end(): Promise<void> {
    await this.work;
    await Promise.all(this.segments.map((segment) => this.remove(segment)));
    await Promise.all(this.leaving);
  }

  private startSegment(now: number): void {
    const { folder, application, maxBytes, maxMs } = this.options;
    let bytes = 0;
    const keptFrom = this.segments.findLastIndex((segment) => {
      bytes += segment.file.bytes;
      return bytes > maxBytes - maxBytes / SEGMENTS || now - segment.startedMs > maxMs + maxMs / SEGMENTS;
    });
    for (const segment of this.segments.splice(0, keptFrom + 1)) {
      const leaving = this.remove(segment).finally(() => this.leaving.delete(leaving));
      this.leaving.add(leaving);
    }
    void this.segments.at(-1)?.file.end();
    const path = join(folder, `ring-${process.pid}-${String(++this.count).padStart(6, '0')}.pcapng`);
    const file = new PacketFile(path, application, (error) => {
      if (!this.failed) this.fail(`${describeWriteError(error)}; packets are missing from it.`);
    });
    this.segments.push({ file, startedMs: now });
  }

  private async remove({ file }: Segment): Promise<void> {
    try {
      await file.end();
      await rm(file.path, { force: true });
    } catch (error) {
      this.fail(`${file.path} cannot be removed: ${describeWriteError(error)}.`);
    }
  }

  private async copyAll(): Promise<void> {
    for (const [id, session] of this.waiting) {
      this.waiting.delete(id);
      await this.segments.at(-1)?.file.flushed();
      await this.copyOne(session).catch((error) => this.fail(`evidence of ${id}: ${error.message}`));
    }
    this.work = undefined;
  }

  private async copyOne(session: Session): Promise<void> {
    const path = this.evidencePath(session);
    const job: EvidenceJob = {
      segments: this.segments.map(({ file }) => file.path),
      path,
      application: this.options.application,
      comment: `sealert session ${session.id} (${session.verdict}): packets between its ends`,
      ends: session.connections.map(({ client, server }) => [client.ip, server.ip]),
      // What was saved before may have left the ring since.
      before: await stat(path).then(
        () => true,
        () => false,
      ),
    };
    const worker = new Worker(new URL('./evidence-worker.js', import.meta.url), { workerData: job });
    await new Promise<void>((resolve, reject) => {
      worker.on('message', () => resolve()).on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the copying thread ended with ${code}`)));
    });
  }

  private fail(text: string): void {
    this.failed = true;
    this.options.tell(`the packet ring: ${text}`);
  }
}
