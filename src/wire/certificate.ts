/// The parts of an X.509 certificate that a report names (RFC 5280 section 4.1),
/// and the shape of the one that a SoftEther server makes for itself.
///
/// A small DER reader (ITU-T X.690): definite lengths only, bounds checked, never throws.

import { hex } from './hex.js';
import { latin1 } from './latin1.js';

const TAG_BOOLEAN = 0x01;
const TAG_INTEGER = 0x02;
const TAG_OCTETS = 0x04;
const TAG_OID = 0x06;
const TAG_UTC_TIME = 0x17;
const TAG_GENERAL_TIME = 0x18;
const TAG_BMP_STRING = 0x1e;
const TAG_SEQUENCE = 0x30;
const TAG_EXPLICIT_VERSION = 0xa0;
const TAG_EXPLICIT_EXTENSIONS = 0xa3;

/// Short names of RFC 4514 section 3, and what else is common.
const ATTRIBUTE_NAMES = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
]);

const OID_EXTENDED_KEY_USAGE = '2.5.29.37';

export interface CertificateFields {
  /// As RFC 4514 writes it, but in the order of the certificate; text of the capture.
  subject: string;
  issuer: string;
  /// RFC 3339 in UTC with microseconds.
  notBefore: string;
  notAfter: string;
  /// Hexadecimal, without the sign byte only if it is zero alone.
  serial: string;
  /// Attribute names and values of the subject, in order.
  subjectParts: readonly (readonly [name: string, value: string])[];
  /// Purposes of the extended key usage, in order.
  purposes: readonly string[];
}

interface Element {
  tag: number;
  at: number;
  end: number;
}

/// Reads the certificate; null if it is malformed.
export function readCertificate(der: Uint8Array): CertificateFields | null {
  const certificate = elementAt(der, 0, der.length);
  if (certificate?.tag !== TAG_SEQUENCE) return null;
  const body = elementAt(der, certificate.at, certificate.end);
  if (body?.tag !== TAG_SEQUENCE) return null;
  const fields = childrenOf(der, body);
  if (fields[0]?.tag === TAG_EXPLICIT_VERSION) fields.shift();
  const [serial, , issuer, validity, subject] = fields;
  if (serial?.tag !== TAG_INTEGER || !issuer || !validity || !subject) return null;
  const [notBefore, notAfter] = childrenOf(der, validity).map((time) => timeOf(der, time));
  if (!notBefore || !notAfter) return null;
  const extensions = fields.find(({ tag }) => tag === TAG_EXPLICIT_EXTENSIONS);
  const subjectParts = partsOf(der, subject);
  return {
    subject: nameText(subjectParts),
    issuer: nameText(partsOf(der, issuer)),
    notBefore,
    notAfter,
    serial: hex(der.subarray(serial.at, serial.end)),
    subjectParts,
    purposes: extensions === undefined ? [] : purposesOf(der, extensions),
  };
}

function elementAt(der: Uint8Array, at: number, end: number): Element | null {
  if (at + 2 > end) return null;
  const tag = der[at]!;
  let length = der[at + 1]!;
  let bodyAt = at + 2;
  if (length >= 0x80) {
    const lengthBytes = length & 0x7f;
    if (lengthBytes < 1 || lengthBytes > 3 || bodyAt + lengthBytes > end) return null;
    length = 0;
    for (let i = 0; i < lengthBytes; i++) length = (length << 8) | der[bodyAt++]!;
  }
  return bodyAt + length > end ? null : { tag, at: bodyAt, end: bodyAt + length };
}

/// The elements inside; those before the first malformed one.
function childrenOf(der: Uint8Array, parent: Element): Element[] {
  const children: Element[] = [];
  for (let at = parent.at; at < parent.end; ) {
    const child = elementAt(der, at, parent.end);
    if (child === null) break;
    children.push(child);
    at = child.end;
  }
  return children;
}

function partsOf(der: Uint8Array, name: Element): [string, string][] {
  return childrenOf(der, name).flatMap((set) =>
    childrenOf(der, set).flatMap((pair): [string, string][] => {
      const [type, value] = childrenOf(der, pair);
      if (type?.tag !== TAG_OID || value === undefined) return [];
      const oid = oidText(der, type);
      return [[ATTRIBUTE_NAMES.get(oid) ?? oid, textOf(der, value)]];
    }),
  );
}

function nameText(parts: readonly (readonly [string, string])[]): string {
  return parts.map(([name, value]) => `${name}=${value.replace(/[\\,+"<>;]/g, '\\$&')}`).join(', ');
}

function purposesOf(der: Uint8Array, extensions: Element): string[] {
  for (const list of childrenOf(der, extensions)) {
    for (const extension of childrenOf(der, list)) {
      const [oid, ...rest] = childrenOf(der, extension);
      if (oid?.tag !== TAG_OID || oidText(der, oid) !== OID_EXTENDED_KEY_USAGE) continue;
      const value = rest.find(({ tag }) => tag !== TAG_BOOLEAN);
      if (value?.tag !== TAG_OCTETS) return [];
      const purposes = elementAt(der, value.at, value.end);
      return purposes === null ? [] : childrenOf(der, purposes).map((purpose) => oidText(der, purpose));
    }
  }
  return [];
}

function oidText(der: Uint8Array, { at, end }: Element): string {
  if (at >= end) return '';
  const numbers = [Math.min(2, Math.floor(der[at]! / 40))];
  numbers.push(der[at]! - numbers[0]! * 40);
  let number = 0;
  for (let i = at + 1; i < end; i++) {
    number = number * 128 + (der[i]! & 0x7f);
    if (der[i]! < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  return numbers.join('.');
}

/// Text of the common string types: UTF-8, its subsets, and two bytes a character.
function textOf(der: Uint8Array, { tag, at, end }: Element): string {
  let text = '';
  if (tag === TAG_BMP_STRING) {
    for (let i = at; i + 1 < end; i += 2) text += String.fromCharCode((der[i]! << 8) | der[i + 1]!);
    return text;
  }
  for (let i = at; i < end; ) {
    const first = der[i]!;
    const more = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
    if (i + more >= end) return `${text}${latin1(der, i, end)}`;
    let code = more === 0 ? first : first & (0x3f >> more);
    for (let k = 1; k <= more; k++) code = (code << 6) | (der[i + k]! & 0x3f);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
    i += 1 + more;
  }
  return text;
}

/// UTCTime and GeneralizedTime as RFC 5280 section 4.1.2.5 allows them.
function timeOf(der: Uint8Array, { tag, at, end }: Element): string | null {
  const text = latin1(der, at, Math.min(end, at + 32));
  const digits = tag === TAG_UTC_TIME ? 2 : tag === TAG_GENERAL_TIME ? 4 : 0;
  const match = /^(\d{2}|\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)([0-5]\d)Z$/.exec(
    text,
  );
  if (match === null || match[1]!.length !== digits) return null;
  const [, shortYear, month, day, hour, minute, second] = match;
  const year = digits === 4 ? shortYear : `${Number(shortYear) < 50 ? 20 : 19}${shortYear}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.000000Z`;
}
