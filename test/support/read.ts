/// Captures through the project's reader, with the borrowed batches copied.

import type { CaptureSummary } from '#sealert/capture/capture-summary.js';
import { type FrameBatch, LINKTYPE_NO_PACKET } from '#sealert/capture/frame-batch.js';
import { CaptureReader } from '#sealert/capture/reader.js';
import { chunkPool, readerPool } from '#sealert/node/buffer-pool.js';

const CHUNKS = [chunkPool.take(), chunkPool.take()];

export interface ReadFrame {
  frame: number;
  timeUs: number;
  originalLen: number;
  linkType: number;
  bytes: Uint8Array;
}

export interface ReadCapture {
  frames: ReadFrame[];
  summary: CaptureSummary;
}

/// Reads a capture that arrives in pieces of these lengths, then the rest at once.
export function readFrames(capture: Uint8Array, chunks: readonly number[] = []): ReadCapture {
  const frames: ReadFrame[] = [];
  const reader = new CaptureReader((batch) => copyFrames(batch, frames));
  for (const piece of cut(capture, chunks)) reader.push(piece);
  reader.end();
  return { frames, summary: reader.summary };
}

/// The same through `pushChunk`, without the copy that `push` makes, and in the memory of the loops.
export function readFramesInChunks(capture: Uint8Array, chunks: readonly number[]): ReadCapture {
  const frames: ReadFrame[] = [];
  const buffers = readerPool.take();
  const reader = new CaptureReader((batch) => copyFrames(batch, frames), buffers);
  cut(capture, chunks).forEach((piece, i) => {
    // Two buffers in turn, as file sources use them; what is left over from before must not matter.
    const chunk = CHUNKS[i % 2]!;
    chunk.data.fill(0x0a);
    chunk.data.set(piece);
    reader.pushChunk(chunk, piece.length);
  });
  reader.end();
  readerPool.give(buffers);
  return { frames, summary: reader.summary };
}

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  pieces.push(bytes.subarray(at));
  return pieces;
}

/// Copies the frames of a batch that hold a packet.
export function copyFrames(batch: FrameBatch, to: ReadFrame[]): void {
  for (let i = 0; i < batch.count; i++) {
    if (batch.linkType[i] === LINKTYPE_NO_PACKET) continue;
    const at = batch.offset[i]!;
    to.push({
      frame: batch.frame[i]!,
      timeUs: batch.timeUs[i]!,
      originalLen: batch.originalLen[i]!,
      linkType: batch.linkType[i]!,
      bytes: Uint8Array.from(batch.bytes.subarray(at, at + batch.capturedLen[i]!)),
    });
  }
}
