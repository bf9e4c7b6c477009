import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASSUMED_PROTECTION, recordProtection } from '#sealert/wire/tls-suites.js';

const TLS_1_0 = 0x0301;
const TLS_1_1 = 0x0302;
const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;

const upTo = (block: number, n: number) => Math.ceil(n / block) * block;

/// GenericBlockCipher (RFC 5246 section 6.2.3.2): an IV since TLS 1.1, then
/// content, MAC, padding and its length in whole blocks.
const cbc = (iv: number, block: number, mac: number) => (n: number) => iv + upTo(block, n + mac + 1);
/// The same with encrypt-then-MAC (RFC 7366 section 3): the MAC comes after the blocks.
const cbcThenMac = (iv: number, block: number, mac: number) => (n: number) => iv + upTo(block, n + 1) + mac;

type Row = [
  name: string,
  version: number,
  suite: number,
  length: (n: number) => number,
  more?: { encryptThenMac?: boolean; finished?: number; empty?: boolean },
];

const ROWS: Row[] = [
  ['TLS_AES_128_GCM_SHA256', TLS_1_3, 0x1301, (n) => n + 1 + 16, { finished: 32 }],
  ['TLS_AES_256_GCM_SHA384', TLS_1_3, 0x1302, (n) => n + 1 + 16, { finished: 48 }],
  ['TLS_CHACHA20_POLY1305_SHA256', TLS_1_3, 0x1303, (n) => n + 1 + 16, { finished: 32 }],
  ['TLS_AES_128_CCM_SHA256', TLS_1_3, 0x1304, (n) => n + 1 + 16, { finished: 32 }],
  ['TLS_AES_128_CCM_8_SHA256', TLS_1_3, 0x1305, (n) => n + 1 + 8, { finished: 32 }],
  ['ECDHE_RSA_WITH_AES_256_GCM_SHA384', TLS_1_2, 0xc030, (n) => 8 + n + 16],
  ['DHE_RSA_WITH_AES_128_GCM_SHA256', TLS_1_2, 0x009e, (n) => 8 + n + 16],
  ['ECDHE_RSA_WITH_CHACHA20_POLY1305', TLS_1_2, 0xcca8, (n) => n + 16],
  ['RSA_WITH_AES_128_CCM', TLS_1_2, 0xc09c, (n) => 8 + n + 16],
  ['ECDHE_ECDSA_WITH_AES_256_CCM_8', TLS_1_2, 0xc0af, (n) => 8 + n + 8],
  ['ECDHE_RSA_WITH_ARIA_128_GCM_SHA256', TLS_1_2, 0xc060, (n) => 8 + n + 16],
  ['RSA_WITH_RC4_128_MD5', TLS_1_0, 0x0004, (n) => n + 16],
  ['RSA_WITH_RC4_128_SHA', TLS_1_2, 0x0005, (n) => n + 20],
  ['ECDHE_RSA_WITH_RC4_128_SHA', TLS_1_2, 0xc011, (n) => n + 20],
  ['RSA_WITH_AES_128_CBC_SHA', TLS_1_0, 0x002f, cbc(0, 16, 20), { empty: true }],
  ['RSA_WITH_AES_128_CBC_SHA', TLS_1_1, 0x002f, cbc(16, 16, 20)],
  ['RSA_WITH_AES_128_CBC_SHA', TLS_1_2, 0x002f, cbc(16, 16, 20)],
  ['RSA_WITH_AES_256_CBC_SHA, then MAC', TLS_1_2, 0x0035, cbcThenMac(16, 16, 20), { encryptThenMac: true }],
  [
    'RSA_WITH_AES_256_CBC_SHA, then MAC',
    TLS_1_0,
    0x0035,
    cbcThenMac(0, 16, 20),
    { encryptThenMac: true, empty: true },
  ],
  ['RSA_WITH_3DES_EDE_CBC_SHA', TLS_1_0, 0x000a, cbc(0, 8, 20), { empty: true }],
  ['ECDHE_RSA_WITH_3DES_EDE_CBC_SHA', TLS_1_2, 0xc012, cbc(8, 8, 20)],
  ['ECDHE_RSA_WITH_AES_256_CBC_SHA', TLS_1_2, 0xc014, cbc(16, 16, 20)],
  ['RSA_WITH_CAMELLIA_256_CBC_SHA', TLS_1_2, 0x0084, cbc(16, 16, 20)],
  ['RSA_WITH_SEED_CBC_SHA', TLS_1_2, 0x0096, cbc(16, 16, 20)],
  ['RSA_WITH_AES_128_CBC_SHA256', TLS_1_2, 0x003c, cbc(16, 16, 32)],
  [
    'ECDHE_RSA_WITH_AES_128_CBC_SHA256, then MAC',
    TLS_1_2,
    0xc027,
    cbcThenMac(16, 16, 32),
    { encryptThenMac: true },
  ],
  ['ECDHE_RSA_WITH_AES_256_CBC_SHA384', TLS_1_2, 0xc028, cbc(16, 16, 48)],
  ['ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384', TLS_1_2, 0xc077, cbc(16, 16, 48)],
];

for (const [name, version, suite, lengthOf, more = {}] of ROWS) {
  test(`record lengths: ${name}, version 0x0${version.toString(16)}`, () => {
    const protection = recordProtection(version, suite, more.encryptThenMac ?? false);
    const given = new Map<number, number[]>();
    for (const n of [...Array(600).keys(), ...Array.from({ length: 60 }, (_, i) => 16_384 - i)]) {
      const length = lengthOf(n);
      given.set(length, [...(given.get(length) ?? []), n]);
      // Exactly the plaintexts that give this length: the bounds do, their neighbours do not.
      const least = protection.plaintextMin(length);
      const most = protection.plaintextMax(length);
      assert.ok(least >= 0 && least <= n && n <= most, `${n} in ${least}..${most}`);
      assert.deepEqual([lengthOf(least), lengthOf(most)], [length, length]);
      assert.ok(lengthOf(most + 1) > length);
      assert.ok(least === 0 || lengthOf(least - 1) < length);
    }
    for (let length = 1; length < 500; length++) {
      if (given.has(length)) continue;
      assert.ok(protection.plaintextMax(length) < 0, `no plaintext has length ${length}`);
      assert.ok(protection.plaintextMin(length) < 0, `no plaintext has length ${length}`);
    }
    assert.equal(protection.emptyRecord, more.empty ? lengthOf(0) : 0);
    assert.equal(protection.finishedRecord, more.finished ? lengthOf(4 + more.finished) : 0);
  });
}

test('without a ServerHello, the most common protection is assumed', () => {
  const common = recordProtection(TLS_1_3, 0x1302, false);
  assert.equal(ASSUMED_PROTECTION.finishedRecord, common.finishedRecord);
  assert.equal(ASSUMED_PROTECTION.plaintextMax(500), common.plaintextMax(500));
});
