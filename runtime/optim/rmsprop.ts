/** @file RMSprop (Hinton, “Neural networks for machine learning”, lecture 6e, 2012; centred by Graves, 2013). */
import { zerosLike } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decayed, Optimizer, type CommonOptions, type ParamGroup, type Params } from './optimizer.ts';

export interface RMSpropOptions extends CommonOptions {
  /** How slowly the mean of squared gradients forgets. Default 0.99. */
  readonly alpha?: number;
  /** Default 1e-8. */
  readonly eps?: number;
  /** Pull of every parameter towards 0. Default 0. */
  readonly weightDecay?: number;
  /** Share of the last step that is taken again. Default 0. */
  readonly momentum?: number;
  /** Divides by the gradients' spread around their mean. Default false. */
  readonly centered?: boolean;
}

type State = { readonly squares: Tensor; readonly mean?: Tensor; readonly velocity?: Tensor };

/** p −= lr · v, with v = momentum · v + g / (√s + eps) and s a running mean of g², less the squared mean when centred. */
export class RMSprop extends Optimizer<RMSpropOptions, State> {
  /** The default learning rate is 0.01. */
  constructor(params: Params<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super(params, { lr: 0.01, ...options });
  }

  protected slots(p: Tensor, { momentum = 0, centered = false }: RMSpropOptions): State {
    return {
      squares: zerosLike(p),
      mean: centered ? zerosLike(p) : undefined,
      velocity: momentum === 0 ? undefined : zerosLike(p),
    };
  }

  protected update({ options, rate }: ParamGroup<RMSpropOptions, State>) {
    const { alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0 } = options;
    return (p: Tensor, gradient: Tensor, { squares, mean, velocity }: State): void => {
      const g = decayed(gradient, p, weightDecay);
      squares.mul_(alpha).add_(g.square().mul(1 - alpha));
      mean?.mul_(alpha).add_(g.mul(1 - alpha));
      const spread = mean ? squares.sub(mean.square()).clamp(0) : squares;
      const scaled = g.div(spread.sqrt().add(eps));
      p.sub_((velocity ? velocity.mul_(momentum).add_(scaled) : scaled).mul(rate));
    };
  }
}
