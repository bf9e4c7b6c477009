/** Passes over the frames of a capture, and the first of them. */
import { BATCH_FRAMES, type FrameSink } from '#sealert/capture/frame-batch.js';
import { Intake, type PacketSink } from '#sealert/intake.js';
import { PacketBatch } from '#sealert/wire/packet-batch.js';

/** Takes the frames of one pass. */
export interface Pass {
  sink: FrameSink;
  end?(): void;
}

/** Decodes every frame; `take` gets the packets of each batch. */
export function decodeOnly(take: PacketSink): Pass {
  const packets = new PacketBatch(BATCH_FRAMES);
  const intake = new Intake(take, () => packets);
  return { sink: (batch) => intake.push(batch) };
}
