/**
 * @file What a call writes to memory from outside, as it was before: gradients that run the call again need it so. In: the tensors
 * that it writes. Out: copies, and a way to have them back for a while.
 */
import { copy_ } from '../ops/ternary.ts';
import { noGrad } from '../ops/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface Was {
  readonly x: Tensor;
  readonly was: Tensor;
}

export function copiesOf(written: readonly Tensor[]): Was[] {
  return noGrad(() => written.map((x) => ({ x, was: x.clone() })));
}

/** Runs `body` with them as they were and without gradients on `holders`, then puts back what they are now, and the gradients. */
export function asBefore<T>(written: readonly Was[], body: () => T, holders: readonly Tensor[] = []): T {
  const now = copiesOf(written.map(({ x }) => x));
  const gradients = holders.map((x) => x.grad);
  const become = (all: readonly Was[]) => noGrad(() => all.forEach(({ x, was }) => copy_(x, was)));
  become(written);
  for (const x of holders) x.grad = undefined;
  try {
    return body();
  } finally {
    become(now);
    holders.forEach((x, i) => (x.grad = gradients[i]));
  }
}
