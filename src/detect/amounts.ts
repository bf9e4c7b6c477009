/// Times and lengths as the texts of findings and accounts have them.

import type { RecordProtection } from '../wire/tls-suites.js';

export function seconds(us: number): string {
  return (us / 1e6).toFixed(2);
}

/// Plaintext bytes of a TLS record: one number, or a range with block ciphers.
export function lengthText(protection: RecordProtection, length: number): string {
  const least = protection.plaintextMin(length);
  const most = protection.plaintextMax(length);
  return least === most ? `${least}` : `${least}..${most}`;
}
