/**
 * @file Activations and other layers without parameters, one line each: a name, and the op it stands for with the numbers
 * that are given to the constructor.
 */
import { checkShare } from '../ops/random.ts';
import { full } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { layer } from './layer.ts';
import { Module, Parameter } from './module.ts';

export class Identity extends layer((x) => x) {}
export class ReLU extends layer((x) => x.relu()) {}
export class ReLU6 extends layer((x) => x.relu6()) {}
export class LeakyReLU extends layer((x, negativeSlope?: number) => x.leakyRelu(negativeSlope)) {}
export class ELU extends layer((x, alpha?: number) => x.elu(alpha)) {}
export class CELU extends layer((x, alpha?: number) => x.celu(alpha)) {}
export class SELU extends layer((x) => x.selu()) {}
export class GELU extends layer((x, approximate?: 'none' | 'tanh') => x.gelu(approximate)) {}
export class SiLU extends layer((x) => x.silu()) {}
export class Mish extends layer((x) => x.mish()) {}
export class Softplus extends layer((x, beta?: number, threshold?: number) => x.softplus(beta, threshold)) {}
export class Softsign extends layer((x) => x.softsign()) {}
export class Sigmoid extends layer((x) => x.sigmoid()) {}
export class LogSigmoid extends layer((x) => x.logSigmoid()) {}
export class Tanh extends layer((x) => x.tanh()) {}
export class Tanhshrink extends layer((x) => x.sub(x.tanh())) {}
export class Hardtanh extends layer((x, minVal?: number, maxVal?: number) => x.hardtanh(minVal, maxVal)) {}
export class Hardswish extends layer((x) => x.hardswish()) {}
export class Hardsigmoid extends layer((x) => x.hardsigmoid()) {}
export class Softmax extends layer((x, dim: number) => x.softmax(dim)) {}
export class Softmin extends layer((x, dim: number) => x.neg().softmax(dim)) {}
export class LogSoftmax extends layer((x, dim: number) => x.logSoftmax(dim)) {}
/** The first half of `dim` (−1) times the sigmoid of the second. */
export class GLU extends layer((x, dim: number = -1) => {
  const half = x.size(dim) / 2;
  return x.narrow(dim, 0, half).mul(x.narrow(dim, half, half).sigmoid());
}) {}

/** Dims `startDim` (1) to `endDim` (−1) as one. */
export class Flatten extends layer((x, startDim: number = 1, endDim: number = -1) => x.flatten(startDim, endDim)) {}
/** Dim `dim` as several of these sizes. */
export class Unflatten extends layer((x, dim: number, sizes: readonly number[]) => x.unflatten(dim, sizes)) {}

/** x where it is positive, else x times a learned slope: one, or one for each channel of [batch, channels, …]. */
export class PReLU extends Module {
  readonly weight: Parameter;

  constructor(numParameters = 1, init = 0.25) {
    super();
    this.weight = new Parameter(full([numParameters], init));
  }

  forward(x: Tensor): Tensor {
    const slopes =
      this.weight.numel === 1 ? this.weight : this.weight.view([-1, ...new Array<number>(Math.max(0, x.rank - 2)).fill(1)]);
    return x.gt(0).where(x, x.mul(slopes));
  }
}

/** In training each element is 0 with probability `p`, and the others are divided by 1 − p. */
export class Dropout extends Module {
  constructor(private readonly p = 0.5) {
    super();
    checkShare(this.constructor.name, p);
  }

  forward(x: Tensor): Tensor {
    return x.dropout(this.p, this.training);
  }
}

/** As Dropout, for whole channels of [batch, channels, …] at once. */
export class Dropout2d extends Module {
  constructor(private readonly p = 0.5) {
    super();
    checkShare(this.constructor.name, p);
  }

  forward(x: Tensor): Tensor {
    return x.dropout2d(this.p, this.training);
  }
}
