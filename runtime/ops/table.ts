/**
 * @file The op table: every family in one place. Importing it puts the ops on `Tensor` as methods, receiver first.
 */
import { Tensor } from '../tensor/tensor.ts';
import * as activations from './activations.ts';
import * as arrange from './arrange.ts';
import * as attention from './attention.ts';
import * as binary from './binary.ts';
import * as compare from './compare.ts';
import * as contract from './contract.ts';
import * as convolution from './convolution.ts';
import * as convert from './convert.ts';
import * as products from './einsum.ts';
import * as extremes from './extremes.ts';
import * as exponential from './exponential.ts';
import { inPlaceForms } from './in-place.ts';
import { cat, stack } from './join.ts';
import * as losses from './losses.ts';
import * as move from './move.ts';
import * as padding from './pad.ts';
import * as picking from './index.ts';
import * as normalisation from './normalise.ts';
import * as pool from './pool.ts';
import * as draws from './draw.ts';
import * as random from './random.ts';
import * as reduce from './reduce.ts';
import * as resample from './resample.ts';
import * as rounding from './rounding.ts';
import * as scans from './scan.ts';
import * as scattering from './scatter.ts';
import * as selection from './select.ts';
import * as smooth from './smooth.ts';
import * as order from './sort.ts';
import * as statistics from './statistics.ts';
import * as ternary from './ternary.ts';
import * as trigonometry from './trigonometry.ts';
import * as unary from './unary.ts';
import * as views from './views.ts';

const { isnan: _isnan, isinf: _isinf, isfinite: _isfinite, ...arithmetic } = unary;
const { gelu: _gelu, ...smoothByNumbers } = smooth;
const { where: _where, copy_: _copy, ...ofThree } = ternary;

/** Ops with an in-place form: those of elements, unless what they give is of no use in the place of what they took. */
const elements = {
  ...arithmetic,
  ...exponential,
  ...trigonometry,
  ...rounding,
  ...activations,
  ...smoothByNumbers,
  ...binary,
  ...compare,
  ...ofThree,
} as const;

/** Some of a module's ops. Written as properties one by one, they would lose their documentation. */
function picked<T extends object, K extends keyof T>(from: T, ...names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;
}

/** Ops called as methods of their first argument. */
export const methods = {
  ...elements,
  ...inPlaceForms(elements),
  // Whole modules: an op that is taken out of one loses its documentation on the way.
  ...unary,
  ...smooth,
  ...ternary,
  ...reduce,
  ...scans,
  ...statistics,
  ...picked(extremes, 'max', 'min', 'argmax', 'argmin', 'any', 'all'),
  ...views,
  ...arrange,
  ...picking,
  ...scattering,
  ...order,
  ...selection,
  ...picked(draws, 'bernoulli', 'multinomial'),
  ...picked(random, 'dropout', 'dropout2d'),
  ...contract,
  ...picked(convolution, 'conv1d', 'conv2d', 'conv3d', 'convTranspose1d', 'convTranspose2d', 'convTranspose3d'),
  ...picked(products, 'outer', 'addmm', 'baddbmm', 'bilinear'),
  ...normalisation,
  ...losses,
  ...attention,
  ...pool,
  ...resample,
  ...picked(convert, 'to'),
  ...picked(move, 'clone', 'contiguous', 'flip', 'unfold'),
  ...picked(padding, 'pad'),
} as const;

/** Ops called as functions: their first argument is not a tensor. */
export const functions = { cat, stack, einsum: products.einsum } as const;

export const table = { ...methods, ...functions } as const;

for (const [name, op] of Object.entries<(x: Tensor, ...rest: never[]) => unknown>(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: never[]) {
      return op(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
