/**
 * @file Largest and smallest elements with their places, and what is true of any or all. In: a tensor, a dim. Out: values,
 * int32 indices, truth values. Of equal elements the first counts, and NaN is both the largest and the smallest.
 */
import { JitLensError } from '../errors.ts';
import { constant } from '../tensor/affine.ts';
import { normalizeDim, numel } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, contractSpec, elementwiseSpec, overloaded, reduce, type Op, type Overloaded, type Reduce } from './define.ts';
import { IS_NAN } from './functions/exponential.ts';
import { amax, amin } from './reduce.ts';
import type { Attributes } from './spec.ts';
import { noGrad } from './tape.ts';
import { arangeSpec } from './write.ts';

/** What `max` and `min` over a dim give. */
export interface Extreme {
  readonly values: Tensor;
  /** int32 places along the dim. */
  readonly indices: Tensor;
}

/** Beyond every place. */
const FAR = 2 ** 31 - 1;

type ExtremeOp = Overloaded<
  Op<[x: Tensor, dim?: number, keepdim?: boolean], Tensor | Extreme>,
  {
    /** The one element that is the largest (smallest) of all. */
    (): Tensor;
    /** Along `dim`: the largest (smallest) elements, and the places of the first of them. */
    (dim: number, keepdim?: boolean): Extreme;
  }
>;
type Place = Op<[x: Tensor, dim?: number, keepdim?: boolean]>;

/** 0, 1, 2, … along `dim`, to be broadcast against x. */
function placesAlong(x: Tensor, dim: number): Tensor {
  const size = x.size(dim);
  const places = apply(arangeSpec, [], { shape: [size], start: 0, step: 1, dtype: 'int32' });
  return places.view([size, ...new Array<number>(x.rank - 1 - (dim < 0 ? dim + x.rank : dim)).fill(1)]);
}

/** The place of an element that is the extreme, or NaN where that is. Every other element is at `FAR`. */
const hit = elementwiseSpec(['i', 'x', 'm'], {
  name: 'place of',
  wgsl: 'jl_hit_T_(i, x, m)',
  prelude: [
    ...IS_NAN,
    `fn jl_hitf32(i: i32, x: f32, m: f32) -> i32 { return select(${FAR}, i, (x == m) | jl_is_nan(x)); }`,
    ...['i32', 'u32'].map(
      (type) => `fn jl_hit${type}(i: i32, x: ${type}, m: ${type}) -> i32 { return select(${FAR}, i, x == m); }`,
    ),
  ],
  reference: (i, x, m) => (x === m || Number.isNaN(x) ? i : FAR),
});

const dimOf = (a: Attributes): number => a['dim'] as number;
const firstSpec = contractSpec<[Tensor, Tensor, number]>({
  name: 'first place',
  result: 'int32',
  tolerance: { relative: 0, absolute: 0 },
  shape: ([, extreme = []]) => extreme,
  extents: ([x = []], a) => [x[dimOf(a)] ?? 1],
  sources: (out, [along = constant(0)], _shapes, a) => [
    { index: out.map((i, d) => (d === dimOf(a) ? along : i)) },
    { index: out },
  ],
  term: { element: hit, places: (_out, along) => along },
  fold: amin.entry.spec?.kind === 'reduce' ? amin.entry.spec : undefined,
  reference: ([x, extreme], a, out) => {
    if (!x || !extreme) return new Float64Array();
    const size = x.shape[dimOf(a)] ?? 1;
    const step = numel(x.shape.slice(dimOf(a) + 1));
    return Float64Array.from({ length: numel(out.shape) }, (_, flat) => {
      const start = Math.floor(flat / step) * size * step + (flat % step);
      for (let i = 0; i < size; i++) {
        const value = x.data[start + i * step] ?? NaN;
        if (value === extreme.data[flat] || Number.isNaN(value)) return i;
      }
      return NaN;
    });
  },
});

/** Places along `dim` of the first elements that are `extreme`, that dim kept. Of 0 dims the only place. */
function firstPlaces(x: Tensor, dim: number, extreme: Tensor): Tensor {
  return apply(firstSpec, [x.to(extreme.dtype), extreme], { dim: normalizeDim(dim, x.rank, 'argmax') });
}

function single(name: string, which: Reduce): Reduce {
  const { spec, samples } = which.entry;
  if (spec?.kind !== 'reduce') throw new JitLensError('JL-BUG', `${name} is not a reduction`);
  return reduce({
    name,
    combine: spec.combine,
    prelude: spec.prelude,
    identity: (dtype) => spec.identity(dtype),
    nonEmpty: true,
    reference: spec.reference,
    samples,
    grad: (g, out, x, options) => {
      const dim = options?.dim as number;
      const kept = (t: Tensor) => (options?.keepdim ? t : t.unsqueeze(dim));
      return [
        placesAlong(x, dim)
          .eq(firstPlaces(x, dim, kept(out)))
          .where(kept(g), 0),
      ];
    },
  });
}

/** As `amax` over one dim; its gradient goes to the first of equal elements. */
export const firstLargest: Reduce = single('max', amax);
const firstSmallest: Reduce = single('min', amin);

function place(name: string, which: Reduce): Place {
  return composite({
    name,
    expand: (x, dim, keepdim = false) => {
      if (dim === undefined || x.rank === 0) {
        const flat = x.reshape([-1]);
        return firstPlaces(
          flat,
          0,
          noGrad(() => which(flat, { dim: 0, keepdim: true })),
        ).view(keepdim ? x.shape.map(() => 1) : []);
      }
      const places = firstPlaces(
        x,
        dim,
        noGrad(() => which(x, { dim, keepdim: true })),
      );
      return keepdim ? places : places.squeeze(dim);
    },
    samples: ['f32[7]', 'f32[5,7] 1', 'f32[3,4,5] -2 true', 'i32[6,3] 0', 'f32[2,1000] -1', 'f32[]', 'bool[5]'],
  });
}

/** The place of the first largest element along `dim`; in the flattened tensor when `dim` is left out. int32. */
export const argmax: Place = place('argmax', amax);
/** The place of the first smallest element along `dim`; in the flattened tensor when `dim` is left out. int32. */
export const argmin: Place = place('argmin', amin);

function extreme(name: string, all: Reduce, first: Reduce): ExtremeOp {
  return overloaded(
    composite({
      name,
      expand: (x, dim, keepdim = false) => {
        if (dim === undefined) return all(x);
        if (x.rank === 0) return { values: all(x), indices: x.view([1]).argmax(0).view([]) };
        const values = first(x, { dim, keepdim: true });
        const indices = firstPlaces(x, dim, values);
        return keepdim ? { values, indices } : { values: values.squeeze(dim), indices: indices.squeeze(dim) };
      },
      samples: ['f32[7]', 'f32[5,7] 1', 'f32[3,4,5] -2 true', 'i32[6,3] 0', 'i32[4]', 'f32[] 0'],
    }),
  );
}

/** The largest of all elements; over a `dim` the largest ones and their places. Refuses to choose from none. */
export const max: ExtremeOp = extreme('max', amax, firstLargest);
/** The smallest of all elements; over a `dim` the smallest ones and their places. Refuses to choose from none. */
export const min: ExtremeOp = extreme('min', amin, firstSmallest);

const TRUTH_SAMPLES = [
  'bool[7]',
  'f32[5,7] {"dim":1}',
  'bool[3,4,5] {"dim":[0,2],"keepdim":true}',
  'i32[6,3] {"dim":0}',
  'bool[0]',
];

/** True where any element over `dim` is not 0. False for no elements. */
export const any: Reduce = composite({
  name: 'any',
  expand: (x, options) => x.ne(0).sum(options).ne(0),
  samples: TRUTH_SAMPLES,
});

/** True where every element over `dim` is not 0. True for no elements. */
export const all: Reduce = composite({
  name: 'all',
  expand: (x, options) => x.eq(0).sum(options).eq(0),
  samples: TRUTH_SAMPLES,
});
