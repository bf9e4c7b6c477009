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
  /// Where the next nonce is taken from; below zero so many bytes before the end.
  sourceAt: number;
}

/// Datagrams remembered, so how far one may be overtaken, and the one that is matched.
const SLOTS = 4 + 1;

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
  /// Bit s: shape s is looked for.
  wanted: number;
  /// slot, shape, nonce or source: a piece, how many of its bytes are known, its first four bytes
  private readonly pieces: Uint8Array;
  private readonly known: Uint8Array;
  private readonly heads: Int32Array;
  /// Bit s: the datagram in this slot has its link to the one before, in shape s.
  private readonly linked = new Uint8Array(SLOTS);
  private readonly lengths = new Uint32Array(SLOTS);
  /// The slot of the datagram that is being matched.
  private now = 0;

  constructor(private readonly shapes: readonly ChainShape[]) {
    const count = SLOTS * shapes.length * 2;
    this.links = new Uint32Array(shapes.length);
    this.pieces = new Uint8Array(count * PIECE_BYTES);
    this.known = new Uint8Array(count);
    this.heads = new Int32Array(count);
    this.wanted = (1 << shapes.length) - 1;
  }

  reset(): void {
    this.links.fill(0);
    this.datagrams = 0;
    this.wanted = (1 << this.shapes.length) - 1;
    this.now = 0;
  }

  /// Pairs of neighbours that could have been links.
  get pairs(): number {
    return this.datagrams > 0 ? this.datagrams - 1 : 0;
  }

  /// Compares a datagram with the remembered ones: the shapes (as bits) in
  /// which a link was found, or -1 if it repeats one (it went to several ends, or was
  /// captured twice). `length` bytes were sent,
  /// `captured` of them lie in `bytes` from `at` on.
  match(bytes: Uint8Array, at: number, captured: number, length: number): number {
    const { shapes, heads, linked, now, wanted } = this;
    const used = Math.min(this.datagrams, SLOTS);
    const size = shapes.length * 2;
    this.copyPieces(bytes, at, captured, length);
    for (let slot = 0; slot < used; slot++) {
      if (slot !== now && this.lengths[slot] === length && this.sameNonces(slot)) return -1;
    }
    let found = 0;
    linked[now] = 0;
    for (let s = 0; s < shapes.length; s++) {
      const bit = 1 << s;
      if ((wanted & bit) === 0) continue;
      const mine = now * size + s * 2;
      for (let slot = 0; slot < used; slot++) {
        const other = slot * size + s * 2;
        if (slot === now) continue;
        if (heads[mine] === heads[other + 1] && (linked[now]! & bit) === 0 && this.isLink(other, mine, s)) {
          linked[now]! |= bit;
          this.links[s]!++;
          found |= bit;
        }
        // The remembered one overtook this one on the way.
        if (heads[other] === heads[mine + 1] && (linked[slot]! & bit) === 0 && this.isLink(mine, other, s)) {
          linked[slot]! |= bit;
          this.links[s]!++;
          found |= bit;
        }
      }
    }
    return found;
  }

  /// Remembers the datagram that was matched last; not for repetitions.
  remember(length: number): void {
    this.lengths[this.now] = length;
    this.now = (this.now + 1) % SLOTS;
    this.datagrams++;
  }

  private copyPieces(bytes: Uint8Array, at: number, captured: number, length: number): void {
    const { shapes } = this;
    for (let s = 0; s < shapes.length; s++) {
      if ((this.wanted & (1 << s)) === 0) continue;
      const { nonceAt, nonceBytes, sourceAt } = shapes[s]!;
      const piece = (this.now * shapes.length + s) * 2;
      this.copyPiece(piece, bytes, at, captured, nonceAt, nonceBytes);
      this.copyPiece(piece + 1, bytes, at, captured, sourceAt < 0 ? length + sourceAt : sourceAt, nonceBytes);
    }
  }

  private copyPiece(
    piece: number,
    bytes: Uint8Array,
    at: number,
    captured: number,
    pieceAt: number,
    nonceBytes: number,
  ): void {
    const left = captured - pieceAt;
    if (pieceAt < 0 || left < nonceBytes) {
      this.known[piece] = 0;
      this.heads[piece] = 0;
      return;
    }
    const { pieces } = this;
    const count = Math.min(left, nonceBytes + FOLLOWING_BYTES);
    const from = at + pieceAt;
    const to = piece * PIECE_BYTES;
    for (let i = 0; i < count; i++) pieces[to + i] = bytes[from + i]!;
    this.known[piece] = count;
    this.heads[piece] =
      (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!;
  }

  /// The nonce of `later` comes from `earlier` (the nonce pieces of both), and nothing else explains it.
  private isLink(earlier: number, later: number, s: number): boolean {
    const { nonceBytes } = this.shapes[s]!;
    return (
      this.equal(earlier + 1, later, 0, nonceBytes) &&
      // A nonce that never changes is a header.
      !this.equal(earlier, later, 0, nonceBytes) &&
      // Where the bytes behind it were moved along, it is a window sliding over some text.
      !this.equal(earlier + 1, later, nonceBytes, nonceBytes + FOLLOWING_BYTES) &&
      this.differentBytes(later, nonceBytes) >= MIN_DIFFERENT_BYTES
    );
  }

  private sameNonces(slot: number): boolean {
    const { shapes } = this;
    for (let s = 0; s < shapes.length; s++) {
      if ((this.wanted & (1 << s)) === 0) continue;
      const one = (slot * shapes.length + s) * 2;
      const other = (this.now * shapes.length + s) * 2;
      if (!this.equal(one, other, 0, shapes[s]!.nonceBytes)) return false;
    }
    return true;
  }

  /// Bytes [from, to) of two pieces are known and the same.
  private equal(one: number, other: number, from: number, to: number): boolean {
    const { pieces, known } = this;
    if (known[one]! < to || known[other]! < to) return false;
    const a = one * PIECE_BYTES;
    const b = other * PIECE_BYTES;
    for (let i = from; i < to; i++) if (pieces[a + i] !== pieces[b + i]) return false;
    return true;
  }

  private differentBytes(piece: number, count: number): number {
    round = (round + 1) >>> 0;
    let values = 0;
    for (let i = 0; i < count; i++) {
      const value = this.pieces[piece * PIECE_BYTES + i]!;
      if (metIn[value] !== round) values++;
      metIn[value] = round;
    }
    return values;
  }
}
