/// What a client and a proxy say to each other before the connection that was
/// asked for begins: HTTP CONNECT (RFC 9110 section 9.3.6), SOCKS4 and 4a (the
/// memos of Ying-Da Lee), SOCKS5 (RFC 1928, RFC 1929).
///
/// The bytes of both directions are taken in order and in pieces of any size.
/// Of what is said only the target and the kind of authentication are kept,
/// never a user name or a secret.

import { latin1 } from '../wire/latin1.js';

export type ProxyCarrier = 'http-proxy' | 'socks4' | 'socks5';

/// What a proxy was asked for, and how the client showed who it is.
export interface ProxyRequest {
  carrier: ProxyCarrier;
  /// Where to: an address of 4 or 16 bytes, or a name as text of one byte a character.
  host: Uint8Array | string;
  port: number;
  /// `none`, or the name of a scheme (`basic`, `user-id`, `password`).
  authentication: string;
}

/// `open`: more is to come. `through`: the proxy agreed, what follows belongs
/// to the connection. `refused`: it did not, or this is something else.
export type PreambleState = 'open' | 'through' | 'refused';

/// Most bytes that one message of a preamble may have.
const MAX_MESSAGE_BYTES = 8_192;

/// One side's message: how many bytes of the collected ones it takes, 0 if
/// more are needed, -1 if this is no such message.
type MessageReader = (bytes: Uint8Array) => number;

/// A step of the conversation: who speaks next, and how to read it.
interface Step {
  fromClient: boolean;
  read: MessageReader;
}

export abstract class Preamble {
  abstract readonly request: ProxyRequest;
  state: PreambleState = 'open';
  protected step: Step;
  private collected = new Uint8Array(0);

  constructor(first: Step) {
    this.step = first;
  }

  /// The capture does not hold all of it: what was read so far is all that is known.
  cut(): void {
    this.state = 'through';
  }

  /// Takes the next bytes of a direction and returns how many belong to the
  /// preamble; the rest is the connection's own.
  take(fromClient: boolean, bytes: Uint8Array, at: number, length: number): number {
    if (this.state !== 'open') return 0;
    if (fromClient !== this.step.fromClient) {
      // Neither side may speak before the other has answered.
      this.state = 'refused';
      return 0;
    }
    const before = this.collected.length;
    if (before + length > MAX_MESSAGE_BYTES && before > 0) {
      this.state = 'refused';
      return 0;
    }
    const joined = new Uint8Array(before + Math.min(length, MAX_MESSAGE_BYTES));
    joined.set(this.collected);
    joined.set(bytes.subarray(at, at + joined.length - before), before);
    const taken = this.step.read(joined);
    if (taken < 0) {
      this.state = 'refused';
      return 0;
    }
    if (taken === 0) {
      this.collected = joined;
      return length;
    }
    this.collected = new Uint8Array(0);
    return taken - before;
  }

  /// The conversation goes on with this step.
  protected next(fromClient: boolean, read: MessageReader): void {
    this.step = { fromClient, read };
  }
}

/// The preamble that these first bytes of a client begin, if they begin one.
/// `length` of them were captured, `sent` were on the wire: of a packet that was
/// cut short, the beginning has to do.
export function beginsPreamble(bytes: Uint8Array, at: number, length: number, sent: number): Preamble | null {
  if (length > 1 && length < Math.min(sent, 8)) return beginsCutPreamble(bytes, at, length, sent);
  if (length >= 8 && startsWith(bytes, at, 'CONNECT ')) return new HttpConnect();
  if (length >= 2 && bytes[at] === 4 && bytes[at + 1] === 1) return new Socks4();
  // Version, then as many methods as the second byte says: the whole first message.
  if (length >= 3 && bytes[at] === 5 && bytes[at + 1] === length - 2) return new Socks5();
  return null;
}

function beginsCutPreamble(bytes: Uint8Array, at: number, length: number, sent: number): Preamble | null {
  if (startsWith(bytes, at, 'CONNECT '.slice(0, length))) return new HttpConnect();
  if (bytes[at] === 4 && bytes[at + 1] === 1) return new Socks4();
  return bytes[at] === 5 && bytes[at + 1] === sent - 2 ? new Socks5() : null;
}

class HttpConnect extends Preamble {
  readonly request: ProxyRequest = { carrier: 'http-proxy', host: '', port: 0, authentication: 'none' };

  constructor() {
    super({ fromClient: true, read: (bytes) => this.readRequest(bytes) });
  }

  private readRequest(bytes: Uint8Array): number {
    const end = endOfHeader(bytes);
    if (end === 0) return 0;
    const lines = latin1(bytes, 0, end).split('\r\n');
    const target = /^CONNECT (?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5}) HTTP\/1\.[01]$/.exec(lines[0]!);
    if (target === null) return -1;
    this.request.host = target[1] ?? target[2]!;
    this.request.port = Number(target[3]);
    const scheme = lines.map((line) => /^proxy-authorization:\s*([\w-]+)/i.exec(line)).find(Boolean);
    if (scheme) this.request.authentication = scheme[1]!.toLowerCase();
    this.next(false, (answer) => this.readAnswer(answer));
    return end;
  }

  private readAnswer(bytes: Uint8Array): number {
    const end = endOfHeader(bytes);
    if (end === 0) return 0;
    if (!/^HTTP\/1\.[01] 2\d\d/.test(latin1(bytes, 0, 12))) return -1;
    this.state = 'through';
    return end;
  }
}

const SOCKS4_GRANTED = 0x5a;
const SOCKS4_ANSWER_BYTES = 8;

class Socks4 extends Preamble {
  readonly request: ProxyRequest = { carrier: 'socks4', host: '', port: 0, authentication: 'none' };

  constructor() {
    super({ fromClient: true, read: (bytes) => this.readRequest(bytes) });
  }

  private readRequest(bytes: Uint8Array): number {
    const userEnd = bytes.indexOf(0, 8);
    if (bytes.length < 9 || userEnd < 0) return 0;
    if (userEnd > 8) this.request.authentication = 'user-id';
    this.request.port = (bytes[2]! << 8) | bytes[3]!;
    this.request.host = bytes.slice(4, 8);
    let end = userEnd + 1;
    // 4a: an address 0.0.0.x asks for the name that follows the user id.
    if (bytes[4] === 0 && bytes[5] === 0 && bytes[6] === 0 && bytes[7] !== 0) {
      const nameEnd = bytes.indexOf(0, end);
      if (nameEnd < 0) return 0;
      this.request.host = latin1(bytes, end, nameEnd);
      end = nameEnd + 1;
    }
    this.next(false, (answer) => this.readAnswer(answer));
    return end;
  }

  private readAnswer(bytes: Uint8Array): number {
    if (bytes.length < SOCKS4_ANSWER_BYTES) return 0;
    if (bytes[0] !== 0 || bytes[1] !== SOCKS4_GRANTED) return -1;
    this.state = 'through';
    return SOCKS4_ANSWER_BYTES;
  }
}

/// RFC 1928 section 3: methods; section 5: kinds of address.
const METHOD_NONE = 0;
const METHOD_PASSWORD = 2;
const ADDRESS_IPV4 = 1;
const ADDRESS_NAME = 3;
const ADDRESS_IPV6 = 4;

class Socks5 extends Preamble {
  readonly request: ProxyRequest = { carrier: 'socks5', host: '', port: 0, authentication: 'none' };

  constructor() {
    super({ fromClient: true, read: (bytes) => this.readGreeting(bytes) });
  }

  private readGreeting(bytes: Uint8Array): number {
    if (bytes.length < 2 || bytes.length < 2 + bytes[1]!) return 0;
    this.next(false, (answer) => this.readMethod(answer));
    return 2 + bytes[1]!;
  }

  private readMethod(bytes: Uint8Array): number {
    if (bytes.length < 2) return 0;
    if (bytes[0] !== 5) return -1;
    if (bytes[1] === METHOD_NONE) this.next(true, (request) => this.readRequest(request));
    else if (bytes[1] === METHOD_PASSWORD) {
      this.request.authentication = 'password';
      this.next(true, (login) => this.readLogin(login));
    } else return -1;
    return 2;
  }

  private readLogin(bytes: Uint8Array): number {
    if (bytes.length < 2 || bytes.length < 3 + bytes[1]!) return 0;
    if (bytes[0] !== 1) return -1;
    const passwordAt = 2 + bytes[1]!;
    const end = passwordAt + 1 + bytes[passwordAt]!;
    if (bytes.length < end) return 0;
    this.next(false, (answer) => this.readLoginAnswer(answer));
    return end;
  }

  private readLoginAnswer(bytes: Uint8Array): number {
    if (bytes.length < 2) return 0;
    if (bytes[0] !== 1 || bytes[1] !== 0) return -1;
    this.next(true, (request) => this.readRequest(request));
    return 2;
  }

  private readRequest(bytes: Uint8Array): number {
    const end = endOfAddress(bytes);
    if (end <= 0) return end;
    if (bytes[0] !== 5 || bytes[1] !== 1) return -1;
    this.request.host = hostOf(bytes, end);
    this.request.port = (bytes[end - 2]! << 8) | bytes[end - 1]!;
    this.next(false, (answer) => this.readAnswer(answer));
    return end;
  }

  private readAnswer(bytes: Uint8Array): number {
    const end = endOfAddress(bytes);
    if (end <= 0) return end;
    if (bytes[0] !== 5 || bytes[1] !== 0) return -1;
    this.state = 'through';
    return end;
  }
}

/// Length of a SOCKS5 request or reply: four bytes, an address, a port. 0 if
/// more bytes are needed, -1 if the kind of address is unknown.
function endOfAddress(bytes: Uint8Array): number {
  if (bytes.length < 5) return 0;
  const kind = bytes[3];
  const addressEnd =
    kind === ADDRESS_IPV4 ? 8 : kind === ADDRESS_IPV6 ? 20 : kind === ADDRESS_NAME ? 5 + bytes[4]! : -1;
  if (addressEnd < 0) return -1;
  return bytes.length < addressEnd + 2 ? 0 : addressEnd + 2;
}

function hostOf(bytes: Uint8Array, end: number): Uint8Array | string {
  return bytes[3] === ADDRESS_NAME ? latin1(bytes, 5, end - 2) : bytes.slice(4, end - 2);
}

/// Where an HTTP header ends: after its empty line; 0 if that has not come yet.
function endOfHeader(bytes: Uint8Array): number {
  for (let i = 3; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 && bytes[i - 3] === 13) return i + 1;
  }
  return 0;
}

function startsWith(bytes: Uint8Array, at: number, prefix: string): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix.charCodeAt(i)) return false;
  return true;
}
