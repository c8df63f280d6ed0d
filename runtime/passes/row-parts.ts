/**
 * @file Parts of rows that are too long for the threads of a workgroup to keep what they read of them. In: sums over rows of a
 * tensor. Out: that tensor with one of its dims as two, the parts and the places of one; undefined where rows are better whole.
 */
import { layoutOf, type Node } from '../ir/graph.ts';
import { LONGEST_ACROSS, LONGEST_KEPT, LONGEST_ROW } from '../kernels/rows.ts';
import { BUSY, partsOfFold, SHORTEST } from '../ops/fold-parts.ts';
import { numel, type Shape } from '../tensor/shape.ts';
import type { Spread } from './spreads.ts';
import { WORTH_ROWS } from './together.ts';
import { viewOf } from './views.ts';

/** Elements that take longer to read once more than another kernel takes to start. */
const WORTH_KERNEL = 1 << 21;

export interface Cut {
  readonly shape: Shape;
  /** Which dims lie within a part, and along which there are parts. */
  readonly within: readonly number[];
  readonly parts: readonly number[];
  /** Elements of a part, and parts of a row. */
  readonly each: number;
  readonly count: number;
}

/** `isKept` says whether the means are stored whatever becomes of the rest. */
export function cutOf({ of, dims }: Spread, isKept: boolean): Cut | undefined {
  const { shape } = of.meta;
  const sizes = dims.map((d) => shape[d] ?? 1);
  const along = liesAlong(of, dims);
  // Of shorter rows a kernel may need no mean from another, or, where they are read once more, that is from near by.
  const whole = !along ? LONGEST_ACROSS : isKept ? LONGEST_KEPT : LONGEST_ROW;
  const isCut = partsOfFold(shape, dims) !== undefined;
  if (numel(shape) < (isCut ? WORTH_ROWS : WORTH_KERNEL) || (!isCut && numel(sizes) <= whole)) return undefined;
  const most = along ? LONGEST_KEPT : LONGEST_ACROSS;
  const wanted = Math.min(most, Math.max(SHORTEST, numel(shape) / BUSY));
  // What is next to each other in memory stays in one part.
  let [last, inner] = [dims.length - 1, 1];
  for (; last > 0 && inner * (sizes[last] ?? 1) <= wanted; last--) inner *= sizes[last] ?? 1;
  const [at = 0, size = 1] = [dims[last], sizes[last]];
  const own = evenly(size, wanted / inner, most / inner);
  if (own === undefined) return undefined;
  return {
    shape: [...shape.slice(0, at), size / own, own, ...shape.slice(at + 1)],
    within: [at, ...dims.slice(last + 1)].map((d) => d + 1),
    parts: dims.slice(0, last + 1),
    each: own * inner,
    count: numel(sizes) / (own * inner),
  };
}

/** What divides the size, and is about as much as wanted: undefined where nothing is. */
function evenly(size: number, wanted: number, most: number): number | undefined {
  let best: number | undefined;
  const far = (n: number) => Math.abs(Math.log2(n / wanted));
  for (let n = 1; n <= Math.min(size, most); n++) if (size % n === 0 && far(n) < far(best ?? 0)) best = n;
  return best === undefined || far(best) > 2 ? undefined : best;
}

/** Whether neighbours in memory are neighbours in a row. */
function liesAlong(x: Node, dims: readonly number[]): boolean {
  const { shape, strides } = x.kind === 'external' ? layoutOf(x) : viewOf(x).layout;
  const wide = shape.flatMap((size, d) => (size > 1 ? [{ d, step: Math.abs(strides[d] ?? 0) }] : []));
  const [nearest] = wide.sort((a, b) => a.step - b.step || b.d - a.d);
  return nearest !== undefined && dims.includes(nearest.d);
}
