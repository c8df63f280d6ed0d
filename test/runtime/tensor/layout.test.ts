/** Layouts against brute force: the place of every element, and every view that strides can say. */
import { describe, expect, test } from 'vitest';
import {
  contiguous,
  expanded,
  extent,
  isContiguous,
  permuted,
  reshaped,
  sameLayout,
  selected,
  sliced,
  type Layout,
} from '../../../runtime/tensor/layout.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { places, randomLayout } from '../support/layouts.ts';
import { positions } from '../support/arrange.ts';
import { Random } from '../support/random.ts';

const SEED = 17;
const RUNS = 2000;

/** All shapes of `count` elements with at most four dims, sizes of 1 among them. */
function shapesOf(count: number, rank = 4): number[][] {
  if (rank === 0) return count === 1 ? [[]] : [];
  const sizes = Array.from({ length: count }, (_, i) => i + 1).filter((n) => count % n === 0);
  return [...(count === 1 ? [[]] : []), ...sizes.flatMap((n) => shapesOf(count / n, rank - 1).map((rest) => [n, ...rest]))];
}

/** Whether any strides put the elements at `wanted`, in row-major order of `shape`. */
function sayable(wanted: readonly number[], shape: readonly number[]): boolean {
  const all = positions(shape);
  const strides = shape.map((size, d) => {
    const second = all.findIndex((at) => at.every((n, e) => n === (e === d ? 1 : 0)));
    return size > 1 ? (wanted[second] ?? 0) - (wanted[0] ?? 0) : 0;
  });
  return all.every((at, i) => at.reduce((p, n, d) => p + n * (strides[d] ?? 0), wanted[0] ?? 0) === wanted[i]);
}

describe('random layouts', () => {
  const random = new Random(SEED);
  const layouts = Array.from({ length: RUNS }, () => randomLayout(random));

  test('reshape to a shape exactly where strides can say it, keeping every place', () => {
    for (const layout of layouts) {
      const wanted = places(layout);
      if (wanted.length === 0) continue;
      for (const shape of random.shuffled(shapesOf(wanted.length)).slice(0, 12)) {
        const got = reshaped(layout, shape);
        const what = `${JSON.stringify(layout)} as [${shape.join()}]`;
        expect(got !== undefined, what).toBe(sayable(wanted, shape));
        if (got) expect(places(got), what).toEqual(wanted);
      }
    }
  });

  test('are contiguous exactly where the places count up by one', () => {
    for (const layout of layouts) {
      const all = places(layout);
      expect(isContiguous(layout), JSON.stringify(layout)).toBe(all.every((p, i) => p === layout.offset + i));
    }
  });

  test('are the same exactly where all places are', () => {
    for (const [i, layout] of layouts.entries()) {
      const other = random.whole(0, 1) === 0 ? (layouts[i + 1] ?? layout) : { ...layout, offset: layout.offset };
      const sameShape = layout.shape.join() === other.shape.join();
      if (numel(layout.shape) === 0) continue;
      const same = sameShape && places(layout).join() === places(other).join();
      expect(sameLayout(layout, other), `${JSON.stringify(layout)} ${JSON.stringify(other)}`).toBe(same);
    }
  });

  test('reach as far as their extent', () => {
    for (const layout of layouts) {
      const all = places(layout);
      expect(extent(layout)).toBe(all.length === 0 ? 0 : 1 + Math.max(...all) - Math.min(...all));
    }
  });
});

describe('views of [3, 4, 2]', () => {
  const base = contiguous([3, 4, 2]);
  const at = (i: number, j: number, k: number) => 8 * i + 2 * j + k;
  test.each<[string, Layout, number[]]>([
    ['dims in another order', permuted(base, [2, 0, 1]), positions([2, 3, 4]).map(([k = 0, i = 0, j = 0]) => at(i, j, k))],
    ['one position', selected(base, 1, 3), positions([3, 2]).map(([i = 0, k = 0]) => at(i, 3, k))],
    ['a range with a step', sliced(base, 1, 1, 2, 2), positions([3, 2, 2]).map(([i = 0, j = 0, k = 0]) => at(i, 1 + 2 * j, k))],
    ['nothing', sliced(base, 0, 2, 0, 1), []],
    [
      'repeated',
      expanded(selected(sliced(base, 0, 1, 1, 1), 2, 1), [2, 3, 4]),
      positions([2, 3, 4]).map(([, , j = 0]) => at(1, j, 1)),
    ],
  ])('%s', (_name, layout, wanted) => expect(places(layout)).toEqual(wanted));
});
