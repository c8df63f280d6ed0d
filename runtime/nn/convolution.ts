/** @file Convolutions and their transposes, of one to three dims: [batch, channels, …] → [batch, channels, …]. */
import { perDim, type ConvolutionOptions, type ConvolutionTransposeOptions, type PerDim } from '../ops/convolution.ts';
import { numel } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { uniformParameter, type BiasOption } from './linear.ts';
import { Module, type Parameter } from './module.ts';

interface Convolution<O> {
  readonly rank: number;
  /** Shape of the weight in front of the window: how many it makes, and from how many. */
  readonly weight: (inChannels: number, outChannels: number, groups: number) => readonly [number, number];
  readonly run: (x: Tensor, weight: Tensor, bias: Tensor | undefined, options: O) => Tensor;
}

/** A layer with a weight and, unless it was told otherwise, a bias. */
export interface WeightedLayer extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  forward(x: Tensor): Tensor;
}

type Constructor<O> = new (
  inChannels: number,
  outChannels: number,
  kernelSize: PerDim,
  options?: O & BiasOption,
) => WeightedLayer;

/** Weight and bias start uniform on ±1/√n, where n is the size of dim 1 of the weight times that of the window. */
function convolution<O extends { readonly groups?: number }>({ rank, weight, run }: Convolution<O>): Constructor<O> {
  return class extends Module {
    readonly weight: Parameter;
    readonly bias: Parameter | undefined;
    readonly #options: O & BiasOption;

    constructor(inChannels: number, outChannels: number, kernelSize: PerDim, options: O & BiasOption = {} as O & BiasOption) {
      super();
      this.#options = options;
      const [rows, columns] = weight(inChannels, outChannels, options.groups ?? 1);
      const window = perDim(kernelSize, NaN, rank, `kernelSize of ${this.constructor.name}`, 1);
      const bound = 1 / Math.sqrt(columns * numel(window));
      this.weight = uniformParameter([rows, columns, ...window], bound);
      this.bias = options.bias === false ? undefined : uniformParameter([outChannels], bound);
    }

    forward(x: Tensor): Tensor {
      return run(x, this.weight, this.bias, this.#options);
    }
  };
}

const forward = (inputs: number, outputs: number, groups: number) => [outputs, inputs / groups] as const;
const backward = (inputs: number, outputs: number, groups: number) => [inputs, outputs / groups] as const;
const of = (rank: number, run: Convolution<ConvolutionOptions>['run']) => convolution({ rank, weight: forward, run });
const transposed = (rank: number, run: Convolution<ConvolutionTransposeOptions>['run']) =>
  convolution({ rank, weight: backward, run });

export class Conv1d extends of(1, (x, ...rest) => x.conv1d(...rest)) {}
export class Conv2d extends of(2, (x, ...rest) => x.conv2d(...rest)) {}
export class Conv3d extends of(3, (x, ...rest) => x.conv3d(...rest)) {}
export class ConvTranspose1d extends transposed(1, (x, ...rest) => x.convTranspose1d(...rest)) {}
export class ConvTranspose2d extends transposed(2, (x, ...rest) => x.convTranspose2d(...rest)) {}
export class ConvTranspose3d extends transposed(3, (x, ...rest) => x.convTranspose3d(...rest)) {}
