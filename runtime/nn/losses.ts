/** @file Losses as modules, one line each: `forward(input, target)` is the op with the constructor's options. */
import type {
  BinaryOptions,
  ClassOptions,
  CrossEntropyOptions,
  DivergenceOptions,
  HuberOptions,
  LogitsOptions,
  LossOptions,
  SimilarityOptions,
  SmoothL1Options,
} from '../ops/losses.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Module } from './module.ts';

/** A module from predictions and targets to how far they are apart. */
export interface LossModule extends Module {
  forward(input: Tensor, target: Tensor): Tensor;
}

function loss<O>(run: (input: Tensor, target: Tensor, options?: O) => Tensor): new (options?: O) => LossModule {
  return class extends Module {
    readonly #options: O | undefined;

    constructor(options?: O) {
      super();
      this.#options = options;
    }

    forward(input: Tensor, target: Tensor): Tensor {
      return run(input, target, this.#options);
    }
  };
}

export class MSELoss extends loss((x, t, options?: LossOptions) => x.mseLoss(t, options)) {}
export class L1Loss extends loss((x, t, options?: LossOptions) => x.l1Loss(t, options)) {}
export class SmoothL1Loss extends loss((x, t, options?: SmoothL1Options) => x.smoothL1Loss(t, options)) {}
export class HuberLoss extends loss((x, t, options?: HuberOptions) => x.huberLoss(t, options)) {}
export class CrossEntropyLoss extends loss((x, t, options?: CrossEntropyOptions) => x.crossEntropy(t, options)) {}
export class NLLLoss extends loss((x, t, options?: ClassOptions) => x.nllLoss(t, options)) {}
export class BCELoss extends loss((x, t, options?: BinaryOptions) => x.binaryCrossEntropy(t, options)) {}
export class BCEWithLogitsLoss extends loss((x, t, options?: LogitsOptions) => x.binaryCrossEntropyWithLogits(t, options)) {}
export class KLDivLoss extends loss((x, t, options?: DivergenceOptions) => x.klDiv(t, options)) {}
/** The cosine of the angle between the two, which grows with how alike they are. */
export class CosineSimilarity extends loss((x, t, options?: SimilarityOptions) => x.cosineSimilarity(t, options)) {}
