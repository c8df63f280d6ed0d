/**
 * @file The in-place forms of ops: `x.exp_()` writes eˣ over x and returns x. In: ops by name. Out: one more for each,
 * under its name with `_` behind it. A name is all that is derived; documentation and arguments are those of the op.
 */
import type { Tensor } from '../tensor/tensor.ts';
import { inPlace, type Op } from './define.ts';

export type InPlaceForms<T> = { readonly [K in keyof T & string as `${K}_`]: T[K] };

export function inPlaceForms<T extends Readonly<Record<string, Op<readonly [Tensor, ...never[]]>>>>(ops: T): InPlaceForms<T> {
  return Object.fromEntries(Object.entries(ops).map(([name, op]) => [`${name}_`, inPlace(op)])) as InPlaceForms<T>;
}
