/// Certificates of SoftEther servers.

import { readCertificate } from '../wire/certificate.js';
import type { ServerEntry } from './findings.js';
import { sha256Hex } from './identity.js';
import type { TraceProfile } from './profile.js';

/// True if the certificate has the shape of the one that a server makes for itself.
export function isDefaultCertificate(der: Uint8Array, { certificate }: TraceProfile): boolean {
  const fields = readCertificate(der);
  if (fields === null || fields.serial !== certificate.serial || fields.subject !== fields.issuer)
    return false;
  const { subjectParts, purposes } = fields;
  const isSame = (a: readonly string[], b: readonly string[]) =>
    a.length === b.length && a.every((value, i) => value === b[i]);
  const names = subjectParts.map(([name]) => name);
  const values = new Set(subjectParts.slice(0, -1).map(([, value]) => value));
  return (
    isSame(names, certificate.attributes) &&
    values.size === 1 &&
    subjectParts.at(-1)![1] === certificate.country &&
    // Versions before 4.10 (2014) named no purposes.
    (purposes.length === 0 || isSame(purposes, certificate.purposes))
  );
}

/// The certificate as the report has it; undefined if it is malformed.
export function describeCertificate(der: Uint8Array): ServerEntry['certificate'] {
  const fields = readCertificate(der);
  if (fields === null) return undefined;
  const { subject, issuer, notBefore, notAfter } = fields;
  return { subject, issuer, notBefore, notAfter, sha256: sha256Hex(der) };
}
