/** Conversations: what two ends say to each other, packet by packet. */
import type { Random } from '../lab/random.js';
import {
  type Ends,
  type FrameBuilder,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
} from './frame-builder.js';
import type { Noise } from './noise.js';
import { RECORD_APPLICATION_DATA } from './tls-messages.js';

const NOTHING = new Uint8Array(0);

/** One end's turn to speak. */
export interface Message {
  readonly fromClient: boolean;
  /** Its first bytes; the rest is noise. */
  readonly literal?: Uint8Array;
  /** Bytes of noise after the literal. */
  readonly noise?: number;
  /** The noise is a row of TLS records. */
  readonly tls?: boolean;
  /** Microseconds that the end thinks before it speaks. */
  readonly afterUs: number;
}

/** Emits its packets one by one. */
export interface Conversation {
  /** Builds the next packet; returns the microseconds until the one after it, or -1 after the last. */
  step(frame: FrameBuilder): number;
}

/** A TLS record's header and its longest body: 2^14 bytes of data, content type and tag of TLS 1.3. */
const RECORD_HEADER_BYTES = 5;
const RECORD_BYTES = RECORD_HEADER_BYTES + 16_384 + 17;

/** Writes message[from, from + length) at target[at]. */
function writePart(
  message: Message,
  from: number,
  length: number,
  target: Uint8Array,
  at: number,
  noise: Noise,
): void {
  const literal = message.literal ?? NOTHING;
  const fixed = Math.max(0, Math.min(length, literal.length - from));
  if (fixed > 0) target.set(literal.subarray(from, from + fixed), at);
  noise.fill(target, at + fixed, length - fixed);
  if (message.tls) writeRecordHeaders(message, from, length, target, at);
}

/** The headers of the TLS records that lie in message[from, from + length). */
function writeRecordHeaders(
  message: Message,
  from: number,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  const begin = message.literal?.length ?? 0;
  const end = begin + (message.noise ?? 0);
  const first = Math.max(0, Math.floor((from - begin) / RECORD_BYTES));
  for (
    let record = begin + first * RECORD_BYTES;
    record < Math.min(from + length, end);
    record += RECORD_BYTES
  ) {
    const body = Math.min(RECORD_BYTES, end - record) - RECORD_HEADER_BYTES;
    const header = [RECORD_APPLICATION_DATA, 3, 3, body >>> 8, body & 0xff];
    for (let i = 0; i < header.length; i++) {
      const offset = record + i - from;
      if (offset >= 0 && offset < length) target[at + offset] = header[i]!;
    }
  }
}

/** Bytes of TLS records that carry `bytes` of data; the last record is never too short to be one. */
export function tlsLength(bytes: number): number {
  const records = Math.ceil(Math.max(bytes, 1) / 16_384);
  const length = bytes + records * (RECORD_BYTES - 16_384);
  return length % RECORD_BYTES < 32 ? length + 32 : length;
}

export interface TcpOptions {
  /** Timestamps in every segment. */
  timestamps: boolean;
  /** Acknowledgements without data: one for every two segments. */
  acknowledge: boolean;
  roundTripUs: number;
  /** Microseconds between segments of a burst. */
  segmentGapUs: number;
}

type Phase = 'syn' | 'syn-ack' | 'established' | 'talk' | 'fin' | 'fin-ack' | 'last';

/** Share of segments that are sent twice. */
const RETRANSMITTED = 0.002;
/** Segments between two pauses of a round trip: a window. */
const WINDOW_SEGMENTS = 40;

/** A TCP connection from SYN to the last ACK. */
export class TcpConversation implements Conversation {
  private phase: Phase = 'syn';
  private message = 0;
  private position = 0;
  private unacknowledged = 0;
  private inWindow = 0;
  private clientNext: number;
  private serverNext: number;
  private readonly segmentBytes: number;

  constructor(
    private readonly ends: Ends,
    private readonly messages: readonly Message[],
    private readonly options: TcpOptions,
    private readonly random: Random,
    private readonly noise: Noise,
  ) {
    this.clientNext = random.int(0, 0x7fff_ffff) | 0;
    this.serverNext = random.int(0, 0x7fff_ffff) | 0;
    this.segmentBytes = 1500 - (ends.version === 4 ? 20 : 40) - 20 - (options.timestamps ? 12 : 0);
  }

  step(frame: FrameBuilder): number {
    const halfUs = this.options.roundTripUs / 2;
    switch (this.phase) {
      case 'syn':
        this.control(frame, true, TCP_SYN);
        this.clientNext++;
        this.phase = 'syn-ack';
        return halfUs;
      case 'syn-ack':
        this.control(frame, false, TCP_SYN | TCP_ACK);
        this.serverNext++;
        this.phase = 'established';
        return halfUs;
      case 'established':
        this.control(frame, true, TCP_ACK);
        this.phase = 'talk';
        return this.messages[0]?.afterUs ?? halfUs;
      case 'talk':
        return this.talk(frame);
      case 'fin':
        this.control(frame, true, TCP_FIN | TCP_ACK);
        this.clientNext++;
        this.phase = 'fin-ack';
        return halfUs;
      case 'fin-ack':
        this.control(frame, false, TCP_FIN | TCP_ACK);
        this.serverNext++;
        this.phase = 'last';
        return halfUs;
      case 'last':
        this.control(frame, true, TCP_ACK);
        return -1;
    }
  }

  private talk(frame: FrameBuilder): number {
    const { acknowledge, roundTripUs, segmentGapUs } = this.options;
    const message = this.messages[this.message]!;
    if (acknowledge && this.unacknowledged === 2) {
      this.unacknowledged = 0;
      this.control(frame, !message.fromClient, TCP_ACK);
      return this.pauseUs(segmentGapUs, roundTripUs);
    }
    const length = (message.literal?.length ?? 0) + (message.noise ?? 0);
    const part = Math.min(this.segmentBytes, length - this.position);
    const isLast = this.position + part === length;
    this.segment(frame, message, part, isLast);
    if (this.random.chance(RETRANSMITTED)) return segmentGapUs;
    this.position += part;
    if (message.fromClient) this.clientNext += part;
    else this.serverNext += part;
    this.unacknowledged++;
    this.inWindow++;
    if (!isLast) return this.pauseUs(segmentGapUs, roundTripUs);
    this.position = 0;
    this.unacknowledged = 0;
    this.message++;
    const next = this.messages[this.message];
    if (next === undefined) this.phase = 'fin';
    return next?.afterUs ?? roundTripUs;
  }

  private pauseUs(segmentGapUs: number, roundTripUs: number): number {
    if (this.inWindow < WINDOW_SEGMENTS) return segmentGapUs;
    this.inWindow = 0;
    return roundTripUs;
  }

  private segment(frame: FrameBuilder, message: Message, part: number, isLast: boolean): void {
    const flags = isLast ? TCP_ACK | TCP_PSH : TCP_ACK;
    const at = this.build(frame, message.fromClient, flags, part);
    writePart(message, this.position, part, frame.bytes, at, this.noise);
  }

  private control(frame: FrameBuilder, fromClient: boolean, flags: number): void {
    this.build(frame, fromClient, flags, 0);
  }

  private build(frame: FrameBuilder, fromClient: boolean, flags: number, payloadLen: number): number {
    const sequence = fromClient ? this.clientNext : this.serverNext;
    const acknowledgement = (flags & TCP_ACK) === 0 ? 0 : fromClient ? this.serverNext : this.clientNext;
    const { timestamps } = this.options;
    return frame.tcp(this.ends, fromClient, sequence, acknowledgement, flags, timestamps, payloadLen);
  }
}

/** A SYN that nobody answers, asked again, or that is refused at once. */
export class FailedConnection implements Conversation {
  private sent = 0;

  constructor(
    private readonly ends: Ends,
    private readonly refused: boolean,
    private readonly sequence: number,
  ) {}

  step(frame: FrameBuilder): number {
    this.sent++;
    if (this.sent === 2 && this.refused) {
      frame.tcp(this.ends, false, 0, this.sequence + 1, TCP_RST | TCP_ACK, false, 0);
      return -1;
    }
    frame.tcp(this.ends, true, this.sequence, 0, TCP_SYN, false, 0);
    if (this.refused) return 500;
    return this.sent < 3 ? 1_000_000 * this.sent : -1;
  }
}

/** Datagrams: each message is one packet, of UDP or, without ports, of ICMP echo. */
export class DatagramConversation implements Conversation {
  private next = 0;

  constructor(
    private readonly ends: Ends,
    private readonly messages: readonly Message[],
    private readonly noise: Noise,
    private readonly icmp = false,
  ) {}

  step(frame: FrameBuilder): number {
    const message = this.messages[this.next++]!;
    const length = (message.literal?.length ?? 0) + (message.noise ?? 0);
    const at = this.icmp
      ? frame.echo(this.ends, message.fromClient, this.next >> 1, length)
      : frame.udp(this.ends, message.fromClient, length);
    writePart(message, 0, length, frame.bytes, at, this.noise);
    return this.messages[this.next]?.afterUs ?? -1;
  }
}
