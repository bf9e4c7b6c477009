/// The interval that a share of `part` in `whole` lies in with 95 % confidence
/// (Wilson 1927), as fractions.
export function wilson(part: number, whole: number): { low: number; high: number } {
  if (whole === 0) return { low: 0, high: 1 };
  const z = 1.959964;
  const share = part / whole;
  const denominator = 1 + z ** 2 / whole;
  const centre = share + z ** 2 / (2 * whole);
  const spread = z * Math.sqrt((share * (1 - share)) / whole + z ** 2 / (4 * whole ** 2));
  // Rounding must not push the ends beyond what a share can be.
  return {
    low: part === 0 ? 0 : Math.max(0, (centre - spread) / denominator),
    high: part === whole ? 1 : Math.min(1, (centre + spread) / denominator),
  };
}
