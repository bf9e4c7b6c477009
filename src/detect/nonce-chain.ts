/// UDP acceleration: one UDP flow between two hosts whose datagrams hang
/// together by their nonces. Runs on every UDP flow, so an ordinary flow is let
/// go after a few datagrams, and nothing is allocated for one.
///
/// Facts: UdpAccel.c UdpAccelSend of both generations; the chains were checked
/// on recordings of 4.44.9807 and 5.01.9674 (facts, observed).
///
///     version 1   IV 20     | RC4 { header, data, zeros 0..31, 20 zeros }
///     version 2   nonce 12  | ChaCha20 { header, data, zeros 0..31 } | tag 16
///     plain                   header, data                  (UseEncrypt = false)
///     header = cookie 4, my tick 8, your tick 8, size 2, flag 1
///
/// The bulk channel of R-UDP (flow/rudp) chains like version 2 of 4.x in both
/// generations: a flow known as R-UDP is not for this class.

import { ChainLinks, type ChainShape } from '../flow/chain-links.js';
import { PlainTicks } from './plain-ticks.js';

export type NonceChainState = 'undecided' | 'hopeless' | 'chained';
export type ChainVariant = 'v1' | 'v2-4.x' | 'v2-5.x' | 'plain';

const SHAPES: readonly (ChainShape & { name: ChainVariant })[] = [
  // UdpAccelSend, version 1, S4 and S5: the last 20 bytes of the ciphertext.
  { name: 'v1', nonceAt: 0, nonceBytes: 20, sourceAt: -20 },
  // UdpAccelSend, version 2, S4: the last 12 bytes before the tag of 16.
  { name: 'v2-4.x', nonceAt: 0, nonceBytes: 12, sourceAt: -28 },
  // UdpAccelSend, version 2, S5: the first 12 bytes of the ciphertext.
  { name: 'v2-5.x', nonceAt: 0, nonceBytes: 12, sourceAt: 12 },
];

/// Links that make a chain. One has a chance of 2^-96; two rule out a datagram
/// made for this purpose by some test program, too.
const MIN_LINKS = 2;

/// Datagrams without a single link after which a flow is ordinary. With one
/// datagram in five lost a chain shows in ten with a probability above 99.9 %.
const HOPELESS_AFTER = 10;

/// The same with one link found: the chain may be full of holes.
const GIVE_UP_AFTER = 64;

/// Frame numbers kept as evidence.
const MAX_FRAMES = 4;

/// What one direction showed.
export interface ChainReading {
  /// Null if this direction has no chain. kittoku's client makes random nonces
  /// (facts, third-party clients): then only the server's direction has one.
  variant: ChainVariant | null;
  /// Of the sender, where the variant tells.
  generation: '4.x' | '5.x' | null;
  links: number;
  /// Pairs of neighbouring datagrams that could have been links.
  pairs: number;
  /// The first frames whose nonce was in the frame before.
  frames: readonly number[];
}

export class NonceChain {
  state: NonceChainState = 'undecided';
  private datagrams = 0;
  private readonly a = new Direction();
  private readonly b = new Direction();

  /// Ready for another flow.
  reset(): void {
    this.state = 'undecided';
    this.datagrams = 0;
    this.a.reset();
    this.b.reset();
  }

  /// Takes the next datagram of the flow. `length` bytes of payload were sent,
  /// `captured` of them lie in `bytes` from `at` on; they are only read.
  datagram(
    fromA: boolean,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): NonceChainState {
    if (this.state === 'hopeless') return 'hopeless';
    const { a, b } = this;
    const from = fromA ? a : b;
    from.datagram(fromA ? b : a, bytes, at, captured, length, timeUs, frame);
    if (this.state === 'chained') return 'chained';
    this.datagrams++;
    if (from.bestLinks >= MIN_LINKS) {
      this.state = 'chained';
    } else {
      const any = a.bestLinks > 0 || b.bestLinks > 0;
      if (this.datagrams >= (any ? GIVE_UP_AFTER : HOPELESS_AFTER)) this.state = 'hopeless';
    }
    return this.state;
  }

  /// Links of both directions.
  get links(): number {
    return this.a.bestLinks + this.b.bestLinks;
  }

  /// What one direction showed so far.
  reading(fromA: boolean): ChainReading {
    return (fromA ? this.a : this.b).reading();
  }
}

class Direction {
  bestLinks = 0;
  private readonly chain = new ChainLinks(SHAPES);
  private readonly plain = new PlainTicks();
  private readonly frames = new Float64Array(MAX_FRAMES);
  private frameCount = 0;

  reset(): void {
    this.bestLinks = 0;
    this.chain.reset();
    this.plain.reset();
    this.frameCount = 0;
  }

  datagram(
    other: Direction,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): void {
    const { chain } = this;
    const found = chain.match(bytes, at, captured, length);
    // The headers of plain datagrams begin alike: to the chain they are repetitions.
    const ticked = this.plain.datagram(other.plain, bytes, at, captured, length, timeUs);
    if (found < 0 && !ticked) return;
    if (found >= 0) chain.remember(length);
    if (found <= 0 && !ticked) return;
    if (this.frameCount < MAX_FRAMES) this.frames[this.frameCount++] = frame;
    const { links } = chain;
    this.bestLinks = Math.max(links[0]!, links[1]!, links[2]!, this.plain.links);
    // A sender has one way only: from now on the others need no comparing.
    for (let s = 0; s < SHAPES.length; s++) if (links[s]! >= MIN_LINKS) chain.wanted = 1 << s;
  }

  reading(): ChainReading {
    const { chain, plain } = this;
    let best = -1;
    for (let s = 0; s < SHAPES.length; s++) {
      if (chain.links[s]! >= MIN_LINKS && (best < 0 || chain.links[s]! > chain.links[best]!)) best = s;
    }
    const isPlain = best < 0 && plain.links >= MIN_LINKS;
    const variant = best >= 0 ? SHAPES[best]!.name : isPlain ? 'plain' : null;
    return {
      variant,
      generation: variant === 'v2-4.x' ? '4.x' : variant === 'v2-5.x' ? '5.x' : null,
      links: isPlain ? plain.links : best >= 0 ? chain.links[best]! : 0,
      pairs: isPlain ? plain.pairs : chain.pairs,
      frames: variant === null ? [] : Array.from(this.frames.subarray(0, this.frameCount)),
    };
  }
}
