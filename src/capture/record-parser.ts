/// What the reader asks of a container format.

/// Thrown by a parser where the capture is broken; caught by the reader, which
/// notes it and goes on after it. `at` is an index into the chunk. `resumeAt` is
/// where the next record begins, if only this one is wrong; without it the
/// lengths cannot be trusted and the reader has to search.
export class BrokenRecord extends Error {
  constructor(
    readonly at: number,
    reason: string,
    readonly resumeAt?: number,
  ) {
    super(reason);
  }
}

/// What `measure` returns besides a length.
export const NO_RECORD = 0;
export const UNDECIDED = -1;

export interface RecordParser {
  /// Where the last record begins that was taken, or -1 if that is not to be
  /// looked at again. Its length may be what is wrong where the next one breaks.
  previousAt: number;

  /// Takes whole records out of bytes[start .. end) and returns the index of
  /// the first byte not taken, or one beyond `end` if bytes that have not
  /// arrived yet are to be skipped. `isEnd` says that no more bytes come.
  /// Throws BrokenRecord.
  parse(bytes: Uint8Array, view: DataView, start: number, end: number, isEnd: boolean): number;

  /// The length of the record that begins at `at`, NO_RECORD if nothing sane
  /// does, UNDECIDED if that would take bytes beyond `end`. `previousAt` is the
  /// record before it in the same chain, or -1. Stricter than `parse`: it is asked where
  /// nothing is known to begin.
  measure(view: DataView, at: number, previousAt: number, end: number): number;

  /// So many bytes must a chain go that is believed and begins with the record at `at`, which was measured.
  reachFrom(view: DataView, at: number): number;

  /// True if the record at `at`, which was measured, may come after the last packet
  /// that was read; undefined if it has no time to go by.
  mayFollow(view: DataView, at: number): boolean | undefined;

  /// Says what is missing from an unfinished record at the end of the file.
  describeUnfinished(view: DataView, start: number, end: number): string;
}
