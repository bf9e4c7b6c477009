/// The stored bytes of a compressed capture, taken by the decoder at its own pace. What it was given
/// is not overwritten.

/// `cut`: nothing is wrong but that it ends too early. `beyond`: it may be right, but is not unpacked here.
export type BreakKind = 'damaged' | 'cut' | 'beyond';

/// A compressed stream that can not be unpacked any further; `at` is an offset into the stored bytes.
export class BrokenStream extends Error {
  constructor(
    readonly at: number,
    detail: string,
    readonly kind: BreakKind = 'damaged',
  ) {
    super(detail);
  }
}

/// The stored bytes themselves could not be read.
export class ReadFailure extends Error {}

/// How many stored bytes a decoder takes at a time, from this offset on.
export type PieceBytes = (offset: number) => number;

export class StoredBytes {
  /// How many bytes were taken: where the next one lies in the file.
  offset = 0;
  private readonly source: AsyncIterator<Uint8Array>;
  private buffer: Uint8Array = new Uint8Array(0);
  private at = 0;
  private isAtEnd = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /// The next `count` bytes, contiguous, fewer only at the end. They are not taken yet.
  async look(count: number): Promise<Uint8Array> {
    if (this.buffer.length - this.at < count) await this.fetch(count);
    return this.buffer.subarray(this.at, this.at + count);
  }

  /// Takes what has arrived already, at least a byte and at most `most`; nothing at the end.
  async takeSome(most: number): Promise<Uint8Array> {
    if (this.at === this.buffer.length) await this.fetch(1);
    const some = this.buffer.subarray(this.at, this.at + most);
    this.skip(some.length);
    return some;
  }

  /// Takes bytes that were looked at.
  skip(count: number): void {
    this.at += count;
    this.offset += count;
  }

  /// Takes bytes that nobody looks at; fewer only at the end.
  async pass(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const { length } = await this.takeSome(left);
      if (length === 0) return;
      left -= length;
    }
  }

  /// Says that no more is wanted: the file or pipe is closed.
  async close(): Promise<void> {
    await this.source.return?.();
  }

  private async fetch(count: number): Promise<void> {
    const parts = [this.buffer.subarray(this.at)];
    let have = parts[0]!.length;
    while (have < count && !this.isAtEnd) {
      const next = await this.source.next().catch((error: unknown) => {
        throw new ReadFailure('', { cause: error });
      });
      if (next.done) this.isAtEnd = true;
      else {
        parts.push(next.value);
        have += next.value.length;
      }
    }
    this.buffer = parts.length === 2 && parts[0]!.length === 0 ? parts[1]! : Buffer.concat(parts);
    this.at = 0;
  }
}
