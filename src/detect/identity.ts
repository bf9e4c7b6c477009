/// Names for ends, flows and sessions that any tool computes alike.

import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import ipaddr from 'ipaddr.js';
import { type Layer, networkOf } from '../wire/layers.js';

/// An address of 4 or 16 bytes as text; IPv6 as RFC 5952 asks.
export function addressText(address: Uint8Array): string {
  return address.length === 4 ? address.join('.') : new ipaddr.IPv6(Array.from(address)).toRFC5952String();
}

export interface RawEnd {
  address: Uint8Array;
  port: number;
}

const keys = new WeakMap<RawEnd, string>();

/// Tells ends apart; made once for each, because live they are compared again and again.
export function endKey(end: RawEnd): string {
  let key = keys.get(end);
  if (key === undefined) {
    key = `${end.address} ${end.port}`;
    keys.set(end, key);
  }
  return key;
}

/// A flow, by whatever its ends are called.
export type NamedFlow = { input: number; firstUs: number; layers?: readonly Layer[] } & (
  | { a: RawEnd; b: RawEnd }
  | { client: RawEnd; server: RawEnd }
);

/// Tells the flows of all captures apart, whoever is taken for the client.
export function flowKey(flow: NamedFlow): string {
  const ends = 'a' in flow ? [flow.a, flow.b] : [flow.client, flow.server];
  const network = flow.layers === undefined ? '' : networkOf(flow.layers);
  return `${flow.input} ${flow.firstUs} ${ends.map(endKey).sort().join(' ')} ${network}`;
}

/// Findings by the beginning of their flows. The order in which flows end, and are told of,
/// depends on what else there is in a capture and on who follows them.
export function inOrder<Finding>(
  findings: readonly Finding[],
  flowOf: (finding: Finding) => NamedFlow,
): Finding[] {
  return [...findings].sort((a, b) => {
    const [left, right] = [flowOf(a), flowOf(b)];
    if (left.firstUs !== right.firstUs) return left.firstUs - right.firstUs;
    const [leftKey, rightKey] = [flowKey(left), flowKey(right)];
    return leftKey < rightKey ? -1 : leftKey > rightKey ? 1 : 0;
  });
}

/// Community ID, version 1 with seed 0 (the specification of corelight):
/// `1:` and the base64 of a SHA-1 over seed, addresses, protocol and ports,
/// the smaller end first.
export function communityId(protocol: number, a: RawEnd, b: RawEnd): string {
  const [first, second] = isBefore(a, b) ? [a, b] : [b, a];
  const length = first.address.length;
  const bytes = new Uint8Array(2 + 2 * length + 2 + 4);
  bytes.set(first.address, 2);
  bytes.set(second.address, 2 + length);
  const view = new DataView(bytes.buffer);
  view.setUint8(2 + 2 * length, protocol);
  view.setUint16(4 + 2 * length, first.port, false);
  view.setUint16(6 + 2 * length, second.port, false);
  return `1:${base64(sha1(bytes))}`;
}

/// A short name for a session, made from what is the same in every copy of the
/// packets: when its first connection began and between which ends.
export function sessionId(firstUs: number, protocol: number, client: RawEnd, server: RawEnd): string {
  const ends = [client, server].map((end) => `${addressText(end.address)} ${end.port}`).join(' ');
  return bytesToHex(sha256(utf8ToBytes(`${firstUs} ${protocol} ${ends}`))).slice(0, 12);
}

export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

function isBefore(a: RawEnd, b: RawEnd): boolean {
  for (let i = 0; i < a.address.length; i++) {
    if (a.address[i] !== b.address[i]) return a.address[i]! < b.address[i]!;
  }
  return a.port <= b.port;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/// RFC 4648 section 4. The core has no Node types and needs it for 20 bytes only.
function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64[group >> 18]! + BASE64[(group >> 12) & 63]!;
    text += (left > 1 ? BASE64[(group >> 6) & 63]! : '=') + (left > 2 ? BASE64[group & 63]! : '=');
  }
  return text;
}
