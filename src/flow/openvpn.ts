/// OpenVPN's control channel, as far as it is in clear: TLS records, cut into
/// numbered messages that the other side acknowledges. With `tls-auth` or
/// `tls-crypt` the messages look different; SoftEther servers know neither.
///
///     opcode and key (1) · sender's session (8) · number of acknowledgements (1)
///     [acknowledged message (4) ... · receiver's session (8)] · message (4) · TLS bytes

import { OPENVPN_RESET_BYTES as RESET_BYTES } from '../loops/openings.js';
import { type HandshakeMessages, readHandshake } from '../wire/tls-hello.js';
import { TLS_1_3 } from '../wire/tls-suites.js';
import type { MemoryBudget } from './memory-budget.js';
import { TLS_HANDSHAKE } from './tls-records.js';

/// Opcodes stand in the upper five bits, the lower three hold the key's number: 0 at first.
const HARD_RESET_CLIENT_V2 = 7 << 3;
const CONTROL_V1 = 4 << 3;

const SESSION_BYTES = 8;
const ACKNOWLEDGEMENTS_AT = 1 + SESSION_BYTES;
const MESSAGE_ID_BYTES = 4;

/// A server's first flight takes two to four messages; its number 0 is the answer to the reset.
const MAX_MESSAGES = 16;

/// No control message is longer: they have to fit a datagram.
export const MAX_MESSAGE_BYTES = 2_048;

const RECORD_HEADER_BYTES = 5;

/// True for the message that opens a connection, whose `length` bytes are all captured.
export function isOpenVpnReset(bytes: Uint8Array, at: number, length: number): boolean {
  if (length !== RESET_BYTES || bytes[at] !== HARD_RESET_CLIENT_V2) return false;
  for (let i = ACKNOWLEDGEMENTS_AT; i < RESET_BYTES; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

/// Puts the TLS handshake of one side together.
export class OpenVpnHandshake {
  /// TLS bytes by the number of their message.
  private readonly parts: Uint8Array[] = [];
  private keptBytes = 0;

  constructor(private readonly budget: MemoryBudget) {}

  /// Takes one message of the side. Returns what is in clear of the handshake
  /// once that is complete, null before, and `hopeless` if it will not be.
  message(bytes: Uint8Array, at: number, length: number): HandshakeMessages | null | 'hopeless' {
    if (bytes[at] !== CONTROL_V1 || length < RESET_BYTES) return null;
    const acknowledged = bytes[at + ACKNOWLEDGEMENTS_AT]!;
    const idAt =
      at +
      ACKNOWLEDGEMENTS_AT +
      1 +
      (acknowledged === 0 ? 0 : acknowledged * MESSAGE_ID_BYTES + SESSION_BYTES);
    const tlsAt = idAt + MESSAGE_ID_BYTES;
    if (length > MAX_MESSAGE_BYTES || tlsAt > at + length) return 'hopeless';
    const id =
      ((bytes[idAt]! << 24) | (bytes[idAt + 1]! << 16) | (bytes[idAt + 2]! << 8) | bytes[idAt + 3]!) >>> 0;
    if (id >= MAX_MESSAGES) return 'hopeless';
    if (this.parts[id] !== undefined) return null;
    if (!this.budget.take(at + length - tlsAt)) return 'hopeless';
    this.keptBytes += at + length - tlsAt;
    this.parts[id] = bytes.slice(tlsAt, at + length);
    return this.read();
  }

  /// Gives back what was kept.
  end(): void {
    this.budget.give(this.keptBytes);
    this.keptBytes = 0;
    this.parts.length = 0;
  }

  private read(): HandshakeMessages | null | 'hopeless' {
    const tls = new Uint8Array(this.keptBytes);
    let end = 0;
    for (let id = 1; this.parts[id] !== undefined; id++) {
      tls.set(this.parts[id]!, end);
      end += this.parts[id]!.length;
    }
    // The records' bodies are pushed together at the front.
    let joined = 0;
    for (let at = 0; at + RECORD_HEADER_BYTES <= end; ) {
      if (tls[at] !== TLS_HANDSHAKE) return 'hopeless';
      const bodyAt = at + RECORD_HEADER_BYTES;
      const next = Math.min(end, bodyAt + ((tls[at + 3]! << 8) | tls[at + 4]!));
      tls.copyWithin(joined, bodyAt, next);
      joined += next - bodyAt;
      at = next;
    }
    const read = readHandshake(tls.subarray(0, joined));
    if (read.serverHello !== null && read.serverHello.version >= TLS_1_3) return 'hopeless';
    return read.certificate === null ? null : read;
  }
}
