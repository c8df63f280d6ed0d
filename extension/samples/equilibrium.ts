/**
 * A layer whose depth is found while it runs (Bai et al., 2019): one step is repeated until it changes nothing. How often depends
 * on the values, so a trace would keep the count that it saw. Scripted, the loop stays a loop.
 *
 * The two lines that script it: the base class `jit.ScriptModule`, and `@jit.scriptMethod` above `forward`.
 */
import { jit, nn, randn, range, type Tensor } from 'jitlens';

/** Steps between two looks at the result: each look waits for the device, the steps between are one graph. */
const STEPS = 8;

export class Equilibrium extends jit.ScriptModule {
  readonly weight: nn.Parameter;
  readonly inject: nn.Linear;

  constructor(
    features: number,
    readonly tolerance = 1e-4,
    readonly rounds = 32,
  ) {
    super();
    // Small enough to bring any two states closer with each step.
    this.weight = new nn.Parameter(randn([features, features]).mul(0.4 / Math.sqrt(features)));
    this.inject = new nn.Linear(features, features);
  }

  private step(z: Tensor, input: Tensor): Tensor {
    return z.linear(this.weight).add(input).tanh();
  }

  @jit.scriptMethod
  async forward(x: Tensor): Promise<Tensor> {
    const input = this.inject.forward(x);
    let z = input.tanh();
    let moved = Infinity;
    let round = 0;
    while (moved > this.tolerance && round < this.rounds) {
      const before = z;
      for (const _ of range(STEPS)) z = this.step(z, input);
      moved = await z.sub(before).abs().amax().item();
      round++;
    }
    return z;
  }
}

export const equilibrium = jit.example(
  () => new Equilibrium(512),
  () => [randn([64, 512])],
  { software: () => [randn([4, 512])] },
);
