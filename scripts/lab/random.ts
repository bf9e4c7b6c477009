/**
 * The lab's own random numbers. They are seeded so that a recording can be set
 * up again with the same names, addresses, ports and sizes: the seed is printed
 * and kept in each label. (What SoftEther itself draws cannot be repeated.)
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1), by mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)]!;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Text of random letters and digits: what a compressor cannot shorten and no two runs share. */
  text(length: number): string {
    const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
    let result = '';
    for (let i = 0; i < length; i++) result += letters[this.int(0, letters.length - 1)];
    return result;
  }
}

/** The seed of one scenario of a run: the same whether it is recorded alone or among others. */
export function seedFor(runSeed: number, scenario: string): number {
  let hash = 0x811c9dc5 ^ runSeed;
  for (const character of scenario) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}
