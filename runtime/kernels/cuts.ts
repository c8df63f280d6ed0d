/**
 * @file Where a long sum is cut, so that rounding errors do not add up term by term: parts of about the root of its length
 * are added up apart. In: the loops of a sum. Out: after how many rounds of which loop a part goes into the total.
 */
import { isFloat } from '../tensor/dtype.ts';
import type { Sum } from './expr.ts';

export interface Cut {
  /** Which of the loops, outermost first. */
  readonly level: number;
  /** A power of two. */
  readonly every: number;
}

/** Up to so many terms a sum is as good in one piece. */
const ONE_PIECE = 512;
/** More sums at once already fill a thread's registers: those of a tiled product are left as they are. */
const FEW = 4;

/** `extents` of the loops, outermost first; `inside` terms in one round of the innermost. Undefined for one piece. */
export function cutOf(family: readonly Sum[], extents: readonly number[], inside: number): Cut | undefined {
  const terms = extents.reduce((n, extent) => n * extent, inside);
  const adds = family.every((s) => s.combiner.name === 'sum' && isFloat(s.type));
  if (terms <= ONE_PIECE || !adds || family.length > FEW || extents.length === 0) return undefined;
  const wanted = Math.sqrt(terms);
  let [level, run] = [extents.length - 1, inside];
  while (level > 0 && run * (extents[level] ?? 1) < wanted) run *= extents[level--] ?? 1;
  const rounds = Math.log2(extents[level] ?? 1);
  return { level, every: 2 ** Math.max(0, Math.min(Math.round(Math.log2(wanted / run)), Math.floor(rounds))) };
}
