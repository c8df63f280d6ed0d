/** @file The two ops that lowering and rewriting put in themselves, taken from the op table. */
import { invariant } from '../errors.ts';
import { add, mul } from '../ops/binary.ts';
import type { Binary } from '../ops/define.ts';
import type { ElementwiseSpec } from '../ops/spec.ts';

function elementwise(op: Binary): ElementwiseSpec {
  const { spec } = op.entry;
  return invariant(spec?.kind === 'elementwise' && spec, `${op.entry.name} is elementwise`);
}

export const addition: ElementwiseSpec = elementwise(add);
export const product: ElementwiseSpec = elementwise(mul);
