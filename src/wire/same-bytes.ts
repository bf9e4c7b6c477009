/// True if `count` bytes of the one, from `oneAt` on, are those of the other from `otherAt` on. That there are as many
/// is for the caller to know.
export function sameBytes(
  one: Uint8Array,
  oneAt: number,
  other: Uint8Array,
  otherAt: number,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) if (one[oneAt + i] !== other[otherAt + i]) return false;
  return true;
}
