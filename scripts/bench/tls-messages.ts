/** The clear part of a TLS 1.3 handshake, as browsers and servers send it. */
import type { Random } from '../lab/random.js';
import { MessageBody } from './message-body.js';

const RECORD_HANDSHAKE = 22;
export const RECORD_APPLICATION_DATA = 23;

function handshakeRecord(version: number, type: number, fill: (inner: MessageBody) => void): Uint8Array {
  const record = new MessageBody().u8(RECORD_HANDSHAKE).u16(version);
  record.nested(2, (message) => message.u8(type).nested(3, fill));
  return Uint8Array.from(record.bytes);
}

const TLS_AES_128_GCM_SHA256 = 0x1301;
const TLS_AES_256_GCM_SHA384 = 0x1302;

/** One of the suites of TLS 1.3 that servers choose. */
export function chooseSuite(random: Random): number {
  return random.chance(0.5) ? TLS_AES_128_GCM_SHA256 : TLS_AES_256_GCM_SHA384;
}

const SUITES = [
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  0x1303,
  0xc02b,
  0xc02f,
  0xc02c,
  0xc030,
  0xcca9,
  0xcca8,
  0xc013,
  0xc014,
  0x009c,
  0x009d,
  0x002f,
  0x0035,
];
const SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
const GROUP_X25519 = 0x001d;
/** X25519MLKEM768, whose share makes a ClientHello longer than a segment. */
const GROUP_HYBRID = 0x11ec;
const HYBRID_SHARE_BYTES = 1216;

/** A ClientHello record that asks for `host`; `hybrid` as browsers since 2024 send it. */
export function clientHello(random: Random, host: string, hybrid: boolean): Uint8Array {
  const groups = hybrid ? [GROUP_HYBRID, GROUP_X25519, 0x0017] : [GROUP_X25519, 0x0017];
  return handshakeRecord(0x0301, 1, (hello) => {
    hello.u16(0x0303).random(random, 32);
    hello.nested(1, (id) => id.random(random, 32));
    hello.nested(2, (list) => list.u16(...SUITES)).u8(1, 0);
    hello.nested(2, (all) => {
      all.extension(0, (name) => {
        name.nested(2, (list) =>
          list.u8(0).nested(2, (text) => text.u8(...[...host].map((c) => c.charCodeAt(0)))),
        );
      });
      all.extension(23, () => {}).extension(11, (formats) => formats.u8(1, 0));
      all.extension(10, (list) => list.nested(2, (each) => each.u16(...groups)));
      all.extension(16, (list) =>
        list.nested(2, (names) => names.u8(2, 0x68, 0x32, 8, 0x68, 0x74, 0x74, 0x70, 0x2f, 0x31, 0x2e, 0x31)),
      );
      all.extension(13, (list) => list.nested(2, (each) => each.u16(...SIGNATURES)));
      all.extension(43, (list) => list.nested(1, (each) => each.u16(0x0304, 0x0303)));
      all.extension(45, (modes) => modes.u8(1, 1));
      all.extension(51, (list) =>
        list.nested(2, (shares) => {
          if (hybrid) {
            shares.u16(GROUP_HYBRID).nested(2, (share) => share.random(random, HYBRID_SHARE_BYTES));
          }
          shares.u16(GROUP_X25519).nested(2, (share) => share.random(random, 32));
        }),
      );
    });
  });
}

/** ServerHello and ChangeCipherSpec; what follows is encrypted. */
export function serverHello(random: Random, suite: number): Uint8Array {
  const hello = handshakeRecord(0x0303, 2, (body) => {
    body.u16(0x0303).random(random, 32);
    body.nested(1, (id) => id.random(random, 32));
    body.u16(suite).u8(0);
    body.nested(2, (all) => {
      all.extension(43, (version) => version.u16(0x0304));
      all.extension(51, (share) => share.u16(GROUP_X25519).nested(2, (key) => key.random(random, 32)));
    });
  });
  return Uint8Array.from([...hello, 20, 3, 3, 0, 1, 1]);
}

/** A message's header and a hash (RFC 8446 section 4.4.4), the type of the content, and the tag. */
const SHA256_FINISHED_RECORD = 4 + 32 + 1 + 16;
const SHA384_FINISHED_RECORD = 4 + 48 + 1 + 16;

/** The client's ChangeCipherSpec and Finished. */
export function clientFinished(random: Random, suite: number): Uint8Array {
  const length = suite === TLS_AES_256_GCM_SHA384 ? SHA384_FINISHED_RECORD : SHA256_FINISHED_RECORD;
  const body = new MessageBody().u8(20).u16(0x0303, 1).u8(1);
  encrypted(body, random, length);
  return Uint8Array.from(body.bytes);
}

/** The two session tickets that OpenSSL sends after it, in one segment. */
export function sessionTickets(random: Random): Uint8Array {
  const body = new MessageBody();
  const length = random.int(250, 282);
  encrypted(body, random, length);
  encrypted(body, random, length);
  return Uint8Array.from(body.bytes);
}

function encrypted(body: MessageBody, random: Random, length: number): void {
  body.u8(RECORD_APPLICATION_DATA).u16(0x0303, length).random(random, length);
}

/** TLS 1.0 as libraries of 2004 spoke it: one suite, no extensions, a clock in front of the random bytes. */
const RSA_RC4_128_MD5 = 0x0004;

/** A ClientHello of 2004, sent at `seconds` of the epoch. */
export function earlyClientHello(random: Random, seconds: number): Uint8Array {
  return handshakeRecord(0x0301, 1, (hello) => {
    hello
      .u16(0x0301, seconds >>> 16, seconds & 0xffff)
      .random(random, 28)
      .u8(0);
    hello.nested(2, (list) => list.u16(RSA_RC4_128_MD5)).u8(1, 0);
  });
}

/** The ServerHello to it. */
export function earlyServerHello(random: Random): Uint8Array {
  return handshakeRecord(0x0301, 2, (hello) => {
    hello.u16(0x0301).random(random, 32).u8(0).u16(RSA_RC4_128_MD5).u8(0);
  });
}
