/// From clauses that hold to a verdict, by a profile's rules.

import type { Verdict } from './findings.js';

/// A way to a verdict: all of `all` hold, and at least `count` of `of`.
export interface VerdictRule<Clause> {
  all: readonly Clause[];
  count: number;
  of: readonly Clause[];
}

/// Ways to each verdict; one is enough.
export interface VerdictRules<Clause> {
  confirmed: readonly VerdictRule<Clause>[];
  likely: readonly VerdictRule<Clause>[];
  suspected: readonly VerdictRule<Clause>[];
}

/// The strongest verdict that a rule allows; null for nothing worth telling.
export function verdictOf<Clause>(
  held: { has(clause: Clause): boolean },
  rules: VerdictRules<Clause>,
): Verdict | null {
  const reached = (ways: readonly VerdictRule<Clause>[]) =>
    ways.some(
      ({ all, count, of }) =>
        all.every((clause) => held.has(clause)) && of.filter((clause) => held.has(clause)).length >= count,
    );
  if (reached(rules.confirmed)) return 'confirmed';
  if (reached(rules.likely)) return 'likely';
  return reached(rules.suspected) ? 'suspected' : null;
}
