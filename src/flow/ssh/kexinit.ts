/// SSH_MSG_KEXINIT: what each side offers, and what both settle on.

import { latin1 } from '../../wire/latin1.js';

export const SSH_MSG_KEXINIT = 20;
export const SSH_MSG_NEWKEYS = 21;

/// The name-lists of a KEXINIT that decide how packets look (RFC 4253 section
/// 7.1), names with commas between; `ToServer` is the client's direction.
export interface KexInit {
  cipherToServer: string;
  cipherToClient: string;
  macToServer: string;
  macToClient: string;
  compressionToServer: string;
  compressionToClient: string;
}

/// What one direction uses. An empty name means that nothing fits both sides.
export interface SshAlgorithms {
  cipher: string;
  /// Not used with a cipher that authenticates by itself.
  mac: string;
  compression: string;
}

const TYPE_AND_COOKIE_BYTES = 1 + 16;
/// Key exchange, host key, then the six lists above.
const LISTS_BEFORE = 2;
const LISTS_READ = 8;

/// Reads the payload of a KEXINIT; null if it is none or is cut off.
export function parseKexInit(bytes: Uint8Array, start: number, end: number): KexInit | null {
  if (end - start < TYPE_AND_COOKIE_BYTES || bytes[start] !== SSH_MSG_KEXINIT) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lists: string[] = [];
  let at = start + TYPE_AND_COOKIE_BYTES;
  for (let i = 0; i < LISTS_READ; i++) {
    if (end - at < 4) return null;
    const length = view.getUint32(at, false);
    at += 4;
    if (length > end - at) return null;
    lists.push(i < LISTS_BEFORE ? '' : asciiText(bytes, at, at + length));
    at += length;
  }
  return {
    cipherToServer: lists[2]!,
    cipherToClient: lists[3]!,
    macToServer: lists[4]!,
    macToClient: lists[5]!,
    compressionToServer: lists[6]!,
    compressionToClient: lists[7]!,
  };
}

/// What the client's direction, or the server's, uses after these offers.
export function negotiate(client: KexInit, server: KexInit, fromClient: boolean): SshAlgorithms {
  return fromClient
    ? {
        cipher: firstCommon(client.cipherToServer, server.cipherToServer),
        mac: firstCommon(client.macToServer, server.macToServer),
        compression: firstCommon(client.compressionToServer, server.compressionToServer),
      }
    : {
        cipher: firstCommon(client.cipherToClient, server.cipherToClient),
        mac: firstCommon(client.macToClient, server.macToClient),
        compression: firstCommon(client.compressionToClient, server.compressionToClient),
      };
}

/// RFC 4253 section 7.1: the first name on the client's list that is also on the server's.
function firstCommon(client: string, server: string): string {
  const known = server.split(',');
  return client.split(',').find((name) => known.includes(name)) ?? '';
}

/// Printable US-ASCII as text, anything else as a question mark (RFC 4251 section 6).
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return latin1(bytes, start, end).replace(/[^ -~]/g, '?');
}
