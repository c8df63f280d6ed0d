/**
 * @file Views: the same storage under another shape, order or range. Nothing is copied; writing a view writes what it
 * views. A gradient goes back by the opposite view, or by writing it into zeros.
 */
import { JitLensError } from '../errors.ts';
import { diagonalOf, expanded, permuted, reshaped, selected, sliced } from '../tensor/layout.ts';
import { contiguousStrides, formatShape, needList, normalizeDim, numel, resolveShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite, move, type Op } from './define.ts';
import type { Attributes } from './spec.ts';
import { noGrad } from './tape.ts';
import { writeInto } from './write.ts';

const numbers = (attributes: Attributes, name: string): readonly number[] => attributes[name] as readonly number[];
const number = (attributes: Attributes, name: string): number => attributes[name] as number;
const at = (shape: Shape, d: number): number => shape[d] ?? 1;

/** The same elements in the same order under another shape; one size may be -1. An error where strides cannot say it. */
export const view: Op<[x: Tensor, shape: Shape]> = move({
  name: 'view',
  attributes: (x, shape) => ({ shape: resolveShape(shape, x.numel, 'view') }),
  shape: (_x, attributes) => numbers(attributes, 'shape'),
  view: (layout, attributes) => reshaped(layout, numbers(attributes, 'shape')),
  grad: (g, _out, x) => [g.reshape(x.shape)],
  samples: ['f32[6] [2,3]', 'f32[2,3,4] [-1,4]', 'f32[] [1,1]', 'f32[0,3] [3,0]'],
  onnx: 'Reshape',
});

/** As `view`; copies where a view is not possible. */
export const reshape: Op<[x: Tensor, shape: Shape]> = composite({
  name: 'reshape',
  expand: (x, shape) => {
    const wanted = resolveShape(shape, x.numel, 'reshape');
    return (reshaped(x.layout, wanted) ? x : x.contiguous()).view(wanted);
  },
  samples: ['f32[6] [2,3]', 'f32[2,3,4] [-1,4]'],
});

/** Dims `start` to `end` as one. */
export const flatten: Op<[x: Tensor, start?: number, end?: number]> = composite({
  name: 'flatten',
  expand: (x, start = 0, end = -1) => {
    const from = normalizeDim(start, x.rank, 'flatten');
    const to = normalizeDim(end, x.rank, 'flatten');
    return x.reshape([...x.shape.slice(0, from), numel(x.shape.slice(from, to + 1)), ...x.shape.slice(to + 1)]);
  },
  samples: ['f32[2,3,4]', 'f32[2,3,4] 1', 'f32[2,3,4] 0 1'],
});

/** Dims in the given order. */
export const permute: Op<[x: Tensor, order: readonly number[]]> = move({
  name: 'permute',
  attributes: (x, order) => {
    const dims = needList(order, 'permute').map((d) => normalizeDim(d, x.rank, 'permute'));
    if (dims.length !== x.rank || new Set(dims).size !== dims.length) {
      throw new JitLensError('JLT-DIM', `permute: [${order.join(', ')}] does not order ${x.rank} dims`, 'Name every dim once.');
    }
    return { order: dims };
  },
  shape: (shape, attributes) => numbers(attributes, 'order').map((d) => at(shape, d)),
  view: (layout, attributes) => permuted(layout, numbers(attributes, 'order')),
  grad: (g, _out, x, order) => {
    const dims = order.map((d) => normalizeDim(d, x.rank, 'permute'));
    return [g.permute(dims.map((_, d) => dims.indexOf(d)))];
  },
  samples: ['f32[2,3,4] [2,0,1]', 'f32[3,5] [1,0]'],
  onnx: 'Transpose',
});

/** Dims `a` and `b` swapped. */
export const transpose: Op<[x: Tensor, a: number, b: number]> = move({
  name: 'transpose',
  attributes: (x, a, b) => {
    const order = x.shape.map((_, d) => d);
    const [i, j] = [normalizeDim(a, x.rank, 'transpose'), normalizeDim(b, x.rank, 'transpose')];
    if (x.rank > 0) [order[i], order[j]] = [j, i];
    return { order };
  },
  shape: (shape, attributes) => numbers(attributes, 'order').map((d) => at(shape, d)),
  view: (layout, attributes) => permuted(layout, numbers(attributes, 'order')),
  grad: (g, _out, _x, a, b) => [g.transpose(a, b)],
  samples: ['f32[2,3,4] 0 2', 'f32[3,5] -1 -2'],
  onnx: 'Transpose',
});

/** A matrix transposed; a vector as it is. */
export const t: Op<[x: Tensor]> = composite({
  name: 't',
  expand: (x) => (x.rank < 2 ? x : x.transpose(-1, -2)),
  samples: ['f32[3,5]', 'f32[4]'],
});

/** Sizes of 1 repeated to `shape`, without copying; -1 keeps a size. */
export const expand: Op<[x: Tensor, shape: Shape]> = move({
  name: 'expand',
  attributes: (x, shape) => {
    const skip = needList(shape, 'expand').length - x.rank;
    const full = shape.map((size, d) => (size === -1 ? (x.shape[d - skip] ?? 1) : size));
    if (skip < 0 || x.shape.some((size, d) => size !== 1 && size !== full[d + skip])) {
      throw new JitLensError(
        'JL410',
        `expand: a tensor of shape ${formatShape(x.shape)} does not expand to ${formatShape(shape)}`,
        'Only sizes of 1 can be repeated, and new dims go in front.',
      );
    }
    return { shape: full };
  },
  shape: (_x, attributes) => numbers(attributes, 'shape'),
  view: (layout, attributes) => expanded(layout, numbers(attributes, 'shape')),
  // Broadcasting is undone by the tape, and an expanded operand is broadcasting made visible.
  grad: (g) => [g],
  samples: ['f32[3,1] [3,4]', 'f32[4] [2,3,4]', 'f32[] [2]'],
  onnx: 'Expand',
});

/** Without dims of size 1: all of them, or only `dim`. */
export const squeeze: Op<[x: Tensor, dim?: number]> = composite({
  name: 'squeeze',
  expand: (x, dim) => {
    const only = dim === undefined ? undefined : normalizeDim(dim, x.rank, 'squeeze');
    return x.view(x.shape.filter((size, d) => size !== 1 || (only !== undefined && d !== only)));
  },
  samples: ['f32[1,3,1]', 'f32[1,3,1] 0', 'f32[2,3] 0'],
});

/** With a dim of size 1 at `dim`. */
export const unsqueeze: Op<[x: Tensor, dim: number]> = composite({
  name: 'unsqueeze',
  expand: (x, dim) => {
    const place = normalizeDim(dim, x.rank + 1, 'unsqueeze');
    return x.view([...x.shape.slice(0, place), 1, ...x.shape.slice(place)]);
  },
  samples: ['f32[2,3] 1', 'f32[3] -1', 'f32[] 0'],
});

/** Position `index` of `dim`, which goes. */
export const select: Op<[x: Tensor, dim: number, index: number]> = move({
  name: 'select',
  attributes: (x, dim, index) => {
    const d = normalizeDim(dim, x.rank, 'select');
    const size = at(x.shape, d);
    if (x.rank === 0 || !Number.isInteger(index) || index < -size || index >= size) {
      throw new JitLensError(
        'JLT-INDEX',
        `select: index ${index} is out of range for dim ${dim} of size ${size}`,
        `Use ${-size} to ${size - 1}.`,
      );
    }
    return { dim: d, index: index < 0 ? index + size : index };
  },
  shape: (shape, attributes) => shape.filter((_, d) => d !== attributes['dim']),
  view: (layout, attributes) => selected(layout, number(attributes, 'dim'), number(attributes, 'index')),
  grad: (g, _out, x, dim, index) => [
    writeInto(x, selected(rowMajor(x), normalizeDim(dim, x.rank, 'select'), index < 0 ? index + x.size(dim) : index), g),
  ],
  samples: ['f32[3,5] 0 1', 'f32[2,3,4] -1 -2', 'f32[4] 0 3'],
  onnx: 'Gather',
});

/** Positions `start` (0) up to `end` (the last) of `dim`, every `step`-th. Negative ends count from the back, as in Python. */
export const slice: Op<[x: Tensor, dim: number, start?: number, end?: number, step?: number]> = move({
  name: 'slice',
  attributes: sliceAttributes,
  shape: (shape, attributes) => shape.map((size, d) => (d === attributes['dim'] ? number(attributes, 'length') : size)),
  view: (layout, a) => sliced(layout, number(a, 'dim'), number(a, 'start'), number(a, 'length'), number(a, 'step')),
  grad: (g, _out, x, ...range) => {
    const a = sliceAttributes(x, ...range);
    return [writeInto(x, sliced(rowMajor(x), a.dim, a.start, a.length, a.step), g)];
  },
  samples: ['f32[5,3] 0 1 4', 'f32[2,9] 1 0 9 2', 'f32[7] 0 -3', 'f32[4,3] 1 2 1'],
  onnx: 'Slice',
});

function sliceAttributes(x: Tensor, dim: number, start = 0, end?: number, step = 1) {
  const d = normalizeDim(dim, x.rank, 'slice');
  const size = at(x.shape, d);
  if (![start, end ?? 0, step].every(Number.isInteger) || step < 1) {
    throw new JitLensError(
      'JLT-INDEX',
      `slice: ${start}:${end ?? ''}:${step} is not a range of whole numbers`,
      'The step must be 1 or more.',
    );
  }
  const clamp = (i: number) => Math.min(size, Math.max(0, i < 0 ? i + size : i));
  const from = clamp(start);
  const to = clamp(end ?? size);
  return { dim: d, start: from, length: Math.max(0, Math.ceil((to - from) / step)), step };
}

/**
 * The elements at equal places of dims `a` (0) and `b` (1), which go, as a new last dim. A positive `offset` starts that far
 * along b, a negative one along a.
 */
export const diagonal: Op<[x: Tensor, offset?: number, a?: number, b?: number]> = move({
  name: 'diagonal',
  attributes: diagonalAttributes,
  shape: (shape, a) =>
    diagonalOf({ shape, strides: contiguousStrides(shape), offset: 0 }, number(a, 'a'), number(a, 'b'), number(a, 'offset'))
      .shape,
  view: (layout, a) => diagonalOf(layout, number(a, 'a'), number(a, 'b'), number(a, 'offset')),
  grad: (g, _out, x, ...which) => {
    const { a, b, offset } = diagonalAttributes(x, ...which);
    return [writeInto(x, diagonalOf(rowMajor(x), a, b, offset), g)];
  },
  samples: ['f32[4,4]', 'f32[3,5] 1', 'f32[5,3] -2', 'f32[2,3,4] 0 1 2', 'f32[2,3,4] 1 2 0', 'f32[2,3] 7'],
});

function diagonalAttributes(x: Tensor, offset = 0, first = 0, second = 1) {
  const [a, b] = [normalizeDim(first, x.rank, 'diagonal'), normalizeDim(second, x.rank, 'diagonal')];
  if (a === b || x.rank < 2 || !Number.isInteger(offset)) {
    throw new JitLensError(
      'JLT-DIM',
      `diagonal: dims ${first} and ${second} of a tensor of ${x.rank} dims, offset ${offset}`,
      'Name two different dims and a whole offset.',
    );
  }
  return { a, b, offset };
}

const same: Op<[x: Tensor]> = move({
  name: 'detach',
  attributes: () => ({}),
  shape: (shape) => shape,
  view: (layout) => layout,
  onnx: 'Identity',
});

/** The same elements, cut off from how they were made: no gradient flows back through the result. */
export const detach: Op<[x: Tensor]> = composite({
  name: 'detach',
  expand: (x) => noGrad(() => same(x)),
  samples: ['f32[3,5]', 'i32[4]'],
});

/** `length` positions of `dim` from `start`. */
export const narrow: Op<[x: Tensor, dim: number, start: number, length: number]> = composite({
  name: 'narrow',
  expand: (x, dim, start, length) => {
    const size = x.size(dim);
    const from = start < 0 ? start + size : start;
    if (![from, length].every((n) => Number.isInteger(n) && n >= 0) || from + length > size) {
      throw new JitLensError(
        'JLT-INDEX',
        `narrow: ${length} from ${start} on, of dim ${dim} of size ${size}`,
        'All of them must be there; slice() ends where the dim does.',
      );
    }
    return x.slice(dim, from, from + length);
  },
  samples: ['f32[5,3] 0 1 2', 'f32[3,5] -1 -4 3', 'f32[4] 0 4 0'],
});

/** The slices of `dim`, which goes, as a list. */
export const unbind: Op<[x: Tensor, dim?: number], Tensor[]> = composite({
  name: 'unbind',
  expand: (x, dim = 0) => Array.from({ length: x.size(dim) }, (_, i) => x.select(dim, i)),
  samples: [],
});

/** `dim` cut into pieces of `size`; the last may be smaller. */
export const split: Op<[x: Tensor, size: number, dim?: number], Tensor[]> = composite({
  name: 'split',
  expand: (x, size, dim = 0) => {
    checkPieces('split', 'pieces of', size);
    return Array.from({ length: Math.max(1, Math.ceil(x.size(dim) / size)) }, (_, i) => x.slice(dim, i * size, (i + 1) * size));
  },
  samples: [],
});

/** `dim` cut into at most `count` pieces of one size; the last may be smaller. */
export const chunk: Op<[x: Tensor, count: number, dim?: number], Tensor[]> = composite({
  name: 'chunk',
  expand: (x, count, dim = 0) => {
    checkPieces('chunk', 'pieces in number:', count);
    return x.split(Math.max(1, Math.ceil(x.size(dim) / count)), dim);
  },
  samples: [],
});

function checkPieces(op: string, what: string, given: number): void {
  if (Number.isInteger(given) && given > 0) return;
  throw new JitLensError('JLT-RANGE', `${op}: ${what} ${given}`, 'Give a whole number from 1.');
}

function rowMajor(x: Tensor) {
  return { shape: x.shape, strides: contiguousStrides(x.shape), offset: 0, length: numel(x.shape) };
}
