/// Bytes in, frames out: tells the format by its magic, keeps unfinished
/// records from chunk to chunk, notes damage and goes on after it. No I/O.

import { type ByteChunk, CHUNK_BYTES, CHUNK_HEADROOM } from './byte-chunk.js';
import { type CaptureSummary, newSummary } from './capture-summary.js';
import { DamageLedger } from './damage-ledger.js';
import { describeForeign, FOREIGN_HEAD_BYTES } from './foreign-formats.js';
import type { FrameSink } from './frame-batch.js';
import { FrameWriter } from './frame-writer.js';
import { isPcapHeader, PcapParser } from './pcap.js';
import { pcapVariant } from './pcap-variants.js';
import { isSectionHeader, isWholeSectionHeader, PcapngParser, TRAILING_LENGTH_BYTES } from './pcapng.js';
import { ReaderBuffers } from './reader-buffers.js';
import { BrokenRecord, NO_RECORD, type RecordParser, UNDECIDED } from './record-parser.js';
import { findRecords } from './resync.js';
import { isSnoop, SnoopParser } from './snoop.js';

const MAGIC_BYTES = 8;

/// Bytes that tell whether another file begins where a record should.
const FILE_HEAD_BYTES = 28;

/// A recorder sets the file's length first where its disk does so faster, and was stopped.
const ONLY_ZEROS = 'the file holds only zeros from here on: its end was never written';

/// Whether bytes follow those at hand, and if not, whether the file ends there
/// or `reason` says why the rest can not be had.
interface Ending {
  isEnd: boolean;
  reason: string | undefined;
}

const MORE_TO_COME: Ending = { isEnd: false, reason: undefined };

export class CaptureReader {
  readonly summary: CaptureSummary = newSummary();
  private readonly writer: FrameWriter;
  private readonly ledger: DamageLedger;
  private parser: RecordParser | undefined;
  /// It is not known where records go on.
  private searching = false;
  /// Where another file began that was joined to the first: it is taken for one only once.
  private joinedOffset = 0;
  /// Where in the capture the search began, and whether only zeros were seen from there on.
  private brokenOffset = 0;
  private onlyZeros = false;
  /// What is kept of the last chunk: what was not read of it, and in front of
  /// that, as its first `tailRead` bytes, the record read last.
  private readonly tail: Uint8Array;
  private tailBytes = 0;
  private tailRead = 0;
  /// Bytes still to be passed over, from a block longer than we look at.
  private skipBytes = 0;

  /// `sink` gets every batch of frames; it is called only inside `push`, `pushChunk` and `end`.
  constructor(
    sink: FrameSink,
    private readonly buffers = new ReaderBuffers(),
  ) {
    this.tail = buffers.tail;
    this.writer = new FrameWriter(sink, this.summary, buffers.batch);
    this.ledger = new DamageLedger(this.summary, this.writer);
  }

  /// True once the bytes are known to be no capture: more of them change nothing.
  get isHopeless(): boolean {
    return this.summary.notACapture !== null;
  }

  /// Takes bytes of any length.
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const part = bytes.subarray(at, at + CHUNK_BYTES);
      const chunk = this.buffers.nextChunk();
      chunk.data.set(part);
      this.pushChunk(chunk, part.length);
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
    }
    if (this.summary.notACapture !== null || start >= end) return;
    this.writer.beginChunk(chunk.bytes, chunk.view, chunk.place.isInLoops);
    const next = this.read(chunk.bytes, chunk.view, start, end, MORE_TO_COME);
    this.skipBytes = Math.max(0, next - end);
    const taken = Math.min(next, end);
    const previous = this.parser?.previousAt ?? -1;
    const keepFrom = previous >= 0 ? previous : taken;
    this.tail.set(chunk.bytes.subarray(keepFrom, end));
    this.tailBytes = end - keepFrom;
    this.tailRead = taken - keepFrom;
  }

  /// Says that no more bytes come, or with `reason` that they can not be had.
  end(reason?: string): void {
    const { summary } = this;
    if (this.parser === undefined) {
      const found = this.tail.subarray(0, this.tailBytes);
      summary.notACapture ??= reason ?? describeForeign(found, summary.bytes);
      return;
    }
    if (summary.notACapture !== null) return;
    const end = this.tailBytes;
    const { buffer, byteOffset, length } = this.tail;
    const view = new DataView(buffer, byteOffset, length);
    this.writer.beginChunk(this.tail, view);
    const next = this.read(this.tail, view, 0, end, { isEnd: true, reason });
    const skipBytes = this.skipBytes + next - end;
    if (skipBytes > 0) {
      // The beginning of the block was read, its rest would have been passed over.
      const more = skipBytes + TRAILING_LENGTH_BYTES;
      this.ledger.open(
        summary.bytes,
        reason ?? `the file ends inside a long block: ${more} bytes more were announced`,
      );
    } else if (this.searching) {
      this.ledger.close(summary.bytes);
      if (this.onlyZeros) this.ledger.restate(ONLY_ZEROS);
      if (reason !== undefined) this.ledger.addReason(reason);
    } else if (reason !== undefined) this.ledger.open(summary.bytes, reason);
    if (summary.format === null) summary.notACapture ??= 'the file is empty';
  }

  /// Reads from `start` on, of which `tailRead` bytes were read before, and goes
  /// on after damage. Returns the index of the first byte not taken.
  private read(bytes: Uint8Array, view: DataView, start: number, end: number, ending: Ending): number {
    const { summary, ledger, writer } = this;
    if (this.parser !== undefined) this.parser.previousAt = this.tailRead > 0 ? start : -1;
    let at = start + this.tailRead;
    for (;;) {
      if (this.searching) {
        const brokenAt = Math.max(at, end - (summary.bytes - this.brokenOffset));
        this.onlyZeros &&= bytes.subarray(brokenAt, end).every((byte) => byte === 0);
        const { foundAt, keepFrom } = findRecords(this.parser!, view, at, end, ending.isEnd);
        at = keepFrom;
        if (foundAt < 0) break;
        this.searching = false;
        ledger.close(summary.bytes - (end - foundAt));
      }
      try {
        at = this.parse(bytes, view, at, end, ending);
        if (!ending.isEnd || at >= end || summary.notACapture !== null) break;
        throw this.unfinished(view, at, end, ending);
      } catch (error) {
        if (!(error instanceof BrokenRecord)) throw error;
        if (end - error.at < FILE_HEAD_BYTES && !ending.isEnd) {
          at = error.at;
          break;
        }
        at = this.goOnAfter(error, view, end);
        if (summary.notACapture !== null) break;
      }
    }
    writer.flush();
    return at;
  }

  /// What is wrong with a record that never became whole. One that looks sane was
  /// cut off: nothing inside it is searched for records.
  private unfinished(view: DataView, at: number, end: number, { reason }: Ending): BrokenRecord {
    const parser = this.parser!;
    const why = parser.describeUnfinished(view, at, end);
    const length = parser.measure(view, at, -1, end);
    const isCutOff = length === UNDECIDED || (length !== NO_RECORD && parser.mayFollow(view, at) !== false);
    return new BrokenRecord(at, reason === undefined ? why : `${reason}; ${why}`, isCutOff ? end : undefined);
  }

  /// Notes damage and returns the index from where to read or search on.
  private goOnAfter({ at, message, resumeAt }: BrokenRecord, view: DataView, end: number): number {
    const { summary, ledger } = this;
    const parser = this.parser!;
    if (summary.format === null) {
      summary.notACapture = message;
      return end;
    }
    const offset = summary.bytes - (end - at);
    const joined = this.joinedAt(view, at, end);
    if (joined !== undefined && offset !== this.joinedOffset) {
      this.joinedOffset = offset;
      ledger.open(offset, 'another capture file begins here, joined to the one before; it was read on');
      ledger.close(offset);
      this.parser = joined;
      return at;
    }
    ledger.open(offset, message);
    if (resumeAt !== undefined) {
      ledger.close(offset + resumeAt - at);
      return resumeAt;
    }
    this.searching = true;
    this.brokenOffset = offset;
    this.onlyZeros = true;
    // The record before may be the one with a wrong length.
    const wrongAt = parser.previousAt >= 0 ? parser.previousAt : at;
    parser.previousAt = -1;
    return wrongAt + 1;
  }

  /// The parser for another file that begins at `at`. A section of pcapng may follow another as it is.
  private joinedAt(view: DataView, at: number, end: number): RecordParser | undefined {
    if (end - at < FILE_HEAD_BYTES) return undefined;
    const isOther = !(this.parser instanceof PcapngParser) && isWholeSectionHeader(view, at);
    return isOther || isPcapHeader(view, at) || isSnoop(view, at) ? this.recognise(view, at) : undefined;
  }

  /// Returns the index of the first byte not taken.
  private parse(bytes: Uint8Array, view: DataView, start: number, end: number, { isEnd }: Ending): number {
    if (this.parser === undefined) {
      if (end - start < MAGIC_BYTES) return start;
      this.parser = this.recognise(view, start);
      if (this.parser === undefined) {
        if (end - start < FOREIGN_HEAD_BYTES) return start;
        this.summary.notACapture = describeForeign(bytes.subarray(start, end), end - start);
        return end;
      }
    }
    return this.parser.parse(bytes, view, start, end, isEnd);
  }

  private recognise(view: DataView, at: number): RecordParser | undefined {
    const variant = pcapVariant(view, at);
    if (variant !== undefined) return new PcapParser(variant, this.writer, this.summary);
    if (isSectionHeader(view, at)) return new PcapngParser(this.writer, this.summary);
    if (isSnoop(view, at)) return new SnoopParser(this.writer, this.summary);
    return undefined;
  }
}
