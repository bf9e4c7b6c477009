/// Captures that hold less than was on the wire.

import type { TestFrame } from './capture-builder.js';
import { ENDS } from './dialogue.js';

/// Each packet cut at `length` bytes, as `tcpdump -s` does.
export function cutAt(length: number, frames: readonly TestFrame[]): TestFrame[] {
  return frames.map(({ bytes, timeUs, originalLen }) => ({
    bytes: bytes.subarray(0, length),
    timeUs,
    originalLen: originalLen ?? bytes.length,
  }));
}

/// The packets of one side (IPv4 over Ethernet).
export function onlyFrom(side: 'client' | 'server', frames: readonly TestFrame[]): TestFrame[] {
  const address = ENDS[side].split('.').map(Number);
  return frames.filter(({ bytes }) => address.every((byte, i) => bytes[26 + i] === byte));
}

/// Without the n-th segments with payload of a side, counted from 0 (IPv4 over Ethernet, no options).
export function withoutSegments(
  side: 'client' | 'server',
  lost: readonly number[],
  frames: readonly TestFrame[],
): TestFrame[] {
  const sent = new Set(onlyFrom(side, frames).filter(({ bytes }) => bytes.length > 60));
  let n = 0;
  return frames.filter((frame) => !sent.has(frame) || !lost.includes(n++));
}
