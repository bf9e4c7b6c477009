/// Names of SoftEther's makers in captured bytes, compared where they lie.

import type { TraceProfile } from './profile.js';

const DOT = 0x2e;
const LONGEST_LABEL = 63;
const HYPHEN = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

export function textBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export class TraceNames {
  private readonly suffixes: readonly { bytes: Uint8Array; kind: string }[];
  /// Those that end in none of the others: what ends in none of these is no name to look at.
  readonly domains: readonly Uint8Array[];

  constructor(names: TraceProfile['names']) {
    this.suffixes = names.map(({ suffix, kind }) => ({ bytes: textBytes(suffix), kind }));
    this.domains = names
      .filter(({ suffix }) => !names.some((other) => suffix.endsWith(`.${other.suffix}`)))
      .map(({ suffix }) => textBytes(suffix));
  }

  /// The kind of the name in bytes[at, end), labels parted by dots or, as in
  /// DNS messages, by their lengths. Null if it is none of these.
  kindOf(bytes: Uint8Array, at: number, end: number): string | null {
    if (!this.isInDomain(bytes, at, end)) return null;
    for (const { bytes: suffix, kind } of this.suffixes) if (endsWith(bytes, at, end, suffix)) return kind;
    return null;
  }

  private isInDomain(bytes: Uint8Array, at: number, end: number): boolean {
    for (const domain of this.domains) if (endsWith(bytes, at, end, domain)) return true;
    return false;
  }
}

function endsWith(bytes: Uint8Array, at: number, end: number, suffix: Uint8Array): boolean {
  const from = end - suffix.length;
  if (from < at) return false;
  for (let i = suffix.length - 1; i >= 0; i--) {
    const byte = bytes[from + i]!;
    const wanted = suffix[i]!;
    if (wanted === DOT ? !isBetweenLabels(byte) : lowerCase(byte) !== wanted) return false;
  }
  return from === at || isBetweenLabels(bytes[from - 1]!);
}

/// A dot, or a length that is no character of a name (labels of 45 and 48 to 57 bytes are not told apart).
function isBetweenLabels(byte: number): boolean {
  return byte === DOT || (byte <= LONGEST_LABEL && byte !== HYPHEN && (byte < DIGIT_0 || byte > DIGIT_9));
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
