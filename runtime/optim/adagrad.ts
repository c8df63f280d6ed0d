/** @file Adagrad (Duchi, Hazan and Singer, 2011). */
import { fullLike } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decayed, Optimizer, type CommonOptions, type ParamGroup, type Params } from './optimizer.ts';

export interface AdagradOptions extends CommonOptions {
  /** How fast the learning rate falls. Default 0. */
  readonly lrDecay?: number;
  /** Pull of every parameter towards 0. Default 0. */
  readonly weightDecay?: number;
  /** What sums of squares start from. Default 0. */
  readonly initialAccumulatorValue?: number;
  /** Default 1e-10. */
  readonly eps?: number;
}

type State = { readonly squares: Tensor };

/** p −= lr / (1 + (t − 1) · lrDecay) · g / (√s + eps), with s the sum of all g² and t the number of the step. */
export class Adagrad extends Optimizer<AdagradOptions, State> {
  /** The default learning rate is 0.01. */
  constructor(params: Params<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super(params, { lr: 0.01, ...options });
  }

  protected slots(p: Tensor, { initialAccumulatorValue = 0 }: AdagradOptions): State {
    return { squares: fullLike(p, initialAccumulatorValue) };
  }

  protected update({ options, rate, steps }: ParamGroup<AdagradOptions, State>) {
    const { lrDecay = 0, weightDecay = 0, eps = 1e-10 } = options;
    const size = lrDecay === 0 ? rate : rate.div(steps.sub(1).mul(lrDecay).add(1));
    return (p: Tensor, gradient: Tensor, { squares }: State): void => {
      const g = decayed(gradient, p, weightDecay);
      squares.add_(g.square());
      p.sub_(g.mul(size).div(squares.sqrt().add(eps)));
    };
  }
}
