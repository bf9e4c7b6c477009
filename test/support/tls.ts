/// TLS records and the handshake messages that travel in clear.

import { ByteWriter, concat } from './capture-builder.js';

export const CHANGE_CIPHER_SPEC = 20;
export const HANDSHAKE = 22;
export const APPLICATION_DATA = 23;

export const TLS_AES_128_GCM_SHA256 = 0x1301;
export const TLS_AES_256_GCM_SHA384 = 0x1302;
export const ECDHE_RSA_AES_256_GCM_SHA384 = 0xc030;

/// One record around `body`.
export function record(type: number, body: Uint8Array, version = 0x0303): Uint8Array {
  return big().raw(Uint8Array.of(type)).u16(version).u16(body.length).raw(body).bytes();
}

/// Application data whose length field is `length`. The body looks like
/// nothing: no byte of it can begin a TLS record.
export function applicationData(length: number): Uint8Array {
  return record(APPLICATION_DATA, new Uint8Array(length).fill(0xe7));
}

/// A handshake message: type, 24-bit length, body.
export function handshakeMessage(type: number, body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, body.length >> 16, body.length >> 8, body.length), body);
}

/// Type and content of a hello's extension.
export type HelloExtension = readonly [type: number, data: Uint8Array];

export interface ClientHelloFields {
  version?: number;
  versions?: readonly number[];
  suites?: readonly number[];
  serverName?: string;
  alpn?: readonly string[];
  /// Further extensions, in front of the others.
  extensions?: readonly HelloExtension[];
  /// The 32 random bytes.
  random?: Uint8Array;
}

export function clientHello(fields: ClientHelloFields = {}): Uint8Array {
  const { version = 0x0303, suites = [0x1302, 0x1303, 0x1301, 0xc030, 0x00ff] } = fields;
  const extensions: HelloExtension[] = [...(fields.extensions ?? [])];
  if (fields.serverName !== undefined) {
    const name = text(fields.serverName);
    extensions.push([0, vector(2, concat(Uint8Array.of(0), vector(2, name)))]);
  }
  if (fields.alpn !== undefined) {
    extensions.push([16, vector(2, concat(...fields.alpn.map((name) => vector(1, text(name)))))]);
  }
  if (fields.versions !== undefined) extensions.push([43, vector(1, list16(fields.versions))]);
  const body = big()
    .u16(version)
    .raw(fields.random ?? new Uint8Array(32).fill(0x5a))
    .raw(vector(1, new Uint8Array(32)));
  body.raw(vector(2, list16(suites))).raw(vector(1, Uint8Array.of(0)));
  return handshakeMessage(1, body.raw(extensionList(extensions)).bytes());
}

export interface ServerHelloFields {
  version?: number;
  /// What supported_versions says; no such extension if left out.
  selectedVersion?: number;
  suite?: number;
  extensions?: readonly HelloExtension[];
}

export function serverHello(fields: ServerHelloFields = {}): Uint8Array {
  const { version = 0x0303, suite = TLS_AES_256_GCM_SHA384 } = fields;
  const extensions: HelloExtension[] = [...(fields.extensions ?? [])];
  if (fields.selectedVersion !== undefined) extensions.push([43, list16([fields.selectedVersion])]);
  const body = big()
    .u16(version)
    .raw(new Uint8Array(32).fill(0xa5))
    .raw(vector(1, new Uint8Array(32)));
  body.u16(suite).raw(Uint8Array.of(0));
  return handshakeMessage(2, body.raw(extensionList(extensions)).bytes());
}

/// A certificate message of TLS 1.2 and before.
export function certificateMessage(...certificates: readonly Uint8Array[]): Uint8Array {
  return handshakeMessage(11, vector(3, concat(...certificates.map((der) => vector(3, der)))));
}

/// The bytes behind their length, a number of `lengthBytes` bytes.
export function vector(lengthBytes: number, bytes: Uint8Array): Uint8Array {
  const length = Uint8Array.from(
    { length: lengthBytes },
    (_, i) => bytes.length >> (8 * (lengthBytes - 1 - i)),
  );
  return concat(length, bytes);
}

export function list16(values: readonly number[]): Uint8Array {
  return concat(...values.map((value) => Uint8Array.of(value >> 8, value)));
}

function extensionList(extensions: readonly HelloExtension[]): Uint8Array {
  if (extensions.length === 0) return new Uint8Array(0);
  return vector(2, concat(...extensions.map(([type, data]) => concat(list16([type]), vector(2, data)))));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function big(): ByteWriter {
  return new ByteWriter(false);
}
