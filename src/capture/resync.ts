/// Finds where records go on after damage, and never takes for records what a
/// packet carries.
///
/// A single header that looks sane is worth nothing: someone may have sent a
/// capture through the captured network. But such a capture is older than the
/// packets that carry it, and what lies inside one packet ends with it. So a chain
/// of records, each beginning where the last one ends, is believed only if its
/// time may follow that of the packets before, and if it goes much further than
/// the packets so far were long, or to the end of the file. What lies between two
/// places of damage that are closer together than that is given up.

import { NO_RECORD, type RecordParser, UNDECIDED } from './record-parser.js';

/// A chain goes at least so far, and so many times as far as the longest packet so far is long.
const MIN_REACH_BYTES = 16_384;
const REACH_PACKETS = 8;

/// Records that a chain holds that ends inside a record, where the file was cut off as well.
const MIN_CUT_RECORDS = 4;

/// How far a chain must go: `longest` bytes had the longest packet so far, `most` may one have.
export function reachOf(longest: number, most: number): number {
  return Math.min(most, Math.max(MIN_REACH_BYTES, REACH_PACKETS * longest));
}

export interface Search {
  /// Where records go on, or -1 if that is not known.
  foundAt: number;
  /// Nothing before this index is needed any more.
  keepFrom: number;
}

/// Looks for the beginning of a chain in [from, end). `isEnd` says that the
/// file ends at `end`. Takes time in proportion to the bytes, whatever they are.
export function findRecords(
  parser: RecordParser,
  view: DataView,
  from: number,
  end: number,
  isEnd: boolean,
): Search {
  // Where chains that failed have been: one that runs into them fails as well.
  const failed = new Set<number>();
  for (let at = from; at < end; at++) {
    at = skipZeros(view, at, end);
    const outcome =
      failed.size > 0 && failed.has(at) ? 'fails' : followChain(parser, view, at, end, isEnd, failed);
    if (outcome === 'holds') return { foundAt: at, keepFrom: at };
    if (outcome === 'undecided') return { foundAt: -1, keepFrom: at };
  }
  return { foundAt: -1, keepFrom: end };
}

/// No header is all zeros: a disk's unwritten part is passed over in strides.
/// Returns where the next header may begin at the earliest.
function skipZeros(view: DataView, at: number, end: number): number {
  let next = at;
  while (end - next >= 4 && view.getInt32(next, true) === 0) next += 4;
  return Math.max(at, next - MOST_HEADER_BYTES);
}

/// Of the containers that are read, snoop has the longest header of a record, 24 bytes.
const MOST_HEADER_BYTES = 32;

function followChain(
  parser: RecordParser,
  view: DataView,
  first: number,
  end: number,
  isEnd: boolean,
  failed: Set<number>,
): 'holds' | 'fails' | 'undecided' {
  let previous = -1;
  let at = first;
  let records = 0;
  let isTimed = false;
  while (failed.size === 0 || !failed.has(at)) {
    const length = at < end ? parser.measure(view, at, previous, end) : UNDECIDED;
    if (length === NO_RECORD) break;
    if (length === UNDECIDED) {
      if (!isEnd) return 'undecided';
      if (records > 0 && (at === end || (isTimed && records >= MIN_CUT_RECORDS))) return 'holds';
      break;
    }
    if (records === 0) {
      const mayFollow = parser.mayFollow(view, at);
      if (mayFollow === false) return 'fails';
      isTimed = mayFollow === true;
    }
    if (at - first >= parser.reachFrom(view, first)) return 'holds';
    previous = at;
    at += length;
    records++;
  }
  for (let mark = first, before = -1; mark < at; ) {
    // What a chain without a time has passed may begin one with a time, of which less is asked.
    if (isTimed || parser.mayFollow(view, mark) === undefined) failed.add(mark);
    const length = parser.measure(view, mark, before, end);
    before = mark;
    mark += length;
  }
  return 'fails';
}
