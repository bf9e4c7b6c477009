/**
 * Clients of IKE and of L2TP without IPsec, as far as the first answer of a SoftEther server: no tunnel
 * comes up.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

export interface CloneTarget {
  readonly address: string;
  readonly port: number;
  readonly seconds: number;
}

export interface Answered {
  readonly answers: number;
}

/** IKE main mode (RFC 2409) with one proposal: AES-256, SHA-1, group 2, pre-shared key. */
function mainMode(): Buffer {
  const attributes = '80010007800200028003000180040002800b0001800c7080800e0100';
  const transform = payload(0, `01010000${attributes}`);
  const proposal = payload(0, `01010001${transform}`);
  const association = payload(13, `0000000100000001${proposal}`);
  const body = association + payload(0, '4a131c81070358455c5728f20e95452f');
  const length = (28 + body.length / 2).toString(16).padStart(8, '0');
  const head = `${randomBytes(8).toString('hex')}${'00'.repeat(8)}0110020000000000${length}`;
  return Buffer.from(head + body, 'hex');
}

/** A payload of IKE in hexadecimal: which follows, its own length, the body. */
function payload(next: number, body: string): string {
  const length = (4 + body.length / 2).toString(16).padStart(4, '0');
  return `${next.toString(16).padStart(2, '0')}00${length}${body}`;
}

/** An attribute of L2TP in hexadecimal, of the IETF's and mandatory. */
function attribute(type: number, value: string): string {
  const length = (6 + value.length / 2).toString(16).padStart(2, '0');
  return `80${length}0000${type.toString(16).padStart(4, '0')}${value}`;
}

/** L2TP (RFC 2661) Start-Control-Connection-Request. */
function startL2tp(): Buffer {
  const values = [
    attribute(0, '0001'), // what it is
    attribute(2, '0100'), // protocol version
    attribute(3, '00000003'), // framing
    attribute(4, '00000000'), // bearers
    attribute(7, Buffer.from('laptop').toString('hex')), // host name
    attribute(9, '0001'), // tunnel
    attribute(10, '0008'), // receive window
  ].join('');
  const length = (12 + values.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(`c802${length}0000000000000000${values}`, 'hex');
}

/** Asks once a second, as clients do that get no further. */
async function askAgain({ address, port, seconds }: CloneTarget, question: Buffer): Promise<Answered> {
  const socket = createSocket('udp4');
  let answers = 0;
  socket.on('message', () => answers++);
  for (let i = 0; i < Math.min(seconds, 4); i++) {
    socket.send(question, port, address);
    await sleep(1000);
  }
  socket.close();
  return { answers };
}

export function ikeClient(settings: CloneTarget): Promise<Answered> {
  return askAgain(settings, mainMode());
}

export function l2tpClient(settings: CloneTarget): Promise<Answered> {
  return askAgain(settings, startL2tp());
}
