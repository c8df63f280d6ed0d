/** @file Layers that multiply by a learned matrix, and look-ups in a learned table. */
import { zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { normal_, uniform_ } from './init.ts';
import { Module, Parameter } from './module.ts';

/** A parameter that starts uniform on ±bound. */
export function uniformParameter(shape: readonly number[], bound: number): Parameter {
  return new Parameter(uniform_(zeros(shape), -bound, bound));
}

export interface BiasOption {
  /** Default true. */
  readonly bias?: boolean;
}

/** x · weightᵀ + bias: [..., in] → [..., out]; weight [out, in] and bias [out] start uniform on ±1/√in. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, options: BiasOption = {}) {
    super();
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = uniformParameter([outFeatures, inFeatures], bound);
    this.bias = options.bias === false ? undefined : uniformParameter([outFeatures], bound);
  }

  forward(x: Tensor): Tensor {
    return x.linear(this.weight, this.bias);
  }
}

/** x1ᵀ · weight · x2 + bias for each output: [..., in1] and [..., in2] → [..., out]; all starts uniform on ±1/√in1. */
export class Bilinear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: BiasOption = {}) {
    super();
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = uniformParameter([outFeatures, in1Features, in2Features], bound);
    this.bias = options.bias === false ? undefined : uniformParameter([outFeatures], bound);
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return x1.bilinear(x2, this.weight, this.bias);
  }
}

export interface EmbeddingOptions {
  /** The row that stands for nothing: it starts at 0 and gets no gradient. */
  readonly paddingIdx?: number;
}

/** The row of `weight` [numEmbeddings, embeddingDim] at each whole number of x: [...] → [..., embeddingDim]. Starts normal. */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    private readonly options: EmbeddingOptions = {},
  ) {
    super();
    const weight = normal_(zeros([numEmbeddings, embeddingDim]));
    if (options.paddingIdx !== undefined) weight.select(0, options.paddingIdx).copy_(0);
    this.weight = new Parameter(weight);
  }

  forward(x: Tensor): Tensor {
    const rows = x.embedding(this.weight);
    const { paddingIdx } = this.options;
    return paddingIdx === undefined ? rows : x.eq(paddingIdx).unsqueeze(-1).where(rows.detach(), rows);
  }
}
