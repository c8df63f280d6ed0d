/**
 * @file Activations with kinks: straight pieces, and bounds. In: a tensor, numbers that shape the curve. Out: one element
 * for each element. At a kink the gradient is that of PyTorch. The smooth ones are in smooth.ts.
 */
import type { Operand } from '../tensor/backend.ts';
import { dtypes, type DType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parametric, unary, type Op, type Unary } from './define.ts';
import { CLAMP, LARGER } from './functions/order.ts';

/** x where it is positive, else 0. NaN stays NaN. */
export const relu: Unary = unary({
  name: 'relu',
  wgsl: 'jl_larger_T_(x, _T_(0))',
  prelude: LARGER,
  reference: (x) => Math.max(x, 0),
  grad: (g, out) => [g.mul(out.gt(0))],
  onnx: 'Relu',
});

const clamped = (x: number, least: number, most: number) => Math.min(Math.max(x, least), most);

function within(g: Tensor, x: Tensor, least: number, most: number): Tensor {
  return x.ge(least).logicalAnd(x.le(most)).where(g, 0);
}

/** The dtype that bounds are compared in: truth values count as int32. */
const bounded = (x: Tensor): DType => (x.dtype === 'bool' ? 'int32' : x.dtype);
const clampOperands = (x: Tensor, min: number | undefined, max: number | undefined): readonly Operand[] => [
  x,
  min ?? dtypes[bounded(x)].least,
  max ?? dtypes[bounded(x)].most,
];

const CLAMPED = {
  params: ['x', 'a', 'b'],
  wgsl: 'jl_clamp_T_(x, a, b)',
  prelude: CLAMP,
  flops: 2,
  reference: clamped,
};

/** x, but at least `min` and at most `max`; either may be left out. `max` wins where it is below `min`. NaN stays NaN. */
export const clamp: Op<[x: Tensor, min?: number, max?: number]> = parametric({
  ...CLAMPED,
  name: 'clamp',
  operands: clampOperands,
  grad: (g, _out, x, min = -Infinity, max = Infinity) => [within(g, x, min, max)],
  samples: ['f32[3,5] -0.5 1.25', 'f32[65,33] 0', 'f32[0] -1 1', 'i32[6] 0 1', 'i32[6] -1', 'f32[] -3 -2'],
  onnx: 'Clip',
});

/** x, but at least `min` (−1) and at most `max` (1). */
export const hardtanh: Op<[x: Tensor, min?: number, max?: number]> = parametric({
  ...CLAMPED,
  name: 'hardtanh',
  operands: (x, min = -1, max = 1) => [x, min, max],
  grad: (g, _out, x, min = -1, max = 1) => [x.gt(min).logicalAnd(x.lt(max)).where(g, 0)],
});

/** x, but at least 0 and at most 6. */
export const relu6: Unary = parametric({
  ...CLAMPED,
  name: 'relu6',
  operands: (x) => [x, 0, 6],
  grad: (g, _out, x) => [x.gt(0).logicalAnd(x.lt(6)).where(g, 0)],
  domain: [-8, 8],
});

/** x where it is positive, else `slope` (0.01) · x. */
export const leakyRelu: Op<[x: Tensor, slope?: number]> = parametric({
  name: 'leakyRelu',
  params: ['x', 'a'],
  operands: (x, slope = 0.01) => [x, slope],
  wgsl: 'jl_leaky_relu(x, a)',
  prelude: ['fn jl_leaky_relu(x: f32, slope: f32) -> f32 { return select(x * slope, x, x > 0.0); }'],
  compute: 'float',
  flops: 2,
  reference: (x, slope) => (x > 0 ? x : x * slope),
  grad: (g, _out, x, slope = 0.01) => [x.gt(0).where(g, g.mul(slope))],
  samples: ['f32[3,5]', 'f32[65,33] 0.2', 'f32[0]'],
  onnx: 'LeakyRelu',
});

/** x / 6 + ½, but at least 0 and at most 1: a sigmoid of straight pieces. */
export const hardsigmoid: Unary = unary({
  name: 'hardsigmoid',
  wgsl: 'jl_hardsigmoid(x)',
  prelude: [...CLAMP, 'fn jl_hardsigmoid(x: f32) -> f32 { return jl_clampf32(x + 3.0, 0.0, 6.0) / 6.0; }'],
  compute: 'float',
  flops: 4,
  reference: (x) => clamped(x + 3, 0, 6) / 6,
  grad: (g, _out, x) => [x.gt(-3).logicalAnd(x.lt(3)).where(g.div(6), 0)],
  domain: [-5, 5],
  onnx: 'HardSigmoid',
});

/** x · hardsigmoid(x). */
export const hardswish: Unary = unary({
  name: 'hardswish',
  wgsl: 'jl_hardswish(x)',
  prelude: [...CLAMP, 'fn jl_hardswish(x: f32) -> f32 { return x * (jl_clampf32(x + 3.0, 0.0, 6.0) / 6.0); }'],
  compute: 'float',
  flops: 5,
  reference: (x) => x * (clamped(x + 3, 0, 6) / 6),
  grad: (g, _out, x) => [x.le(-3).where(0, x.ge(3).where(g, g.mul(x.div(3).add(0.5))))],
  domain: [-5, 5],
  onnx: 'HardSwish',
});

/** x / (1 + |x|). */
export const softsign: Unary = unary({
  name: 'softsign',
  wgsl: 'jl_softsign(x)',
  prelude: ['fn jl_softsign(x: f32) -> f32 { return x / (1.0 + abs(x)); }'],
  compute: 'float',
  flops: 3,
  reference: (x) => x / (1 + Math.abs(x)),
  grad: (g, _out, x) => [g.div(x.abs().add(1).square())],
  onnx: 'Softsign',
});
