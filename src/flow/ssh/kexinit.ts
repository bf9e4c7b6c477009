/// SSH_MSG_KEXINIT: what each side offers, and what both settle on.

import { latin1 } from '../../wire/latin1.js';
import { sameBytes } from '../../wire/same-bytes.js';

export const SSH_MSG_KEXINIT = 20;
export const SSH_MSG_NEWKEYS = 21;

/// Names with commas between (RFC 4251 section 5), as they were sent: most are never asked for.
type NameList = Uint8Array;

/// The name-lists of a KEXINIT that decide how packets look (RFC 4253 section
/// 7.1); `ToServer` is the client's direction.
export interface KexInit {
  cipherToServer: NameList;
  cipherToClient: NameList;
  macToServer: NameList;
  macToClient: NameList;
  compressionToServer: NameList;
  compressionToClient: NameList;
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

const COMMA = 0x2c;

/// Reads the payload of a KEXINIT, whose bytes stay those of the lists; null if it is none or is cut off.
export function parseKexInit(bytes: Uint8Array, start: number, end: number): KexInit | null {
  if (end - start < TYPE_AND_COOKIE_BYTES || bytes[start] !== SSH_MSG_KEXINIT) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lists: NameList[] = [];
  let at = start + TYPE_AND_COOKIE_BYTES;
  for (let i = 0; i < LISTS_READ; i++) {
    if (end - at < 4) return null;
    const length = view.getUint32(at, false);
    at += 4;
    if (length > end - at) return null;
    if (i >= LISTS_BEFORE) lists.push(bytes.subarray(at, at + length));
    at += length;
  }
  return {
    cipherToServer: lists[0]!,
    cipherToClient: lists[1]!,
    macToServer: lists[2]!,
    macToClient: lists[3]!,
    compressionToServer: lists[4]!,
    compressionToClient: lists[5]!,
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
function firstCommon(client: NameList, server: NameList): string {
  for (let start = 0; start <= client.length; ) {
    const end = nameEnd(client, start);
    if (isOnList(client, start, end - start, server)) return asciiText(client, start, end);
    start = end + 1;
  }
  return '';
}

function nameEnd(list: NameList, start: number): number {
  const comma = list.indexOf(COMMA, start);
  return comma < 0 ? list.length : comma;
}

/// True if the name of `length` bytes that begins at `nameAt` is on the other list.
function isOnList(names: NameList, nameAt: number, length: number, list: NameList): boolean {
  for (let start = 0; start <= list.length; ) {
    const end = nameEnd(list, start);
    if (end - start === length && sameBytes(list, start, names, nameAt, length)) return true;
    start = end + 1;
  }
  return false;
}

/// Printable US-ASCII as text, anything else as a question mark (RFC 4251 section 6).
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return latin1(bytes, start, end).replace(/[^ -~]/g, '?');
}
