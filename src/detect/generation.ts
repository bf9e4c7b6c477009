/// Which generation of SoftEther speaks, 4.x or 5.x, from what its TLS library
/// was told to offer. This names the software; it carries no weight in a verdict.

import { TLS_1_3 } from '../wire/tls-suites.js';
import type { TlsConnection } from './connection.js';
import type { Generation } from './findings.js';

const EXTENSION_ALPN = 16;
const EXTENSION_SESSION_TICKET = 35;

/// Suites with ARIA, Camellia or DSS: in OpenSSL's complete list, not in its default.
const RARE_SUITES = new Set([
  0x0041, 0x0044, 0x0045, 0x0084, 0x0087, 0x0088, 0x0032, 0x0038, 0x0040, 0x006a, 0x00a2, 0x00a3, 0x0096,
  0x009a, 0x00ba, 0x00be, 0x00c0, 0x00c4, 0xc050, 0xc051, 0xc052, 0xc053, 0xc056, 0xc057, 0xc05c, 0xc05d,
  0xc060, 0xc061, 0xc072, 0xc073, 0xc076, 0xc077, 0xc09c, 0xc09d, 0xc09e, 0xc09f, 0xc0ac, 0xc0ad,
]);

/// TLS_RSA_WITH_AES_128_CBC_SHA and its predecessor: the only suite that a 4.x
/// server accepts below TLS 1.3 (S4 Network.c, default cipher; 4.23 and later, before RC4-MD5).
const ONLY_4X_SUITES = new Set([0x002f, 0x0004]);

/// Plaintext of the answer to the probe. 4.30 and later serve a page of 1,999
/// bytes (hamcore index page, header included 2,121); where there is none, a
/// 403 text of 439 + address + port. A server that negotiates TLS 1.3 is 4.34
/// or later, and those have the page: with TLS 1.3 the short text means 5.x.
const PAGE_4X: readonly [min: number, max: number] = [2100, 2140];
const PAGE_403: readonly [min: number, max: number] = [447, 485];

export function clientGeneration(connection: TlsConnection): Generation {
  const hello = connection.handshake?.clientHello;
  if (!hello) return null;
  // Both generations switch tickets off and know no ALPN (Network.c: NewSSLCtx).
  if (hello.extensions.includes(EXTENSION_ALPN) || hello.extensions.includes(EXTENSION_SESSION_TICKET))
    return null;
  // 4.34 and later offer `ALL` (StartSSLEx), before 4.34 there was no TLS 1.3.
  const rare = hello.suites.filter((suite) => RARE_SUITES.has(suite)).length;
  if (!hello.versions.includes(TLS_1_3) || rare >= 4) return '4.x';
  return '5.x';
}

export function serverGeneration(connection: TlsConnection): Generation {
  const hello = connection.handshake?.serverHello;
  if (!hello) return null;
  const isTls13 = hello.version >= TLS_1_3;
  if (!isTls13) return ONLY_4X_SUITES.has(hello.suite) ? '4.x' : '5.x';
  const answer = connection.script.messages.find((message) => message.name === 'probe answer');
  if (answer === undefined) return null;
  // What else a turn holds is not known.
  if (connection.profile.unit === 'turns') return null;
  const plaintext = connection.protection.plaintextMin(connection.log.length[answer.record]!);
  if (plaintext >= PAGE_4X[0] && plaintext <= PAGE_4X[1]) return '4.x';
  return plaintext >= PAGE_403[0] && plaintext <= PAGE_403[1] ? '5.x' : null;
}
