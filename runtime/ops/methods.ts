/** @file The table's ops as Tensor methods, exactly typed: `sum(x, options)` becomes `x.sum(options)`. */
import type { Tensor } from '../tensor/tensor.ts';
import type { Op } from './define.ts';
import type { methods } from './table.ts';

type Table = typeof methods;

export type OpMethods = {
  readonly [K in keyof Table]: Table[K] extends { readonly signatures: infer M }
    ? M
    : Table[K] extends Op<infer A, infer R>
      ? A extends readonly [Tensor, ...infer Rest]
        ? (...rest: Rest) => R
        : never
      : never;
};
