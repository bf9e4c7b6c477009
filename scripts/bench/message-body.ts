/** Puts protocol messages together. */
import type { Random } from '../lab/random.js';

/** A list of numbers with room for nested lengths. */
export class MessageBody {
  readonly bytes: number[] = [];

  u8(...values: number[]): this {
    this.bytes.push(...values);
    return this;
  }

  u16(...values: number[]): this {
    for (const value of values) this.bytes.push((value >>> 8) & 0xff, value & 0xff);
    return this;
  }

  text(ascii: string): this {
    return this.u8(...new TextEncoder().encode(ascii));
  }

  random(random: Random, count: number): this {
    for (let i = 0; i < count; i++) this.bytes.push(random.int(0, 255));
    return this;
  }

  /** What `fill` adds, with its length in `lengthBytes` bytes in front. */
  nested(lengthBytes: number, fill: (inner: MessageBody) => void): this {
    const inner = new MessageBody();
    fill(inner);
    const { length } = inner.bytes;
    for (let i = lengthBytes - 1; i >= 0; i--) this.bytes.push((length >>> (8 * i)) & 0xff);
    this.bytes.push(...inner.bytes);
    return this;
  }

  extension(type: number, fill: (inner: MessageBody) => void): this {
    return this.u16(type).nested(2, fill);
  }
}
