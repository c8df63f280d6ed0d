/**
 * @file Normalisation: elements less their mean, over the root of their variance. In: a tensor, what shares a mean, a
 * factor and a summand. Out: the same shape. Variances are sums of squared distances from the mean, taken in a second pass,
 * so that a large mean costs no digits.
 */
import { JitLensError } from '../errors.ts';
import { constant } from '../tensor/affine.ts';
import { formatShape, numel, sameShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, contractSpec, op, parametric, type Op } from './define.ts';
import type { Attributes, ElementwiseSpec, HostView } from './spec.ts';
import { noGrad } from './tape.ts';
import { square } from './unary.ts';

const TOLERANCE = { relative: 2e-5, absolute: 2e-5 };

const dimsOf = (a: Attributes): readonly number[] => a['dims'] as readonly number[];
const withoutDims = (shape: Shape, dims: readonly number[]) => shape.map((size, d) => (dims.includes(d) ? 1 : size));

const squaresSpec = contractSpec<[Tensor, readonly number[]]>({
  name: 'sum of squares',
  tolerance: TOLERANCE,
  shape: ([x = []], a) => withoutDims(x, dimsOf(a)),
  extents: ([x = []], a) => dimsOf(a).map((d) => x[d] ?? 1),
  sources: (out, summed, _x, a) => [
    { index: out.map((i, d) => (dimsOf(a).includes(d) ? (summed[dimsOf(a).indexOf(d)] ?? constant(0)) : i)) },
  ],
  term: { element: square.entry.spec as ElementwiseSpec, places: () => [] },
  reference: ([x], _a, out) => (x ? squaresOf(x, out.shape) : new Float64Array()),
});

/** Each element's square, added where its index leads in a shape with some dims of size 1. */
function squaresOf({ shape, data }: HostView, kept: Shape): Float64Array {
  const out = new Float64Array(numel(kept));
  data.forEach((value, flat) => {
    let [rest, place, step] = [flat, 0, 1];
    for (let d = shape.length - 1; d >= 0; d--) {
      const size = shape[d] ?? 1;
      place += kept[d] === 1 ? 0 : (rest % size) * step;
      step *= kept[d] ?? 1;
      rest = Math.floor(rest / size);
    }
    out[place] = (out[place] ?? 0) + value * value;
  });
  return out;
}

/** Σ x² over dims, which stay with size 1. */
const squares: Op<[x: Tensor, dims: readonly number[]]> = op<[x: Tensor, dims: readonly number[]]>(
  {
    name: 'sum of squares',
    tolerance: TOLERANCE,
    domain: [-2, 2],
    samples: [],
    spec: squaresSpec,
    grad: (g, _out, x) => [g.mul(x).mul(2)],
  },
  (x, dims) => apply(squaresSpec, [x], { dims }),
);

/** x / √(total / count + eps). */
const scaled: Op<[x: Tensor, total: Tensor, count: number, eps: number]> = parametric({
  name: 'over root',
  params: ['x', 'q', 'n', 'e'],
  operands: (...operands) => operands,
  wgsl: 'x * inverseSqrt(q / n + e)',
  linear: ['x'],
  compute: 'float',
  flops: 4,
  reference: (x, total, count, eps) => x / Math.sqrt(total / count + eps),
  grad: (g, out, _x, total, count, eps) => {
    const factor = total.div(count).add(eps).rsqrt();
    return [
      g.mul(factor),
      g
        .mul(out)
        .mul(factor.square())
        .mul(-0.5 / count),
    ];
  },
});

/** What the elements that share a mean have in common. */
interface Moments {
  readonly mean: Tensor;
  /** Elements less their mean. */
  readonly centred: Tensor;
  /** Sum of the squared distances from the mean, and how many they are. */
  readonly total: Tensor;
  readonly count: number;
}

function momentsOf(x: Tensor, dims: readonly number[]): Moments {
  const mean = x.mean({ dim: dims, keepdim: true });
  const centred = x.sub(mean);
  return { mean, centred, total: squares(centred, dims), count: numel(dims.map((d) => x.size(d))) };
}

/** x · weight + bias, as far as they are there. */
function affine(x: Tensor, weight: Tensor | undefined | null, bias: Tensor | undefined | null): Tensor {
  if (weight && bias) return bias.addcmul(x, weight);
  if (weight) return x.mul(weight);
  return bias ? x.add(bias) : x;
}

function normalised(x: Tensor, dims: readonly number[], eps: number): Tensor {
  const { centred, total, count } = momentsOf(x, dims);
  return scaled(centred, total, count, eps);
}

/** One number for each channel, shaped to broadcast against [batch, channels, …]. */
function perChannel(name: string, x: Tensor, t: Tensor | undefined): Tensor | undefined {
  if (!t) return undefined;
  if (t.numel === x.size(1)) return t.view([x.size(1), ...new Array<number>(x.rank - 2).fill(1)]);
  throw new JitLensError(
    'JL410',
    `${name}: ${formatShape(t.shape)} for ${x.size(1)} channels`,
    'Weight, bias and statistics have one number for each channel, which are dim 1.',
  );
}

function needChannels(name: string, x: Tensor, rank: number): void {
  if (x.rank >= rank) return;
  throw new JitLensError('JL410', `${name}: a tensor of shape ${formatShape(x.shape)}`, 'It has [batch, channels, …].');
}

export interface BatchNormOptions {
  /** Running statistics [channels]: read when not training, else updated in place. */
  readonly runningMean?: Tensor;
  readonly runningVar?: Tensor;
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** Normalises by the batch's own mean and variance. Default false. */
  readonly training?: boolean;
  /** How much of the new statistics the running ones take. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/**
 * Each channel of [batch, channels, …] less its mean, over the root of its variance; times weight plus bias. In training
 * running statistics are updated, with the variance divided by n − 1.
 */
export const batchNorm: Op<[x: Tensor, options?: BatchNormOptions]> = composite({
  name: 'batchNorm',
  tolerance: TOLERANCE,
  expand: (x, options = {}) => {
    needChannels('batchNorm', x, 2);
    const { training = false, momentum = 0.1, eps = 1e-5, runningMean, runningVar } = options;
    const channel = (t: Tensor | undefined) => perChannel('batchNorm', x, t);
    const [weight, bias] = [channel(options.weight), channel(options.bias)];
    const [mean, variance] = [channel(runningMean), channel(runningVar)];
    if (!training) {
      if (!mean || !variance) {
        throw new JitLensError(
          'JL410',
          'batchNorm: no running statistics to normalise by',
          'Give runningMean and runningVar, or training: true.',
        );
      }
      return affine(scaled(x.sub(mean), variance, 1, eps), weight, bias);
    }
    const dims = x.shape.flatMap((_, d) => (d === 1 ? [] : [d]));
    const moments = momentsOf(x, dims);
    const { count } = moments;
    if (count === 1) {
      throw new JitLensError(
        'JL410',
        `batchNorm: one value for each channel in ${formatShape(x.shape)}`,
        'Training wants more than one; use a larger batch, or eval().',
      );
    }
    noGrad(() => {
      runningMean?.lerp_(moments.mean.view([x.size(1)]), momentum);
      runningVar?.lerp_(moments.total.view([x.size(1)]).div(count - 1), momentum);
    });
    return affine(scaled(moments.centred, moments.total, count, eps), weight, bias);
  },
  samples: ['f32[4,3] {"training":true}', 'f32[2,3,5] {"training":true,"eps":0.1}', 'f32[2,5,3,4] {"training":true}'],
  onnx: 'BatchNormalization',
});

/** The last dims, which have `wanted` shape. */
function lastDims(name: string, x: Tensor, wanted: number | Shape): number[] {
  const shape = typeof wanted === 'number' ? [wanted] : wanted;
  const first = x.rank - shape.length;
  if (first < 0 || shape.length === 0 || !sameShape(x.shape.slice(first), shape)) {
    throw new JitLensError(
      'JL410',
      `${name} over ${formatShape(shape)} of a tensor of shape ${formatShape(x.shape)}`,
      'Give the sizes of its last dims.',
    );
  }
  return shape.map((_, i) => first + i);
}

/** The last dims, of shape `normalizedShape`, less their mean, over the root of their variance + eps (1e-5); times weight plus bias. */
export const layerNorm: Op<[x: Tensor, normalizedShape: number | Shape, weight?: Tensor, bias?: Tensor, eps?: number]> =
  composite({
    name: 'layerNorm',
    tolerance: TOLERANCE,
    expand: (x, normalizedShape, weight, bias, eps = 1e-5) =>
      affine(normalised(x, lastDims('layerNorm', x, normalizedShape), eps), weight, bias),
    samples: ['f32[3,7] 7', 'f32[2,3,4] [3,4] f32[3,4] f32[3,4]', 'f32[2,5] [5] null f32[5] 0.01', 'f32[4,300] 300 f32[300]'],
    onnx: 'LayerNormalization',
  });

/** The last dims, of shape `normalizedShape`, over the root of the mean of their squares + eps (1.1920929e-7); times weight. */
export const rmsNorm: Op<[x: Tensor, normalizedShape: number | Shape, weight?: Tensor, eps?: number]> = composite({
  name: 'rmsNorm',
  tolerance: TOLERANCE,
  expand: (x, normalizedShape, weight, eps = 2 ** -23) => {
    const dims = lastDims('rmsNorm', x, normalizedShape);
    return affine(scaled(x, squares(x, dims), numel(dims.map((d) => x.size(d))), eps), weight, undefined);
  },
  samples: ['f32[3,7] 7', 'f32[2,3,4] [3,4] f32[3,4]', 'f32[2,5] [5] f32[5] 0.01'],
});

/** Channels of [batch, channels, …] in `groups`, each less its mean, over the root of its variance + eps (1e-5); times weight plus bias. */
export const groupNorm: Op<[x: Tensor, groups: number, weight?: Tensor, bias?: Tensor, eps?: number]> = composite({
  name: 'groupNorm',
  tolerance: TOLERANCE,
  expand: (x, groups, weight, bias, eps = 1e-5) => {
    needChannels('groupNorm', x, 2);
    if (!Number.isInteger(groups) || groups < 1 || x.size(1) % groups !== 0) {
      throw new JitLensError('JL410', `groupNorm: ${x.size(1)} channels in ${groups} groups`, 'Groups divide the channels.');
    }
    const grouped = x.reshape([x.size(0), groups, numel(x.shape.slice(1)) / groups]);
    const channel = (t: Tensor | undefined) => perChannel('groupNorm', x, t ?? undefined);
    return affine(normalised(grouped, [2], eps).view(x.shape), channel(weight), channel(bias));
  },
  samples: ['f32[2,6,3] 3', 'f32[3,4,2,5] 2 f32[4] f32[4]', 'f32[2,4] 1 null f32[4] 0.1'],
  onnx: 'GroupNormalization',
});

export interface InstanceNormOptions {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** Each channel of each image in [batch, channels, …] less its mean, over the root of its variance; times weight plus bias. */
export const instanceNorm: Op<[x: Tensor, options?: InstanceNormOptions]> = composite({
  name: 'instanceNorm',
  tolerance: TOLERANCE,
  expand: (x, { weight, bias, eps = 1e-5 } = {}) => {
    needChannels('instanceNorm', x, 3);
    const dims = x.shape.map((_, d) => d).slice(2);
    return affine(normalised(x, dims, eps), perChannel('instanceNorm', x, weight), perChannel('instanceNorm', x, bias));
  },
  samples: ['f32[2,3,5]', 'f32[2,3,4,5] {"eps":0.1}'],
  onnx: 'InstanceNormalization',
});
