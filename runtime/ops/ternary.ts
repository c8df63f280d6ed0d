/** @file Elementwise ops of three operands and more, which broadcast; and writing one tensor over another. */
import type { Operand } from '../tensor/backend.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { binary, inPlace, parametric, ternary, type Binary, type Op, type Ternary } from './define.ts';

const isTensor = (value: Operand): value is Tensor => typeof value === 'object';

/** a where the condition is true, else b. */
export const where: Ternary = ternary({
  name: 'where',
  wgsl: 'select(b, a, c)',
  condition: 'c',
  compute: 'kept',
  // NaN is true, as it is when it becomes a bool.
  reference: (c, a, b) => (c !== 0 ? a : b),
  grad: (g, _out, c, a, b) => [undefined, isTensor(a) ? c.where(g, 0) : undefined, isTensor(b) ? c.where(0, g) : undefined],
  onnx: 'Where',
});

/** a + weight · (b − a), from the end that is nearer: exact at both. */
export const lerp: Op<[a: Tensor, b: Tensor, weight: Tensor | number]> = parametric({
  name: 'lerp',
  params: ['a', 'b', 'c'],
  operands: (...operands) => operands,
  wgsl: 'jl_lerp(a, b, c)',
  prelude: [
    `fn jl_lerp(a: f32, b: f32, weight: f32) -> f32 {
  return select(b - (b - a) * (1.0 - weight), a + weight * (b - a), abs(weight) < 0.5);
}`,
  ],
  compute: 'float',
  flops: 4,
  reference: (a, b, weight) => (Math.abs(weight) < 0.5 ? a + weight * (b - a) : b - (b - a) * (1 - weight)),
  grad: (g, _out, a, b, weight) => [
    g.mul(isTensor(weight) ? weight.neg().add(1) : 1 - weight),
    g.mul(weight),
    isTensor(weight) ? g.mul(b.sub(a)) : undefined,
  ],
  samples: ['f32[3,5] f32[3,5] 0.25', 'f32[4,1] f32[3] f32[4,3]', 'f32[] f32[] 0.75', 'f32[0] f32[0] 0.5'],
});

type Accumulate = Op<[x: Tensor, a: Tensor, b: Tensor, value?: number]>;
const ACCUMULATE = {
  params: ['x', 'a', 'b', 'c'],
  flops: 3,
  samples: ['f32[3,5] f32[3,5] f32[5]', 'f32[4,3] f32[4,1] f32[3] -0.5', 'f32[] f32[] f32[]', 'f32[0] f32[0] f32[1] 2'],
};

/** x + value (1) · a · b. */
export const addcmul: Accumulate = parametric({
  ...ACCUMULATE,
  name: 'addcmul',
  operands: (x, a, b, value = 1) => [x, a, b, value],
  wgsl: 'x + c * a * b',
  reference: (x, a, b, value) => x + value * a * b,
  grad: (g, _out, _x, a, b, value = 1) => [g, g.mul(b).mul(value), g.mul(a).mul(value)],
});

/** x + value (1) · a / b, in float32 for integers too. */
export const addcdiv: Accumulate = parametric({
  ...ACCUMULATE,
  name: 'addcdiv',
  operands: (x, a, b, value = 1) => [x, a, b, value],
  wgsl: 'x + c * (a / b)',
  compute: 'float',
  reference: (x, a, b, value) => x + value * (a / b),
  grad: (g, _out, _x, a, b, value = 1) => [g, g.div(b).mul(value), g.mul(a).div(b.square()).mul(-value)],
  domain: [0.25, 4],
});

const copy: Binary = binary({ name: 'copy', wgsl: 'b', compute: 'kept', reference: (_a, b) => b, grad: (g) => [undefined, g] });

/** Overwrites a with b, which broadcasts. Returns a. */
export const copy_: Binary = inPlace(copy);
