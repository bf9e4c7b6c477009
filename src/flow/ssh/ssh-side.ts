/// One direction of an SSH connection: identification, the packets in clear up
/// to NEWKEYS, then packets whose length can be read, or mere volumes.
///
///     identification -> clear packets -> NEWKEYS -> packets   lengths in clear
///            |               |                  `-> volumes   lengths encrypted
///            `---------------`-- bytes missing or odd --^
///
/// Constant state; of the handshake one line and one KEXINIT are kept until
/// both sides are known. Nothing here throws, whatever the bytes.

import type { MemoryBudget } from '../memory-budget.js';
import { asciiText, type KexInit, parseKexInit, SSH_MSG_KEXINIT, SSH_MSG_NEWKEYS } from './kexinit.js';
import type { SshPacketShape } from './packet-shape.js';

/// RFC 4253 section 4.2: 255 bytes with CR LF. A server may send other lines before it.
const MAX_LINE_BYTES = 255;
const MAX_LINES_BYTES = 16_384;
/// RFC 4253 section 6.1 wants 35,000 supported; nobody sends longer ones in clear.
const MAX_CLEAR_PACKET = 35_000;
/// Today's longest KEXINIT are about 2 kB.
const MAX_KEXINIT_BYTES = 8_192;
/// OpenSSH's PACKET_MAX_SIZE.
const MAX_PACKET = 262_144;
/// packet_length, padding_length and the message's type.
const CLEAR_HEADER_BYTES = 6;
const LENGTH_BYTES = 4;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

const STATE_IDENTIFICATION = 0;
const STATE_CLEAR = 1;
const STATE_NEW_KEYS = 2;
const STATE_PACKETS = 3;
const STATE_VOLUMES = 4;

/// Told what one direction sends.
export interface SshSideListener {
  /// The identification or the KEXINIT has been read.
  offered(): void;
  /// Encrypted bytes follow. The shape of their packets, or null if it is not known.
  newKeys(): SshPacketShape | null;
  /// Encrypted bytes: one packet with all its bytes on the wire (`packets` is
  /// 1), or those of a segment, holding an unknown number of packets (0).
  sent(wireBytes: number, packets: number, timeUs: number, frame: number): void;
}

const NO_BYTES = new Uint8Array(0);

export class SshSide {
  /// Without line end; empty until it was read.
  identification = '';
  identificationFrame = 0;
  /// Until both sides' were read.
  kexInit: KexInit | null = null;
  /// This is no SSH 2: nothing more will be told.
  notSsh = false;
  private state = STATE_IDENTIFICATION;
  private line = NO_BYTES;
  private lineLen = 0;
  private linesBytes = 0;
  /// A header in clear, or a packet length, that spans segments.
  private readonly header = new Uint8Array(CLEAR_HEADER_BYTES);
  private headerHave = 0;
  private headerTimeUs = 0;
  private headerFrame = 0;
  private bodyLeft = 0;
  private messageType = 0;
  private kept = NO_BYTES;
  private keptLen = 0;
  private padding = 0;
  private shape: SshPacketShape | null = null;

  constructor(
    private readonly listener: SshSideListener,
    private readonly budget: MemoryBudget,
  ) {}

  /// Gives back what is kept.
  reset(): void {
    this.identification = '';
    this.identificationFrame = 0;
    this.kexInit = null;
    this.notSsh = false;
    this.state = STATE_IDENTIFICATION;
    this.dropLine();
    this.linesBytes = 0;
    this.headerHave = 0;
    this.bodyLeft = 0;
    this.dropKept();
    this.shape = null;
  }

  /// The start was not captured: only volumes can be told.
  beginInside(): void {
    this.toVolumes();
  }

  bytes(bytes: Uint8Array, start: number, length: number, timeUs: number, frame: number): void {
    let at = start;
    const end = start + length;
    while (at < end && !this.notSsh) {
      switch (this.state) {
        case STATE_IDENTIFICATION:
          at = this.readLine(bytes, at, end, frame);
          break;
        case STATE_CLEAR:
          at = this.readClear(bytes, at, end);
          break;
        case STATE_NEW_KEYS:
          this.shape = this.listener.newKeys();
          this.state = this.shape?.lengthInClear ? STATE_PACKETS : STATE_VOLUMES;
          break;
        case STATE_PACKETS:
          at = this.readPacket(bytes, at, end, timeUs, frame);
          break;
        default:
          this.listener.sent(end - at, 0, timeUs, frame);
          at = end;
      }
    }
  }

  /// `length` bytes of the stream were not captured.
  missing(length: number, timeUs: number, frame: number): void {
    if (this.notSsh) return;
    if (this.state === STATE_NEW_KEYS) this.shape = this.listener.newKeys();
    const skippable = this.state === STATE_CLEAR || this.state === STATE_PACKETS;
    if (skippable && this.headerHave === 0 && length <= this.bodyLeft) {
      if (this.messageType === SSH_MSG_KEXINIT) this.dropKept();
      this.skip(length);
      return;
    }
    const encrypted = this.state >= STATE_NEW_KEYS;
    // What was told already as part of a packet is not told again.
    const untold = this.state === STATE_PACKETS ? Math.max(0, length - this.bodyLeft) : length;
    this.toVolumes();
    if (encrypted && untold > 0) this.listener.sent(untold, 0, timeUs, frame);
  }

  private toVolumes(): void {
    this.state = STATE_VOLUMES;
    this.headerHave = 0;
    this.bodyLeft = 0;
    this.dropLine();
    this.dropKept();
  }

  private readLine(bytes: Uint8Array, start: number, end: number, frame: number): number {
    let at = start;
    if (this.line.length === 0) {
      if (!this.budget.take(MAX_LINE_BYTES)) {
        this.toVolumes();
        return at;
      }
      this.line = new Uint8Array(MAX_LINE_BYTES);
    }
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte === LINE_FEED) {
        this.endLine(frame);
        return at;
      }
      if (this.lineLen < MAX_LINE_BYTES) this.line[this.lineLen++] = byte;
      if (++this.linesBytes > MAX_LINES_BYTES) {
        this.refuse();
        return end;
      }
    }
    return at;
  }

  private endLine(frame: number): void {
    const { line } = this;
    let length = this.lineLen;
    this.lineLen = 0;
    if (length > 0 && line[length - 1] === CARRIAGE_RETURN) length--;
    const text = asciiText(line, 0, length);
    if (!text.startsWith('SSH-')) return;
    if (!text.startsWith('SSH-2.0-') && !text.startsWith('SSH-1.99-')) {
      this.refuse();
      return;
    }
    this.identification = text;
    this.identificationFrame = frame;
    this.dropLine();
    this.state = STATE_CLEAR;
    this.listener.offered();
  }

  private refuse(): void {
    this.notSsh = true;
    this.dropLine();
    this.dropKept();
  }

  private readClear(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.bodyLeft > 0) {
      const taken = Math.min(this.bodyLeft, end - at);
      if (this.kept.length > 0) this.keep(bytes, at, taken);
      this.skip(taken);
      return at + taken;
    }
    while (at < end && this.headerHave < CLEAR_HEADER_BYTES) this.header[this.headerHave++] = bytes[at++]!;
    if (this.headerHave === CLEAR_HEADER_BYTES) this.beginClearPacket();
    return at;
  }

  private beginClearPacket(): void {
    const { header } = this;
    const length = lengthField(header, 0);
    this.headerHave = 0;
    this.padding = header[4]!;
    this.messageType = header[5]!;
    // One byte of payload at least; the padding makes whole blocks of 8.
    if (length < this.padding + 2 || length > MAX_CLEAR_PACKET || (length + LENGTH_BYTES) % 8 !== 0) {
      this.toVolumes();
      return;
    }
    this.bodyLeft = length + LENGTH_BYTES - CLEAR_HEADER_BYTES;
    if (this.messageType === SSH_MSG_KEXINIT && this.kexInit === null) {
      const wanted = length - 1;
      if (wanted <= MAX_KEXINIT_BYTES && this.budget.take(wanted)) {
        this.kept = new Uint8Array(wanted);
        this.kept[0] = SSH_MSG_KEXINIT;
        this.keptLen = 1;
      }
    }
    if (this.bodyLeft === 0) this.skip(0);
  }

  private keep(bytes: Uint8Array, at: number, length: number): void {
    const taken = Math.min(length, this.kept.length - this.keptLen);
    this.kept.set(bytes.subarray(at, at + taken), this.keptLen);
    this.keptLen += taken;
  }

  /// Passes over body bytes; at the body's end the message counts as read.
  private skip(length: number): void {
    this.bodyLeft -= length;
    if (this.bodyLeft > 0 || this.state !== STATE_CLEAR) return;
    if (this.messageType === SSH_MSG_NEWKEYS) this.state = STATE_NEW_KEYS;
    if (this.kept.length === 0) return;
    const { kept, keptLen, padding } = this;
    this.kexInit = parseKexInit(kept, 0, keptLen - padding);
    this.dropKept();
    this.listener.offered();
  }

  private readPacket(bytes: Uint8Array, start: number, end: number, timeUs: number, frame: number): number {
    let at = start;
    if (this.bodyLeft > 0) {
      const taken = Math.min(this.bodyLeft, end - at);
      this.bodyLeft -= taken;
      return at + taken;
    }
    if (this.headerHave === 0) {
      this.headerTimeUs = timeUs;
      this.headerFrame = frame;
    }
    while (at < end && this.headerHave < LENGTH_BYTES) this.header[this.headerHave++] = bytes[at++]!;
    if (this.headerHave < LENGTH_BYTES) return at;
    this.headerHave = 0;
    const { base, block, padded } = this.shape!;
    const length = lengthField(this.header, 0);
    const whole = padded > CLEAR_HEADER_BYTES ? length + LENGTH_BYTES : length;
    if (length < 8 || length > MAX_PACKET || whole % block !== 0) {
      // Not what was negotiated (a new key exchange may have changed it).
      this.toVolumes();
      this.listener.sent(LENGTH_BYTES, 0, timeUs, frame);
      return at;
    }
    const total = base + whole;
    this.bodyLeft = total - LENGTH_BYTES;
    this.listener.sent(total, 1, this.headerTimeUs, this.headerFrame);
    return at;
  }

  private dropLine(): void {
    this.budget.give(this.line.length);
    this.line = NO_BYTES;
    this.lineLen = 0;
  }

  private dropKept(): void {
    this.budget.give(this.kept.length);
    this.kept = NO_BYTES;
    this.keptLen = 0;
  }
}

function lengthField(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
