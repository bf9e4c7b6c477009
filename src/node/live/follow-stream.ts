/// Reads a capture from a stream that grows while it is read.

import type { Readable } from 'node:stream';
import type { CaptureFormat, CaptureSummary } from '../../capture/capture-summary.js';
import type { FrameSink } from '../../capture/frame-batch.js';
import { CaptureReader } from '../../capture/reader.js';

export interface StreamFollower {
  sink: FrameSink;
  /// Resolves when more can be taken; undefined if that is now.
  ready(): Promise<void> | undefined;
  bytes(count: number): void;
  /// The first bytes show that it is a capture.
  began(format: CaptureFormat): void;
}

/// Returns what was learned, once the stream has ended.
export async function followStream(stream: Readable, follower: StreamFollower): Promise<CaptureSummary> {
  const reader = new CaptureReader(follower.sink);
  const { summary } = reader;
  let hasBegun = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    follower.bytes(chunk.length);
    reader.push(chunk);
    if (reader.isHopeless) break;
    if (!hasBegun && summary.format !== null) {
      hasBegun = true;
      follower.began(summary.format);
    }
    await follower.ready();
  }
  reader.end();
  return summary;
}
