/// `-w`: everything that was captured, as one pcapng file.

import { createWriteStream, type WriteStream } from 'node:fs';
import type { FrameBatch } from '../../capture/frame-batch.js';
import { PcapngWriter } from '../pcapng-writer.js';

/// Bytes that may wait for the disk before the capture waits.
const MAX_WAITING_BYTES = 16_777_216;

export class PacketFile {
  private readonly writer: PcapngWriter;
  private readonly stream: WriteStream;
  private ended: Promise<void> | undefined;
  /// What went wrong; from then on nothing more is written.
  error: Error | undefined;

  /// `failed` is told of the error when it happens.
  constructor(
    readonly path: string,
    application: string,
    failed: (error: Error) => void = () => {},
  ) {
    this.writer = new PcapngWriter({ application });
    this.stream = createWriteStream(path, { highWaterMark: MAX_WAITING_BYTES });
    this.stream.on('error', (error) => {
      this.error = error;
      failed(error);
    });
  }

  get bytes(): number {
    return this.stream.bytesWritten + this.stream.writableLength;
  }

  add(batch: FrameBatch, sourceOf: (i: number) => string): void {
    if (this.error !== undefined) return;
    for (let i = 0; i < batch.count; i++) this.writer.add(batch, i, sourceOf(i));
    this.stream.write(this.writer.take());
  }

  /// Resolves when the disk has caught up; undefined if it has.
  ready(): Promise<void> | undefined {
    const { stream } = this;
    if (!stream.writableNeedDrain || this.error !== undefined) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        stream.off('drain', done).off('close', done);
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
  }

  /// Resolves when all that was added is in the file, as far as it can be read by others.
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.error !== undefined || this.stream.closed) resolve();
      else this.stream.write('', () => resolve());
    });
  }

  /// `dropped` are the packets lost on each device.
  end(dropped: ReadonlyMap<string, number> = new Map(), timeUs = 0): Promise<void> {
    this.ended ??= this.close(dropped, timeUs);
    return this.ended;
  }

  private async close(dropped: ReadonlyMap<string, number>, timeUs: number): Promise<void> {
    if (this.error !== undefined) return;
    for (const [name, count] of dropped) this.writer.addDropped(name, count, timeUs);
    await new Promise<void>((resolve) => {
      this.stream.on('close', resolve);
      this.stream.end(this.writer.take());
    });
  }
}
