/**
 * A block of a language model: each place looks at those before it, then thinks for itself. Both are added to what comes in,
 * which is normalised first.
 */
import { jit, nn, randn, type Tensor } from 'jitlens';

export class GptBlock extends nn.Module {
  readonly norm1: nn.LayerNorm;
  readonly qkv: nn.Linear;
  readonly out: nn.Linear;
  readonly norm2: nn.LayerNorm;
  readonly up: nn.Linear;
  readonly down: nn.Linear;

  constructor(
    features: number,
    readonly heads: number,
    hidden = 4 * features,
  ) {
    super();
    this.norm1 = new nn.LayerNorm(features);
    this.qkv = new nn.Linear(features, 3 * features);
    this.out = new nn.Linear(features, features);
    this.norm2 = new nn.LayerNorm(features);
    this.up = new nn.Linear(features, hidden);
    this.down = new nn.Linear(hidden, features);
  }

  /** [batch, places, features] → [batch, heads, places, features of one head]. */
  private split(x: Tensor): Tensor {
    return x.unflatten(2, [this.heads, -1]).transpose(1, 2);
  }

  private attend(x: Tensor): Tensor {
    const [q, k, v] = this.qkv.forward(x).chunk(3, -1) as [Tensor, Tensor, Tensor];
    const mixed = this.split(q).scaledDotProductAttention(this.split(k), this.split(v), { isCausal: true });
    return this.out.forward(mixed.transpose(1, 2).flatten(2));
  }

  forward(x: Tensor): Tensor {
    const y = x.add(this.attend(this.norm1.forward(x)));
    return y.add(this.down.forward(this.up.forward(this.norm2.forward(y)).gelu()));
  }
}

export const gpt = jit.example(
  () => new GptBlock(512, 8),
  () => [randn([8, 256, 512])],
  { software: () => [randn([1, 16, 512])] },
);
