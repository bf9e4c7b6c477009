/** Passes over the frames of a capture, and the first of them. */
import { type FrameBatch, type FrameSink, LINKTYPE_NO_PACKET } from '#sealert/capture/frame-batch.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet, STOP_NONE } from '#sealert/wire/packet.js';

/** Takes the frames of one pass. */
export interface Pass {
  sink: FrameSink;
  end?(): void;
}

/** Decodes every frame; `take` gets its packet. */
export function decodeOnly(take: (packet: Packet, batch: FrameBatch, timeUs: number) => void): Pass {
  const packet = new Packet();
  return {
    sink: (batch) => {
      const { view, count, offset, capturedLen, originalLen, linkType, timeUs } = batch;
      for (let i = 0; i < count; i++) {
        const link = linkType[i]!;
        if (link === LINKTYPE_NO_PACKET) continue;
        const stop = decodeFrame(view, offset[i]!, capturedLen[i]!, originalLen[i]!, link, packet);
        if (stop === STOP_NONE) take(packet, batch, timeUs[i]!);
      }
    },
  };
}
