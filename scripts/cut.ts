/// Leaves out the beginning of a capture, as if it had been started later:
/// what is left of the sessions in it was running when the capture began.

import { type FrameBatch, LINKTYPE_NO_PACKET } from '#sealert/capture/frame-batch.js';
import { addressText } from '#sealert/detect/identity.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet, PROTOCOL_TCP, PROTOCOL_UDP, STOP_NONE } from '#sealert/wire/packet.js';
import type { Label, LabelledConnection } from './labels.js';

export class Cut {
  private readonly packet = new Packet();
  private beginUs = Number.NaN;
  /// By the text of both ends: when the last payload was seen.
  private readonly lastUs = new Map<string, number>();
  private readonly seenBefore = new Set<string>();

  constructor(private readonly seconds: number) {}

  /// Makes the frames of the first seconds entries without a packet.
  apply(batch: FrameBatch): void {
    const { offset, capturedLen, originalLen, timeUs, linkType } = batch;
    for (let i = 0; i < batch.count; i++) {
      const { packet } = this;
      if (linkType[i] === LINKTYPE_NO_PACKET) continue;
      if (Number.isNaN(this.beginUs)) this.beginUs = timeUs[i]! + this.seconds * 1e6;
      const stop = decodeFrame(
        batch.view,
        offset[i]!,
        capturedLen[i]!,
        originalLen[i]!,
        linkType[i]!,
        packet,
      );
      if (stop === STOP_NONE && packet.payloadLen > 0) this.note(batch.bytes, timeUs[i]!);
      if (timeUs[i]! < this.beginUs) linkType[i] = LINKTYPE_NO_PACKET;
    }
  }

  /// The label with only those sessions that were running at the cut and go on
  /// for `left` seconds at least; of these, only the connections that are left.
  running(label: Label, left: number): Label {
    const lastOf = (connection: LabelledConnection) => this.lastUs.get(partiesOf(connection)) ?? 0;
    const sessions = label.sessions
      .filter(({ connections }) => connections.some((c) => this.seenBefore.has(partiesOf(c))))
      .filter(({ connections }) => connections.some((c) => lastOf(c) >= this.beginUs + left * 1e6))
      .map((session) => ({
        ...session,
        connections: session.connections.filter((connection) => lastOf(connection) >= this.beginUs),
      }));
    return { ...label, sessions };
  }

  private note(bytes: Uint8Array, timeUs: number): void {
    const { packet } = this;
    const length = packet.version === 4 ? 4 : 16;
    const end = (at: number, port: number) => ({
      ip: addressText(bytes.slice(at, at + length)),
      port: protocol === 'icmp' ? null : port,
    });
    const protocol =
      packet.protocol === PROTOCOL_TCP ? 'tcp' : packet.protocol === PROTOCOL_UDP ? 'udp' : 'icmp';
    const parties = partiesOf({
      protocol,
      role: '',
      client: end(packet.addressesAt, packet.sourcePort),
      server: end(packet.addressesAt + length, packet.destinationPort),
    });
    this.lastUs.set(parties, timeUs);
    if (timeUs < this.beginUs) this.seenBefore.add(parties);
  }
}

/// Both ends of a flow, in an order that does not depend on who sends.
function partiesOf({ protocol, client, server }: LabelledConnection): string {
  return `${protocol} ${[`${client.ip} ${client.port}`, `${server.ip} ${server.port}`].sort().join(' - ')}`;
}
