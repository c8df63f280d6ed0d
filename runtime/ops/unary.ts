/** @file Arithmetic and tests of single elements. In: a tensor of any shape. Out: one element for each element. */
import { IS_NAN } from './functions/exponential.ts';
import { unary, type Unary } from './define.ts';

/** The element with its sign turned. */
export const neg: Unary = unary({
  name: 'neg',
  wgsl: '-x',
  linear: ['x'],
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

/** −1, 0 or 1; NaN of NaN. */
export const sign: Unary = unary({
  name: 'sign',
  wgsl: 'jl_sign_T_(x)',
  prelude: [
    ...IS_NAN,
    'fn jl_signf32(x: f32) -> f32 { return select(sign(x), x, jl_is_nan(x)); }',
    'fn jl_signi32(x: i32) -> i32 { return sign(x); }',
  ],
  jumps: true,
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
  wgsl: 'jl_square_T_(x)',
  prelude: ['f32', 'i32', 'u32'].map((type) => `fn jl_square${type}(x: ${type}) -> ${type} { return x * x; }`),
  reference: (x) => x * x,
  grad: (g, _out, x) => [g.mul(x).mul(2)],
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

/** True where the element is 0. */
export const logicalNot: Unary = unary({
  name: 'logicalNot',
  wgsl: '!x',
  compute: 'bool',
  result: 'bool',
  reference: (x) => Number(x === 0),
  onnx: 'Not',
});

/** True where the element is NaN: not a number, as 0 / 0 is. */
export const isnan: Unary = unary({
  name: 'isnan',
  wgsl: 'jl_is_nan(x)',
  prelude: IS_NAN,
  compute: 'float',
  result: 'bool',
  reference: (x) => Number(Number.isNaN(x)),
  onnx: 'IsNaN',
});

/** True where the element is infinite, of either sign. */
export const isinf: Unary = unary({
  name: 'isinf',
  wgsl: '(bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u',
  compute: 'float',
  result: 'bool',
  reference: (x) => Number(Math.abs(x) === Infinity),
  onnx: 'IsInf',
});

/** True where the element is neither infinite nor NaN. */
export const isfinite: Unary = unary({
  name: 'isfinite',
  wgsl: '(bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u',
  compute: 'float',
  result: 'bool',
  reference: (x) => Number(Number.isFinite(x)),
});
