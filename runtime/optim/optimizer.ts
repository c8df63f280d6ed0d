/**
 * @file Optimisers: they change parameters by their gradients, in place. In: parameters and options. Out: `step()` after
 * each `backward()`. All of a step is ops, so a training step can be traced whole.
 */
import { noGrad } from '../ops/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export abstract class Optimizer {
  constructor(protected readonly parameters: readonly Tensor[]) {}

  /** Forgets all gradients; the next `backward()` starts from none. */
  zeroGrad(): void {
    for (const p of this.parameters) p.grad = undefined;
  }

  /** Changes every parameter that has a gradient. */
  step(): void {
    noGrad(() => {
      this.parameters.forEach((p, i) => {
        if (p.grad) this.update(p, p.grad, i);
      });
    });
  }

  protected abstract update(p: Tensor, g: Tensor, index: number): void;
}
