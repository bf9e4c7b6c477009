/// R-UDP without its opening: the keys are unknown, but the IV of a segment are
/// 20 bytes of the segment before, taken from anywhere in it (Network.c
/// RUDPSendSegmentNow, "Next IV"), and bulk packets chain as well. By chance:
/// about 2^-150 a pair.

import { sameBytes } from '../../wire/same-bytes.js';
import { ChainLinks } from '../chain-links.js';
import { BULK_SHAPES } from './bulk.js';
import type { RudpCarrier } from './carriers.js';
import { SHA1_BYTES } from './keys.js';
import { MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES } from './segment.js';

const IV_AT = SHA1_BYTES;
const IV_BYTES = 20;
/// Bytes before and behind that are compared too: where they match as well, text was moved along.
const AROUND_BYTES = 4;

/// Of 20 random bytes fewer than 13 differ with a probability below 2^-20; of text, 13 seldom do.
const MIN_DIFFERENT_BYTES = 13;

/// Links that make a chain, and pairs without one after which there is none.
const MIN_LINKS = 2;
const HOPELESS_AFTER_PAIRS = 10;
const GIVE_UP_AFTER_PAIRS = 64;

/// In plain UDP only version 1: there version 2 of the bulk packets looks like
/// UDP acceleration of 4.x and is found by its test.
const UDP_SHAPES = [BULK_SHAPES[0]];

export class KeylessChain {
  /// Of both sides, and of each.
  links = 0;
  readonly linksOf: [number, number] = [0, 0];
  /// Those between bulk packets, which only a tunnel sends.
  bulkLinks = 0;
  pairs = 0;
  state: 'undecided' | 'hopeless' | 'chained' = 'undecided';
  /// The frame with the first link.
  firstFrame = 0;
  private readonly last = [new Uint8Array(MAX_SEGMENT_BYTES), new Uint8Array(MAX_SEGMENT_BYTES)] as const;
  private readonly lastLen: [number, number] = [0, 0];
  private readonly bulk: readonly [ChainLinks, ChainLinks];

  constructor(carrier: RudpCarrier) {
    const shapes = carrier === 'udp' ? UDP_SHAPES : BULK_SHAPES;
    this.bulk = [new ChainLinks(shapes), new ChainLinks(shapes)];
  }

  /// Ready for another flow.
  reset(): void {
    this.links = 0;
    this.linksOf.fill(0);
    this.bulkLinks = 0;
    this.pairs = 0;
    this.state = 'undecided';
    this.firstFrame = 0;
    this.lastLen.fill(0);
    for (const bulk of this.bulk) bulk.reset();
  }

  /// Takes a packet of the flow, captured whole.
  datagram(fromA: boolean, bytes: Uint8Array, at: number, length: number, frame: number): void {
    const side = fromA ? 0 : 1;
    const bulk = this.bulk[side];
    const found = bulk.match(bytes, at, length, length);
    if (found < 0) return;
    if (found > 0) this.bulkLinks++;
    const before = this.last[side];
    const canBeSegment = length >= MIN_SEGMENT_BYTES && length <= MAX_SEGMENT_BYTES;
    const isNext = canBeSegment && found === 0 && isLink(before, this.lastLen[side], bytes, at);
    if (bulk.datagrams > 0 || this.lastLen[side] > 0) this.notePair(side, found > 0 || isNext, frame);
    // A segment between bulk packets breaks neither chain, nor does a bulk packet between segments.
    if (!isNext) bulk.remember(length);
    if (found > 0 || !canBeSegment) return;
    for (let i = 0; i < length; i++) before[i] = bytes[at + i]!;
    this.lastLen[side] = length;
  }

  /// The last packet of a direction that may be a segment; borrowed until the next one.
  lastSegment(fromA: boolean): Uint8Array | null {
    const side = fromA ? 0 : 1;
    return this.lastLen[side] > 0 ? this.last[side].subarray(0, this.lastLen[side]) : null;
  }

  private notePair(side: 0 | 1, isLinked: boolean, frame: number): void {
    this.pairs++;
    if (isLinked) {
      this.linksOf[side]++;
      if (this.links++ === 0) this.firstFrame = frame;
    }
    if (this.state !== 'undecided') return;
    if (this.links >= MIN_LINKS) this.state = 'chained';
    else if (this.pairs >= (this.links > 0 ? GIVE_UP_AFTER_PAIRS : HOPELESS_AFTER_PAIRS)) {
      this.state = 'hopeless';
    }
  }
}

/// The IV of the segment at `at` is somewhere in the one before, and nothing else explains it.
function isLink(before: Uint8Array, beforeLen: number, bytes: Uint8Array, at: number): boolean {
  const iv = at + IV_AT;
  const first = bytes[iv]!;
  // next_iv_pos is below length - 20 (RUDPSendSegmentNow).
  for (let i = 0; i < beforeLen - IV_BYTES; i++) {
    if (before[i] !== first || i === IV_AT) continue;
    if (!sameBytes(before, i, bytes, iv, IV_BYTES)) continue;
    const moved =
      (i >= AROUND_BYTES && sameBytes(before, i - AROUND_BYTES, bytes, iv - AROUND_BYTES, AROUND_BYTES)) ||
      (i + IV_BYTES + AROUND_BYTES <= beforeLen &&
        sameBytes(before, i + IV_BYTES, bytes, iv + IV_BYTES, AROUND_BYTES));
    return !moved && new Set(bytes.subarray(iv, iv + IV_BYTES)).size >= MIN_DIFFERENT_BYTES;
  }
  return false;
}
