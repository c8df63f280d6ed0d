/** @file Arithmetic of two operands, which broadcast; the second may be a number. */
import type { Operand } from '../tensor/backend.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { binary, type Binary } from './define.ts';
import { ATAN2 } from './functions/angle.ts';
import { DIVIDE, FLOOR_DIVIDE, REMAINDER } from './functions/divide.ts';
import { POW } from './functions/exponential.ts';
import { LARGER, SMALLER } from './functions/order.ts';
import { floorDivide as floorDivide64, remainder as remainder64, wholePower } from './functions/reference.ts';

const isTensor = (value: Operand): value is Tensor => typeof value === 'object';

/** a + b. */
export const add: Binary = binary({
  name: 'add',
  wgsl: 'a + b',
  reference: (a, b) => a + b,
  grad: (g) => [g, g],
  onnx: 'Add',
});

/** a − b. */
export const sub: Binary = binary({
  name: 'sub',
  wgsl: 'a - b',
  reference: (a, b) => a - b,
  grad: (g) => [g, g.neg()],
  onnx: 'Sub',
});

/** a · b. */
export const mul: Binary = binary({
  name: 'mul',
  wgsl: 'a * b',
  linear: ['a', 'b'],
  reference: (a, b) => a * b,
  whole: Math.imul,
  grad: (g, _out, a, b) => [g.mul(b), isTensor(b) ? g.mul(a) : undefined],
  onnx: 'Mul',
});

/** a / b, in float32 for integers too. */
export const div: Binary = binary({
  name: 'div',
  wgsl: 'jl_divide(a, b)',
  prelude: DIVIDE,
  linear: ['a'],
  compute: 'float',
  reference: (a, b) => a / b,
  grad: (g, out, _a, b) => [g.div(b), isTensor(b) ? g.mul(out).div(b).neg() : undefined],
  domain: [0.25, 4],
  onnx: 'Div',
});

/** IEEE 754's, which differs from JavaScript's where 1 is raised to what is not a number, and ±1 to what is infinite. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
}

/**
 * a raised to b; integers stay integers, and wrap around. A negative base wants a whole exponent, else the result is NaN. A
 * negative power of an integer is 0 unless the integer is 1 or −1.
 */
export const pow: Binary = binary({
  name: 'pow',
  wgsl: 'jl_pow_T_(a, b)',
  prelude: POW,
  flops: 40,
  reference: power,
  whole: wholePower,
  grad: (g, out, a, b) => [
    isTensor(b) ? g.mul(b).mul(a.pow(b.sub(1))) : g.mul(b).mul(a.pow(b - 1)),
    isTensor(b) ? g.mul(out).mul(a.log()) : undefined,
  ],
  domain: [0.25, 3],
  onnx: 'Pow',
});

/** The quotient's floor: ⌊a / b⌋, exact. An integer by 0 is the largest one of its sign. */
export const floorDivide: Binary = binary({
  name: 'floorDivide',
  wgsl: 'jl_floor_divide_T_(a, b)',
  prelude: FLOOR_DIVIDE,
  jumps: true,
  flops: 8,
  reference: floorDivide64,
  grad: (g, _out, _a, b) => [g.mul(0), isTensor(b) ? g.mul(0) : undefined],
  domain: [0.25, 4],
});

/** a − b · ⌊a / b⌋, exact: what is left, with the sign of b. NaN where b is 0; an integer by 0 leaves 0. */
export const remainder: Binary = binary({
  name: 'remainder',
  wgsl: 'jl_remainder_T_(a, b)',
  prelude: REMAINDER,
  jumps: true,
  flops: 8,
  reference: remainder64,
  grad: (g, _out, a, b) => [g, isTensor(b) ? g.mul(a.floorDivide(b)).neg() : undefined],
  domain: [0.25, 4],
});

/** The angle of the point (b, a) from the first axis, from −π to π: a is the height. */
export const atan2: Binary = binary({
  name: 'atan2',
  wgsl: 'jl_atan2(a, b)',
  jumps: true,
  prelude: ATAN2,
  compute: 'float',
  flops: 20,
  reference: Math.atan2,
  grad: (g, _out, a, b) => {
    const square = a.square().add(isTensor(b) ? b.square() : b * b);
    return [g.mul(b).div(square), isTensor(b) ? g.mul(a).div(square).neg() : undefined];
  },
});

/** The larger of a and b; NaN where either is. */
export const maximum: Binary = binary({
  name: 'maximum',
  wgsl: 'jl_larger_T_(a, b)',
  prelude: LARGER,
  reference: Math.max,
  grad: (g, _out, a, b) => [g.mul(a.ge(b)), isTensor(b) ? g.mul(a.lt(b)) : undefined],
  onnx: 'Max',
});

/** The smaller of a and b; NaN where either is. */
export const minimum: Binary = binary({
  name: 'minimum',
  wgsl: 'jl_smaller_T_(a, b)',
  prelude: SMALLER,
  reference: Math.min,
  grad: (g, _out, a, b) => [g.mul(a.le(b)), isTensor(b) ? g.mul(a.gt(b)) : undefined],
  onnx: 'Min',
});
