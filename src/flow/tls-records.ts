/// The TLS record walk: from the ordered bytes of one direction to records.
///
/// Only the five header bytes of a record are looked at (RFC 8446 section 5.1,
/// RFC 5246 section 6.2.1); bodies are passed over, so bytes that are missing
/// inside a body do no harm. Constant state; the bodies of the first handshake
/// records are kept, because hello messages and certificates are in clear.

import { MAX_HANDSHAKE_BYTES } from './limits.js';

export const TLS_CHANGE_CIPHER_SPEC = 20;
export const TLS_HANDSHAKE = 22;
export const TLS_APPLICATION_DATA = 23;

const HEADER_BYTES = 5;

/// 2^14 bytes and what encryption may add: RFC 5246 section 6.2.3 allows 2,048
/// (TLS 1.3 only 256).
const MAX_RECORD_LENGTH = 16_384 + 2_048;

/// Told of the records of one direction.
export interface TlsRecordListener {
  /// A record's header has been read; `length` is its length field.
  record(type: number, version: number, length: number, timeUs: number, frame: number): void;
  /// Bytes of a handshake record in clear, in order; borrowed.
  handshakeBytes(bytes: Uint8Array, at: number, length: number): void;
  /// These five bytes, where a header was due, are none; borrowed. The walk stops behind them.
  notTls(header: Uint8Array, timeUs: number, frame: number): void;
}

export class TlsRecordWalk {
  /// Records whose header was read.
  recordCount = 0;
  /// Times that a header was missing, so that the walk had to look for the next one.
  lostCount = 0;
  private stopped = false;
  /// Looking for the next header after missing bytes.
  private lost = false;
  private bodyLeft = 0;
  /// The body is a handshake message in clear, and wanted.
  private keepBody = false;
  private handshakeKept = 0;
  /// The first bytes of a header that spans segments.
  private readonly header = new Uint8Array(HEADER_BYTES);
  private headerHave = 0;
  private headerTimeUs = 0;
  private headerFrame = 0;

  constructor(private readonly listener: TlsRecordListener) {}

  reset(): void {
    this.recordCount = 0;
    this.lostCount = 0;
    this.stopped = false;
    this.lost = false;
    this.bodyLeft = 0;
    this.keepBody = false;
    this.handshakeKept = 0;
    this.headerHave = 0;
  }

  /// The stream was joined in its middle: the first header has to be found.
  beginInside(): void {
    this.lost = true;
  }

  /// No more records are wanted.
  stop(): void {
    this.stopped = true;
  }

  /// Takes the next bytes of the stream and returns how many: all of them
  /// unless the walk has stopped.
  bytes(bytes: Uint8Array, start: number, length: number, timeUs: number, frame: number): number {
    let at = start;
    const end = start + length;
    if (this.lost) at = this.findHeader(bytes, at, end);
    while (at < end && !this.stopped) {
      if (this.bodyLeft > 0) {
        const taken = Math.min(this.bodyLeft, end - at);
        if (this.keepBody) this.keepHandshake(bytes, at, taken);
        this.bodyLeft -= taken;
        at += taken;
      } else if (this.headerHave === 0 && end - at >= HEADER_BYTES) {
        this.readHeader(bytes, at, timeUs, frame);
        at += HEADER_BYTES;
      } else {
        if (this.headerHave === 0) {
          this.headerTimeUs = timeUs;
          this.headerFrame = frame;
        }
        this.header[this.headerHave++] = bytes[at++]!;
        if (this.headerHave === HEADER_BYTES) {
          this.headerHave = 0;
          this.readHeader(this.header, 0, this.headerTimeUs, this.headerFrame);
        }
      }
    }
    return at - start;
  }

  /// Passes over bytes that are not in the capture. True if the place of the
  /// next header has been lost with them.
  missing(length: number): boolean {
    if (this.lost || this.stopped) return false;
    // What follows a hole would be put together wrongly.
    this.handshakeKept = MAX_HANDSHAKE_BYTES;
    this.keepBody = false;
    if (this.headerHave === 0 && length <= this.bodyLeft) {
      this.bodyLeft -= length;
      return false;
    }
    // The next header, or where it begins, is in what is missing.
    this.lost = true;
    this.lostCount++;
    this.bodyLeft = 0;
    this.headerHave = 0;
    return true;
  }

  private readHeader(bytes: Uint8Array, at: number, timeUs: number, frame: number): void {
    if (!isHeader(bytes, at)) {
      this.stopped = true;
      this.listener.notTls(bytes.subarray(at, at + HEADER_BYTES), timeUs, frame);
      return;
    }
    const type = bytes[at]!;
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    this.bodyLeft = length;
    this.keepBody = type === TLS_HANDSHAKE && this.handshakeKept < MAX_HANDSHAKE_BYTES;
    this.recordCount++;
    this.listener.record(type, (bytes[at + 1]! << 8) | bytes[at + 2]!, length, timeUs, frame);
  }

  private keepHandshake(bytes: Uint8Array, at: number, length: number): void {
    const kept = Math.min(length, MAX_HANDSHAKE_BYTES - this.handshakeKept);
    this.handshakeKept += kept;
    this.listener.handshakeBytes(bytes, at, kept);
  }

  /// Where the walk can go on in bytes[at, end), or `end`. A header counts if
  /// it is the first thing in a segment (programs write whole records) or if
  /// the record that it announces ends at another header or with the segment.
  private findHeader(bytes: Uint8Array, at: number, end: number): number {
    for (let i = at; end - i >= HEADER_BYTES; i++) {
      if (bytes[i] !== TLS_APPLICATION_DATA || !isHeader(bytes, i)) continue;
      const next = i + HEADER_BYTES + ((bytes[i + 3]! << 8) | bytes[i + 4]!);
      const follows = next === end || (end - next >= HEADER_BYTES && isHeader(bytes, next));
      if (i === at || follows) {
        this.lost = false;
        return i;
      }
    }
    return end;
  }
}

/// True if a TLS record can begin like this: a known type, version 3.0 to 3.4,
/// and a length that the protocol allows.
function isHeader(bytes: Uint8Array, at: number): boolean {
  const type = bytes[at]!;
  if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_APPLICATION_DATA) return false;
  if (bytes[at + 1] !== 3 || bytes[at + 2]! > 4) return false;
  const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
  return length > 0 && length <= MAX_RECORD_LENGTH;
}
