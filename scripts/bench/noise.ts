/** Bytes that look encrypted: pieces of one large random block. */
import type { Random } from '../lab/random.js';

/** Far larger than the window of gzip, so that the pieces do not compress. */
const NOISE_BYTES = 8 << 20;

export class Noise {
  private readonly block = new Uint8Array(NOISE_BYTES);
  private at = 0;

  constructor(private readonly random: Random) {
    const words = new Uint32Array(this.block.buffer);
    for (let i = 0; i < words.length; i++) words[i] = random.next() * 0x1_0000_0000;
  }

  /** Fills target[at, at + length). */
  fill(target: Uint8Array, at: number, length: number): void {
    if (this.at + length > NOISE_BYTES) this.at = this.random.int(0, 4096);
    target.set(this.block.subarray(this.at, this.at + length), at);
    this.at += length;
  }
}
