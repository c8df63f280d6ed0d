/**
 * @file Smooth activations, and those that join a smooth piece to a straight one. In: a tensor, numbers that shape the
 * curve; integers count as float32. Out: float32. What grows without bound in a tail is computed so that it does not.
 */
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { elementwiseSpec, op, parametric, unary, type Op, type Unary } from './define.ts';
import { erf } from './functions/reference.ts';
import { ERF, EXPM1, LOG1P, SIGMOID, TANH } from './functions/exponential.ts';

const FLOAT = { compute: 'float', flops: 20 } as const;

/** ln(1 / (1 + e⁻ˣ)). */
export const logSigmoid: Unary = unary({
  ...FLOAT,
  name: 'logSigmoid',
  wgsl: 'jl_log_sigmoid(x)',
  prelude: [...LOG1P, 'fn jl_log_sigmoid(x: f32) -> f32 { return min(x, 0.0) - jl_log1p(jl_exp(-abs(x))); }', ...SIGMOID],
  reference: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))),
  grad: (g, _out, x) => [g.mul(x.neg().sigmoid())],
});

/** ln(1 + e^(beta · x)) / beta; x itself where beta · x is above `threshold` (20), as in PyTorch. */
export const softplus: Op<[x: Tensor, beta?: number, threshold?: number]> = parametric({
  ...FLOAT,
  name: 'softplus',
  params: ['x', 'a', 'b'],
  operands: (x, beta = 1, threshold = 20) => [x, beta, threshold],
  wgsl: 'jl_softplus(x, a, b)',
  prelude: [
    ...LOG1P,
    ...SIGMOID,
    `fn jl_softplus(x: f32, beta: f32, threshold: f32) -> f32 {
  return select(jl_log1p(jl_exp(x * beta)) / beta, x, x * beta > threshold);
}`,
  ],
  reference: (x, beta, threshold) => (x * beta > threshold ? x : Math.log1p(Math.exp(x * beta)) / beta),
  grad: (g, _out, x, beta = 1, threshold = 20) => [
    x
      .mul(beta)
      .gt(threshold)
      .where(g, g.mul(x.mul(beta).sigmoid())),
  ],
  samples: ['f32[3,5]', 'f32[65,33] 2.5', 'f32[7] 2 3', 'f32[0]'],
  onnx: 'Softplus',
});

/** x · sigmoid(x), also called swish. */
export const silu: Unary = unary({
  ...FLOAT,
  name: 'silu',
  wgsl: 'jl_silu(x)',
  prelude: [...SIGMOID, 'fn jl_silu(x: f32) -> f32 { return x * jl_sigmoid(x); }'],
  reference: (x) => x / (1 + Math.exp(-x)),
  grad: (g, _out, x) => {
    const s = x.sigmoid();
    return [g.mul(s).mul(s.neg().add(1).mul(x).add(1))];
  },
});

/** x · tanh(ln(1 + eˣ)). */
export const mish: Unary = unary({
  ...FLOAT,
  name: 'mish',
  wgsl: 'jl_mish(x)',
  prelude: [...LOG1P, ...TANH, 'fn jl_mish(x: f32) -> f32 { return x * jl_tanh(select(jl_log1p(jl_exp(x)), x, x > 20.0)); }'],
  flops: 60,
  reference: (x) => x * Math.tanh(x > 20 ? x : Math.log1p(Math.exp(x))),
  grad: (g, _out, x) => {
    const t = x.softplus().tanh();
    return [g.mul(t.add(x.mul(x.sigmoid()).mul(t.square().neg().add(1))))];
  },
  onnx: 'Mish',
});

/** x where it is positive, else alpha (1) · (eˣ − 1). */
export const elu: Op<[x: Tensor, alpha?: number]> = parametric({
  ...FLOAT,
  name: 'elu',
  params: ['x', 'a'],
  operands: (x, alpha = 1) => [x, alpha],
  wgsl: 'jl_elu(x, a)',
  prelude: [...EXPM1, 'fn jl_elu(x: f32, alpha: f32) -> f32 { return select(alpha * jl_expm1(x), x, x > 0.0); }'],
  reference: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  grad: (g, out, x, alpha = 1) => [x.gt(0).where(g, g.mul(out.add(alpha)))],
  samples: ['f32[3,5]', 'f32[65,33] 0.7', 'f32[0]'],
  onnx: 'Elu',
});

/** x where it is positive, else alpha (1) · (e^(x / alpha) − 1). */
export const celu: Op<[x: Tensor, alpha?: number]> = parametric({
  ...FLOAT,
  name: 'celu',
  params: ['x', 'a'],
  operands: (x, alpha = 1) => [x, alpha],
  wgsl: 'jl_celu(x, a)',
  prelude: [...EXPM1, 'fn jl_celu(x: f32, alpha: f32) -> f32 { return select(alpha * jl_expm1(x / alpha), x, x > 0.0); }'],
  reference: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
  grad: (g, _out, x, alpha = 1) => [x.gt(0).where(g, g.mul(x.div(alpha).exp()))],
  samples: ['f32[3,5]', 'f32[65,33] 0.7', 'f32[0]'],
  onnx: 'Celu',
});

// Klambauer et al., Self-Normalizing Neural Networks (2017): activations keep mean 0 and variance 1.
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** 1.0507 · x where x is positive, else 1.0507 · 1.6733 · (eˣ − 1). */
export const selu: Unary = unary({
  ...FLOAT,
  name: 'selu',
  wgsl: 'jl_selu(x)',
  prelude: [...EXPM1, `fn jl_selu(x: f32) -> f32 { return ${SELU_SCALE} * select(${SELU_ALPHA} * jl_expm1(x), x, x > 0.0); }`],
  reference: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
  grad: (g, out, x) => [x.gt(0).where(g.mul(SELU_SCALE), g.mul(out.add(SELU_SCALE * SELU_ALPHA)))],
  onnx: 'Selu',
});

const ROOT_HALF = Math.SQRT1_2;
const GELU_INNER = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

const geluSpec = elementwiseSpec(['x'], {
  ...FLOAT,
  name: 'gelu',
  wgsl: 'jl_gelu(x)',
  prelude: [...ERF, `fn jl_gelu(x: f32) -> f32 { return x * (0.5 * (1.0 + jl_erf(x * ${ROOT_HALF}))); }`],
  flops: 36,
  reference: (x) => x * 0.5 * (1 + erf(x * ROOT_HALF)),
  onnx: 'Gelu',
});

const tanhGeluSpec = elementwiseSpec(['x'], {
  ...FLOAT,
  name: 'gelu with tanh',
  wgsl: 'jl_tanh_gelu(x)',
  prelude: [
    ...TANH,
    `fn jl_tanh_gelu(x: f32) -> f32 {
  return x * (0.5 * (1.0 + jl_tanh(${GELU_INNER} * (x + ${GELU_CUBIC} * x * x * x))));
}`,
  ],
  flops: 30,
  reference: (x) => x * 0.5 * (1 + Math.tanh(GELU_INNER * (x + GELU_CUBIC * x ** 3))),
  onnx: 'Gelu',
});

/** x · Φ(x), Φ the normal distribution function: with the error function, or with `'tanh'` by its usual approximation. */
export const gelu: Op<[x: Tensor, approximate?: 'none' | 'tanh']> = op(
  {
    name: 'gelu',
    spec: geluSpec,
    tolerance: geluSpec.tolerance,
    domain: [-2, 2],
    samples: ['f32[]', 'f32[0]', 'f32[3,5]', 'f32[65,33] "tanh"', 'f32[4] "none"'],
    grad: (g, _out, x, approximate = 'none') => {
      if (approximate === 'none') {
        const density = x
          .square()
          .mul(-0.5)
          .exp()
          .mul(1 / Math.sqrt(2 * Math.PI));
        return [g.mul(x.mul(ROOT_HALF).erf().add(1).mul(0.5).add(x.mul(density)))];
      }
      const square = x.square();
      const t = square.mul(GELU_CUBIC).add(1).mul(x).mul(GELU_INNER).tanh();
      const slope = square
        .mul(3 * GELU_CUBIC)
        .add(1)
        .mul(GELU_INNER);
      return [
        g.mul(
          t
            .add(1)
            .mul(0.5)
            .add(x.mul(0.5).mul(t.square().neg().add(1)).mul(slope)),
        ),
      ];
    },
  },
  (x, approximate = 'none') => apply(approximate === 'tanh' ? tanhGeluSpec : geluSpec, [x]),
);
