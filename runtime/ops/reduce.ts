/**
 * @file Reductions: what a kernel folds in a loop. In: a tensor and dims. Out: those dims gone, or of size 1 with `keepdim`.
 * What is made of these is in statistics.ts and extremes.ts.
 */
import { dtypes } from '../tensor/dtype.ts';
import { normalizeDims } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { reduce, type Reduce, type ReduceOptions } from './define.ts';
import { LARGER, SMALLER } from './functions/order.ts';

/** A folded result (or its gradient) with the folded dims put back, so that it broadcasts against the input. */
function unfolded(t: Tensor, x: Tensor, options?: ReduceOptions): Tensor {
  if (options?.keepdim) return t;
  const dims = normalizeDims(options?.dim, x.rank, 'reduce');
  return t.reshape(x.shape.map((size, d) => (dims.includes(d) ? 1 : size)));
}

function fold(values: Iterable<number>, start: number, combine: (a: number, b: number) => number): number {
  let result = start;
  for (const value of values) result = combine(result, value);
  return result;
}

/** Sum over `dim`, all of them when it is left out. 0 for no elements. */
export const sum: Reduce = reduce({
  name: 'sum',
  identity: 0,
  combine: 'a + b',
  reference: (values) => fold(values, 0, (a, b) => a + b),
  grad: (g, _out, x, options) => [unfolded(g, x, options).expand(x.shape)],
  tolerance: { relative: 1e-5, absolute: 1e-4 },
  onnx: 'ReduceSum',
});

/** Product over `dim`. 1 for no elements. */
export const prod: Reduce = reduce({
  name: 'prod',
  identity: 1,
  combine: 'a * b',
  reference: (values) => fold(values, 1, (a, b) => a * b),
  // With one zero among them only its own slope is not 0; with more, none is.
  grad: (g, _out, x, options) => {
    const over = { dim: options?.dim, keepdim: true };
    const none = x.eq(0);
    const zeros = none.sum(over);
    const others = none.where(1, x).prod(over);
    const slope = none.where(zeros.eq(1).where(others, 0), zeros.eq(0).where(others.div(x), 0));
    return [slope.mul(unfolded(g, x, options))];
  },
  domain: [0.95, 1.05],
  tolerance: { relative: 1e-4 },
  samples: ['f32[7]', 'f32[5,7] {"dim":1}', 'f32[3,4,5] {"dim":[0,2],"keepdim":true}', 'f32[3,0] {"dim":1}'],
  onnx: 'ReduceProd',
});

const EXTREME_SAMPLES = [
  'f32[7]',
  'f32[5,7] {"dim":1}',
  'f32[3,4,5] {"dim":[0,2],"keepdim":true}',
  'f32[2,1000] {"dim":-1}',
  'i32[6,3] {"dim":0}',
];

/** Largest element over `dim`, NaN where there is one. Refuses to choose from none. Its gradient is shared by equal elements. */
export const amax: Reduce = reduce({
  name: 'amax',
  identity: (dtype) => dtypes[dtype].least,
  nonEmpty: true,
  combine: 'jl_larger_T_(a, b)',
  prelude: LARGER,
  reference: (values) => fold(values, -Infinity, Math.max),
  grad: (g, out, x, options) => [extremeGradient(g, out, x, options)],
  samples: EXTREME_SAMPLES,
  onnx: 'ReduceMax',
});

/** Smallest element over `dim`, NaN where there is one. Refuses to choose from none. Its gradient is shared by equal elements. */
export const amin: Reduce = reduce({
  name: 'amin',
  identity: (dtype) => dtypes[dtype].most,
  nonEmpty: true,
  combine: 'jl_smaller_T_(a, b)',
  prelude: SMALLER,
  reference: (values) => fold(values, Infinity, Math.min),
  grad: (g, out, x, options) => [extremeGradient(g, out, x, options)],
  samples: EXTREME_SAMPLES,
  onnx: 'ReduceMin',
});

function extremeGradient(g: Tensor, out: Tensor, x: Tensor, options?: ReduceOptions): Tensor {
  const hits = x.eq(unfolded(out, x, options));
  return hits.mul(unfolded(g, x, options)).div(hits.sum({ dim: options?.dim, keepdim: true }));
}
