/**
 * @file What a walk over keys gives. In: names of its sums. Out: lines after which they have the values that sums of all keys at
 * once would have, also where no score of a row is a number or larger than −∞.
 */
import type { Online } from './online.ts';
import type { Scope } from './scope.ts';
import type { Writer } from './writer.ts';

export interface WalkNames {
  readonly largest: string;
  readonly totals: readonly string[];
  readonly counts: string;
  readonly mixed: string;
}

/** Told by bits: a device may take for granted that no value is infinite. */
export const isMinusInfinity = (text: string): string => `(bitcast<u32>(${text}) == 0xff800000u)`;

/** Gives the sums their names in the scope. Where all scores are −∞, each less the largest is no number, and so are all sums. */
export function finished(
  w: Writer,
  scope: Scope,
  { largest, totals, mixed, counts }: Pick<Online, 'largest' | 'totals' | 'mixed' | 'counts'>,
  names: WalkNames,
): void {
  const none = isMinusInfinity(names.largest);
  const unknown = w.literal(NaN, 'float32');
  scope.names.set(largest, names.largest);
  totals.forEach(({ sum }, t) => {
    scope.line(`let whole${t} = select(${names.totals[t] ?? ''}, ${unknown}, ${none});`, sum.origin);
    scope.names.set(sum, `whole${t}`);
  });
  const isUnknown = counts ? `${none} & (${names.counts} != 0.0)` : none;
  scope.line(`let values = select(${names.mixed}, ${unknown}, ${isUnknown});`, mixed.origin);
  scope.names.set(mixed, 'values');
  if (counts) scope.names.set(counts.sum, names.counts);
}
