/** @file Automatic differentiation. Importing it gives tensors `backward()`, `detach()`, `requiresGrad` and `grad`. */
import { Tensor } from '../tensor/tensor.ts';
import { backward } from './backward.ts';
import './tape.ts';

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Adds the gradient of this tensor (one number, unless `gradient` is given) to `.grad` of all it was made from. */
    backward(gradient?: Tensor): void;
    /** Says whether a gradient is wanted for this tensor, which no op made. Returns it. */
    requiresGrad_(wanted?: boolean): this;
  }
}

Object.assign(Tensor.prototype, {
  backward(this: Tensor, gradient?: Tensor): void {
    backward(this, gradient);
  },
  requiresGrad_(this: Tensor, wanted = true): Tensor {
    this.requiresGrad = wanted;
    return this;
  },
});

export { grad, type GradOptions } from './backward.ts';
export { noGrad } from '../ops/tape.ts';
