/// A file that gets a line now and then, from us and perhaps from others, and
/// that may be moved away or deleted at any time (logrotate).

import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Destination } from './delivery.js';

const LINE_FEED = 0x0a;

export class LineFile implements Destination {
  private file: FileHandle | undefined;
  /// The file ends with a part of a line of ours, because the disk was full.
  private torn = false;

  constructor(readonly name: string) {}

  async open(): Promise<void> {
    await this.current();
  }

  /// Every line is a single write at the end of the file, so lines of several
  /// writers do not mix.
  async deliver(line: string): Promise<void> {
    const file = await this.current();
    const bytes = Buffer.from(this.torn ? `\n${line}` : line);
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten > 0) this.torn = bytes[bytesWritten - 1] !== LINE_FEED;
    if (bytesWritten < bytes.length) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }

  /// The file that has the name now.
  private async current(): Promise<FileHandle> {
    if (this.file !== undefined && !(await this.isStillNamed(this.file))) await this.close();
    if (this.file === undefined) {
      this.file = await open(this.name, 'a');
      this.torn = false;
    }
    return this.file;
  }

  private async isStillNamed(file: FileHandle): Promise<boolean> {
    const [mine, named] = await Promise.all([
      file.stat({ bigint: true }),
      stat(this.name, { bigint: true }).catch(() => undefined),
    ]);
    return named !== undefined && named.dev === mine.dev && named.ino === mine.ino;
  }
}
