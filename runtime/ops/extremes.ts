/**
 * @file Largest and smallest elements with their places, and what is true of any or all. In: a tensor, a dim. Out: values,
 * int32 indices, truth values. Of equal elements the first counts, and NaN is both the largest and the smallest.
 */
import { isFloat } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, overloaded, type Op, type Overloaded, type Reduce } from './define.ts';
import { arangeSpec } from './write.ts';

/** What `max` and `min` over a dim give. */
export interface Extreme {
  readonly values: Tensor;
  /** int32 places along the dim. */
  readonly indices: Tensor;
}

type Which = 'amax' | 'amin';
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

/** Places of the first extreme elements, that dim kept. */
function firstPlaces(x: Tensor, dim: number, which: Which): Tensor {
  const hits = x.eq(x[which]({ dim, keepdim: true }));
  // Where one is NaN it is the extreme, and nothing equals it.
  const chosen = isFloat(x.dtype) ? hits.logicalOr(x.isnan()) : hits;
  return chosen.where(placesAlong(x, dim), x.size(dim)).amin({ dim, keepdim: true });
}

function place(name: string, which: Which): Place {
  return composite({
    name,
    expand: (x, dim, keepdim = false) => {
      if (dim === undefined || x.rank === 0) {
        const first = firstPlaces(x.reshape([-1]), 0, which);
        return first.view(keepdim ? x.shape.map(() => 1) : []);
      }
      const places = firstPlaces(x, dim, which);
      return keepdim ? places : places.squeeze(dim);
    },
    samples: ['f32[7]', 'f32[5,7] 1', 'f32[3,4,5] -2 true', 'i32[6,3] 0', 'f32[2,1000] -1', 'f32[]', 'bool[5]'],
  });
}

/** The place of the first largest element along `dim`; in the flattened tensor when `dim` is left out. int32. */
export const argmax: Place = place('argmax', 'amax');
/** The place of the first smallest element along `dim`; in the flattened tensor when `dim` is left out. int32. */
export const argmin: Place = place('argmin', 'amin');

function extreme(name: string, which: Which): ExtremeOp {
  return overloaded(
    composite({
      name,
      expand: (x, dim, keepdim = false) => {
        if (dim === undefined) return x[which]();
        if (x.rank === 0) return { values: x[which](), indices: firstPlaces(x.view([1]), 0, which).view([]) };
        const indices = firstPlaces(x, dim, which);
        // Picked by place, so that the gradient goes to that place alone.
        const values = placesAlong(x, dim).eq(indices).where(x, 0).sum({ dim, keepdim: true });
        return keepdim ? { values, indices } : { values: values.squeeze(dim), indices: indices.squeeze(dim) };
      },
      samples: ['f32[7]', 'f32[5,7] 1', 'f32[3,4,5] -2 true', 'i32[6,3] 0', 'i32[4]', 'f32[] 0'],
    }),
  );
}

/** The largest of all elements; over a `dim` the largest ones and their places. Refuses to choose from none. */
export const max: ExtremeOp = extreme('max', 'amax');
/** The smallest of all elements; over a `dim` the smallest ones and their places. Refuses to choose from none. */
export const min: ExtremeOp = extreme('min', 'amin');

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
