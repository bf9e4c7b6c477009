import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDefaultCertificate } from '#sealert/detect/certificates.js';
import { softetherTraces } from '#sealert/profiles/softether-traces.js';
import { readCertificate } from '#sealert/wire/certificate.js';
import { certificate } from '../support/certificate.js';
import fc from '../support/property.js';

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
