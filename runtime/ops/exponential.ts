/** @file Powers of e, logarithms and what is made of them. In: a tensor; integers count as float32. Out: float32. */
import { unary, type Unary } from './define.ts';
import * as functions from './functions/exponential.ts';
import { erf as erf64 } from './functions/reference.ts';

/** Within 4 units in the last place of float32. */
const FLOAT = { compute: 'float' } as const;

/** eˣ. */
export const exp: Unary = unary({
  ...FLOAT,
  name: 'exp',
  wgsl: 'jl_exp(x)',
  prelude: functions.EXP,
  flops: 16,
  reference: Math.exp,
  grad: (g, out) => [g.mul(out)],
  onnx: 'Exp',
});

/** eˣ − 1, exact near 0 too. */
export const expm1: Unary = unary({
  ...FLOAT,
  name: 'expm1',
  wgsl: 'jl_expm1(x)',
  prelude: functions.EXPM1,
  flops: 16,
  reference: Math.expm1,
  grad: (g, out) => [g.mul(out.add(1))],
});

/** Natural logarithm; −∞ at zero, NaN below. */
export const log: Unary = unary({
  ...FLOAT,
  name: 'log',
  wgsl: 'jl_log(x)',
  prelude: functions.LOG,
  flops: 18,
  reference: Math.log,
  grad: (g, _out, x) => [g.div(x)],
  domain: [0.05, 4],
  onnx: 'Log',
});

/** ln(1 + x), exact near 0 too; −∞ at −1, NaN below. */
export const log1p: Unary = unary({
  ...FLOAT,
  name: 'log1p',
  wgsl: 'jl_log1p(x)',
  prelude: functions.LOG1P,
  flops: 18,
  reference: Math.log1p,
  grad: (g, _out, x) => [g.div(x.add(1))],
  domain: [-0.9, 4],
});

/** Logarithm to base 2; −∞ at zero, NaN below. */
export const log2: Unary = unary({
  ...FLOAT,
  name: 'log2',
  wgsl: 'jl_log2(x)',
  prelude: functions.LOG2,
  flops: 18,
  reference: Math.log2,
  grad: (g, _out, x) => [g.div(x.mul(Math.LN2))],
  domain: [0.05, 4],
});

/** Logarithm to base 10; −∞ at zero, NaN below. */
export const log10: Unary = unary({
  ...FLOAT,
  name: 'log10',
  wgsl: 'jl_log10(x)',
  prelude: functions.LOG10,
  flops: 18,
  reference: Math.log10,
  grad: (g, _out, x) => [g.div(x.mul(Math.LN10))],
  domain: [0.05, 4],
});

/** Hyperbolic sine. */
export const sinh: Unary = unary({
  ...FLOAT,
  name: 'sinh',
  wgsl: 'jl_sinh(x)',
  prelude: functions.SINH,
  flops: 36,
  reference: Math.sinh,
  grad: (g, _out, x) => [g.mul(x.cosh())],
  onnx: 'Sinh',
});

/** Hyperbolic cosine. */
export const cosh: Unary = unary({
  ...FLOAT,
  name: 'cosh',
  wgsl: 'jl_cosh(x)',
  prelude: functions.COSH,
  flops: 36,
  reference: Math.cosh,
  grad: (g, _out, x) => [g.mul(x.sinh())],
  onnx: 'Cosh',
});

/** Hyperbolic tangent. */
export const tanh: Unary = unary({
  ...FLOAT,
  name: 'tanh',
  wgsl: 'jl_tanh(x)',
  prelude: functions.TANH,
  flops: 20,
  reference: Math.tanh,
  grad: (g, out) => [g.mul(out.mul(out).neg().add(1))],
  onnx: 'Tanh',
});

/** 1 / (1 + e⁻ˣ). */
export const sigmoid: Unary = unary({
  ...FLOAT,
  name: 'sigmoid',
  wgsl: 'jl_sigmoid(x)',
  prelude: functions.SIGMOID,
  flops: 18,
  reference: (x) => 1 / (1 + Math.exp(-x)),
  grad: (g, out) => [g.mul(out).mul(out.neg().add(1))],
  onnx: 'Sigmoid',
});

/** The error function 2/√π · ∫₀ˣ e^(−t²) dt. */
export const erf: Unary = unary({
  ...FLOAT,
  name: 'erf',
  wgsl: 'jl_erf(x)',
  prelude: functions.ERF,
  flops: 30,
  reference: erf64,
  grad: (g, _out, x) => [g.mul(x.square().neg().exp()).mul(2 / Math.sqrt(Math.PI))],
  onnx: 'Erf',
});
