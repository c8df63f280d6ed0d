/** @file Conversions between dtypes. In: a tensor. Out: its values in another dtype; itself where it has that dtype. */
import { JitLensError } from '../errors.ts';
import type { DType } from '../tensor/dtype.ts';
import { toHalf } from '../tensor/half.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, elementwiseSpec, op, type Op } from './define.ts';
import type { ElementwiseSpec } from './spec.ts';

function conversion(dtype: DType, reference: (x: number) => number): ElementwiseSpec {
  // Operands are brought to the computed dtype before an op; that is all there is to do here.
  const spec = elementwiseSpec(['x'], { name: `to ${dtype}`, wgsl: 'x', reference, result: dtype });
  return { ...spec, computeType: () => dtype };
}

/** One conversion for each dtype. */
export const conversions: Readonly<Record<DType, ElementwiseSpec>> = {
  float64: conversion('float64', (x) => x),
  float32: conversion('float32', (x) => x),
  float16: conversion('float16', toHalf),
  int32: conversion('int32', Math.trunc),
  uint32: conversion('uint32', Math.trunc),
  bool: conversion('bool', (x) => Number(x !== 0)),
};

type Conversion = Op<[x: Tensor]>;

/** Each conversion as an op of its own, so that gradients go back through it. */
const ops = Object.fromEntries(
  Object.entries(conversions).map(([dtype, spec]): [string, Conversion] => [
    dtype,
    op(
      { name: spec.name, spec, samples: [], tolerance: spec.tolerance, domain: [-2, 2], grad: (g, _out, x) => [g.to(x.dtype)] },
      (x) => apply(spec, [x]),
    ),
  ]),
) as Record<DType, Conversion>;

/** The values in another dtype: floats lose their fraction towards zero, and what is not 0 is true. */
export const to: Op<[x: Tensor, dtype: DType]> = composite({
  name: 'to',
  expand: (x, dtype) => {
    if (x.dtype === dtype) return x;
    if (!(dtype in ops)) {
      const all = Object.keys(ops).join(', ');
      throw new JitLensError('JLT-DTYPE', `to: ‘${dtype as string}’ is not a dtype`, `There are ${all}.`);
    }
    return ops[dtype](x);
  },
  samples: ['f32[5] "int32"', 'i32[5] "float32"', 'f32[5] "bool"', 'bool[5] "float32"'],
});
