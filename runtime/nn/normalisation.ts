/** @file Normalisation layers. In: a tensor. Out: the same shape, with a mean of 0 and a variance of 1, times a weight plus a bias. */
import { JitLensError } from '../errors.ts';
import { ones, zeros } from '../tensor/create.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Buffer, Module, Parameter } from './module.ts';

interface EpsOption {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

interface AffineOption extends EpsOption {
  /** Whether there are a weight and a bias to learn. */
  readonly affine?: boolean;
}

const learned = (wanted: boolean, start: Tensor): Parameter | undefined => (wanted ? new Parameter(start) : undefined);

function checkRank(name: string, x: Tensor, ranks: readonly number[]): void {
  if (ranks.includes(x.rank)) return;
  throw new JitLensError('JL410', `${name}: a tensor of shape ${formatShape(x.shape)}`, `It has ${ranks.join(' or ')} dims.`);
}

export interface BatchNormLayerOptions extends AffineOption {
  /** How much of the new statistics the running ones take. Default 0.1. */
  readonly momentum?: number;
  /** Whether there are running statistics; else those of the batch are used always. Default true. */
  readonly trackRunningStats?: boolean;
}

/** By the batch's statistics in training, which the running ones follow; by those in use. */
abstract class BatchNorm extends Module {
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;
  readonly runningMean: Buffer | undefined;
  readonly runningVar: Buffer | undefined;
  protected abstract readonly ranks: readonly number[];

  constructor(
    numFeatures: number,
    private readonly options: BatchNormLayerOptions = {},
  ) {
    super();
    const { affine = true, trackRunningStats = true } = options;
    this.weight = learned(affine, ones([numFeatures]));
    this.bias = learned(affine, zeros([numFeatures]));
    this.runningMean = trackRunningStats ? new Buffer(zeros([numFeatures])) : undefined;
    this.runningVar = trackRunningStats ? new Buffer(ones([numFeatures])) : undefined;
  }

  forward(x: Tensor): Tensor {
    checkRank(this.constructor.name, x, this.ranks);
    const { weight, bias, runningMean, runningVar } = this;
    const { momentum, eps } = this.options;
    return x.batchNorm({ weight, bias, runningMean, runningVar, momentum, eps, training: this.training || !runningMean });
  }
}

/** Each channel of [batch, channels] or [batch, channels, length]. */
export class BatchNorm1d extends BatchNorm {
  protected readonly ranks = [2, 3];
}

/** Each channel of [batch, channels, height, width]. */
export class BatchNorm2d extends BatchNorm {
  protected readonly ranks = [4];
}

/** Each channel of [batch, channels, depth, height, width]. */
export class BatchNorm3d extends BatchNorm {
  protected readonly ranks = [5];
}

/** Each image's channels of [batch, channels, height, width]. There is nothing to learn unless `affine` says so. */
export class InstanceNorm2d extends Module {
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(
    numFeatures: number,
    private readonly options: AffineOption = {},
  ) {
    super();
    this.weight = learned(options.affine ?? false, ones([numFeatures]));
    this.bias = learned(options.affine ?? false, zeros([numFeatures]));
  }

  forward(x: Tensor): Tensor {
    checkRank('InstanceNorm2d', x, [4]);
    return x.instanceNorm({ weight: this.weight, bias: this.bias, eps: this.options.eps });
  }
}

/** Channels of [batch, channels, …] in groups. */
export class GroupNorm extends Module {
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(
    private readonly numGroups: number,
    numChannels: number,
    private readonly options: AffineOption = {},
  ) {
    super();
    this.weight = learned(options.affine ?? true, ones([numChannels]));
    this.bias = learned(options.affine ?? true, zeros([numChannels]));
  }

  forward(x: Tensor): Tensor {
    return x.groupNorm(this.numGroups, this.weight, this.bias, this.options.eps);
  }
}

interface ElementwiseOption extends EpsOption {
  /** Whether there is a weight for each element. Default true. */
  readonly elementwiseAffine?: boolean;
}

export interface LayerNormOptions extends ElementwiseOption {
  /** Whether there is a bias beside the weight. Default true. */
  readonly bias?: boolean;
}

/** The last dims, whose sizes are given. */
export class LayerNorm extends Module {
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(
    private readonly normalizedShape: number | Shape,
    private readonly options: LayerNormOptions = {},
  ) {
    super();
    const { elementwiseAffine = true, bias = true } = options;
    const shape = [normalizedShape].flat();
    this.weight = learned(elementwiseAffine, ones(shape));
    this.bias = learned(elementwiseAffine && bias, zeros(shape));
  }

  forward(x: Tensor): Tensor {
    return x.layerNorm(this.normalizedShape, this.weight, this.bias, this.options.eps);
  }
}

/** The last dims, over the root of their mean square; no mean is taken away. `eps` is 2⁻²³ by default. */
export class RMSNorm extends Module {
  readonly weight: Parameter | undefined;

  constructor(
    private readonly normalizedShape: number | Shape,
    private readonly options: ElementwiseOption = {},
  ) {
    super();
    this.weight = learned(options.elementwiseAffine ?? true, ones([normalizedShape].flat()));
  }

  forward(x: Tensor): Tensor {
    return x.rmsNorm(this.normalizedShape, this.weight, this.options.eps);
  }
}
