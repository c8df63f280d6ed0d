/** @file `jit.dynamic`: says of a tensor's dims that they will have other sizes. In: a tensor and dims. Out: the same tensor. */
import { normalizeDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

const declared = new WeakMap<Tensor, Set<number>>();

/**
 * Marks dims of an argument as dynamic before a trace or a scripted function is called with it: its kernels are then made for all
 * sizes at once. Without it a dim becomes dynamic by itself at its third size. Negative dims count from the end.
 */
export function dynamic(x: Tensor, ...dims: readonly number[]): Tensor {
  const known = declared.get(x) ?? new Set<number>();
  for (const dim of dims) known.add(normalizeDim(dim, x.rank, 'dynamic'));
  declared.set(x, known);
  return x;
}

export function isDeclared(x: Tensor, dim: number): boolean {
  return declared.get(x)?.has(dim) ?? false;
}
