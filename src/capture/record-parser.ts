/// What the reader asks of a container format.

/// Thrown by a parser where the capture is broken; caught by the reader, which
/// notes it and keeps what came before. `at` is an index into the chunk.
export class BrokenRecord extends Error {
  constructor(
    readonly at: number,
    reason: string,
  ) {
    super(reason);
  }
}

export interface RecordParser {
  /// Takes whole records out of bytes[start .. end) and returns the index of
  /// the first byte not taken, or one beyond `end` if bytes that have not
  /// arrived yet are to be skipped. Throws BrokenRecord.
  parse(bytes: Uint8Array, view: DataView, start: number, end: number): number;

  /// Says that no more bytes come: what the next call of `parse` gets is all there is.
  endOfFile?(): void;

  /// The records at the end so far that hold nothing but zeros, and their length in the file.
  zerosAtEnd?(): { records: number; bytes: number };

  /// Says what is missing from an unfinished record at the end of the file.
  describeUnfinished(view: DataView, start: number, end: number): string;
}
