/**
 * @file Tensors of one content that lie differently in memory. In: a shape, its values in row-major order, an arrangement.
 * Out: a tensor on the current device that reads as those values, whatever its strides and offset are.
 */
import type { DType } from '../../../runtime/tensor/dtype.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { tensor, type Tensor } from 'jitlens';

export const arrangements = ['as is', 'transposed', 'offset'] as const;
export type Arrangement = (typeof arrangements)[number];

const FILLER = 7;

export function arranged(shape: readonly number[], values: readonly number[], dtype: DType, how: Arrangement): Tensor {
  if (how === 'as is') return flat(values, dtype).view(shape);
  if (how === 'transposed' && shape.length > 1) return transposed(shape, values, dtype);
  return how === 'transposed' && shape.length === 1 ? strided(values, dtype) : offset(shape, values, dtype);
}

function flat(values: readonly number[], dtype: DType): Tensor {
  return tensor(Float32Array.from(values), { dtype });
}

/** Dims in opposite order in memory. */
function transposed(shape: readonly number[], values: readonly number[], dtype: DType): Tensor {
  const order = shape.map((_, d) => shape.length - 1 - d);
  const stored = order.map((d) => shape[d] ?? 1);
  const mixed = new Array<number>(values.length);
  positions(shape).forEach((at, i) => {
    mixed[
      flatten(
        order.map((d) => at[d] ?? 0),
        stored,
      )
    ] = values[i] ?? NaN;
  });
  return flat(mixed, dtype).view(stored).permute(order);
}

/** Every second element. */
function strided(values: readonly number[], dtype: DType): Tensor {
  return flat(
    values.flatMap((v) => [v, FILLER]),
    dtype,
  ).slice(0, 0, undefined, 2);
}

/** A part of a tensor that is larger by one on all sides; a number is the second of three. */
function offset(shape: readonly number[], values: readonly number[], dtype: DType): Tensor {
  if (shape.length === 0) return flat([FILLER, ...values, FILLER], dtype).select(0, 1);
  const large = shape.map((size) => size + 2);
  const filled = new Array<number>(numel(large)).fill(FILLER);
  positions(shape).forEach((at, i) => {
    filled[
      flatten(
        at.map((n) => n + 1),
        large,
      )
    ] = values[i] ?? NaN;
  });
  return shape.reduce((x, size, d) => x.slice(d, 1, 1 + size), flat(filled, dtype).view(large));
}

/** Every multi-index of a shape, in row-major order. */
export function positions(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((all, size) => all.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])), [[]]);
}

function flatten(at: readonly number[], shape: readonly number[]): number {
  return at.reduce((place, n, d) => place * (shape[d] ?? 1) + n, 0);
}
