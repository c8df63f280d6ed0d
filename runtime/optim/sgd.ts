/** @file Stochastic gradient descent. */
import type { Tensor } from '../tensor/tensor.ts';
import { zeros } from '../tensor/create.ts';
import { Optimizer } from './optimizer.ts';

export interface SGDOptions {
  readonly lr: number;
  /** Share of the last step that is taken again. Default 0. */
  readonly momentum?: number;
  /** Pull of every parameter towards 0. Default 0. */
  readonly weightDecay?: number;
}

/** p −= lr · v, with v = momentum · v + g + weightDecay · p. */
export class SGD extends Optimizer {
  private readonly velocity: readonly Tensor[];

  constructor(
    parameters: readonly Tensor[],
    private readonly options: SGDOptions,
  ) {
    super(parameters);
    this.velocity = options.momentum ? parameters.map((p) => zeros(p.shape)) : [];
  }

  protected update(p: Tensor, g: Tensor, index: number): void {
    const { lr, momentum = 0, weightDecay = 0 } = this.options;
    const pull = weightDecay === 0 ? g : g.add(p.mul(weightDecay));
    const v = this.velocity[index];
    p.sub_((v ? v.mul_(momentum).add_(pull) : pull).mul(lr));
  }
}
