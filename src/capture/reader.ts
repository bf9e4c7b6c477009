/// Bytes in, frames out: tells the format by its magic, keeps unfinished
/// records from chunk to chunk, and notes damage. No I/O.

import { ByteChunk, CHUNK_BYTES, CHUNK_HEADROOM } from './byte-chunk.js';
import { type CaptureSummary, newSummary } from './capture-summary.js';
import { describeForeign, FOREIGN_HEAD_BYTES } from './foreign-formats.js';
import type { FrameSink } from './frame-batch.js';
import { FrameWriter } from './frame-writer.js';
import { PcapParser } from './pcap.js';
import { pcapVariant } from './pcap-variants.js';
import { isSectionHeader, PcapngParser } from './pcapng.js';
import { BrokenRecord, type RecordParser } from './record-parser.js';
import { isSnoop, SnoopParser } from './snoop.js';

const MAGIC_BYTES = 8;

/// So many empty records at the end are no accident: 256 bytes of zeros.
const ZERO_RECORDS_SAID = 16;

export class CaptureReader {
  readonly summary: CaptureSummary = newSummary();
  private readonly writer: FrameWriter;
  private parser: RecordParser | undefined;
  /// Nothing after a broken record is read.
  private broken = false;
  /// The unfinished record at the end of the last chunk.
  private readonly tail = new Uint8Array(CHUNK_HEADROOM);
  private tailBytes = 0;
  /// Bytes still to be passed over, from a block longer than we look at.
  private skipBytes = 0;
  /// Where a caller's own bytes are copied to; made when first needed.
  private ownChunk: ByteChunk | undefined;

  /// `sink` gets every batch of frames; it is called only inside push methods.
  constructor(sink: FrameSink) {
    this.writer = new FrameWriter(sink, this.summary);
  }

  /// Takes bytes of any length.
  push(bytes: Uint8Array): void {
    this.ownChunk ??= new ByteChunk();
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const part = bytes.subarray(at, at + CHUNK_BYTES);
      this.ownChunk.data.set(part);
      this.pushChunk(this.ownChunk, part.length);
    }
  }

  /// Takes the first `length` bytes of `chunk.data` without copying them. The
  /// chunk may be used again when this returns.
  pushChunk(chunk: ByteChunk, length: number): void {
    this.summary.bytes += length;
    const end = CHUNK_HEADROOM + length;
    let start = CHUNK_HEADROOM;
    if (this.skipBytes > 0) {
      const skipped = Math.min(this.skipBytes, length);
      this.skipBytes -= skipped;
      start += skipped;
    }
    if (this.tailBytes > 0) {
      start -= this.tailBytes;
      chunk.bytes.set(this.tail.subarray(0, this.tailBytes), start);
      this.tailBytes = 0;
    }
    if (this.broken || this.summary.notACapture !== null || start >= end) return;
    this.writer.beginChunk(chunk.bytes, chunk.view);
    const next = this.parse(chunk, start, end);
    this.writer.flush();
    if (this.broken) return;
    if (next > end) this.skipBytes = next - end;
    else {
      this.tail.set(chunk.bytes.subarray(next, end));
      this.tailBytes = end - next;
    }
  }

  /// Says that no more bytes come, or with `reason` that they can not be had.
  end(reason?: string): void {
    const { summary } = this;
    if (this.parser === undefined) {
      const found = this.tail.subarray(0, this.tailBytes);
      summary.notACapture ??= reason ?? describeForeign(found, summary.bytes);
      return;
    }
    this.parseRest();
    if (!this.broken) this.noteZeros();
    if (this.broken) {
      const damage = summary.damage.at(-1)!;
      damage.bytesLost = summary.bytes - damage.offset;
    } else if (this.skipBytes > 0) {
      // The beginning of the block was read, its rest would have been passed over.
      const why = reason ?? `the file ends inside a long block: ${this.skipBytes} bytes more were announced`;
      summary.damage.push({ offset: summary.bytes, reason: why, bytesLost: 0 });
    } else if (this.tailBytes > 0) {
      const view = new DataView(this.tail.buffer);
      const why = this.parser.describeUnfinished(view, 0, this.tailBytes);
      summary.damage.push({
        offset: summary.bytes - this.tailBytes,
        reason: reason === undefined ? why : `${reason}; ${why}`,
        bytesLost: this.tailBytes,
      });
    } else if (reason !== undefined) {
      summary.damage.push({ offset: summary.bytes, reason, bytesLost: 0 });
    }
    // A file that ends or breaks before its first header is complete is no capture yet.
    if (summary.format === null) {
      summary.notACapture = summary.damage.pop()?.reason ?? 'the file is empty';
    }
  }

  /// The parser may have waited for more before it took the last bytes.
  private parseRest(): void {
    if (this.tailBytes === 0 || this.broken || this.parser?.endOfFile === undefined) return;
    this.parser.endOfFile();
    const rest = { bytes: this.tail, view: new DataView(this.tail.buffer) };
    this.writer.beginChunk(rest.bytes, rest.view);
    const next = this.parse(rest, 0, this.tailBytes);
    this.writer.flush();
    if (this.broken) return;
    this.tail.copyWithin(0, next, this.tailBytes);
    this.tailBytes -= next;
  }

  /// Nothing is lost that is there, but what should be there is not.
  private noteZeros(): void {
    const { summary } = this;
    const { records, bytes } = this.parser?.zerosAtEnd?.() ?? { records: 0, bytes: 0 };
    if (records < ZERO_RECORDS_SAID) return;
    const offset = summary.bytes - this.tailBytes - bytes;
    const reason = `the file holds only zeros from here on, which read as ${records} packets of 1970 without a byte: its end was never written`;
    summary.damage.push({ offset, reason, bytesLost: 0 });
    if (this.tail.subarray(0, this.tailBytes).every((byte) => byte === 0)) this.tailBytes = 0;
  }

  /// Returns the index of the first byte not taken.
  private parse(chunk: Pick<ByteChunk, 'bytes' | 'view'>, start: number, end: number): number {
    if (this.parser === undefined) {
      if (end - start < MAGIC_BYTES) return start;
      this.parser = this.recognise(chunk, start);
      if (this.parser === undefined) {
        if (end - start < FOREIGN_HEAD_BYTES) return start;
        this.summary.notACapture = describeForeign(chunk.bytes.subarray(start, end), end - start);
        return end;
      }
    }
    try {
      return this.parser.parse(chunk.bytes, chunk.view, start, end);
    } catch (error) {
      if (!(error instanceof BrokenRecord)) throw error;
      this.broken = true;
      this.summary.damage.push({
        offset: this.summary.bytes - (end - error.at),
        reason: error.message,
        bytesLost: 0,
      });
      return end;
    }
  }

  private recognise({ view }: Pick<ByteChunk, 'view'>, at: number): RecordParser | undefined {
    const variant = pcapVariant(view, at);
    if (variant !== undefined) return new PcapParser(variant, this.writer, this.summary);
    if (isSectionHeader(view, at)) return new PcapngParser(this.writer, this.summary);
    if (isSnoop(view, at)) return new SnoopParser(this.writer, this.summary);
    return undefined;
  }
}
