/** @file Functions of angles, in radians, and their inverses. In: a tensor; integers count as float32. Out: float32. */
import { unary, type Unary } from './define.ts';
import * as functions from './functions/angle.ts';

const FLOAT = { compute: 'float', flops: 16 } as const;

/** Sine of an angle in radians, however large it is. */
export const sin: Unary = unary({
  ...FLOAT,
  name: 'sin',
  wgsl: 'jl_sine(x, 0)',
  prelude: functions.SINE,
  reference: Math.sin,
  grad: (g, _out, x) => [g.mul(x.cos())],
  onnx: 'Sin',
});

/** Cosine of an angle in radians, however large it is. */
export const cos: Unary = unary({
  ...FLOAT,
  name: 'cos',
  wgsl: 'jl_sine(x, 1)',
  prelude: functions.SINE,
  reference: Math.cos,
  grad: (g, _out, x) => [g.mul(x.sin()).neg()],
  onnx: 'Cos',
});

/** Tangent of an angle in radians. */
export const tan: Unary = unary({
  ...FLOAT,
  name: 'tan',
  wgsl: 'jl_tan(x)',
  prelude: functions.TANGENT,
  reference: Math.tan,
  grad: (g, out) => [g.mul(out.square().add(1))],
  domain: [-1.2, 1.2],
  onnx: 'Tan',
});

/** The angle from −π/2 to π/2 whose sine it is; NaN beyond ±1. */
export const asin: Unary = unary({
  ...FLOAT,
  name: 'asin',
  wgsl: 'jl_asin(x)',
  prelude: functions.ASIN,
  reference: Math.asin,
  grad: (g, _out, x) => [g.mul(x.square().neg().add(1).rsqrt())],
  domain: [-0.9, 0.9],
  onnx: 'Asin',
});

/** The angle from 0 to π whose cosine it is; NaN beyond ±1. */
export const acos: Unary = unary({
  ...FLOAT,
  name: 'acos',
  wgsl: 'jl_acos(x)',
  prelude: functions.ASIN,
  reference: Math.acos,
  grad: (g, _out, x) => [g.mul(x.square().neg().add(1).rsqrt()).neg()],
  domain: [-0.9, 0.9],
  onnx: 'Acos',
});

/** The angle from −π/2 to π/2 whose tangent it is. */
export const atan: Unary = unary({
  ...FLOAT,
  name: 'atan',
  wgsl: 'jl_atan(x)',
  prelude: functions.ATAN,
  reference: Math.atan,
  grad: (g, _out, x) => [g.div(x.square().add(1))],
  onnx: 'Atan',
});
