/**
 * @file Padding. In: a tensor, how much to add on each side. Out: a larger copy; what is new is a number, or taken from the
 * tensor.
 */
import { JitLensError } from '../errors.ts';
import { condition, plus } from '../tensor/affine.ts';
import { needList } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite, move, type Op } from './define.ts';
import { cat } from './join.ts';
import type { Attributes } from './spec.ts';

/** Where new elements come from: mirrored at the last element, the last element again, or the other end. */
export type PadMode = 'reflect' | 'replicate' | 'circular';

/**
 * `amounts` = [before, after] for the last dim, then the one before it, and so on. New elements are a number (0), or come
 * from the tensor: `'reflect'`, `'replicate'`, `'circular'`.
 */
export const pad: Op<[x: Tensor, amounts: readonly number[], fill?: number | PadMode]> = composite({
  name: 'pad',
  expand: (x, amounts, fill = 0) => {
    checkAmounts(x, amounts);
    if (typeof fill === 'number') return constantPad(x, amounts, fill);
    return x.shape.reduce((padded: Tensor, _, d) => {
      const [before, after] = padding(amounts, x.rank, d);
      return before === 0 && after === 0 ? padded : SIDES[fill](padded, d, before, after);
    }, x);
  },
  samples: [
    'f32[3,4] [1,2]',
    'f32[2,3] [0,1,2,0] 7',
    'f32[2,5] [2,3] "reflect"',
    'f32[4,3] [1,0,2,3] "replicate"',
    'f32[2,3] [3,1,1,2] "circular"',
    'i32[4] [1,1] "reflect"',
  ],
});

function checkAmounts(x: Tensor, amounts: readonly number[]): void {
  needList(amounts, 'pad');
  if (amounts.length % 2 !== 0 || amounts.length > 2 * x.rank || amounts.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new JitLensError(
      'JLT-PAD',
      `pad: [${amounts.join(', ')}] does not fit a tensor of ${x.rank} dims`,
      'Give [before, after] pairs of whole numbers from 0, last dim first.',
    );
  }
}

/** The same elements along `dim`, with `before` and `after` new ones. */
type Sides = (x: Tensor, dim: number, before: number, after: number) => Tensor;

/** Refuses to take more than there is. */
function limit(x: Tensor, dim: number, most: number, amounts: readonly number[], mode: PadMode): void {
  if (amounts.every((n) => n <= most)) return;
  throw new JitLensError(
    'JLT-PAD',
    `pad: dim ${dim} of size ${x.size(dim)} gives ${Math.max(0, most)} elements at most to '${mode}', not ${Math.max(...amounts)}`,
    'Pad by less, or with a number.',
  );
}

const SIDES: Readonly<Record<PadMode, Sides>> = {
  reflect: (x, d, before, after) => {
    const size = x.size(d);
    limit(x, d, size - 1, [before, after], 'reflect');
    return cat([x.slice(d, 1, before + 1).flip([d]), x, x.slice(d, size - 1 - after, size - 1).flip([d])], d);
  },
  replicate: (x, d, before, after) => {
    const size = x.size(d);
    limit(x, d, size === 0 ? 0 : Infinity, [before, after], 'replicate');
    const again = (at: number, count: number) => x.slice(d, at, at + 1).expand(x.shape.map((n, i) => (i === d ? count : n)));
    return cat([...(before > 0 ? [again(0, before)] : []), x, ...(after > 0 ? [again(size - 1, after)] : [])], d);
  },
  circular: (x, d, before, after) => {
    const size = x.size(d);
    limit(x, d, size, [before, after], 'circular');
    return cat([x.slice(d, size - before, size), x, x.slice(d, 0, after)], d);
  },
};

const amountsOf = (a: Attributes): readonly number[] => a['amounts'] as readonly number[];

const constantPad: Op<[x: Tensor, amounts: readonly number[], value?: number]> = move({
  name: 'pad',
  attributes: (_x, amounts, value = 0) => ({ amounts, value }),
  shape: (shape, a) =>
    shape.map((size, d) => size + padding(amountsOf(a), shape.length, d)[0] + padding(amountsOf(a), shape.length, d)[1]),
  map: (out, shape, a) => {
    const index = out.map((i, d) => plus(i, -padding(amountsOf(a), shape.length, d)[0]));
    return {
      index,
      inside: condition(index.map((i, d) => ({ index: i, lo: 0, hi: shape[d] ?? 1 }))),
      otherwise: a['value'] as number,
    };
  },
  grad: (g, _out, x, amounts) => [
    x.shape.reduce((part, size, d) => {
      const before = amounts[2 * (x.rank - 1 - d)] ?? 0;
      return part.slice(d, before, before + size);
    }, g),
  ],
  onnx: 'Pad',
});

function padding(amounts: readonly number[], rank: number, d: number): readonly [number, number] {
  const i = 2 * (rank - 1 - d);
  return [amounts[i] ?? 0, amounts[i + 1] ?? 0];
}
