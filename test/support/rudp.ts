/// Senders of SoftEther's UDP channels, as the product's source describes them.
import { createHash } from 'node:crypto';
import { Rc4 } from '#sealert/flow/rudp/rc4.js';
import type { Random } from './random.js';

export type AccelerationVariant = 'v1' | 'v2-4.x' | 'v2-5.x';

/// One direction of UDP acceleration; the nonce of each datagram comes from the one before.
export class AccelerationSender {
  private nonce: Uint8Array;
  constructor(
    private readonly variant: AccelerationVariant,
    private readonly random: Random,
  ) {
    this.nonce = random.bytes(variant === 'v1' ? 20 : 12);
  }

  /// A datagram with a frame of so many bytes, 0 for a keep-alive.
  next(frameBytes = 0): Uint8Array {
    const { variant, random, nonce } = this;
    const body = 23 + frameBytes + random.between(0, 31);
    const datagram = random.bytes(variant === 'v1' ? 20 + body + 20 : 12 + body + 16);
    datagram.set(nonce);
    const end = datagram.length;
    if (variant === 'v1') this.nonce = datagram.slice(end - 20);
    else if (variant === 'v2-4.x') this.nonce = datagram.slice(end - 28, end - 16);
    else this.nonce = datagram.slice(12, 24);
    return datagram;
  }
}

/// A bulk packet sender of R-UDP.
export class BulkSender {
  private nonce: Uint8Array;
  constructor(
    private readonly variant: 'v1' | 'v2',
    private readonly random: Random,
  ) {
    this.nonce = random.bytes(variant === 'v1' ? 20 : 12);
  }

  next(frameBytes: number): Uint8Array {
    const { random, variant, nonce } = this;
    const packet = random.bytes((variant === 'v1' ? 48 : 36) + frameBytes + random.between(1, 31));
    packet.set(nonce, variant === 'v1' ? 20 : 0);
    const end = packet.length;
    this.nonce = variant === 'v1' ? packet.slice(end - 20) : packet.slice(end - 28, end - 16);
    return packet;
  }
}

export interface TestSegment {
  sequence: number | 'disconnect';
  data?: Uint8Array;
  maxAck?: number;
  acks?: number[];
}

/// Both sides of one R-UDP session.
export class RudpSession {
  readonly initial: Uint8Array;
  readonly keys: { client: Uint8Array; server: Uint8Array };
  private readonly nextIv: { client: Uint8Array; server: Uint8Array };

  constructor(
    private readonly random: Random,
    private readonly masked = false,
  ) {
    this.initial = random.bytes(20);
    const server = sha1(this.initial, length(8), ascii('zurukko'));
    this.keys = { server, client: sha1(this.initial, server, length(12), ascii('yasushineko')) };
    this.nextIv = { client: random.bytes(20), server: random.bytes(20) };
  }

  opening(): Uint8Array {
    return join(this.initial, this.random.bytes(19));
  }

  keepAlive(kind: 'Request' | 'Response'): Uint8Array {
    const name = `Magic_KeepAlive${kind}`;
    return sha1(this.initial, length(name.length + 1), ascii(name));
  }

  segment(from: 'client' | 'server', { sequence, data, maxAck, acks }: TestSegment): Uint8Array {
    const { random } = this;
    const key = this.keys[from];
    const padding = random.between(1, 255);
    const plain = join(
      ...[1_000, 900, maxAck ?? 0].map(long),
      int((acks ?? []).length),
      ...(acks ?? []).map(long),
      sequence === 'disconnect' ? join(int(0xffff_ffff), random.bytes(4)) : long(sequence),
      data ?? new Uint8Array(0),
      new Uint8Array(padding).fill(padding),
    );
    const rc4 = new Rc4();
    const body = new Uint8Array(plain.length);
    rc4.setKey(sha1(this.nextIv[from], key));
    rc4.apply(plain, 0, plain.length, body);
    const unsigned = join(key, this.nextIv[from], body);
    const sign = sha1(unsigned);
    const mask = this.masked ? sha1(ascii('softether_vpn')) : new Uint8Array(20);
    unsigned.set(sign.map((byte, i) => byte ^ mask[i]!));
    const at = random.between(0, unsigned.length - 21);
    this.nextIv[from] = unsigned.slice(at, at + 20);
    return unsigned;
  }
}

/// A fake DNS query around an R-UDP packet, or the answer to one.
export function inDns(packet: Uint8Array, isAnswer: boolean, random: Random): Uint8Array {
  const label = Array.from({ length: 8 }, () => random.between(0, 15).toString(16)).join('');
  const question = join(Uint8Array.of(8), ascii(label), Uint8Array.of(0, 0, 48, 0, 1));
  const id = random.bytes(2);
  if (!isAnswer) {
    const opt = join(Uint8Array.of(0, 0, 41, 16, 0, 0, 0, 128, 0), short(packet.length));
    return join(id, hex('01000001000000000001'), question, opt, packet);
  }
  const key = join(hex('c00c00300001'), int(50_000), short(packet.length + 4), hex('01000308'));
  return join(id, hex('81800001000100000000'), question, key, packet);
}

/// An ICMP message around an R-UDP packet.
export function inIcmp(packet: Uint8Array, type: number): Uint8Array {
  return join(Uint8Array.of(type, 0, 0, 0, 1, 2, 0, 7), sha1(packet), packet);
}

export function sha1(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function length(count: number): Uint8Array {
  return int(count);
}

function short(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function int(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function long(value: number): Uint8Array {
  return join(int(Math.floor(value / 2 ** 32)), int(value >>> 0));
}
