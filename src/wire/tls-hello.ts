/// The messages of a TLS handshake that travel in clear: ClientHello and
/// ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4), and before
/// TLS 1.3 the server's Certificate.

import { hex } from './hex.js';
import { latin1 } from './latin1.js';

const MESSAGE_CLIENT_HELLO = 1;
const MESSAGE_SERVER_HELLO = 2;
const MESSAGE_CERTIFICATE = 11;

const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;
const EXTENSION_ENCRYPT_THEN_MAC = 22;
const EXTENSION_SUPPORTED_VERSIONS = 43;

const MESSAGE_HEADER_BYTES = 4;
const VERSION_AND_RANDOM_BYTES = 34;

/// Most elements taken from a list of a hello; real ones are far shorter.
const MAX_LIST = 512;

export interface ClientHello {
  /// The legacy version field.
  version: number;
  /// The 32 random bytes in hexadecimal: two flows with the same are one connection seen twice.
  random: string;
  /// supported_versions without GREASE, or only the legacy version.
  versions: number[];
  suites: number[];
  /// Extension types in their order on the wire.
  extensions: number[];
  serverName: string | null;
  alpn: string[];
}

export interface ServerHello {
  /// The version chosen, from supported_versions where it is there.
  version: number;
  suite: number;
  extensions: number[];
  /// RFC 7366: the server agreed to encrypt-then-MAC.
  encryptThenMac: boolean;
}

/// What could be read of a direction's handshake messages so far.
export interface HandshakeMessages {
  clientHello: ClientHello | null;
  serverHello: ServerHello | null;
  /// DER of the server's own certificate.
  certificate: Uint8Array | null;
}

/// Reads the complete messages in `bytes`, the bodies of handshake records put
/// together. Never throws: a message that is cut or malformed is left out.
export function readHandshake(bytes: Uint8Array): HandshakeMessages {
  const found: HandshakeMessages = { clientHello: null, serverHello: null, certificate: null };
  for (let at = 0; at + 4 <= bytes.length; ) {
    const body = at + 4;
    const end = body + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
    if (end > bytes.length) break;
    switch (bytes[at]) {
      case MESSAGE_CLIENT_HELLO:
        found.clientHello ??= readClientHello(new ByteCursor(bytes, body, end));
        break;
      case MESSAGE_SERVER_HELLO:
        // The last one counts: a HelloRetryRequest has the same form.
        found.serverHello = readServerHello(bytes, body, end) ?? found.serverHello;
        break;
      case MESSAGE_CERTIFICATE:
        found.certificate ??= readCertificate(new ByteCursor(bytes, body, end));
        break;
    }
    at = end;
  }
  return found;
}

/// Reads big-endian fields in [at, end); `ok` turns false at the first one that does not fit.
class ByteCursor {
  ok = true;
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly end: number,
  ) {}

  get left(): number {
    return this.ok ? this.end - this.at : 0;
  }

  number(byteCount: number): number {
    if (this.at + byteCount > this.end) {
      this.ok = false;
      return 0;
    }
    let value = 0;
    for (let i = 0; i < byteCount; i++) value = value * 256 + this.bytes[this.at++]!;
    return value;
  }

  /// The bytes behind a length field of `lengthBytes` bytes.
  vector(lengthBytes: number): ByteCursor {
    const length = this.number(lengthBytes);
    return this.take(length);
  }

  take(length: number): ByteCursor {
    if (this.at + length > this.end) this.ok = false;
    const start = this.at;
    const end = this.ok ? start + length : start;
    this.at = end;
    return new ByteCursor(this.bytes, start, end);
  }

  hex(): string {
    return hex(this.bytes.subarray(this.at, this.end));
  }

  /// All of it as text of one byte a character; captured text is never trusted.
  text(): string {
    return latin1(this.bytes, this.at, this.end);
  }
}

function readClientHello(body: ByteCursor): ClientHello | null {
  const version = body.number(2);
  const random = body.take(32).hex();
  body.vector(1);
  const suites = numbers(body.vector(2)).filter((suite) => !isGrease(suite));
  body.vector(1);
  if (!body.ok) return null;
  const hello: ClientHello = {
    version,
    random,
    versions: [version],
    suites,
    extensions: [],
    serverName: null,
    alpn: [],
  };
  forEachExtension(body, (type, data) => {
    if (isGrease(type)) return;
    hello.extensions.push(type);
    if (type === EXTENSION_SERVER_NAME) hello.serverName = readServerName(data);
    if (type === EXTENSION_ALPN) hello.alpn = readAlpn(data);
    if (type === EXTENSION_SUPPORTED_VERSIONS) {
      hello.versions = numbers(data.vector(1)).filter((offered) => !isGrease(offered));
    }
  });
  return hello;
}

/// Reads bytes[at, end). Without a cursor, because this is read of every flow of TLS.
function readServerHello(bytes: Uint8Array, at: number, end: number): ServerHello | null {
  const sessionIdAt = at + 34;
  const suiteAt = sessionIdAt + 1 + (bytes[sessionIdAt] ?? 0);
  // Behind the suite there is a byte for the compression, then the length of the extensions.
  if (suiteAt + 3 > end) return null;
  const hello: ServerHello = {
    version: number16(bytes, at),
    suite: number16(bytes, suiteAt),
    extensions: [],
    encryptThenMac: false,
  };
  const listAt = suiteAt + 5;
  if (listAt > end) return hello;
  const listEnd = listAt + number16(bytes, suiteAt + 3);
  if (listEnd > end) return hello;
  for (let next = listAt; next + 4 <= listEnd && hello.extensions.length < MAX_LIST; ) {
    const type = number16(bytes, next);
    const dataAt = next + 4;
    next = dataAt + number16(bytes, next + 2);
    if (next > listEnd) break;
    hello.extensions.push(type);
    if (type === EXTENSION_ENCRYPT_THEN_MAC) hello.encryptThenMac = true;
    if (type === EXTENSION_SUPPORTED_VERSIONS) {
      hello.version = next - dataAt < 2 ? 0 : number16(bytes, dataAt);
    }
  }
  return hello;
}

function number16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function readCertificate(body: ByteCursor): Uint8Array | null {
  const list = body.vector(3);
  const first = list.vector(3);
  return body.ok && list.ok && first.left > 0 ? first.bytes.slice(first.at, first.end) : null;
}

function forEachExtension(body: ByteCursor, visit: (type: number, data: ByteCursor) => void): void {
  if (body.left < 2) return;
  const list = body.vector(2);
  for (let i = 0; i < MAX_LIST && list.left >= 4; i++) {
    const type = list.number(2);
    const data = list.vector(2);
    if (list.ok) visit(type, data);
  }
}

function readServerName(data: ByteCursor): string | null {
  const list = data.vector(2);
  if (list.number(1) !== 0) return null;
  const name = list.vector(2);
  return list.ok && name.left > 0 ? name.text() : null;
}

function readAlpn(data: ByteCursor): string[] {
  const list = data.vector(2);
  const names: string[] = [];
  for (let i = 0; i < MAX_LIST && list.left > 0; i++) names.push(list.vector(1).text());
  return names;
}

function numbers(list: ByteCursor): number[] {
  const values: number[] = [];
  for (let i = 0; i < MAX_LIST && list.left >= 2; i++) values.push(list.number(2));
  return values;
}

/// Values that browsers send to keep servers tolerant (RFC 8701).
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/// True if the ClientHello with which the bodies of a client's handshake records begin offers this protocol (RFC 7301
/// section 3.1). Without a cursor, because this is asked of every flow of TLS.
export function offersProtocol(bytes: Uint8Array, protocol: string): boolean {
  const end = bytes.length;
  let next = MESSAGE_HEADER_BYTES + VERSION_AND_RANDOM_BYTES;
  if (next >= end || bytes[0] !== MESSAGE_CLIENT_HELLO) return false;
  // Session, suites, compression, each behind its length; then the length of the extensions.
  next += 1 + bytes[next]!;
  if (next + 2 > end) return false;
  next += 2 + number16(bytes, next);
  if (next >= end) return false;
  next += 1 + bytes[next]!;
  if (next + 2 > end) return false;
  const listEnd = Math.min(end, next + 2 + number16(bytes, next));
  next += 2;
  while (next + 4 <= listEnd) {
    const data = next + 4;
    const dataEnd = data + number16(bytes, next + 2);
    if (number16(bytes, next) === EXTENSION_ALPN)
      return isInList(bytes, data + 2, Math.min(dataEnd, listEnd), protocol);
    next = dataEnd;
  }
  return false;
}

function isInList(bytes: Uint8Array, at: number, end: number, name: string): boolean {
  for (let next = at; next < end; next += 1 + bytes[next]!) {
    if (bytes[next] !== name.length || next + name.length >= end) continue;
    let same = 0;
    while (same < name.length && bytes[next + 1 + same] === name.charCodeAt(same)) same++;
    if (same === name.length) return true;
  }
  return false;
}
