/// Takes from a capture what belongs to one installation: addresses and ports
/// are replaced, each by always the same other one.

import { createHash } from 'node:crypto';
import type { FrameBatch } from '#sealert/capture/frame-batch.js';
import { addressText } from '#sealert/detect/identity.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet, PROTOCOL_TCP, PROTOCOL_UDP, STOP_NONE } from '#sealert/wire/packet.js';
import type { LabelledEnd } from './labels.js';

export class Mask {
  private readonly packet = new Packet();
  /// By the text of an end as masked: the end as recorded.
  private readonly recorded = new Map<string, LabelledEnd>();

  /// Replaces addresses and ports in the batch's own bytes.
  apply(batch: FrameBatch): void {
    const { packet } = this;
    const { view, offset, capturedLen, originalLen, linkType } = batch;
    for (let i = 0; i < batch.count; i++) {
      const stop = decodeFrame(view, offset[i]!, capturedLen[i]!, originalLen[i]!, linkType[i]!, packet);
      const hasPorts = packet.protocol === PROTOCOL_TCP || packet.protocol === PROTOCOL_UDP;
      if (stop !== STOP_NONE || !hasPorts) continue;
      const length = packet.version === 4 ? 4 : 16;
      this.replaceEnd(batch.bytes, packet.addressesAt, length, packet.transportAt);
      this.replaceEnd(batch.bytes, packet.addressesAt + length, length, packet.transportAt + 2);
    }
  }

  /// The end as recorded behind a masked one.
  unmask(end: LabelledEnd): LabelledEnd {
    return this.recorded.get(`${end.ip} ${end.port}`) ?? end;
  }

  private replaceEnd(bytes: Uint8Array, addressAt: number, length: number, portAt: number): void {
    const address = bytes.subarray(addressAt, addressAt + length);
    const port = bytes.subarray(portAt, portAt + 2);
    const before = endOf(address, port);
    const addressHash = createHash('sha256').update('address').update(address).digest();
    const portHash = createHash('sha256').update('port').update(address).update(port).digest();
    address.set(addressHash.subarray(0, length));
    port.set(portHash.subarray(0, 2));
    const after = endOf(address, port);
    this.recorded.set(`${after.ip} ${after.port}`, before);
  }
}

function endOf(address: Uint8Array, port: Uint8Array): { ip: string; port: number } {
  return { ip: addressText(address), port: port[0]! * 256 + port[1]! };
}
