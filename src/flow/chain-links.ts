/// Nonces taken from the datagram before: SoftEther's UDP channels copy the
/// next nonce out of the ciphertext that they have just sent, so consecutive
/// datagrams of one sender hang together like links of a chain. A link by
/// chance has a probability of 2^-96 or less.
///
/// Constant state for one direction, nothing allocated per datagram: the last
/// few datagrams are remembered by the pieces that a link needs, so a datagram
/// that was lost breaks one link only, and one that was overtaken none.

/// Where one kind of chain has its nonce, and from where the next one is taken.
export interface ChainShape {
  name: string;
  nonceAt: number;
  nonceBytes: number;
  /// The source begins so many bytes after the start, or before the end.
  source: { fromStart: number } | { fromEnd: number };
}

/// Datagrams remembered, so how far one may be overtaken.
const SLOTS = 4;

/// A piece of a datagram: a nonce or a source, and the bytes that follow it.
const MAX_NONCE_BYTES = 20;
const FOLLOWING_BYTES = 4;
const PIECE_BYTES = MAX_NONCE_BYTES + FOLLOWING_BYTES;

/// Fewest different byte values in a nonce. 12 random bytes have fewer with a
/// probability below 2^-20; counters and zeros nearly always.
const MIN_DIFFERENT_BYTES = 7;

/// Scratch of `differentBytes`: the round in which a value was last met.
const metIn = new Uint32Array(256);
let round = 0;

export class ChainLinks {
  /// Links found, by shape.
  readonly links: Uint32Array;
  /// Datagrams remembered so far, repetitions left out.
  datagrams = 0;
  /// Datagrams that repeat a remembered one: sent to several ends, or captured twice.
  repeated = 0;
  /// slot, shape, nonce or source: a piece, and how many of its bytes are known
  private readonly pieces: Uint8Array;
  private readonly known: Uint8Array;
  /// Bit s: the datagram in this slot has its link to the one before, in shape s.
  private readonly linked = new Uint8Array(SLOTS);
  private readonly lengths = new Uint32Array(SLOTS);
  private used = 0;
  private next = 0;
  /// Shapes in which the datagram just matched has its own link.
  private own = 0;

  constructor(private readonly shapes: readonly ChainShape[]) {
    // One more slot holds the datagram that is being matched.
    const count = (SLOTS + 1) * shapes.length * 2;
    this.links = new Uint32Array(shapes.length);
    this.pieces = new Uint8Array(count * PIECE_BYTES);
    this.known = new Uint8Array(count);
  }

  reset(): void {
    this.links.fill(0);
    this.datagrams = 0;
    this.repeated = 0;
    this.used = 0;
    this.next = 0;
  }

  /// Pairs of neighbours that could have been links.
  get pairs(): number {
    return this.datagrams > 0 ? this.datagrams - 1 : 0;
  }

  /// Compares a datagram with the remembered ones: the shapes (as bits) in
  /// which a link was found, or -1 if it repeats one. `length` bytes were sent,
  /// `captured` of them lie in `bytes` from `at` on.
  match(bytes: Uint8Array, at: number, captured: number, length: number): number {
    const { shapes, linked } = this;
    this.copyPieces(bytes, at, captured, length);
    this.own = 0;
    for (let slot = 0; slot < this.used; slot++) {
      if (this.lengths[slot] !== length || !this.sameNonces(slot)) continue;
      this.repeated++;
      return -1;
    }
    let found = 0;
    for (let s = 0; s < shapes.length; s++) {
      const bit = 1 << s;
      for (let slot = 0; slot < this.used; slot++) {
        if ((this.own & bit) === 0 && this.isLink(slot, SLOTS, s)) {
          this.own |= bit;
          this.links[s]!++;
          found |= bit;
        }
        // The remembered one overtook this one on the way.
        if ((linked[slot]! & bit) === 0 && this.isLink(SLOTS, slot, s)) {
          linked[slot]! |= bit;
          this.links[s]!++;
          found |= bit;
        }
      }
    }
    return found;
  }

  /// Remembers the datagram that was matched last (and is no repetition).
  remember(length: number): void {
    const size = this.shapes.length * 2;
    const slot = this.next;
    this.next = (slot + 1) % SLOTS;
    if (this.used < SLOTS) this.used++;
    this.pieces.copyWithin(slot * size * PIECE_BYTES, SLOTS * size * PIECE_BYTES);
    this.known.copyWithin(slot * size, SLOTS * size);
    this.linked[slot] = this.own;
    this.lengths[slot] = length;
    this.datagrams++;
  }

  private copyPieces(bytes: Uint8Array, at: number, captured: number, length: number): void {
    for (let s = 0; s < this.shapes.length; s++) {
      const { nonceAt, nonceBytes, source } = this.shapes[s]!;
      const sourceAt = 'fromEnd' in source ? length - source.fromEnd : source.fromStart;
      this.copyPiece(this.index(SLOTS, s, 0), bytes, at, captured, nonceAt, nonceBytes);
      this.copyPiece(this.index(SLOTS, s, 1), bytes, at, captured, sourceAt, nonceBytes);
    }
  }

  private copyPiece(
    index: number,
    bytes: Uint8Array,
    at: number,
    captured: number,
    pieceAt: number,
    nonceBytes: number,
  ): void {
    const count = pieceAt < 0 ? 0 : Math.min(nonceBytes + FOLLOWING_BYTES, captured - pieceAt);
    if (count < nonceBytes) {
      this.known[index] = 0;
      return;
    }
    this.known[index] = count;
    const to = index * PIECE_BYTES;
    for (let i = 0; i < count; i++) this.pieces[to + i] = bytes[at + pieceAt + i]!;
  }

  /// The nonce of `later` comes from `earlier`, and nothing else explains it.
  private isLink(earlier: number, later: number, s: number): boolean {
    const source = this.index(earlier, s, 1);
    const nonce = this.index(later, s, 0);
    const { nonceBytes } = this.shapes[s]!;
    if (!this.equal(source, nonce, 0, nonceBytes)) return false;
    // A nonce that never changes is a header.
    if (this.equal(this.index(earlier, s, 0), nonce, 0, nonceBytes)) return false;
    // Where the bytes behind it were moved along, it is a window sliding over some text.
    if (this.equal(source, nonce, nonceBytes, nonceBytes + FOLLOWING_BYTES)) return false;
    return this.differentBytes(nonce, nonceBytes) >= MIN_DIFFERENT_BYTES;
  }

  private sameNonces(slot: number): boolean {
    for (let s = 0; s < this.shapes.length; s++) {
      const { nonceBytes } = this.shapes[s]!;
      if (!this.equal(this.index(slot, s, 0), this.index(SLOTS, s, 0), 0, nonceBytes)) return false;
    }
    return true;
  }

  private equal(one: number, other: number, from: number, to: number): boolean {
    const { pieces, known } = this;
    if (known[one]! < to || known[other]! < to) return false;
    const a = one * PIECE_BYTES;
    const b = other * PIECE_BYTES;
    for (let i = from; i < to; i++) if (pieces[a + i] !== pieces[b + i]) return false;
    return true;
  }

  private differentBytes(index: number, count: number): number {
    const { pieces } = this;
    round = (round + 1) >>> 0;
    let values = 0;
    for (let i = 0; i < count; i++) {
      const value = pieces[index * PIECE_BYTES + i]!;
      if (metIn[value] !== round) values++;
      metIn[value] = round;
    }
    return values;
  }

  private index(slot: number, s: number, piece: 0 | 1): number {
    return (slot * this.shapes.length + s) * 2 + piece;
  }
}
