/**
 * The first datagram of a QUIC connection (RFC 9000 section 17.2.2). Its keys
 * follow from the datagram itself (RFC 9001 section 5), so analysers read the
 * ClientHello in it; noise in its place would make them try everything else.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import type { Random } from '../lab/random.js';

const SALT_V1 = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const TAG_BYTES = 16;
const CONNECTION_ID_BYTES = 8;
/** First byte, version, both connection ids, token length, length, packet number of two bytes. */
const HEADER_BYTES = 1 + 4 + 1 + CONNECTION_ID_BYTES + 1 + 1 + 2 + 2;
const NUMBER_AT = HEADER_BYTES - 2;
/** The sample that masks the header begins four bytes behind the packet number's begin. */
const SAMPLE_AT = NUMBER_AT + 4;
const FRAME_CRYPTO = 6;

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7.1) without context, of at most 32 bytes. */
function expand(secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, name.length), name, Buffer.of(0, 1)]);
  return hmac(secret, info).subarray(0, length);
}

/** A client's Initial of `length` bytes that carries the handshake message `hello`. */
export function quicInitial(random: Random, hello: Uint8Array, length: number): Uint8Array {
  const id = Buffer.from(Array.from({ length: CONNECTION_ID_BYTES }, () => random.int(0, 255)));
  const secret = expand(hmac(SALT_V1, id), 'client in', 32);

  const rest = length - NUMBER_AT;
  const header = Buffer.concat([
    Buffer.of(0xc1, 0, 0, 0, 1, CONNECTION_ID_BYTES),
    id,
    Buffer.of(0, 0, 0x40 | (rest >>> 8), rest & 0xff, 0, 0),
  ]);
  // Zeroes behind the frame are padding.
  const plain = Buffer.alloc(length - HEADER_BYTES - TAG_BYTES);
  plain.set([FRAME_CRYPTO, 0, 0x40 | (hello.length >>> 8), hello.length & 0xff, ...hello]);

  const cipher = createCipheriv('aes-128-gcm', expand(secret, 'quic key', 16), expand(secret, 'quic iv', 12));
  cipher.setAAD(header);
  const datagram = Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);

  const sample = datagram.subarray(SAMPLE_AT, SAMPLE_AT + 16);
  const mask = createCipheriv('aes-128-ecb', expand(secret, 'quic hp', 16), null).update(sample);
  datagram[0]! ^= mask[0]! & 0x0f;
  datagram[NUMBER_AT]! ^= mask[1]!;
  datagram[NUMBER_AT + 1]! ^= mask[2]!;
  return datagram;
}
