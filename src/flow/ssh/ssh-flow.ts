/// Both directions of an SSH connection, and what they negotiated.

import { sameBytes } from '../../wire/same-bytes.js';
import type { MemoryBudget } from '../memory-budget.js';
import { negotiate, type SshAlgorithms } from './kexinit.js';
import { type SshPacketShape, sshPacketShape } from './packet-shape.js';
import { SshSide } from './ssh-side.js';

const SSH_PREFIX = Uint8Array.of(0x53, 0x53, 0x48, 0x2d);

/// Told what an SSH connection carries after NEWKEYS.
export interface SshListener {
  /// Encrypted bytes of one side: one packet with all its bytes on the wire
  /// (`packets` is 1), or as much of a segment as the call before did not
  /// tell, holding an unknown number of packets (0).
  sshSent(fromClient: boolean, wireBytes: number, packets: number, timeUs: number, frame: number): void;
}

/// Which end is the client is told by the caller, as the TCP flow knows it.
export class SshFlow {
  readonly client: SshSide;
  readonly server: SshSide;
  /// What each direction uses; null until both KEXINIT were read, or if one was not captured.
  clientAlgorithms: SshAlgorithms | null = null;
  serverAlgorithms: SshAlgorithms | null = null;

  constructor(listener: SshListener, budget: MemoryBudget) {
    const side = (fromClient: boolean) =>
      new SshSide(
        {
          offered: () => this.settle(),
          newKeys: () => this.shape(fromClient),
          sent: (wireBytes, packets, timeUs, frame) =>
            listener.sshSent(fromClient, wireBytes, packets, timeUs, frame),
        },
        budget,
      );
    this.client = side(true);
    this.server = side(false);
  }

  reset(): void {
    this.client.reset();
    this.server.reset();
    this.clientAlgorithms = null;
    this.serverAlgorithms = null;
  }

  /// The capture begins inside the connection: all its bytes are encrypted.
  beginInside(): void {
    this.client.beginInside();
    this.server.beginInside();
  }

  /// One of the sides does not speak SSH 2.
  get notSsh(): boolean {
    return this.client.notSsh || this.server.notSsh;
  }

  bytes(
    fromClient: boolean,
    bytes: Uint8Array,
    at: number,
    length: number,
    timeUs: number,
    frame: number,
  ): void {
    (fromClient ? this.client : this.server).bytes(bytes, at, length, timeUs, frame);
  }

  missing(fromClient: boolean, length: number, timeUs: number, frame: number): void {
    (fromClient ? this.client : this.server).missing(length, timeUs, frame);
  }

  /// The shape of the packets of a direction; null if it is not known.
  shape(fromClient: boolean): SshPacketShape | null {
    const algorithms = fromClient ? this.clientAlgorithms : this.serverAlgorithms;
    return algorithms === null ? null : sshPacketShape(algorithms.cipher, algorithms.mac);
  }

  private settle(): void {
    const { client, server } = this;
    if (client.kexInit === null || server.kexInit === null) return;
    this.clientAlgorithms ??= negotiate(client.kexInit, server.kexInit, true);
    this.serverAlgorithms ??= negotiate(client.kexInit, server.kexInit, false);
    client.kexInit = null;
    server.kexInit = null;
  }
}

/// True if the payload can begin an SSH connection: the identification (RFC
/// 4253 section 4.2), or as much of it as there is.
export function beginsLikeSsh(bytes: Uint8Array, at: number, length: number): boolean {
  return length > 0 && sameBytes(bytes, at, SSH_PREFIX, 0, Math.min(length, SSH_PREFIX.length));
}
