/**
 * @file Where a tensor's elements lie in its storage. In: a layout and what a view does. Out: the layout of the view, over
 * the same storage. Strides and offsets are in elements. A view never copies; what cannot be a view is undefined.
 */
import { contiguousStrides, numel, type Shape } from './shape.ts';

export interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

export function contiguous(shape: Shape): Layout {
  return { shape, strides: contiguousStrides(shape), offset: 0 };
}

export function isContiguous(layout: Layout): boolean {
  let step = 1;
  for (let d = layout.shape.length - 1; d >= 0; d--) {
    const size = layout.shape[d] ?? 1;
    if (size !== 1 && layout.strides[d] !== step) return numel(layout.shape) === 0;
    step *= size;
  }
  return true;
}

/** Two layouts that put every element in the same place. */
export function sameLayout(a: Layout, b: Layout): boolean {
  return (
    a.offset === b.offset &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, d) => size === b.shape[d] && (size <= 1 || a.strides[d] === b.strides[d]))
  );
}

export function permuted(layout: Layout, order: readonly number[]): Layout {
  return {
    shape: order.map((d) => layout.shape[d] ?? 1),
    strides: order.map((d) => layout.strides[d] ?? 0),
    offset: layout.offset,
  };
}

/** Without dim `dim`, at `index` of it. */
export function selected(layout: Layout, dim: number, index: number): Layout {
  return {
    shape: layout.shape.filter((_, d) => d !== dim),
    strides: layout.strides.filter((_, d) => d !== dim),
    offset: layout.offset + index * (layout.strides[dim] ?? 0),
  };
}

export function sliced(layout: Layout, dim: number, start: number, length: number, step: number): Layout {
  const stride = layout.strides[dim] ?? 0;
  return {
    shape: layout.shape.map((size, d) => (d === dim ? length : size)),
    strides: layout.strides.map((s, d) => (d === dim ? s * step : s)),
    offset: layout.offset + start * stride,
  };
}

/** The elements at equal places of dims `a` and `b`, from `offset` of b on (of a, when it is negative), as a new last dim. */
export function diagonalOf(layout: Layout, a: number, b: number, offset: number): Layout {
  const [rows = 1, columns = 1] = [layout.shape[a], layout.shape[b]];
  const [down = 0, across = 0] = [layout.strides[a], layout.strides[b]];
  const length = Math.max(0, offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns));
  const others = (list: readonly number[]) => list.filter((_, d) => d !== a && d !== b);
  return {
    shape: [...others(layout.shape), length],
    strides: [...others(layout.strides), down + across],
    offset: layout.offset + (length === 0 ? 0 : offset >= 0 ? offset * across : -offset * down),
  };
}

/** Size-1 dims repeated to `shape`, new dims in front. Shapes are taken to fit. */
export function expanded(layout: Layout, shape: Shape): Layout {
  const skip = shape.length - layout.shape.length;
  return {
    shape,
    strides: shape.map((size, d) =>
      d < skip || (layout.shape[d - skip] === 1 && size !== 1) ? 0 : (layout.strides[d - skip] ?? 0),
    ),
    offset: layout.offset,
  };
}

/** The same elements, in the same order, under another shape; undefined when strides cannot say that. */
export function reshaped(layout: Layout, shape: Shape): Layout | undefined {
  if (isContiguous(layout)) return { ...contiguous(shape), offset: layout.offset };
  // Dims that are stepped through as one run are taken together, then each run is cut anew.
  const runs: { size: number; stride: number }[] = [];
  layout.shape.forEach((size, d) => {
    if (size === 1) return;
    const stride = layout.strides[d] ?? 0;
    const last = runs.at(-1);
    if (last && last.stride === stride * size) {
      last.size *= size;
      last.stride = stride;
    } else runs.push({ size, stride });
  });
  const strides: number[] = new Array<number>(shape.length).fill(0);
  let run = runs.length - 1;
  let used = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d] ?? 1;
    if (size === 1) continue;
    while (runs[run]?.size === used) {
      run--;
      used = 1;
    }
    const current = runs[run];
    if (!current || current.size % (used * size) !== 0) return undefined;
    strides[d] = current.stride * used;
    used *= size;
  }
  return { shape, strides, offset: layout.offset };
}

/** Number of storage elements from the first to the last that the layout can reach. */
export function extent(layout: Layout): number {
  if (numel(layout.shape) === 0) return 0;
  return 1 + layout.shape.reduce((far, size, d) => far + (size - 1) * Math.abs(layout.strides[d] ?? 0), 0);
}
