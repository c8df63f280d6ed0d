/** @file Reductions. In: a tensor and the dims to fold. Out: those dims gone, or of size 1 with `keepdim`. */
import type { DType } from '../tensor/dtype.ts';
import { numel, normalizeDims } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite, reduce, type Op, type Reduce, type ReduceOptions } from './define.ts';

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

const LARGEST: Record<DType, number> = { float32: Infinity, int32: 2147483647, uint32: 4294967295, bool: 1 };
const SMALLEST: Record<DType, number> = { float32: -Infinity, int32: -2147483648, uint32: 0, bool: 0 };

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
  grad: (g, out, x, options) => [unfolded(g.mul(out), x, options).div(x)],
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

/** Largest element over `dim`. Its gradient is shared by equal elements. */
export const amax: Reduce = reduce({
  name: 'amax',
  identity: (dtype) => SMALLEST[dtype],
  combine: 'max(a, b)',
  reference: (values) => fold(values, -Infinity, Math.max),
  grad: (g, out, x, options) => [extremeGradient(g, out, x, options)],
  samples: EXTREME_SAMPLES,
  onnx: 'ReduceMax',
});

/** Smallest element over `dim`. Its gradient is shared by equal elements. */
export const amin: Reduce = reduce({
  name: 'amin',
  identity: (dtype) => LARGEST[dtype],
  combine: 'min(a, b)',
  reference: (values) => fold(values, Infinity, Math.min),
  grad: (g, out, x, options) => [extremeGradient(g, out, x, options)],
  samples: EXTREME_SAMPLES,
  onnx: 'ReduceMin',
});

function extremeGradient(g: Tensor, out: Tensor, x: Tensor, options?: ReduceOptions): Tensor {
  const hits = x.eq(unfolded(out, x, options));
  return hits.mul(unfolded(g, x, options)).div(hits.sum({ dim: options?.dim, keepdim: true }));
}

type Composite = Op<[x: Tensor, options?: ReduceOptions]>;
const MEAN_SAMPLES = ['f32[7]', 'f32[5,7] {"dim":1}', 'f32[3,4,5] {"dim":[0,2],"keepdim":true}', 'i32[6,3] {"dim":0}'];

/** Arithmetic mean over `dim`, in float32 for integers too. NaN for no elements. */
export const mean: Composite = composite({
  name: 'mean',
  expand: (x, options) => {
    const total = x.sum(options);
    return total.div(numel(x.shape) / Math.max(1, numel(total.shape)));
  },
  samples: MEAN_SAMPLES,
});

/** Variance over `dim`: mean of squared distances from the mean, divided by n (not n − 1). */
export const variance: Composite = composite({
  name: 'variance',
  expand: (x, options) =>
    x
      .sub(x.mean({ dim: options?.dim, keepdim: true }))
      .square()
      .mean(options),
  samples: MEAN_SAMPLES,
});

type AlongDim = Op<[x: Tensor, dim: number]>;
const SOFTMAX_SAMPLES = ['f32[5] 0', 'f32[3,70] 1', 'f32[3,4,5] -2'];

/** eˣ / Σ eˣ along `dim`, shifted by the largest element so that it does not overflow. */
export const softmax: AlongDim = composite({
  name: 'softmax',
  expand: (x, dim) => {
    const powers = x.sub(x.amax({ dim, keepdim: true })).exp();
    return powers.div(powers.sum({ dim, keepdim: true }));
  },
  samples: SOFTMAX_SAMPLES,
});

/** ln softmax(x) along `dim`. */
export const logSoftmax: AlongDim = composite({
  name: 'logSoftmax',
  expand: (x, dim) => {
    const shifted = x.sub(x.amax({ dim, keepdim: true }));
    return shifted.sub(shifted.exp().sum({ dim, keepdim: true }).log());
  },
  samples: SOFTMAX_SAMPLES,
});
