import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFinerThanMicroseconds, tickConverter } from '#sealert/capture/pcapng-time.js';
import fc from '../support/property.js';

const RESOLUTIONS = Array.from({ length: 256 }, (_, tsresol) => tsresol);
const EXACT = 2n ** 53n;

function ticksPerSecond(tsresol: number): bigint {
  return tsresol < 128 ? 10n ** BigInt(tsresol) : 2n ** BigInt(tsresol - 128);
}

function toUs(tsresol: number, offsetSeconds: number, ticks: bigint): number {
  return tickConverter(tsresol, offsetSeconds)(Number(ticks >> 32n), Number(ticks & 0xffff_ffffn));
}

test('every if_tsresol gives the microseconds that big integers give, rounded down', () => {
  const edges = [0n, 1n, 999n, 1000n, 0xffff_ffffn, 0x1_0000_0000n, EXACT, 2n ** 64n - 1n];
  for (const tsresol of RESOLUTIONS) {
    const second = ticksPerSecond(tsresol);
    for (const ticks of [...edges, second - 1n, second, second * 1_795_395_600n + second / 3n]) {
      if (ticks >= 2n ** 64n) continue;
      const us = (ticks * 1_000_000n) / second;
      if (us >= EXACT) continue;
      assert.equal(toUs(tsresol, 0, ticks), Number(us), `tsresol ${tsresol}, ticks ${ticks}`);
    }
  }
});

test('any ticks, resolution and if_tsoffset, as long as microseconds are exact', () => {
  const anyTicks = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, EXACT));
  const anyOffset = fc.integer({ min: -2_000_000_000, max: 2_000_000_000 });
  fc.assert(
    fc.property(fc.constantFrom(6, 9, ...RESOLUTIONS), anyOffset, anyTicks, (tsresol, offset, ticks) => {
      const us = (ticks * 1_000_000n) / ticksPerSecond(tsresol);
      fc.pre(us < EXACT - 2n ** 51n);
      assert.equal(toUs(tsresol, offset, ticks), Number(us + BigInt(offset) * 1_000_000n));
    }),
    { numRuns: 2000 },
  );
});

test('finer than microseconds: if some tick is no whole number of them', () => {
  for (const tsresol of RESOLUTIONS) {
    assert.equal(isFinerThanMicroseconds(tsresol), 1_000_000n % ticksPerSecond(tsresol) !== 0n, `${tsresol}`);
  }
});
