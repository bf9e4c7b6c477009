import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDefaultCertificate } from '#sealert/detect/certificates.js';
import { softetherTraces } from '#sealert/profiles/softether-traces.js';
import { readCertificate } from '#sealert/wire/certificate.js';
import fc from '../support/property.js';

const derElement = (tag: number, ...parts: Uint8Array[]): Uint8Array => {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), body]);
};
const ascii = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const attribute = (last: number, value: string) =>
  derElement(
    0x31,
    derElement(0x30, derElement(6, Uint8Array.of(0x55, 4, last)), derElement(12, ascii(value))),
  );
const name = (host: string) =>
  derElement(0x30, attribute(3, host), attribute(10, host), attribute(11, host), attribute(6, 'US'));

function certificate(serial: number, host: string): Uint8Array {
  const empty = derElement(0x30);
  const validity = derElement(
    0x30,
    derElement(0x17, ascii('261123044632Z')),
    derElement(0x18, ascii('20501231000000Z')),
  );
  const version = derElement(0xa0, derElement(2, Uint8Array.of(2)));
  const number = derElement(2, Uint8Array.of(serial));
  const body = derElement(0x30, version, number, empty, name(host), validity, name(host), empty);
  return derElement(0x30, body, empty, derElement(3));
}

test('the fields of a certificate, and the shape of the default one', () => {
  const der = certificate(0, 'vm');
  const fields = readCertificate(der)!;
  assert.equal(fields.subject, 'CN=vm, O=vm, OU=vm, C=US');
  assert.equal(fields.issuer, fields.subject);
  assert.equal(fields.notBefore, '2026-11-23T04:46:32.000000Z');
  assert.equal(fields.notAfter, '2050-12-31T00:00:00.000000Z');
  assert.ok(isDefaultCertificate(der, softetherTraces));
  assert.ok(!isDefaultCertificate(certificate(1, 'vm'), softetherTraces));
});

test('damaged certificates are read as far as they go, or not at all', () => {
  const der = certificate(0, 'vpn.example.org');
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(255), (at, value) => {
      const damaged = Uint8Array.from(der);
      damaged[at] = value;
      readCertificate(damaged);
      readCertificate(damaged.subarray(0, at));
    }),
    { numRuns: 2_000 },
  );
});
