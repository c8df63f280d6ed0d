/**
 * @file Losses: how far predictions are from targets. In: predictions, targets, how to sum up. Out: one number, or one for
 * each prediction with reduction 'none'.
 */
import { JitLensError } from '../errors.ts';
import { formatShape, numel, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite, parametric, type Op } from './define.ts';
import { LOG } from './functions/exponential.ts';

export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  /** The mean of all losses, their sum, or all of them. Default 'mean'. */
  readonly reduction?: Reduction;
}

type Loss<O extends LossOptions = LossOptions> = Op<[input: Tensor, target: Tensor, options?: O]>;

function reduced(losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  return reduction === 'none' ? losses : reduction === 'sum' ? losses.sum() : losses.mean();
}

/** A loss of single elements; shapes that only broadcast are refused, since that is nearly always a mistake. */
function elementwise<O extends LossOptions>(
  name: string,
  of: (input: Tensor, target: Tensor, options: Partial<O>) => Tensor,
  samples: readonly string[],
  domain?: readonly [number, number],
): Loss<O> {
  return composite({
    name,
    samples,
    domain,
    expand: (input, target, options) => {
      checkShapes(name, input, target);
      return reduced(of(input, target, options ?? {}), options?.reduction);
    },
  });
}

function checkShapes(name: string, input: Tensor, target: Tensor): void {
  if (sameShape(input.shape, target.shape)) return;
  throw new JitLensError(
    'JL410',
    `${name}: predictions of shape ${formatShape(input.shape)}, targets of shape ${formatShape(target.shape)}`,
    'They have one shape; reshape() or expand() one of them.',
  );
}

/** (input − target)². */
export const mseLoss: Loss = elementwise('mseLoss', (x, t) => x.sub(t).square(), [
  'f32[3,5] f32[3,5]',
  'f32[4] f32[4] {"reduction":"none"}',
]);

/** |input − target|. */
export const l1Loss: Loss = elementwise('l1Loss', (x, t) => x.sub(t).abs(), [
  'f32[3,5] f32[3,5]',
  'f32[4] f32[4] {"reduction":"sum"}',
]);

export interface SmoothL1Options extends LossOptions {
  /** Where the square goes over into the straight line. Default 1; 0 is `l1Loss`. */
  readonly beta?: number;
}

/** With d = |input − target|: d² / (2 · beta) below beta, d − beta / 2 from there on. */
export const smoothL1Loss: Loss<SmoothL1Options> = elementwise(
  'smoothL1Loss',
  (x, t, { beta = 1 }) => {
    const d = x.sub(t).abs();
    return beta === 0 ? d : d.lt(beta).where(d.square().mul(0.5 / beta), d.sub(beta / 2));
  },
  ['f32[3,5] f32[3,5]', 'f32[7] f32[7] {"beta":0.5,"reduction":"none"}', 'f32[4] f32[4] {"beta":0}'],
);

export interface HuberOptions extends LossOptions {
  /** Where the square goes over into the straight line. Default 1. */
  readonly delta?: number;
}

/** With d = |input − target|: d² / 2 below delta, delta · (d − delta / 2) from there on. */
export const huberLoss: Loss<HuberOptions> = elementwise(
  'huberLoss',
  (x, t, { delta = 1 }) => {
    const d = x.sub(t).abs();
    return d.lt(delta).where(d.square().mul(0.5), d.sub(delta / 2).mul(delta));
  },
  ['f32[3,5] f32[3,5]', 'f32[7] f32[7] {"delta":0.5,"reduction":"none"}'],
);

/** −t · ln x − (1 − t) · ln(1 − x), logarithms not below −100. The slope is as in PyTorch, also where a logarithm is cut. */
const cross: Op<[x: Tensor, target: Tensor]> = parametric({
  name: 'binary cross entropy',
  params: ['x', 't'],
  operands: (...operands) => operands,
  wgsl: 'jl_binary_cross_entropy(x, t)',
  prelude: [
    ...LOG,
    `fn jl_binary_cross_entropy(x: f32, t: f32) -> f32 {
  return (t - 1.0) * max(jl_log(1.0 - x), -100.0) - t * max(jl_log(x), -100.0);
}`,
  ],
  compute: 'float',
  flops: 40,
  reference: (x, t) => (t - 1) * Math.max(Math.log(1 - x), -100) - t * Math.max(Math.log(x), -100),
  grad: (g, _out, x, t) => {
    const rest = x.neg().add(1);
    return [g.mul(x.sub(t)).div(rest.mul(x).maximum(1e-12)), g.mul(rest.log().maximum(-100).sub(x.log().maximum(-100)))];
  },
});

export interface BinaryOptions extends LossOptions {
  /** What each loss is multiplied by; broadcasts. */
  readonly weight?: Tensor;
}

/** −target · ln input − (1 − target) · ln(1 − input) for inputs from 0 to 1. Logarithms are cut at −100. */
export const binaryCrossEntropy: Loss<BinaryOptions> = elementwise(
  'binaryCrossEntropy',
  (x, t, { weight }) => (weight ? cross(x, t).mul(weight) : cross(x, t)),
  ['f32[3,5] f32[3,5]', 'f32[7] f32[7] {"reduction":"none"}'],
  [0.05, 0.95],
);

export interface LogitsOptions extends BinaryOptions {
  /** What the part of the loss for targets of 1 is multiplied by; broadcasts. */
  readonly posWeight?: Tensor;
}

/** The binary cross entropy of sigmoid(input), without computing it: large inputs lose nothing. */
export const binaryCrossEntropyWithLogits: Loss<LogitsOptions> = elementwise(
  'binaryCrossEntropyWithLogits',
  (x, t, { weight, posWeight }) => {
    const positive = posWeight ? posWeight.sub(1).mul(t).add(1) : undefined;
    const log = x.logSigmoid();
    const losses = x.sub(x.mul(t)).sub(positive ? log.mul(positive) : log);
    return weight ? losses.mul(weight) : losses;
  },
  ['f32[3,5] f32[3,5]', 'f32[7] f32[7] {"reduction":"sum"}'],
);

export interface DivergenceOptions {
  /** 'batchmean' divides the sum by the size of dim 0, which is what the divergence is; 'mean' divides by all. Default 'mean'. */
  readonly reduction?: Reduction | 'batchmean';
  /** The target is given as logarithms too. */
  readonly logTarget?: boolean;
}

/** Kullback–Leibler divergence: target · (ln target − input), where input is logarithms of probabilities. */
export const klDiv: Op<[input: Tensor, target: Tensor, options?: DivergenceOptions]> = composite({
  name: 'klDiv',
  expand: (input, target, { reduction = 'mean', logTarget = false } = {}) => {
    checkShapes('klDiv', input, target);
    // 0 · ln 0 is 0.
    const log = logTarget ? target : target.eq(0).where(1, target).log();
    const losses = (logTarget ? target.exp() : target).mul(log.sub(input));
    if (reduction !== 'batchmean') return reduced(losses, reduction);
    return losses.sum().div(input.rank === 0 ? 1 : input.size(0));
  },
  domain: [0.1, 1],
  samples: [
    'f32[3,5] f32[3,5]',
    'f32[3,5] f32[3,5] {"reduction":"batchmean","logTarget":true}',
    'f32[4] f32[4] {"reduction":"none"}',
  ],
});

export interface ClassOptions extends LossOptions {
  /** What the loss of each class is multiplied by [classes]; means are weighted by it. */
  readonly weight?: Tensor;
  /** Targets with this number count for nothing. Default −100. */
  readonly ignoreIndex?: number;
}

/** [batch, classes, …] and [batch, …]; a single prediction is made a batch of one. */
function batched(name: string, input: Tensor, target: Tensor): { x: Tensor; t: Tensor; single: boolean } {
  const single = input.rank === 1;
  const [x, t] = single ? [input.unsqueeze(0), target.unsqueeze(0)] : [input, target];
  const places = x.shape.filter((_, d) => d !== 1);
  if (x.rank >= 2 && sameShape(t.shape, places)) return { x, t, single };
  throw new JitLensError(
    'JL410',
    `${name}: predictions of shape ${formatShape(input.shape)}, targets of shape ${formatShape(target.shape)}`,
    'Predictions are [batch, classes, …] and targets [batch, …]: the numbers of the classes, or probabilities like predictions.',
  );
}

/** Which targets count, and for how much. */
function counted(t: Tensor, { weight, ignoreIndex = -100 }: ClassOptions) {
  const counts = t.ne(ignoreIndex);
  const classes = counts.where(t, 0);
  const weights = weight ? weight.indexSelect(0, classes.reshape([-1])).view(t.shape) : undefined;
  return { counts, classes, weights: weights ? counts.where(weights, 0) : counts.to('float32'), weighted: weights };
}

type Counted = ReturnType<typeof counted>;

/** The negative logarithm that each target picks, weighted; 0 where it does not count. */
function negative(logs: Tensor, { counts, classes, weighted }: Counted): Tensor {
  const picked = logs.gather(1, classes.unsqueeze(1)).squeeze(1).neg();
  return counts.where(weighted ? picked.mul(weighted) : picked, 0);
}

function summedUp(losses: Tensor, weights: Tensor, single: boolean, reduction: Reduction = 'mean'): Tensor {
  if (reduction === 'none') return single ? losses.squeeze(0) : losses;
  return reduction === 'sum' ? losses.sum() : losses.sum().div(weights.sum());
}

/** −weight · input at each target's class, for inputs that are logarithms of probabilities. */
export const nllLoss: Loss<ClassOptions> = composite({
  name: 'nllLoss',
  expand: (input, target, options = {}) => {
    const { x, t, single } = batched('nllLoss', input, target);
    const c = counted(t, options);
    return summedUp(negative(x, c), c.weights, single, options.reduction);
  },
  domain: [0, 2],
  samples: ['f32[4,3] i32[4]', 'f32[3] i32[]', 'f32[2,3,5] i32[2,5] {"ignoreIndex":1,"reduction":"none"}'],
});

export interface CrossEntropyOptions extends ClassOptions {
  /** This much of each target (0) is spread evenly over all classes. */
  readonly labelSmoothing?: number;
}

/**
 * The negative logarithm of the probability (softmax) that predictions [batch, classes, …] (or [classes]) give their targets:
 * the numbers of the classes [batch, …], or probabilities of the predictions' shape.
 */
export const crossEntropy: Loss<CrossEntropyOptions> = composite({
  name: 'crossEntropy',
  expand: (input, target, options = {}) => {
    const { weight, labelSmoothing = 0, reduction } = options;
    const whole = target.dtype === 'int32' || target.dtype === 'uint32';
    if (!whole) return crossEntropyOfShares(input, target, options);
    const { x, t, single } = batched('crossEntropy', input, target);
    const logs = x.logSoftmax(1);
    const c = counted(t, options);
    const losses = negative(logs, c);
    if (labelSmoothing === 0) return summedUp(losses, c.weights, single, reduction);
    const all = c.counts.where(weighedBy(logs, weight).sum({ dim: 1 }).neg(), 0);
    const smooth = losses.mul(1 - labelSmoothing).add(all.mul(labelSmoothing / x.size(1)));
    return summedUp(smooth, c.weights, single, reduction);
  },
  domain: [0, 2],
  samples: [
    'f32[4,3] i32[4]',
    'f32[3] i32[]',
    'f32[2,3,5] i32[2,5] {"ignoreIndex":1,"labelSmoothing":0.1}',
    'f32[4,3] f32[4,3] {"labelSmoothing":0.2}',
    'f32[2,3,2,2] f32[2,3,2,2] {"reduction":"none"}',
  ],
  onnx: 'SoftmaxCrossEntropyLoss',
});

/** Logarithms [batch, classes, …] times a weight for each class. */
function weighedBy(logs: Tensor, weight: Tensor | undefined): Tensor {
  return weight ? logs.mul(weight.view([weight.numel, ...new Array<number>(logs.rank - 2).fill(1)])) : logs;
}

function crossEntropyOfShares(
  input: Tensor,
  target: Tensor,
  { weight, labelSmoothing = 0, reduction }: CrossEntropyOptions,
): Tensor {
  checkShapes('crossEntropy', input, target);
  const [x, t] = input.rank === 1 ? [input.unsqueeze(0), target.unsqueeze(0)] : [input, target];
  const shares = labelSmoothing === 0 ? t : t.mul(1 - labelSmoothing).add(labelSmoothing / x.size(1));
  const losses = weighedBy(x.logSoftmax(1), weight).mul(shares).sum({ dim: 1 }).neg();
  if (reduction === 'none') return input.rank === 1 ? losses.squeeze(0) : losses;
  return reduction === 'sum' ? losses.sum() : losses.sum().div(numel(losses.shape));
}

export interface SimilarityOptions {
  /** The dim of the vectors. Default 1. */
  readonly dim?: number;
  /** The least length that is divided by. Default 1e-8. */
  readonly eps?: number;
}

/** The cosine of the angle between vectors along `dim`; a and b broadcast. */
export const cosineSimilarity: Op<[a: Tensor, b: Tensor, options?: SimilarityOptions]> = composite({
  name: 'cosineSimilarity',
  expand: (a, b, { dim = 1, eps = 1e-8 } = {}) => {
    const length = (x: Tensor) => x.norm(2, { dim }).maximum(eps);
    return a
      .mul(b)
      .sum({ dim })
      .div(length(a).mul(length(b)));
  },
  samples: ['f32[3,5] f32[3,5]', 'f32[2,4,3] f32[2,4,3] {"dim":-1}', 'f32[2,5] f32[1,5]'],
});
