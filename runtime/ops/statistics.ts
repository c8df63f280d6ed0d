/** @file What is made of sums: means, variances, norms, softmax. In: a tensor and dims; integers count as float32. Out: float32. */
import { normalizeDim, numel } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite, foldedDims, unary, type Op, type ReduceOptions, type Unary } from './define.ts';

type Composite = Op<[x: Tensor, options?: ReduceOptions]>;
const SAMPLES = ['f32[7]', 'f32[5,7] {"dim":1}', 'f32[3,4,5] {"dim":[0,2],"keepdim":true}', 'i32[6,3] {"dim":0}'];

/** How many elements are folded into one. */
function count(x: Tensor, op: string, options?: ReduceOptions): number {
  return numel(foldedDims(x, op, options).map((d) => x.shape[d] ?? 1));
}

/** Arithmetic mean over `dim`, in float32 for integers too. NaN for no elements. */
export const mean: Composite = composite({
  name: 'mean',
  expand: (x, options) => {
    const n = count(x, 'mean', options);
    return x.sum(options).div(n);
  },
  samples: SAMPLES,
});

export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the number of elements n before dividing by it. Default 1, which leaves no bias; 0 divides by n. */
  readonly correction?: number;
}
type Spread = Op<[x: Tensor, options?: VarianceOptions]>;
const SPREAD_SAMPLES = [...SAMPLES, 'f32[5,7] {"dim":1,"correction":0}', 'f32[9] {"correction":2}'];

const variance: Spread = composite({
  name: 'var',
  expand: (x, options) => {
    const n = count(x, 'var', options) - (options?.correction ?? 1);
    return x
      .sub(x.mean({ dim: options?.dim, keepdim: true }))
      .square()
      .sum(options)
      .div(Math.max(0, n));
  },
  samples: SPREAD_SAMPLES,
});

export {
  /** Variance over `dim`: the squared distances from the mean, added up and divided by n − 1 (see `correction`). */
  variance as var,
};

/** Standard deviation over `dim`: the root of `var`. */
export const std: Spread = composite({
  name: 'std',
  expand: (x, options) => x.var(options).sqrt(),
  samples: SPREAD_SAMPLES,
});

/** √x with a slope of 0 at 0: a norm has none there, and 0 is as good as any (its subgradient). */
const root: Unary = unary({
  name: 'root',
  wgsl: 'sqrt(x)',
  compute: 'float',
  reference: Math.sqrt,
  grad: (g, out) => [out.eq(0).where(0, g.div(out.mul(2)))],
});

/** xᵖ, with a slope of 0 at 0. */
function power(x: Tensor, p: number): Tensor {
  const none = x.eq(0);
  return none.where(0, none.where(1, x).pow(p));
}

/**
 * The p-norm over `dim`: (Σ |x|ᵖ)^(1/p) with p = 2 unless told otherwise; ±Infinity and 0 as limits. Its gradient at 0 is 0.
 */
export const norm: Op<[x: Tensor, p?: number, options?: ReduceOptions]> = composite({
  name: 'norm',
  expand: (x, p = 2, options) => {
    if (p === 2) return root(x.to('float32').square().sum(options));
    const size = x.to('float32').abs();
    if (p === Infinity) return size.amax(options);
    if (p === -Infinity) return size.amin(options);
    if (p === 1) return size.sum(options);
    if (p === 0) return size.ne(0).sum(options).to('float32');
    return power(power(size, p).sum(options), 1 / p);
  },
  samples: ['f32[7]', 'f32[5,7] 1 {"dim":1}', 'f32[3,4,5] 3 {"dim":[0,2],"keepdim":true}', 'f32[5] 0', 'i32[6,3] 2 {"dim":0}'],
});

/** Any number in its place gives the same results, so no gradient goes through it. */
const shift = (x: Tensor, dim: number): Tensor => x.detach().amax({ dim, keepdim: true });
const hasNone = (x: Tensor, dim: number): boolean => x.rank > 0 && x.size(dim) === 0;

/** ln Σ eˣ over `dim`, shifted by the largest element so that it does not overflow. −∞ for no elements. */
export const logsumexp: Op<[x: Tensor, dim: number, keepdim?: boolean]> = composite({
  name: 'logsumexp',
  expand: (x, dim, keepdim = false) => {
    normalizeDim(dim, x.rank, 'logsumexp');
    if (hasNone(x, dim)) return x.exp().sum({ dim, keepdim }).log();
    const largest = shift(x, dim);
    const finite = largest.isfinite().where(largest, 0);
    const total = x.sub(finite).exp().sum({ dim, keepdim: true }).log().add(finite);
    return keepdim || x.rank === 0 ? total : total.squeeze(dim);
  },
  samples: ['f32[5] 0', 'f32[3,70] 1', 'f32[3,4,5] -2 true', 'f32[] 0'],
});

type AlongDim = Op<[x: Tensor, dim: number]>;
const SOFTMAX_SAMPLES = ['f32[5] 0', 'f32[3,70] 1', 'f32[3,4,5] -2'];

/** eˣ / Σ eˣ along `dim`, shifted by the largest element so that it does not overflow. */
export const softmax: AlongDim = composite({
  name: 'softmax',
  expand: (x, dim) => {
    if (hasNone(x, dim)) return x.exp();
    const powers = x.sub(shift(x, dim)).exp();
    return powers.div(powers.sum({ dim, keepdim: true }));
  },
  samples: SOFTMAX_SAMPLES,
});

/** ln softmax(x) along `dim`. */
export const logSoftmax: AlongDim = composite({
  name: 'logSoftmax',
  expand: (x, dim) => {
    if (hasNone(x, dim)) return x.exp();
    const shifted = x.sub(shift(x, dim));
    return shifted.sub(shifted.exp().sum({ dim, keepdim: true }).log());
  },
  samples: SOFTMAX_SAMPLES,
});
