/** @file Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, “Decoupled weight decay regularization”, 2019). */
import { zerosLike } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decayed, Optimizer, type CommonOptions, type ParamGroup, type Params } from './optimizer.ts';

export interface AdamOptions extends CommonOptions {
  /** How slowly the means of gradients and of their squares forget. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** Pull of every parameter towards 0: a part of the gradient in Adam (default 0), apart from it in AdamW (default 0.01). */
  readonly weightDecay?: number;
  /** Divides by the largest mean of squares so far (Reddi et al., 2018). Default false. */
  readonly amsgrad?: boolean;
}

type State = { readonly mean: Tensor; readonly squares: Tensor; readonly largest?: Tensor };

/** How a kind of Adam lets parameters decay: by a change of the gradient, or by one of the parameter. */
type Decay = (g: Tensor, p: Tensor, weightDecay: number, rate: Tensor) => Tensor;

/** p −= lr · m̂ / (√v̂ + eps), with m and v running means of g and g², and m̂, v̂ corrected for having started at 0. */
export class Adam extends Optimizer<AdamOptions, State> {
  protected readonly decay: Decay = decayed;

  /** The default learning rate is 0.001. */
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { lr: 0.001, ...options });
  }

  protected slots(p: Tensor, { amsgrad = false }: AdamOptions): State {
    return { mean: zerosLike(p), squares: zerosLike(p), largest: amsgrad ? zerosLike(p) : undefined };
  }

  protected update({ options, rate, steps }: ParamGroup<AdamOptions, State>) {
    const { betas: [b1, b2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options;
    // 1 − βᵗ, without the digits that 1 − β loses.
    const corrections = [b1, b2].map((b) => steps.mul(Math.log(b)).expm1().neg());
    const [first, second] = [corrections[0] ?? rate, (corrections[1] ?? rate).sqrt()];
    const size = rate.div(first);
    return (p: Tensor, gradient: Tensor, { mean, squares, largest }: State): void => {
      const g = this.decay(gradient, p, weightDecay, rate);
      mean.mul_(b1).add_(g.mul(1 - b1));
      squares.mul_(b2).add_(g.square().mul(1 - b2));
      const spread = largest ? largest.maximum_(squares) : squares;
      p.sub_(mean.mul(size).div(spread.sqrt().div(second).add(eps)));
    };
  }
}

/** Adam whose weight decay, p −= lr · weightDecay · p, is no part of the gradient. */
export class AdamW extends Adam {
  protected override readonly decay: Decay = (g, p, weightDecay, rate) => {
    if (weightDecay !== 0) p.sub_(p.mul(rate.mul(weightDecay)));
    return g;
  };

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { weightDecay: 0.01, ...options });
  }
}
