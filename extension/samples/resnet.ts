/**
 * The basic block of a residual network (He et al., 2016): two convolutions, and a way around them. In use, its norms are a
 * factor and a summand for each channel.
 */
import { jit, nn, randn, type Tensor } from 'jitlens';

export class BasicBlock extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  /** Makes what comes in as small, and gives it as many channels, as what comes out. */
  readonly around: nn.Sequential | undefined;

  constructor(inChannels: number, outChannels: number, stride = 1) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outChannels);
    this.conv2 = new nn.Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outChannels);
    if (stride !== 1 || inChannels !== outChannels) {
      this.around = new nn.Sequential(
        new nn.Conv2d(inChannels, outChannels, 1, { stride, bias: false }),
        new nn.BatchNorm2d(outChannels),
      );
    }
  }

  forward(x: Tensor): Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x)).relu();
    const outer = this.bn2.forward(this.conv2.forward(inner));
    return outer.add(this.around ? this.around.forward(x) : x).relu();
  }
}

export const resnet = jit.example(
  () => new BasicBlock(64, 128, 2),
  () => [randn([8, 64, 56, 56])],
  { software: () => [randn([1, 64, 8, 8])] },
);
