/// The thread that copies the packets of one session out of the ring.

import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { FrameBatch } from '../../capture/frame-batch.js';
import { CaptureReader } from '../../capture/reader.js';
import { addressText } from '../../detect/identity.js';
import { decodeFrame } from '../../wire/decode.js';
import { Packet } from '../../wire/packet.js';
import { PcapngWriter } from '../pcapng-writer.js';

export interface EvidenceJob {
  /// The files of the ring, from the oldest on; the last one still grows.
  segments: string[];
  /// Where the packets go.
  path: string;
  /// Whether an earlier copy is there, which is kept and continued.
  before: boolean;
  application: string;
  comment: string;
  /// The addresses between which the session runs.
  ends: [string, string][];
}

class EvidenceCopy {
  private readonly writer: PcapngWriter;
  private readonly packet = new Packet();
  private readonly pairs: ReadonlySet<string>;
  private lastUs = Number.NEGATIVE_INFINITY;

  constructor(private readonly job: EvidenceJob) {
    this.writer = new PcapngWriter(job);
    this.pairs = new Set(job.ends.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
  }

  async run(): Promise<void> {
    const { path, before, segments } = this.job;
    const draft = `${path}.tmp`;
    const out = createWriteStream(draft);
    const copy = async (file: string, sinceUs: number) => {
      const reader = new CaptureReader((batch) => this.take(batch, sinceUs));
      for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
        reader.push(chunk);
        if (this.writer.length > 0 && !out.write(this.writer.take())) {
          await once(out, 'drain');
        }
      }
    };
    if (before) await copy(path, Number.NEGATIVE_INFINITY);
    const sinceUs = this.lastUs;
    for (const segment of segments) {
      await copy(segment, sinceUs).catch((error: NodeJS.ErrnoException) => {
        // The ring may have given the segment up while the others were read.
        if (error.code !== 'ENOENT') throw error;
      });
    }
    out.end(this.writer.take());
    await finished(out);
    await rename(draft, path);
  }

  private take(batch: FrameBatch, sinceUs: number): void {
    for (let i = 0; i < batch.count; i++) {
      const timeUs = batch.timeUs[i]!;
      if (timeUs <= sinceUs || !this.isWanted(batch, i)) continue;
      this.writer.add(batch, i, 'sealert');
      this.lastUs = Math.max(this.lastUs, timeUs);
    }
  }

  private isWanted(batch: FrameBatch, i: number): boolean {
    const { packet } = this;
    packet.version = 0;
    const { view, bytes } = batch;
    decodeFrame(
      view,
      batch.offset[i]!,
      batch.capturedLen[i]!,
      batch.originalLen[i]!,
      batch.linkType[i]!,
      packet,
    );
    // Whatever stopped the decoding, the addresses are known once the version is.
    if (packet.version === 0) return false;
    const length = packet.version === 4 ? 4 : 16;
    const at = packet.addressesAt;
    const [source, destination] = [at, at + length].map((from) =>
      addressText(bytes.subarray(from, from + length)),
    );
    return this.pairs.has(`${source} ${destination}`);
  }
}

// What it throws, the thread dies of, and that says it.
void new EvidenceCopy(workerData as EvidenceJob).run().then(() => parentPort?.postMessage('done'));
