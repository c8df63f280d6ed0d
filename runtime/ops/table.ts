/**
 * @file The op table: every family in one place. Importing it puts the ops on `Tensor` as methods, receiver first.
 */
import { Tensor } from '../tensor/tensor.ts';
import * as binary from './binary.ts';
import * as contract from './contract.ts';
import { to } from './convert.ts';
import { cat, clone, contiguous, flip, pad, stack, unfold } from './move.ts';
import * as reduce from './reduce.ts';
import * as unary from './unary.ts';
import * as views from './views.ts';

/** Ops called as methods of their first argument. */
export const methods = {
  ...unary,
  ...binary,
  ...reduce,
  ...views,
  to,
  ...contract,
  clone,
  contiguous,
  flip,
  pad,
  unfold,
} as const;

/** Ops called as functions: their first argument is not a tensor. */
export const functions = { cat, stack } as const;

export const table = { ...methods, ...functions } as const;

for (const [name, op] of Object.entries<(x: Tensor, ...rest: never[]) => unknown>(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: never[]) {
      return op(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
