/**
 * @file Elements picked by place, where the places are numbers in a tensor of int32 or uint32. In: a tensor, places, the dim
 * they count along. Out: what stands there. A place that does not exist gives NaN, or 0 where the dtype has no NaN.
 */
import { constant, type Index } from '../tensor/affine.ts';
import { normalizeDim, numel, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, op, type Op } from './define.ts';
import { EXACT, needPlaces, PLACES, wrongShape } from './places.ts';
import { shapeOf, type PickSpec } from './spec.ts';
import { arangeSpec, fullSpec } from './write.ts';

function pickSpec(
  name: string,
  onnx: string,
  places: PickSpec['places'],
  shape: (x: Shape, at: Shape, dim: number) => Shape,
): PickSpec {
  return {
    kind: 'pick',
    name,
    onnx,
    samples: [],
    tolerance: EXACT,
    places,
    infer: ([x = 0, at = 0], attributes) => ({
      shape: shape(shapeOf(x), shapeOf(at), attributes['dim'] as number),
      dtype: typeof x === 'object' ? x.dtype : 'float32',
    }),
    flops: () => 0,
  };
}

const gatherSpec = pickSpec(
  'gather',
  'GatherElements',
  (out) => out,
  (_x, at) => at,
);
const selectSpec = pickSpec(
  'indexSelect',
  'Gather',
  (out: readonly Index[], dim) => [out[dim] ?? constant(0)],
  (x, at, dim) => x.map((size, d) => (d === dim ? numel(at) : size)),
);

/**
 * out[…, i, …] = x[…, index[…, i, …], …] along `dim`: one place for each element of the result, which has the index's
 * shape. The index has x's dims, and no other dim is larger than x's.
 */
export const gather: Op<[x: Tensor, dim: number, index: Tensor]> = op(
  {
    name: 'gather',
    spec: gatherSpec,
    tolerance: EXACT,
    domain: PLACES,
    samples: ['f32[3] 0 i32[5]', 'f32[4,5] 1 i32[4,7]', 'f32[3,4,5] -2 i32[3,6,5]', 'f32[5,4] 0 i32[3,2]', 'i32[3,3] 0 i32[2,3]'],
    grad: (g, _out, x, dim, index) => [zerosLike(x).scatterAdd(dim, index, g)],
  },
  (x, dim, index) => {
    needPlaces(index, 'gather');
    const d = normalizeDim(dim, x.rank, 'gather');
    if (index.rank !== x.rank || index.shape.some((size, i) => i !== d && size > (x.shape[i] ?? 0))) {
      throw wrongShape('gather', x, index, 'The index has the same dims, none larger but the one it counts along.');
    }
    return apply(gatherSpec, [x, index], { dim: d });
  },
);

/** Slices of `dim` at the places of a one-dim index, in its order. */
export const indexSelect: Op<[x: Tensor, dim: number, index: Tensor]> = op(
  {
    name: 'indexSelect',
    spec: selectSpec,
    tolerance: EXACT,
    domain: PLACES,
    samples: ['f32[3] 0 i32[5]', 'f32[4,5] 1 i32[3]', 'f32[3,4,5] -2 i32[6]', 'f32[5,4] 0 u32[1]', 'i32[3,3] 0 i32[]'],
    grad: (g, _out, x, dim, index) => [zerosLike(x).indexAdd(dim, index, g)],
  },
  (x, dim, index) => {
    needPlaces(index, 'indexSelect');
    if (index.rank > 1 || x.rank === 0) throw wrongShape('indexSelect', x, index, 'The index has one dim; gather() takes more.');
    return apply(selectSpec, [x, index.reshape([-1])], { dim: normalizeDim(dim, x.rank, 'indexSelect') });
  },
);

/** As `gather`, with index and x broadcast in all dims but `dim`. */
export const takeAlongDim: Op<[x: Tensor, index: Tensor, dim: number]> = composite({
  name: 'takeAlongDim',
  expand: (x, index, dim) => {
    const d = normalizeDim(dim, x.rank, 'takeAlongDim');
    if (index.rank !== x.rank) throw wrongShape('takeAlongDim', x, index, 'Both have the same number of dims.');
    const common = x.shape.map((size, i) => (size === 1 ? (index.shape[i] ?? 1) : size));
    const fitted = (t: Tensor) => t.expand(common.map((size, i) => (i === d ? t.size(i) : size)));
    return fitted(x).gather(d, fitted(index));
  },
  samples: ['f32[3,4] i32[3,1] 1', 'f32[3,1] i32[5,4] 0'],
  domain: PLACES,
});

/** Slices of dim 0 at the places of an index of any shape: its dims come in place of dim 0. Negative places count from the end. */
export const index: Op<[x: Tensor, index: Tensor]> = composite({
  name: 'index',
  expand: (x, places) => {
    needPlaces(places, 'index');
    const counted = places.dtype === 'int32' ? places.lt(0).where(places.add(x.size(0)), places) : places;
    return x.indexSelect(0, counted.reshape([-1])).view([...places.shape, ...x.shape.slice(1)]);
  },
  samples: ['f32[3,4] i32[5]', 'f32[4] i32[2,3]', 'f32[3,2,2] i32[]'],
  domain: [-2, 2],
});

/** The rows of `weight` [entries, features] at the places of x: the index's dims, then the features. */
export const embedding: Op<[x: Tensor, weight: Tensor]> = composite({
  name: 'embedding',
  expand: (x, weight) => {
    if (weight.rank !== 2) throw wrongShape('embedding', weight, x, 'The table is a matrix: [entries, features].');
    return weight.indexSelect(0, x.reshape([-1])).view([...x.shape, weight.size(1)]);
  },
  samples: ['i32[2,3] f32[5,4]', 'i32[6] f32[3,1]', 'u32[] f32[3,2]'],
  domain: PLACES,
});

/** 0, 1, 2, … along a new dim. */
function along(size: number, dimsBehind: number): Tensor {
  const places = apply(arangeSpec, [], { shape: [size], start: 0, step: 1, dtype: 'int32' });
  return places.view([size, ...new Array<number>(dimsBehind).fill(1)]);
}

const zerosLike = (x: Tensor): Tensor => apply(fullSpec, [], { shape: x.shape, value: 0, dtype: x.dtype });

/** x with `value` where the mask is true; the mask broadcasts. */
export const maskedFill: Op<[x: Tensor, mask: Tensor, value: number]> = composite({
  name: 'maskedFill',
  expand: (x, mask, value) => mask.where(value, x),
  samples: ['f32[3,5] bool[5] -1', 'f32[4] bool[4] 0.5', 'i32[6] bool[] 7'],
});

/** For each whole number its place among `classes` as 1, all others 0: a new last dim, int32. */
export const oneHot: Op<[x: Tensor, classes: number]> = composite({
  name: 'oneHot',
  expand: (x, classes) => {
    needPlaces(x, 'oneHot');
    return x.unsqueeze(-1).eq(along(classes, 0)).to('int32');
  },
  samples: ['i32[4] 3', 'i32[2,3] 5', 'u32[] 2'],
  domain: PLACES,
});
