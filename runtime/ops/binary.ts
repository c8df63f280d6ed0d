/** @file Elementwise ops of two and three operands, which broadcast; the second may be a number. */
import type { Operand } from '../tensor/backend.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { binary, inPlace, ternary, type Binary, type Ternary } from './define.ts';

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
  reference: (a, b) => a * b,
  grad: (g, _out, a, b) => [g.mul(b), isTensor(b) ? g.mul(a) : undefined],
  onnx: 'Mul',
});

/** a / b, in float32 for integers too. */
export const div: Binary = binary({
  name: 'div',
  wgsl: 'a / b',
  compute: 'float',
  reference: (a, b) => a / b,
  grad: (g, out, _a, b) => [g.div(b), isTensor(b) ? g.mul(out).div(b).neg() : undefined],
  domain: [0.25, 4],
  onnx: 'Div',
});

/** a raised to b, in float32 for integers too. A negative base wants a whole exponent, else the result is NaN. */
export const pow: Binary = binary({
  name: 'pow',
  wgsl: 'jl_pow(a, b)',
  // WGSL leaves pow of a negative base, and of zero, open.
  prelude: `fn jl_pow(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return 1.0; }
  if (a == 0.0) { return bitcast<f32>(select(0u, 0x7f800000u, b < 0.0)); }
  let size = pow(abs(a), b);
  if (a >= 0.0) { return size; }
  if (b != floor(b)) { return bitcast<f32>(0x7fc00000u | u32(a > 0.0)); }
  return select(size, -size, abs(b) % 2.0 == 1.0);
}`,
  compute: 'float',
  flops: 8,
  reference: (a, b) => a ** b,
  grad: (g, out, a, b) => [
    isTensor(b) ? g.mul(b).mul(a.pow(b.sub(1))) : g.mul(b).mul(a.pow(b - 1)),
    isTensor(b) ? g.mul(out).mul(a.log()) : undefined,
  ],
  domain: [0.25, 3],
  tolerance: { relative: 5e-5 },
  onnx: 'Pow',
});

/** The larger of a and b. */
export const maximum: Binary = binary({
  name: 'maximum',
  wgsl: 'max(a, b)',
  reference: Math.max,
  grad: (g, _out, a, b) => [g.mul(a.ge(b)), isTensor(b) ? g.mul(a.lt(b)) : undefined],
  onnx: 'Max',
});

/** The smaller of a and b. */
export const minimum: Binary = binary({
  name: 'minimum',
  wgsl: 'min(a, b)',
  reference: Math.min,
  grad: (g, _out, a, b) => [g.mul(a.le(b)), isTensor(b) ? g.mul(a.gt(b)) : undefined],
  onnx: 'Min',
});

function comparison(name: string, sign: string, reference: (a: number, b: number) => boolean, onnx?: string): Binary {
  return binary({ name, wgsl: `a ${sign} b`, result: 'bool', reference: (a, b) => Number(reference(a, b)), onnx });
}

/** True where a = b. */
export const eq: Binary = comparison('eq', '==', (a, b) => a === b, 'Equal');
/** True where a ≠ b. */
export const ne: Binary = comparison('ne', '!=', (a, b) => a !== b);
/** True where a < b. */
export const lt: Binary = comparison('lt', '<', (a, b) => a < b, 'Less');
/** True where a ≤ b. */
export const le: Binary = comparison('le', '<=', (a, b) => a <= b, 'LessOrEqual');
/** True where a > b. */
export const gt: Binary = comparison('gt', '>', (a, b) => a > b, 'Greater');
/** True where a ≥ b. */
export const ge: Binary = comparison('ge', '>=', (a, b) => a >= b, 'GreaterOrEqual');

/** a += b. Returns a. */
export const add_: Binary = inPlace(add);
/** a −= b. Returns a. */
export const sub_: Binary = inPlace(sub);
/** a ·= b. Returns a. */
export const mul_: Binary = inPlace(mul);
/** a /= b. Returns a. */
export const div_: Binary = inPlace(div);

/** a where the condition is true, else b. */
export const where: Ternary = ternary({
  name: 'where',
  wgsl: 'select(b, a, c)',
  condition: 'c',
  compute: 'kept',
  reference: (c, a, b) => (c ? a : b),
  grad: (g, _out, c, a, b) => [undefined, isTensor(a) ? c.where(g, 0) : undefined, isTensor(b) ? c.where(0, g) : undefined],
  onnx: 'Where',
});

const copy: Binary = binary({ name: 'copy', wgsl: 'b', compute: 'kept', reference: (_a, b) => b });

/** Overwrites a with b, which broadcasts. Returns a. */
export const copy_: Binary = inPlace(copy);
