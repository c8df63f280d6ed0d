/**
 * Spatially adaptive normalisation (Park et al., 2019): a map of labels says at each pixel by how much a normalised image is
 * scaled and shifted. No library has it as one kernel; traced, all behind the three convolutions becomes one.
 */
import { jit, nn, rand, randn, type Tensor } from 'jitlens';

interface Options {
  /** Channels between the map and what it says. */
  hidden?: number;
  norm?: 'batch' | 'instance';
}

export class Spade extends nn.Module {
  readonly norm: nn.BatchNorm2d | nn.InstanceNorm2d;
  readonly shared: nn.Conv2d;
  readonly gamma: nn.Conv2d;
  readonly beta: nn.Conv2d;

  constructor(channels: number, labels: number, { hidden = 128, norm = 'batch' }: Options = {}) {
    super();
    this.norm = norm === 'batch' ? new nn.BatchNorm2d(channels, { affine: false }) : new nn.InstanceNorm2d(channels);
    this.shared = new nn.Conv2d(labels, hidden, 3, { padding: 1 });
    this.gamma = new nn.Conv2d(hidden, channels, 3, { padding: 1 });
    this.beta = new nn.Conv2d(hidden, channels, 3, { padding: 1 });
  }

  forward(x: Tensor, map: Tensor): Tensor {
    const labels = map.interpolate({ size: [x.size(2), x.size(3)] });
    const hidden = this.shared.forward(labels).relu();
    const gamma = this.gamma.forward(hidden);
    const beta = this.beta.forward(hidden);
    return this.norm.forward(x).mul(gamma.add(1)).add(beta);
  }
}

export const spade = jit.example(
  () => new Spade(64, 8),
  () => [randn([1, 64, 256, 256]), rand([1, 8, 128, 128])],
  { software: () => [randn([1, 64, 16, 16]), rand([1, 8, 8, 8])] },
);
