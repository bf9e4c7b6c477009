/** Writing of captures: pcap, and the same packets as pcapng. */
import { closeSync, openSync, writeSync } from 'node:fs';

const BUFFER_BYTES = 4 << 20;
/** Longest record or block that is written. */
const MAX_RECORD_BYTES = 70_000;
const SNAP_LENGTH = 262_144;
const LINKTYPE_ETHERNET = 1;

/** Takes frames in the order of their times. */
export interface CaptureFile {
  /** Frames added so far. */
  readonly packets: number;
  /** Adds the first `length` bytes of `frame`, of `originalLen` on the wire. */
  add(timeUs: number, frame: Uint8Array, length: number, originalLen: number): void;
  close(): void;
}

/** A file that is written in large pieces. */
class BufferedFile {
  readonly buffer = new Uint8Array(BUFFER_BYTES);
  readonly view = new DataView(this.buffer.buffer);
  private readonly file: number;
  private used = 0;

  constructor(path: string) {
    this.file = openSync(path, 'w');
  }

  /** Where in the buffer the next `length` bytes go. */
  take(length: number): number {
    if (this.used + MAX_RECORD_BYTES > BUFFER_BYTES) this.flush();
    const at = this.used;
    this.used += length;
    return at;
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    for (let at = 0; at < this.used; ) at += writeSync(this.file, this.buffer, at, this.used - at);
    this.used = 0;
  }
}

/** Classic pcap with microseconds, little-endian, as tcpdump writes it on a PC. */
export class PcapFile implements CaptureFile {
  packets = 0;
  private readonly out: BufferedFile;

  constructor(path: string) {
    this.out = new BufferedFile(path);
    const { view } = this.out;
    const at = this.out.take(24);
    view.setUint32(at, 0xa1b2c3d4, true);
    view.setUint16(at + 4, 2, true);
    view.setUint16(at + 6, 4, true);
    view.setUint32(at + 16, SNAP_LENGTH, true);
    view.setUint32(at + 20, LINKTYPE_ETHERNET, true);
  }

  add(timeUs: number, frame: Uint8Array, length: number, originalLen: number): void {
    this.packets++;
    const at = this.out.take(16 + length);
    const { view, buffer } = this.out;
    const second = Math.floor(timeUs / 1e6);
    view.setUint32(at, second, true);
    view.setUint32(at + 4, timeUs - second * 1e6, true);
    view.setUint32(at + 8, length, true);
    view.setUint32(at + 12, originalLen, true);
    buffer.set(frame.subarray(0, length), at + 16);
  }

  close(): void {
    this.out.close();
  }
}

/** pcapng: one section, one interface with nanoseconds, as dumpcap writes it. */
export class PcapngFile implements CaptureFile {
  packets = 0;
  private readonly out: BufferedFile;

  constructor(path: string) {
    this.out = new BufferedFile(path);
    const { view } = this.out;
    let at = this.out.take(28);
    view.setUint32(at, 0x0a0d0d0a, true);
    view.setUint32(at + 4, 28, true);
    view.setUint32(at + 8, 0x1a2b3c4d, true);
    view.setUint16(at + 12, 1, true);
    view.setUint16(at + 14, 0, true);
    view.setBigInt64(at + 16, -1n, true);
    view.setUint32(at + 24, 28, true);
    at = this.out.take(40);
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, 40, true);
    view.setUint16(at + 8, LINKTYPE_ETHERNET, true);
    view.setUint32(at + 12, SNAP_LENGTH, true);
    // Option if_name: eth0.
    view.setUint16(at + 16, 2, true);
    view.setUint16(at + 18, 4, true);
    view.setUint32(at + 20, 0x65746830, false);
    // Option if_tsresol: 10^-9 s; then the end of the options.
    view.setUint16(at + 24, 9, true);
    view.setUint16(at + 26, 1, true);
    view.setUint32(at + 28, 9, true);
    view.setUint32(at + 32, 0, true);
    view.setUint32(at + 36, 40, true);
  }

  add(timeUs: number, frame: Uint8Array, length: number, originalLen: number): void {
    this.packets++;
    const padded = (length + 3) & ~3;
    const at = this.out.take(32 + padded);
    const { view, buffer } = this.out;
    // Times 1000 in two halves, exactly: a product of doubles would lose the last digits.
    const highUs = Math.floor(timeUs / 0x1_0000_0000);
    const low = (timeUs - highUs * 0x1_0000_0000) * 1000;
    const carry = Math.floor(low / 0x1_0000_0000);
    view.setUint32(at, 6, true);
    view.setUint32(at + 4, 32 + padded, true);
    view.setUint32(at + 8, 0, true);
    view.setUint32(at + 12, highUs * 1000 + carry, true);
    view.setUint32(at + 16, low - carry * 0x1_0000_0000, true);
    view.setUint32(at + 20, length, true);
    view.setUint32(at + 24, originalLen, true);
    buffer.set(frame.subarray(0, length), at + 28);
    buffer.fill(0, at + 28 + length, at + 28 + padded);
    view.setUint32(at + 28 + padded, 32 + padded, true);
  }

  close(): void {
    this.out.close();
  }
}
