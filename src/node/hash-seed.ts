/// A number that who made a capture cannot know.
export function newHashSeed(): number {
  return Number(process.hrtime.bigint() & 0x7fff_ffffn);
}
