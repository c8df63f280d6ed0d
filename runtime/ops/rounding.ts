/** @file To whole numbers. In: a tensor; integers are whole already and stay as they are. Out: the same dtype. */
import { unary, type Unary } from './define.ts';
import { roundEven } from './functions/reference.ts';

function rounding(name: string, reference: (x: number) => number, onnx?: string): Unary {
  return unary({
    name,
    wgsl: `jl_${name}_T_(x)`,
    prelude: [
      `fn jl_${name}f32(x: f32) -> f32 { return ${name}(x); }`,
      `fn jl_${name}i32(x: i32) -> i32 { return x; }`,
      `fn jl_${name}u32(x: u32) -> u32 { return x; }`,
    ],
    jumps: true,
    reference,
    grad: (g) => [g.mul(0)],
    onnx,
  });
}

/** The largest whole number that is not larger. */
export const floor: Unary = rounding('floor', Math.floor, 'Floor');
/** The smallest whole number that is not smaller. */
export const ceil: Unary = rounding('ceil', Math.ceil, 'Ceil');
/** The nearest whole number, halves to the even one. */
export const round: Unary = rounding('round', roundEven, 'Round');
/** Without the part after the point. */
export const trunc: Unary = rounding('trunc', Math.trunc);

/** The part after the point, with the sign of x. */
export const frac: Unary = unary({
  name: 'frac',
  wgsl: 'jl_frac(x)',
  prelude: ['fn jl_frac(x: f32) -> f32 { return x - trunc(x); }'],
  compute: 'float',
  jumps: true,
  reference: (x) => x - Math.trunc(x),
  grad: (g) => [g],
});
