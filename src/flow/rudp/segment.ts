/// One R-UDP segment: signature, decryption, fields.
///
///     signature 20 | IV 20 | RC4 { my tick 8, your tick 8, max ack 8,
///                                  ack count 4, acks 8 each, sequence 8,
///                                  data 0..512, padding 1..255 }
///
/// Source: S4 and S5 Network.c RUDPSendSegmentNow, RUDPProcessRecvPacket.

import { sha1 } from '@noble/hashes/legacy.js';
import { type RudpKeys, SERVICE_NAME_HASH, SHA1_BYTES } from './keys.js';
import { Rc4 } from './rc4.js';

const CLEAR_BYTES = 2 * SHA1_BYTES;
const FIXED_BYTES = 8 + 8 + 8 + 4 + 8;

/// Network.h RUDP_MAX_SEGMENT_SIZE.
export const MAX_DATA_BYTES = 512;
/// Network.h RUDP_MAX_NUM_ACK: acks of a segment, and the sender's window.
export const MAX_WINDOW = 64;

/// Without acks and data, and one byte of padding.
export const MIN_SEGMENT_BYTES: number = CLEAR_BYTES + FIXED_BYTES + 1;
export const MAX_SEGMENT_BYTES: number = CLEAR_BYTES + FIXED_BYTES + 8 * MAX_WINDOW + MAX_DATA_BYTES + 255;

/// RUDPNewSession: Magic_Disconnect is 0xFFFFFFFF and 32 random bits.
const DISCONNECT_HIGH = 0xffff_ffff;
/// Sequence numbers begin at 1 and count segments: far below 2^52.
const MAX_SEQUENCE_HIGH = 1 << 20;

export type SegmentKind = 'ack' | 'data' | 'keep-alive request' | 'keep-alive response' | 'disconnect';

export class SegmentReader {
  /// Valid after `read` returned true, until the next call.
  kind: SegmentKind = 'ack';
  sequence = 0;
  /// The peer has got everything up to this sequence number.
  maxAck = 0;
  /// The decrypted bytes; the data lie at [dataAt, dataAt + dataLen).
  readonly plain: Uint8Array = new Uint8Array(MAX_SEGMENT_BYTES);
  dataAt = 0;
  dataLen = 0;
  private readonly rc4 = new Rc4();
  private readonly keySource = new Uint8Array(CLEAR_BYTES);

  /// True if bytes[at, at + length) are a segment signed with the sender's key;
  /// `masked` inside DNS and ICMP. A match by chance has a probability of 2^-160.
  read(
    keys: RudpKeys,
    fromClient: boolean,
    masked: boolean,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): boolean {
    if (length < MIN_SEGMENT_BYTES || length > MAX_SEGMENT_BYTES) return false;
    const key = fromClient ? keys.client : keys.server;
    if (!isSigned(key, masked, bytes, at, length)) return false;
    const size = length - CLEAR_BYTES;
    this.keySource.set(bytes.subarray(at + SHA1_BYTES, at + CLEAR_BYTES));
    this.keySource.set(key, SHA1_BYTES);
    this.rc4.setKey(sha1(this.keySource));
    this.rc4.apply(bytes, at + CLEAR_BYTES, size, this.plain);
    return this.readFields(size, keys);
  }

  private readFields(size: number, keys: RudpKeys): boolean {
    const { plain } = this;
    const padding = plain[size - 1]!;
    const ackCount = int(plain, 24);
    this.dataAt = FIXED_BYTES + 8 * ackCount;
    this.dataLen = size - padding - this.dataAt;
    if (padding === 0 || ackCount > MAX_WINDOW || this.dataLen < 0 || this.dataLen > MAX_DATA_BYTES)
      return false;
    const sequenceAt = this.dataAt - 8;
    this.maxAck = int(plain, 16) * 2 ** 32 + int(plain, 20);
    const high = int(plain, sequenceAt);
    if (high === DISCONNECT_HIGH) {
      this.kind = 'disconnect';
      this.sequence = 0;
      return true;
    }
    if (high >= MAX_SEQUENCE_HIGH) return false;
    this.sequence = high * 2 ** 32 + int(plain, sequenceAt + 4);
    this.kind =
      this.dataLen === 0
        ? 'ack'
        : this.holds(keys.keepAliveRequest)
          ? 'keep-alive request'
          : this.holds(keys.keepAliveResponse)
            ? 'keep-alive response'
            : 'data';
    return true;
  }

  private holds(expected: Uint8Array): boolean {
    if (this.dataLen !== expected.length) return false;
    for (let i = 0; i < expected.length; i++) {
      if (this.plain[this.dataAt + i] !== expected[i]) return false;
    }
    return true;
  }
}

/// RUDPSendSegmentNow: SHA1 over the packet with the key where the signature
/// goes; inside DNS and ICMP XORed with the hash of the service name.
function isSigned(key: Uint8Array, masked: boolean, bytes: Uint8Array, at: number, length: number): boolean {
  const sign = sha1
    .create()
    .update(key)
    .update(bytes.subarray(at + SHA1_BYTES, at + length))
    .digest();
  for (let i = 0; i < SHA1_BYTES; i++) {
    const expected = masked ? sign[i]! ^ SERVICE_NAME_HASH[i]! : sign[i]!;
    if (bytes[at + i] !== expected) return false;
  }
  return true;
}

function int(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
