/// Builds what an SSH connection looks like on the wire, from plain sizes.

import { SshAnalysis } from '#sealert/detect/ssh-analysis.js';
import type { SshSessionProfile } from '#sealert/detect/ssh-profile.js';
import { recordBytes, SshKnowledge } from '#sealert/detect/ssh-sizes.js';
import { FlowWeight, TotalWeight } from '#sealert/flow/flow-weight.js';
import { MemoryBudget } from '#sealert/flow/memory-budget.js';
import { channelWireBytes, sshPacketShape } from '#sealert/flow/ssh/packet-shape.js';
import { softetherSsh } from '#sealert/profiles/softether-ssh.js';
import { softetherTls } from '#sealert/profiles/softether-tls.js';

export interface Suite {
  cipher: string;
  mac: string;
  compression?: string;
}

/// One suite for each kind of packet.
export const SUITES: readonly Suite[] = [
  { cipher: 'chacha20-poly1305@openssh.com', mac: 'hmac-sha2-256' },
  { cipher: 'aes256-gcm@openssh.com', mac: 'hmac-sha2-256' },
  { cipher: 'aes128-ctr', mac: 'umac-128-etm@openssh.com' },
  { cipher: 'aes256-ctr', mac: 'hmac-sha2-256-etm@openssh.com' },
  { cipher: 'aes256-ctr', mac: 'hmac-sha2-256' },
  { cipher: 'aes128-cbc', mac: 'hmac-sha1' },
];

export const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/// A packet in clear with the least padding (RFC 4253 section 6).
export function clearPacket(payload: Uint8Array): Uint8Array {
  const padding = 4 + ((8 - ((5 + payload.length + 4) % 8)) % 8);
  return joined(
    number(1 + payload.length + padding),
    Uint8Array.of(padding),
    payload,
    new Uint8Array(padding),
  );
}

export function kexInit(lists: Partial<Record<number, string>>): Uint8Array {
  const names = Array.from({ length: 10 }, (_, i) => ascii(lists[i] ?? ''));
  const body = names.flatMap((name) => [number(name.length), name]);
  return clearPacket(joined(Uint8Array.of(20), new Uint8Array(16), ...body, new Uint8Array(5)));
}

export function offer({ cipher, mac, compression = 'none' }: Suite): Uint8Array {
  return kexInit({ 2: cipher, 3: cipher, 4: mac, 5: mac, 6: compression, 7: compression });
}

export const NEW_KEYS = clearPacket(Uint8Array.of(21));

export const CLIENT_HELLO = ascii('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');
export const SERVER_HELLO = ascii('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');

const SEGMENT_BYTES = 1448;
const TLS13 = softetherSsh.recordForms[0]!;

/// An SSH connection told by what its forwarded channels carry.
export class SshDialogue {
  readonly analysis: SshAnalysis;
  timeUs = 1_000_000_000;
  private frame = 0;

  constructor(
    readonly suite: Suite,
    profile: SshSessionProfile = softetherSsh,
    clientHello = CLIENT_HELLO,
  ) {
    this.analysis = new SshAnalysis(
      new SshKnowledge(softetherTls, profile),
      0,
      new MemoryBudget(1 << 20),
      new FlowWeight(new TotalWeight()),
    );
    for (const fromClient of [true, false]) this.raw(fromClient, fromClient ? clientHello : SERVER_HELLO);
    for (const fromClient of [true, false]) this.raw(fromClient, joined(offer(suite), NEW_KEYS));
  }

  /// Bytes as one segment.
  raw(fromClient: boolean, bytes: Uint8Array): void {
    this.analysis.ssh.bytes(fromClient, bytes, 0, bytes.length, this.timeUs, ++this.frame);
  }

  /// One channel packet of `data` bytes, in segments, `afterMs` after the last.
  data(fromClient: boolean, data: number, afterMs = 1): void {
    this.timeUs += afterMs * 1000;
    const shape = sshPacketShape(this.suite.cipher, this.suite.mac)!;
    const bytes = new Uint8Array(channelWireBytes(shape, data)).fill(0xa5);
    if (shape.lengthInClear) bytes.set(number(bytes.length - shape.base), 0);
    for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
      this.raw(fromClient, bytes.subarray(at, at + SEGMENT_BYTES));
    }
  }

  /// A TLS 1.3 record for each plaintext, in one packet.
  records(fromClient: boolean, afterMs: number, ...plaintexts: number[]): void {
    this.data(
      fromClient,
      plaintexts.reduce((sum, plaintext) => sum + recordBytes(TLS13, plaintext), 0),
      afterMs,
    );
  }

  /// A new channel; payloads are given as data and 9 bytes more.
  open(reversed = false): void {
    this.data(!reversed, 57 - 9);
    this.data(reversed, 17 - 9);
  }

  /// A log-in as recorded (ssh-L-22), the VPN client on the SSH client's side unless `reversed`.
  login(reversed = false, login = 3041, welcome = 2540): void {
    const c = !reversed;
    this.open(reversed);
    this.data(c, 314, 50);
    this.data(!c, 1427, 4);
    this.data(c, 80, 1);
    this.data(c, 3293, 1);
    this.data(!c, 79, 1);
    this.data(!c, 855, 40);
    this.data(c, login, 1);
    this.data(!c, welcome, 1);
  }

  attach(afterMs: number, reversed = false): void {
    const c = !reversed;
    this.timeUs += afterMs * 1000;
    this.open(reversed);
    this.data(c, 314, 1);
    this.data(!c, 1427, 4);
    this.data(c, 80 + 2544, 1);
    this.data(!c, 158 + 900, 40);
    this.data(c, 560, 1);
    this.data(!c, 840, 1);
  }

  /// First keep-alives of both sides.
  first(reversed = false): void {
    this.records(!reversed, 100, 340);
    this.records(reversed, 2, 140);
  }

  /// ARP and neighbour polls, `rounds` of each, `periodMs` apart.
  polls(rounds: number, periodMs = 5100, reversed = false): void {
    for (let i = 0; i < rounds; i++) {
      this.records(reversed, periodMs / 2, 50);
      this.records(!reversed, 1, 50);
      this.records(reversed, periodMs / 2 - 2, 94);
      this.records(!reversed, 1, 86);
    }
  }

  /// What was found: verdict and clauses of each session.
  verdicts(): { verdict: string; reversed: boolean; clauses: string[] }[] {
    return this.analysis.end().map(({ verdict, reversed, evidence }) => ({
      verdict,
      reversed,
      clauses: evidence.map(({ feature }) => feature),
    }));
  }
}
