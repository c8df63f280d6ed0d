/** @file Stochastic gradient descent. */
import { zerosLike } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decayed, Optimizer, type CommonOptions, type ParamGroup } from './optimizer.ts';

export interface SGDOptions extends CommonOptions {
  /** Share of the last step that is taken again. Default 0. */
  readonly momentum?: number;
  /** Share of the gradient that does not go into the momentum, after the first step. Default 0. */
  readonly dampening?: number;
  /** Pull of every parameter towards 0. Default 0. */
  readonly weightDecay?: number;
  /** Looks ahead by one step of the momentum. Default false. */
  readonly nesterov?: boolean;
}

type State = { readonly velocity?: Tensor };

/**
 * p −= lr · v, with v = momentum · v + (1 − dampening) · g and g the gradient + weightDecay · p; v = g at the first step. With
 * `nesterov`, p −= lr · (g + momentum · v).
 */
export class SGD extends Optimizer<SGDOptions, State> {
  protected slots(p: Tensor, { momentum = 0 }: SGDOptions): State {
    return momentum === 0 ? {} : { velocity: zerosLike(p) };
  }

  protected update({ options, rate, steps }: ParamGroup<SGDOptions, State>) {
    const { momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = options;
    // The first velocity is not dampened.
    const share = dampening === 0 ? 1 : steps.eq(1).where(1, 1 - dampening);
    return (p: Tensor, gradient: Tensor, { velocity }: State): void => {
      const g = decayed(gradient, p, weightDecay);
      const v = velocity?.mul_(momentum).add_(dampening === 0 ? g : g.mul(share));
      p.sub_((v && nesterov ? g.add(v.mul(momentum)) : (v ?? g)).mul(rate));
    };
  }
}
