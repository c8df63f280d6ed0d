/** @file The ops that lowering and rewriting put in themselves, or look for, taken from the op table. */
import { invariant } from '../errors.ts';
import { add, div, mul, sub } from '../ops/binary.ts';
import { eq } from '../ops/compare.ts';
import { exp } from '../ops/exponential.ts';
import { amax, sum } from '../ops/reduce.ts';
import type { ElementwiseSpec, OpSpec, ReduceSpec } from '../ops/spec.ts';
import { where } from '../ops/ternary.ts';
import { square } from '../ops/unary.ts';

interface Entered {
  readonly entry: { readonly name: string; readonly spec?: OpSpec };
}

function elementwise({ entry }: Entered): ElementwiseSpec {
  const { spec } = entry;
  return invariant(spec?.kind === 'elementwise' && spec, `${entry.name} is elementwise`);
}

function reduction({ entry }: Entered): ReduceSpec {
  const { spec } = entry;
  return invariant(spec?.kind === 'reduce' && spec, `${entry.name} is a reduction`);
}

export const addition: ElementwiseSpec = elementwise(add);
export const difference: ElementwiseSpec = elementwise(sub);
export const product: ElementwiseSpec = elementwise(mul);
export const quotient: ElementwiseSpec = elementwise(div);
export const squared: ElementwiseSpec = elementwise(square);
export const equality: ElementwiseSpec = elementwise(eq);
export const exponential: ElementwiseSpec = elementwise(exp);
export const choice: ElementwiseSpec = elementwise(where);
export const largest: ReduceSpec = reduction(amax);
export const addedUp: ReduceSpec = reduction(sum);
