/// Records of a capture to frames, and what is counted of these.

import {
  BATCH_FRAMES,
  CLOCK_BACK_US,
  CLOCK_FORWARD_US,
  COUNTS_BYTES,
  COUNTS_LAST_US,
  COUNTS_PACKETS,
  DAY_SECONDS,
  FRAME_CAPTURED,
  FRAME_LINK_TYPE,
  FRAME_NUMBER,
  FRAME_OFFSET,
  FRAME_ORIGINAL,
  FRAME_TIME,
  LINKTYPE_NO_PACKET,
  RECORDS_COUNT,
  RECORDS_LAST_SECOND,
  RECORDS_LONGEST,
  RECORDS_PREVIOUS_AT,
} from '../src/loops/layout';

/// Takes the records of a pcap file with little-endian numbers from this place among the bytes on into a batch, as
/// long as nothing about them is doubtful, and returns the place after them. `state` has RECORDS_...;
/// `frame` is the number of the last frame before.
export function readRecords(
  bytes: usize,
  from: i32,
  end: i32,
  state: usize,
  batch: usize,
  frame: i32,
  headerBytes: i32,
  fractionsPerUs: i32,
  linkType: i32,
  maxBytes: i32,
): i32 {
  let at = from;
  let count = load<i32>(state, RECORDS_COUNT << 2);
  let longest = load<i32>(state, RECORDS_LONGEST << 2);
  let previousAt = load<i32>(state, RECORDS_PREVIOUS_AT << 2);
  let lastSecond = load<u32>(state, RECORDS_LAST_SECOND << 2);
  while (end - at >= headerBytes && count < BATCH_FRAMES) {
    const record = bytes + <usize>at;
    const captured = load<u32>(record, 8);
    if (captured > <u32>maxBytes) break;
    const next = at + headerBytes + <i32>captured;
    const original = load<u32>(record, 12);
    if (next > end || original === 0) break;
    const second = load<u32>(record);
    if (abs<i64>(<i64>second - <i64>lastSecond) > DAY_SECONDS) break;
    const us = load<u32>(record, 4) / <u32>fractionsPerUs;
    if (us >= 1_000_000) break;
    const column = batch + ((<usize>count) << 2);
    store<f64>(batch + ((<usize>count) << 3), <f64>second * 1e6 + <f64>us, FRAME_TIME);
    store<i32>(column, at + headerBytes, FRAME_OFFSET);
    store<i32>(column, captured, FRAME_CAPTURED);
    // Some writers leave the original length zero or too small.
    store<i32>(column, original > captured && <i32>original > 0 ? original : captured, FRAME_ORIGINAL);
    store<i32>(column, linkType, FRAME_LINK_TYPE);
    store<i32>(column, ++frame, FRAME_NUMBER);
    count++;
    if (<i32>captured > longest) longest = captured;
    lastSecond = second;
    previousAt = at;
    at = next;
  }
  store<i32>(state, count, RECORDS_COUNT << 2);
  store<i32>(state, longest, RECORDS_LONGEST << 2);
  store<i32>(state, previousAt, RECORDS_PREVIOUS_AT << 2);
  store<u32>(state, lastSecond, RECORDS_LAST_SECOND << 2);
  return at;
}

/// Counts the frames of a batch from this place on, up to the first that is no whole packet or whose time
/// is no neighbour's, and returns its place. `state` has COUNTS_...
export function countFrames(batch: usize, from: i32, count: i32, state: usize): i32 {
  let bytes: i64 = 0;
  let lastUs = load<f64>(state, COUNTS_LAST_US << 3);
  let i = from;
  for (; i < count; i++) {
    const column = batch + ((<usize>i) << 2);
    const original = load<i32>(column, FRAME_ORIGINAL);
    if (load<i32>(column, FRAME_LINK_TYPE) === LINKTYPE_NO_PACKET) break;
    if (load<i32>(column, FRAME_CAPTURED) < original) break;
    const time = load<f64>(batch + ((<usize>i) << 3), FRAME_TIME);
    const sinceLast = time - lastUs;
    // Negated, so that it also holds for the first packet of all, before which there is no time.
    if (!(sinceLast >= <f64>-CLOCK_BACK_US && sinceLast <= <f64>CLOCK_FORWARD_US)) break;
    bytes += original;
    lastUs = time;
  }
  store<f64>(state, load<f64>(state, COUNTS_PACKETS << 3) + <f64>(i - from), COUNTS_PACKETS << 3);
  store<f64>(state, load<f64>(state, COUNTS_BYTES << 3) + <f64>bytes, COUNTS_BYTES << 3);
  store<f64>(state, lastUs, COUNTS_LAST_US << 3);
  return i;
}
