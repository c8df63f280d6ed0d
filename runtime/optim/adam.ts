/** @file Adam (Kingma and Ba, 2015). */
import type { Tensor } from '../tensor/tensor.ts';
import { ones, zeros } from '../tensor/create.ts';
import { noGrad } from '../ops/tape.ts';
import { Optimizer } from './optimizer.ts';

export interface AdamOptions {
  /** Default 0.001. */
  readonly lr?: number;
  /** How slowly the means of gradients and of their squares forget. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
}

/** p −= lr · m̂ / (√v̂ + eps), with m and v running means of g and g², and m̂, v̂ corrected for having started at 0. */
export class Adam extends Optimizer {
  private readonly m: readonly Tensor[];
  private readonly v: readonly Tensor[];
  /** β₁ᵗ and β₂ᵗ, on the device, so that a traced step counts on. */
  private readonly decay: readonly [Tensor, Tensor] = [ones([]), ones([])];

  constructor(
    parameters: readonly Tensor[],
    private readonly options: AdamOptions = {},
  ) {
    super(parameters);
    this.m = parameters.map((p) => zeros(p.shape));
    this.v = parameters.map((p) => zeros(p.shape));
  }

  override step(): void {
    const [b1, b2] = this.options.betas ?? [0.9, 0.999];
    noGrad(() => {
      this.decay[0].mul_(b1);
      this.decay[1].mul_(b2);
    });
    super.step();
  }

  protected update(p: Tensor, g: Tensor, index: number): void {
    const { lr = 0.001, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8 } = this.options;
    const [m, v] = [this.m[index], this.v[index]];
    if (!m || !v) return;
    m.mul_(b1).add_(g.mul(1 - b1));
    v.mul_(b2).add_(g.square().mul(1 - b2));
    const mean = m.div(this.decay[0].neg().add(1));
    const spread = v.div(this.decay[1].neg().add(1)).sqrt().add(eps);
    p.sub_(mean.div(spread).mul(lr));
  }
}
