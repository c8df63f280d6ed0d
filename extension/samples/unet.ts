/**
 * A small U-Net (Ronneberger et al., 2015): an image is made smaller step by step, then larger again, and every step up sees
 * what the step down at its size saw.
 */
import { cat, jit, nn, randn, type Tensor } from 'jitlens';

/** Two convolutions that keep the size. */
function block(inChannels: number, outChannels: number): nn.Sequential {
  const conv = (from: number) => new nn.Conv2d(from, outChannels, 3, { padding: 1 });
  return new nn.Sequential(conv(inChannels), new nn.ReLU(), conv(outChannels), new nn.ReLU());
}

export class UNet extends nn.Module {
  readonly down: nn.Sequential[] = [];
  readonly pool = new nn.MaxPool2d(2);
  readonly bottom: nn.Sequential;
  readonly grow: nn.ConvTranspose2d[] = [];
  readonly up: nn.Sequential[] = [];
  readonly last: nn.Conv2d;

  /** `widths` are the channels at each size, from the largest to the smallest. */
  constructor(inChannels: number, outChannels: number, widths: readonly number[] = [16, 32, 64]) {
    super();
    const [first = 1] = widths;
    const sizes = widths
      .slice(0, -1)
      .map((width, i) => ({ width, before: widths[i - 1] ?? inChannels, below: widths[i + 1] ?? width }));
    for (const { width, before } of sizes) this.down.push(block(before, width));
    this.bottom = block(widths.at(-2) ?? inChannels, widths.at(-1) ?? first);
    for (const { width, below } of sizes.reverse()) {
      this.grow.push(new nn.ConvTranspose2d(below, width, 2, { stride: 2 }));
      this.up.push(block(2 * width, width));
    }
    this.last = new nn.Conv2d(first, outChannels, 1);
  }

  forward(x: Tensor): Tensor {
    const seen: Tensor[] = [];
    let y = x;
    for (const step of this.down) {
      y = step.forward(y);
      seen.push(y);
      y = this.pool.forward(y);
    }
    y = this.bottom.forward(y);
    for (const [i, step] of this.up.entries()) {
      const larger = this.grow[i]?.forward(y) ?? y;
      y = step.forward(cat([seen.pop() ?? larger, larger], 1));
    }
    return this.last.forward(y);
  }
}

export const unet = jit.example(
  () => new UNet(3, 2),
  () => [randn([1, 3, 128, 128])],
  { software: () => [randn([1, 3, 16, 16])] },
);
