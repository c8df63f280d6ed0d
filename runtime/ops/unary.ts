/** @file Elementwise ops of one tensor. In: a tensor of any shape. Out: one element for each element. */
import { unary, type Unary } from './define.ts';

/** The element with its sign turned. */
export const neg: Unary = unary({
  name: 'neg',
  wgsl: '-x',
  compute: 'signed',
  reference: (x) => -x,
  grad: (g) => [g.neg()],
  onnx: 'Neg',
});

/** Distance from zero. */
export const abs: Unary = unary({
  name: 'abs',
  wgsl: 'abs(x)',
  reference: Math.abs,
  grad: (g, _out, x) => [g.mul(x.sign())],
  onnx: 'Abs',
});

/** −1, 0 or 1. */
export const sign: Unary = unary({
  name: 'sign',
  wgsl: 'sign(x)',
  compute: 'signed',
  reference: Math.sign,
  grad: (g) => [g.mul(0)],
  onnx: 'Sign',
});

/** Square root; NaN below zero. */
export const sqrt: Unary = unary({
  name: 'sqrt',
  wgsl: 'sqrt(x)',
  compute: 'float',
  reference: Math.sqrt,
  grad: (g, out) => [g.div(out.mul(2))],
  domain: [0.05, 4],
  onnx: 'Sqrt',
});

/** 1 / √x. */
export const rsqrt: Unary = unary({
  name: 'rsqrt',
  wgsl: 'inverseSqrt(x)',
  compute: 'float',
  reference: (x) => 1 / Math.sqrt(x),
  grad: (g, out) => [g.mul(out.mul(out).mul(out)).mul(-0.5)],
  domain: [0.05, 4],
});

/** x · x. */
export const square: Unary = unary({
  name: 'square',
  wgsl: 'x * x',
  reference: (x) => x * x,
  grad: (g, _out, x) => [g.mul(x).mul(2)],
});

/** e raised to each element. */
export const exp: Unary = unary({
  name: 'exp',
  wgsl: 'exp(x)',
  compute: 'float',
  flops: 4,
  reference: Math.exp,
  grad: (g, out) => [g.mul(out)],
  onnx: 'Exp',
});

/** Natural logarithm; −∞ at zero, NaN below. */
export const log: Unary = unary({
  name: 'log',
  wgsl: 'jl_log(x)',
  // WGSL leaves the logarithm open at zero and below.
  prelude: `fn jl_log(x: f32) -> f32 {
  if (x > 0.0) { return log(x); }
  return bitcast<f32>(select(0x7fc00000u, 0xff800000u, x == 0.0));
}`,
  compute: 'float',
  flops: 4,
  reference: Math.log,
  grad: (g, _out, x) => [g.div(x)],
  domain: [0.05, 4],
  onnx: 'Log',
});

// WGSL asks of its own sine only that it is off by no more than 2⁻¹¹. This is that of the Cephes library: the angle less
// quarter turns, taken away in three parts, then one of two polynomials. Far from 0 no digit is left, and the clamp keeps it a sine.
const SINE = `fn jl_sine(x: f32, quarters: i32) -> f32 {
  let turns = round(x * 0.63661977);
  let rest = ((x - turns * 1.5703125) - turns * 4.8375129699707e-4) - turns * 7.5497899548919e-8;
  let r = clamp(rest, -0.78539819, 0.78539819);
  let z = r * r;
  let odd = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
  let even = 1.0 - 0.5 * z + z * z * (4.1666645683e-2 + z * (-1.3887316255e-3 + z * 2.4433157118e-5));
  let quadrant = (i32(turns) + quarters) & 3;
  let size = select(odd, even, (quadrant & 1) == 1);
  return select(size, -size, quadrant > 1);
}`;

/** Sine of an angle in radians. */
export const sin: Unary = unary({
  name: 'sin',
  wgsl: 'jl_sine(x, 0)',
  prelude: SINE,
  compute: 'float',
  flops: 16,
  reference: Math.sin,
  grad: (g, _out, x) => [g.mul(x.cos())],
  onnx: 'Sin',
});

/** Cosine of an angle in radians. */
export const cos: Unary = unary({
  name: 'cos',
  wgsl: 'jl_sine(x, 1)',
  prelude: SINE,
  compute: 'float',
  flops: 16,
  reference: Math.cos,
  grad: (g, _out, x) => [g.mul(x.sin()).neg()],
  onnx: 'Cos',
});

/** Hyperbolic tangent. */
export const tanh: Unary = unary({
  name: 'tanh',
  // Beyond ±15 the result is ±1 in float32, and drivers that divide exponentials would overflow.
  wgsl: 'tanh(clamp(x, -15.0, 15.0))',
  compute: 'float',
  flops: 6,
  reference: Math.tanh,
  grad: (g, out) => [g.mul(out.mul(out).neg().add(1))],
  onnx: 'Tanh',
});

/** 1 / (1 + e⁻ˣ). */
export const sigmoid: Unary = unary({
  name: 'sigmoid',
  wgsl: '1.0 / (1.0 + exp(-x))',
  compute: 'float',
  flops: 6,
  reference: (x) => 1 / (1 + Math.exp(-x)),
  grad: (g, out) => [g.mul(out).mul(out.neg().add(1))],
  onnx: 'Sigmoid',
});

/** x where it is positive, else 0. */
export const relu: Unary = unary({
  name: 'relu',
  wgsl: 'max(x, _T_(0))',
  reference: (x) => Math.max(x, 0),
  grad: (g, out) => [g.mul(out.gt(0))],
  onnx: 'Relu',
});

/** 1 / x. */
export const reciprocal: Unary = unary({
  name: 'reciprocal',
  wgsl: '1.0 / x',
  compute: 'float',
  reference: (x) => 1 / x,
  grad: (g, out) => [g.mul(out).mul(out).neg()],
  domain: [0.25, 4],
  onnx: 'Reciprocal',
});

/** The largest whole number that is not larger. */
export const floor: Unary = unary({
  name: 'floor',
  wgsl: 'floor(x)',
  compute: 'float',
  reference: Math.floor,
  grad: (g) => [g.mul(0)],
  onnx: 'Floor',
});

/** The smallest whole number that is not smaller. */
export const ceil: Unary = unary({
  name: 'ceil',
  wgsl: 'ceil(x)',
  compute: 'float',
  reference: Math.ceil,
  grad: (g) => [g.mul(0)],
  onnx: 'Ceil',
});

/** True where the element is 0. */
export const logicalNot: Unary = unary({
  name: 'logicalNot',
  wgsl: '!x',
  compute: 'bool',
  result: 'bool',
  reference: (x) => Number(x === 0),
  onnx: 'Not',
});
