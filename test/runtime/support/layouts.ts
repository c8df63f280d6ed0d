/** @file Layouts at random, made as user code makes them: views of views of a row-major tensor; and where elements lie. */
import { contiguous, expanded, permuted, reshaped, selected, sliced, type Layout } from '../../../runtime/tensor/layout.ts';
import { positions } from './arrange.ts';
import type { Random } from './random.ts';

/** The place of every element, in row-major order. */
export function places({ shape, strides, offset }: Layout): number[] {
  return positions(shape).map((at) => at.reduce((place, n, d) => place + n * (strides[d] ?? 0), offset));
}

export function randomShape(random: Random, rank = random.whole(0, 3)): number[] {
  return Array.from({ length: rank }, () => random.pick([1, 2, 2, 3, 4]));
}

/** One step of view upon view; `repeat` allows dims in which places repeat. */
export function randomView(random: Random, layout: Layout, repeat = true): Layout {
  const rank = layout.shape.length;
  const dim = random.whole(0, Math.max(0, rank - 1));
  const size = layout.shape[dim] ?? 1;
  switch (random.whole(0, repeat ? 4 : 3)) {
    case 0:
      return permuted(layout, random.shuffled(layout.shape.map((_, d) => d)));
    case 1:
      return rank > 0 && size > 0 ? selected(layout, dim, random.whole(0, size - 1)) : layout;
    case 2: {
      if (rank === 0) return layout;
      const start = random.whole(0, size);
      const step = random.whole(1, 3);
      return sliced(layout, dim, start, Math.ceil(random.whole(0, size - start) / step), step);
    }
    case 3: {
      const merged =
        rank > 1
          ? [layout.shape.slice(0, -2), (layout.shape.at(-2) ?? 1) * (layout.shape.at(-1) ?? 1)].flat()
          : [1, ...layout.shape];
      return reshaped(layout, merged) ?? layout;
    }
    default:
      return expanded(layout, [random.whole(1, 3), ...layout.shape.map((n) => (n === 1 ? random.whole(1, 3) : n))]);
  }
}

export function randomLayout(random: Random, repeat = true): Layout {
  let layout = contiguous(randomShape(random));
  for (let steps = random.whole(0, 5); steps > 0; steps--) layout = randomView(random, layout, repeat);
  return layout;
}
