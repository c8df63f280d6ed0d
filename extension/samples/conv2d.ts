/**
 * A convolution layer written by hand, the way one writes a layer that no library has: unfold the image into windows,
 * then add up one small product for each pair of channels. Eagerly that is a few hundred operations.
 *
 * The two lines that make it compile: the import of `jit`, and the example at the end.
 */
import { jit, nn, rand, randn, range, zeros, type Tensor } from 'jitlens';

interface Options {
  padding?: number;
  dilation?: number;
  stride?: number;
}

export class Conv2d extends nn.Module {
  readonly weights: nn.Parameter;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernel: number,
    readonly options: Options = {},
  ) {
    super();
    this.weights = new nn.Parameter(randn([outChannels, inChannels, kernel * kernel]).mul(0.1));
  }

  /** How many places a window has along an image side. */
  private places(size: number): number {
    const { padding = 0, dilation = 1, stride = 1 } = this.options;
    return Math.floor((size + 2 * padding - dilation * (this.kernel - 1) - 1) / stride) + 1;
  }

  private windows(x: Tensor): Tensor {
    const { padding = 0, dilation, stride } = this.options;
    return x
      .pad([padding, padding, padding, padding])
      .unfold(this.kernel, { dilation, stride })
      .transpose(1, 2)
      .contiguous()
      .view([-1, this.inChannels, this.kernel * this.kernel])
      .transpose(0, 1);
  }

  forward(x: Tensor): Tensor {
    const batch = x.size(0);
    const height = this.places(x.size(2));
    const width = this.places(x.size(3));
    const windows = this.windows(x);
    const result = zeros([batch * this.outChannels, height, width]);
    for (const c of range(this.inChannels)) {
      for (const o of range(this.outChannels)) {
        const xx = windows.select(0, c).matmul(this.weights.select(0, o).select(0, c)).view([-1, height, width]);
        const n = xx.size(0);
        result.slice(0, o * n, (o + 1) * n).add_(xx);
      }
    }
    return result.view([batch, this.outChannels, height, width]);
  }
}

export const conv2d = jit.example(
  () => new Conv2d(3, 16, 3),
  () => [rand([1, 3, 512, 512])],
  { software: () => [rand([1, 3, 128, 128])] },
);
