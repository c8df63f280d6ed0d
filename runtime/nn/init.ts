/**
 * @file How parameters start. In: a tensor. Out: the same tensor, filled in place without a gradient. Shapes are those of
 * weights: [outputs, inputs, …], where what follows is a window.
 */
import { JitLensError } from '../errors.ts';
import { noGrad } from '../ops/tape.ts';
import { normal, uniform } from '../ops/random.ts';
import { full } from '../tensor/create.ts';
import { formatShape, numel, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

function filled<T extends Tensor>(x: T, make: () => Tensor | number): T {
  noGrad(() => x.copy_(make()));
  return x;
}

/** Uniform on [a, b). */
export function uniform_<T extends Tensor>(x: T, a = 0, b = 1): T {
  return filled(x, () =>
    uniform(x.shape)
      .mul(b - a)
      .add(a),
  );
}

/** Normal with this mean and standard deviation. */
export function normal_<T extends Tensor>(x: T, mean = 0, std = 1): T {
  return filled(x, () => normal(x.shape).mul(std).add(mean));
}

export function constant_<T extends Tensor>(x: T, value: number): T {
  return filled(x, () => value);
}

export function zeros_<T extends Tensor>(x: T): T {
  return constant_(x, 0);
}

export function ones_<T extends Tensor>(x: T): T {
  return constant_(x, 1);
}

/**
 * Normal with this mean and standard deviation, but only values from a to b: the inverse of the distribution function at
 * uniform numbers. Off by 1e-6 of the standard deviation (Giles, “Approximating the erfinv function”, 2010).
 */
export function truncNormal_<T extends Tensor>(x: T, mean = 0, std = 1, a = -2, b = 2): T {
  return filled(x, () => {
    const bound = (end: number) => full([], (end - mean) / std / Math.SQRT2).erf();
    const [low, high] = [bound(a), bound(b)];
    const y = erfinv(uniform(x.shape).mul(high.sub(low)).add(low));
    return y
      .mul(std * Math.SQRT2)
      .add(mean)
      .clamp(a, b);
  });
}

const CENTRE = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4, -1.25372503e-3, -4.17768164e-3, 0.246640727,
  1.50140941,
];
const TAIL = [
  -2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3, -7.6224613e-3, 9.43887047e-3, 1.00167406,
  2.83297682,
];

function erfinv(x: Tensor): Tensor {
  const w = x.square().neg().log1p().neg();
  const polynomial = (at: Tensor, factors: readonly number[]) =>
    factors.slice(1).reduce((sum, f) => sum.mul(at).add(f), at.mul(0).add(factors[0] ?? 0));
  return w
    .lt(5)
    .where(polynomial(w.sub(2.5), CENTRE), polynomial(w.sqrt().sub(3), TAIL))
    .mul(x);
}

/** How many numbers an output is made of, and how many outputs a number goes into. */
export function calculateFanInAndFanOut(shape: Shape): [fanIn: number, fanOut: number] {
  const [outputs, inputs, ...window] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new JitLensError(
      'JLT-SHAPE',
      `a tensor of shape ${formatShape(shape)} has no inputs and outputs`,
      'Give a weight: [outputs, inputs, …].',
    );
  }
  return [inputs * numel(window), outputs * numel(window)];
}

/** By how much a nonlinearity makes values smaller; `slope` is that of leakyRelu. */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  const gains: Readonly<Record<Nonlinearity, number>> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + slope ** 2)),
    selu: 3 / 4,
  };
  return gains[nonlinearity];
}

export interface KaimingOptions {
  /** Slope of leakyRelu for negative numbers. Default 0. */
  readonly a?: number;
  /** What to keep the size of: values on the way forward, or gradients on the way back. Default fanIn. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** Default leakyRelu. */
  readonly nonlinearity?: Nonlinearity;
}

/** He et al., “Delving deep into rectifiers”, 2015: standard deviation gain / √fan. */
function kaiming(shape: Shape, { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' }: KaimingOptions): number {
  const [fanIn, fanOut] = calculateFanInAndFanOut(shape);
  return calculateGain(nonlinearity, a) / Math.sqrt(mode === 'fanIn' ? fanIn : fanOut);
}

/** Glorot and Bengio, “Understanding the difficulty of training deep feedforward neural networks”, 2010. */
function xavier(shape: Shape, gain: number): number {
  const [fanIn, fanOut] = calculateFanInAndFanOut(shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** Uniform on ±√3 times a standard deviation has that standard deviation. */
function spread<T extends Tensor>(x: T, std: number): T {
  return uniform_(x, -Math.sqrt(3) * std, Math.sqrt(3) * std);
}

/** Uniform, with standard deviation gain / √fan. */
export function kaimingUniform_<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  return spread(x, kaiming(x.shape, options));
}

/** Normal, with standard deviation gain / √fan. */
export function kaimingNormal_<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  return normal_(x, 0, kaiming(x.shape, options));
}

/** Uniform, with standard deviation gain · √(2 / (fanIn + fanOut)). */
export function xavierUniform_<T extends Tensor>(x: T, gain = 1): T {
  return spread(x, xavier(x.shape, gain));
}

/** Normal, with standard deviation gain · √(2 / (fanIn + fanOut)). */
export function xavierNormal_<T extends Tensor>(x: T, gain = 1): T {
  return normal_(x, 0, xavier(x.shape, gain));
}
