/** @file Compares results. In: two lists of outputs. Out: the largest differences; NaN against a number counts as infinite. */
import type { HostArray } from '../tensor/dtype.ts';

export interface Difference {
  /** Largest difference over largest magnitude, for the output that is furthest off. */
  readonly relative: number;
  readonly absolute: number;
}

export function difference(actual: readonly HostArray[], expected: readonly HostArray[]): Difference {
  let relative = 0;
  let absolute = 0;
  expected.forEach((want, i) => {
    const got = actual[i];
    let worst = got?.length === want.length ? 0 : Infinity;
    let scale = 0;
    for (let j = 0; j < want.length; j++) {
      const [a, b] = [got?.[j] ?? NaN, want[j] ?? NaN];
      if (Object.is(a, b) || a === b) continue;
      const gap = Math.abs(a - b);
      worst = Math.max(worst, Number.isNaN(gap) ? Infinity : gap);
    }
    for (const x of want) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
    absolute = Math.max(absolute, worst);
    relative = Math.max(relative, worst === 0 ? 0 : worst / Math.max(scale, 1e-30));
  });
  return { relative, absolute };
}
