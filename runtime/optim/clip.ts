/** @file Gradients kept from growing too large. In: parameters with their gradients. Out: the same gradients, changed in place. */
import { JitLensError } from '../errors.ts';
import { stack } from '../ops/join.ts';
import { noGrad } from '../ops/tape.ts';
import { zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Added to the norm before dividing by it, as in PyTorch. */
const EPS = 1e-6;

function gradientsOf(parameters: Iterable<Tensor>): Tensor[] {
  return [...parameters].flatMap((p) => p.heldGrad ?? []);
}

/**
 * Scales all gradients by one factor, so that their norm, taken as one vector, is at most `maxNorm`. Gives the norm before.
 * `normType` is 2 unless it is told otherwise; Infinity takes the largest size.
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number, normType = 2): Tensor {
  if (!(normType > 0)) throw new JitLensError('JLT-RANGE', `clipGradNorm: a norm of ${normType}`, 'Give a number above 0.');
  const gradients = gradientsOf(parameters);
  if (gradients.length === 0) return zeros([]);
  return noGrad(() => {
    const total = normType === Infinity ? largest(gradients) : normOf(gradients, normType);
    const factor = total.add(EPS).reciprocal().mul(maxNorm).clamp(undefined, 1);
    for (const g of gradients) g.mul_(factor);
    return total;
  });
}

function largest(gradients: readonly Tensor[]): Tensor {
  return stack(gradients.map((g) => g.abs().amax())).amax();
}

function normOf(gradients: readonly Tensor[], normType: number): Tensor {
  const sums = gradients.map((g) => (normType === 2 ? g.square() : g.abs().pow(normType)).sum());
  return stack(sums)
    .sum()
    .pow(1 / normType);
}

/** Puts every element of the gradients between −`clipValue` and `clipValue`. */
export function clipGradValue(parameters: Iterable<Tensor>, clipValue: number): void {
  noGrad(() => {
    for (const g of gradientsOf(parameters)) g.clamp_(-clipValue, clipValue);
  });
}
