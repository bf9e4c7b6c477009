/// The second reader: takes the packets out of a pcapng file with the npm
/// package pcap-ng-parser, so that a finding can be checked with an independent
/// implementation. Everything after the packets is the same engine.
///
/// The package drops two things that the engine needs. The resolution of times
/// is taken from the interface blocks by our own reader; original lengths are
/// lost, so every packet counts as complete. It also never says that it is
/// done: the end of the file is the end.

import PcapNgParser from 'pcap-ng-parser';
import { type CaptureSummary, newSummary } from '../capture/capture-summary.js';
import type { FrameSink } from '../capture/frame-batch.js';
import { FrameWriter } from '../capture/frame-writer.js';
import { tickConverter } from '../capture/pcapng-time.js';
import { CaptureReader } from '../capture/reader.js';
import { describeError } from './errors.js';

const ADVICE = 'read it without --reader pcap-ng-parser';

/// Reads `stream`, the bytes of a pcapng file, and hands its packets to `sink`. Never throws for what
/// the file holds: where the package gives up, the summary says so.
export async function readWithPcapNgParser(
  stream: AsyncIterable<Buffer>,
  sink: FrameSink,
  signal?: AbortSignal,
): Promise<CaptureSummary> {
  const summary = newSummary();
  const writer = new FrameWriter(sink, summary);
  const scanner = new CaptureReader(() => {});
  const { interfaces } = scanner.summary;
  const parser = new PcapNgParser();
  let failure: string | undefined;
  parser.on('error', (error) => {
    failure ??= error.message;
  });
  parser.on('data', ({ interfaceId, timestampHigh, timestampLow, data }) => {
    const source = interfaces[interfaceId];
    if (source === undefined) return;
    summary.format = 'pcapng';
    const timeUs = tickConverter(source.tsresol, source.offsetSeconds)(timestampHigh, timestampLow);
    writer.beginChunk(data, new DataView(data.buffer, data.byteOffset, data.byteLength));
    writer.add(0, data.length, data.length, timeUs, source.linkType);
    writer.flush();
  });
  for await (const chunk of stream) {
    if (signal?.aborted || failure !== undefined) break;
    summary.bytes += chunk.length;
    scanner.push(chunk);
    try {
      // It throws from inside its stream, for example at an interface without options.
      await new Promise<void>((resolve) => parser.write(chunk, () => resolve()));
    } catch (error) {
      failure = describeError(error);
    }
  }
  // Packets may still be on their way through the stream's own buffer.
  await new Promise((resolve) => setImmediate(resolve));
  note(summary, failure);
  return summary;
}

function note(summary: CaptureSummary, failure: string | undefined): void {
  if (failure !== undefined) {
    const why = `pcap-ng-parser cannot read this file (${failure}); ${ADVICE}`;
    if (summary.packets === 0) summary.notACapture = why;
    else {
      const between = { afterFrame: summary.packets, fromUs: summary.lastUs, toUs: Number.NaN };
      summary.damage.push({ offset: 0, reason: why, bytesLost: 0, ...between });
    }
  } else if (summary.packets === 0) {
    summary.notACapture = `pcap-ng-parser gave no packet; ${ADVICE}`;
  }
}
