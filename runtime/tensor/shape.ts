/** @file Arithmetic on shapes. In: lists of sizes and dims as users write them. Out: checked, normalised ones. */
import { JitLensError } from '../errors.ts';

export type Shape = readonly number[];

export function numel(shape: Shape): number {
  let n = 1;
  for (const size of shape) n *= size;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Strides of a row-major tensor, in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides: number[] = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d] ?? 1;
  }
  return strides;
}

/** A list of sizes or dims; code that no type checker has seen may give something else. */
export function needList(list: Shape, op: string): Shape {
  const given: unknown = list;
  if (Array.isArray(given)) return list;
  throw new JitLensError('JLT-SHAPE', `${op}: ${shown(list)} is not a list of numbers`, 'Write them in brackets: [2, 3].');
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a value of type ${typeof value}`;
}

/** A dim counted from either end, as one counted from the front. */
export function normalizeDim(dim: number, rank: number, op: string): number {
  const size = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -size || dim >= size) {
    throw new JitLensError(
      'JLT-DIM',
      typeof dim === 'number'
        ? `${op}: dim ${dim} is out of range for a tensor of ${rank} dims`
        : `${op}: ${shown(dim)} is not a dim`,
      `Use a dim from ${-size} to ${size - 1}.`,
    );
  }
  return dim < 0 ? dim + size : dim;
}

/** Dims as a sorted list without repeats; all of them when none are given. */
export function normalizeDims(dims: number | readonly number[] | undefined, rank: number, op: string): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, d) => d);
  const list = (Array.isArray(dims) ? (dims as Shape) : [dims as number]).map((dim) => normalizeDim(dim, rank, op));
  if (new Set(list).size !== list.length) {
    throw new JitLensError('JLT-DIM', `${op}: dim appears twice in [${list.join(', ')}]`, 'Name each dim once.');
  }
  return rank === 0 ? [] : list.sort((a, b) => a - b);
}

/** The shape that all of `shapes` broadcast to, by NumPy's rule. */
export function broadcastShapes(shapes: readonly Shape[], op: string): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const skip = rank - shape.length;
    shape.forEach((size, i) => {
      const seen = out[skip + i] ?? 1;
      if (size === seen || size === 1) return;
      if (seen !== 1) {
        throw new JitLensError(
          'JL410',
          `${op} of ${shapes.map(formatShape).join(' and ')}: ${seen} ≠ ${size} in dim ${skip + i}`,
          'Shapes broadcast when, counted from the last dim, sizes are equal or one of them is 1.',
        );
      }
      out[skip + i] = size;
    });
  }
  return out;
}

/** Fills in the one -1 of a view's shape and checks that the number of elements stays. */
export function resolveShape(wanted: Shape, elements: number, op: string): number[] {
  const known = needList(wanted, op).reduce((n, size) => (size === -1 ? n : n * size), 1);
  const holes = wanted.filter((size) => size === -1).length;
  const filled = wanted.map((size) => (size === -1 ? elements / known : size));
  const fits = holes <= 1 && filled.every((size) => Number.isInteger(size) && size >= 0) && numel(filled) === elements;
  if (!fits) {
    throw new JitLensError(
      'JL410',
      `${op}: ${elements} elements do not make a tensor of shape ${formatShape(wanted)}`,
      'The product of the sizes must equal the number of elements; one size may be -1.',
    );
  }
  return filled;
}
