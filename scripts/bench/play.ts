/** Conversations to packets, in the order of their times. */
import type { CaptureFile } from './capture-file.js';
import type { Conversation } from './conversation.js';
import type { EventQueue } from './event-queue.js';
import type { FrameBuilder } from './frame-builder.js';
import type { Weaver } from './recordings.js';

/** Makes a conversation when its time has come: most take more room than their plan. */
export type Begin = () => Conversation;

/** Writes all that the conversations say, and what `weaver` has; returns the time of the last packet. */
export function play(
  out: CaptureFile,
  queue: EventQueue<Conversation | Begin>,
  frame: FrameBuilder,
  weaver: Weaver,
): number {
  let timeUs = 0;
  while (queue.size > 0) {
    timeUs = queue.nextTime;
    weaver.weave(out, timeUs);
    const item = queue.pop();
    const conversation = typeof item === 'function' ? item() : item;
    const gapUs = conversation.step(frame);
    out.add(timeUs, frame.bytes, frame.length, frame.length);
    if (gapUs >= 0) queue.push(timeUs + Math.round(gapUs), conversation);
  }
  return Math.max(timeUs, weaver.finish(out));
}
