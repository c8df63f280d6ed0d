/**
 * @file Elements put by place, where the places are numbers in a tensor. In: a tensor, places, what goes there. Out: a copy
 * in which it does. A kernel cannot write where a number says, so each place looks for the sources that name it.
 */
import { constant } from '../tensor/affine.ts';
import { contiguousStrides, normalizeDim, numel, sameShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, contractSpec, elementwiseSpec, op, type Op } from './define.ts';
import { EXACT, needPlaces, PLACES, wrongShape } from './places.ts';
import { amax } from './reduce.ts';
import { shapeOf, type Attributes, type ContractSpec, type SegmentSpec } from './spec.ts';
import { noGrad } from './tape.ts';
import { arangeSpec } from './write.ts';

/** The source where it names the place `d`, else 0. */
const takeIfNamed = elementwiseSpec(['d', 'p', 's'], {
  name: 'take if named',
  wgsl: 'select(_T_(0), s, p == d)',
  reference: (d, p, s) => (p === d ? s : 0),
});

const dimOf = (a: Attributes): number => a['dim'] as number;
const withSize = (shape: Shape, a: Attributes) => shape.map((size, d) => (d === dimOf(a) ? (a['size'] as number) : size));

const receivedForm = contractSpec<[Tensor, Tensor]>({
  name: 'received',
  tolerance: { relative: 1e-5, absolute: 1e-5 },
  shape: ([, source = []], a) => withSize(source, a),
  extents: ([, source = []], a) => [source[dimOf(a)] ?? 1],
  sources: (out, [e = constant(0)], [places = []], a) => {
    const at = out.map((i, d) => (d === dimOf(a) ? e : i));
    return [{ index: at.map((i, d) => (places[d] === 1 ? constant(0) : i)) }, { index: at }];
  },
  term: { element: takeIfNamed, places: (out, _e, _shapes, a) => [out[dimOf(a)] ?? constant(0)] },
  reference: ([places, source], a, out) => {
    const sums = new Float64Array(numel(out.shape));
    if (!places || !source) return sums;
    const [from, to, of] = [contiguousStrides(source.shape), contiguousStrides(out.shape), contiguousStrides(places.shape)];
    source.data.forEach((value, flat) => {
      const index = source.shape.map((size, d) => Math.floor(flat / (from[d] ?? 1)) % size);
      const named = places.data[index.reduce((sum, i, d) => sum + (places.shape[d] === 1 ? 0 : i * (of[d] ?? 0)), 0)] ?? NaN;
      if (!(named >= 0 && named < (a['size'] as number))) return;
      const place = index.reduce((sum, i, d) => sum + (d === dimOf(a) ? named : i) * (to[d] ?? 0), 0);
      sums[place] = (sums[place] ?? 0) + value;
    });
    return sums;
  },
});
const receivedSpec: ContractSpec = {
  ...receivedForm,
  infer: (inputs, a) => ({
    shape: withSize(shapeOf(inputs[1] ?? 0), a),
    dtype: typeof inputs[1] === 'object' ? inputs[1].dtype : 'float32',
  }),
};

const segmentSpec: SegmentSpec = {
  kind: 'segment',
  name: 'segment sum',
  samples: [],
  tolerance: receivedForm.tolerance,
  infer: ([source = 0, , starts = 0], a) => ({
    shape: shapeOf(source).map((size, d) => (d === dimOf(a) ? (shapeOf(starts)[d] ?? 1) - 1 : size)),
    dtype: typeof source === 'object' ? source.dtype : 'float32',
  }),
  flops: ([source = 0]) => numel(shapeOf(source)),
};

const line = (length: number): Tensor => apply(arangeSpec, [], { shape: [length], start: 0, step: 1, dtype: 'int32' });

/** With one source for all places each is element by element: that goes with what is around it. */
function oneEach(places: Tensor, source: Tensor, dim: number, size: number): Tensor {
  const own = line(size).view(places.shape.map((_, d) => (d === dim ? size : 1)));
  return places.eq(own).where(source, 0);
}

/** Looks at a source beyond which sorting the places, and taking the sources in that order, is faster. */
const MOST_LOOKS = 2 ** 29;

/** The sources that name each place, found by sorting what they name. */
function segments(places: Tensor, source: Tensor, dim: number, size: number): Tensor {
  const order = places.argsort(dim);
  const sorted = places.gather(dim, order).movedim(dim, -1);
  const starts = sorted.searchsorted(line(size + 1).expand([...sorted.shape.slice(0, -1), size + 1])).movedim(-1, dim);
  return apply(segmentSpec, [source, order, starts], { dim });
}

/**
 * For each of `size` places along `dim` the sum of the sources that name it: each looks at all of them, or at a list, where they are
 * many. Places broadcast.
 */
const received: Op<[places: Tensor, source: Tensor, dim: number, size: number]> = op(
  {
    name: 'received',
    spec: receivedSpec,
    samples: [],
    tolerance: receivedForm.tolerance,
    domain: PLACES,
    grad: (g, _out, places, source, dim, size) => {
      const there = places.ge(0).logicalAnd(places.lt(size));
      return [undefined, there.where(g.gather(dim, places.expand(source.shape)), 0)];
    },
  },
  (places, source, dim, size) => {
    if (source.size(dim) === 1) return noGrad(() => oneEach(places, source, dim, size));
    if (source.numel * size > MOST_LOOKS) return noGrad(() => segments(places, source, dim, size));
    return apply(receivedSpec, [places, source], { dim, size });
  },
);

/** Places as int32, which kernels count in. */
const signed = (places: Tensor): Tensor => places.to('int32');

/** The tensor at the start of zeros (or another number) of a shape that is larger at the ends. */
function filledUp(t: Tensor, shape: Shape, fill = 0): Tensor {
  const missing = shape.map((size, d) => [0, size - t.size(d)] as const).reverse();
  return missing.some(([, n]) => n > 0) ? t.pad(missing.flat(), fill) : t;
}

/** x with `source` added at the places along `dim` that an index of source's shape gives. Equal places add up. */
export const scatterAdd: Op<[x: Tensor, dim: number, index: Tensor, source: Tensor]> = composite({
  name: 'scatterAdd',
  expand: (x, dim, places, source) => {
    needPlaces(places, 'scatterAdd');
    const d = normalizeDim(dim, x.rank, 'scatterAdd');
    const fits = sameShape(places.shape, source.shape) && places.rank === x.rank;
    if (!fits || places.shape.some((size, i) => i !== d && size > (x.shape[i] ?? 0))) {
      throw wrongShape('scatterAdd', x, places, 'Index and source have one shape, no larger than x but along the dim.');
    }
    if (x.rank === 0) return x.unsqueeze(0).scatterAdd(0, places.unsqueeze(0), source.unsqueeze(0)).squeeze(0);
    return x.add(filledUp(received(signed(places), source, d, x.size(d)), x.shape));
  },
  samples: ['f32[3] 0 i32[5] f32[5]', 'f32[4,5] 1 i32[4,7] f32[4,7]', 'f32[5,4] 0 i32[3,2] f32[3,2]'],
  domain: PLACES,
});

/** The place e of a source that names the place `d`, else −1. */
const placeIfNamed = elementwiseSpec(['e', 'd', 'p'], {
  name: 'place if named',
  wgsl: 'select(-1, e, p == d)',
  reference: (e, d, p) => (p === d ? e : -1),
});

const lastSpec = contractSpec<[Tensor]>({
  name: 'last to name',
  result: 'int32',
  tolerance: EXACT,
  shape: ([places = []], a) => withSize(places, a),
  extents: ([places = []], a) => [places[dimOf(a)] ?? 1],
  sources: (out, [e = constant(0)], _shapes, a) => [{ index: out.map((i, d) => (d === dimOf(a) ? e : i)) }],
  term: { element: placeIfNamed, places: (out, [e = constant(0)], _shapes, a) => [e, out[dimOf(a)] ?? constant(0)] },
  fold: amax.entry.spec?.kind === 'reduce' ? amax.entry.spec : undefined,
  reference: ([places], a, out) => {
    const last = new Float64Array(numel(out.shape)).fill(-1);
    if (!places) return last;
    const [from, to] = [contiguousStrides(places.shape), contiguousStrides(out.shape)];
    places.data.forEach((named, flat) => {
      const index = places.shape.map((size, d) => Math.floor(flat / (from[d] ?? 1)) % size);
      if (!(named >= 0 && named < (a['size'] as number))) return;
      last[index.reduce((sum, i, d) => sum + (d === dimOf(a) ? named : i) * (to[d] ?? 0), 0)] = index[dimOf(a)] ?? 0;
    });
    return last;
  },
});

/**
 * x with the elements of `source` (or one number) put at the places along `dim` that the index gives: the opposite of
 * `gather`. Where several name one place, the last one stays.
 */
export const scatter: Op<[x: Tensor, dim: number, index: Tensor, source: Tensor | number]> = composite({
  name: 'scatter',
  expand: (x, dim, places, source) => {
    needPlaces(places, 'scatter');
    const d = normalizeDim(dim, x.rank, 'scatter');
    const within = (outer: Shape) => places.shape.every((size, i) => size <= (outer[i] ?? 0));
    const fits = places.rank === x.rank && within(x.shape.map((size, i) => (i === d ? Infinity : size)));
    if (!fits || (typeof source === 'object' && (source.rank !== x.rank || !within(source.shape)))) {
      throw wrongShape(
        'scatter',
        x,
        places,
        'The index has the same dims, no larger than those of x (but along the dim) and source.',
      );
    }
    if (x.rank === 0) return places.eq(0).where(source, x);
    if (places.size(d) === 0) return x.clone();
    const last = apply(lastSpec, [signed(places)], { dim: d, size: x.size(d) });
    const named = filledUp(last, x.shape, -1).ge(0);
    if (typeof source === 'number') return named.where(source, x);
    return named.where(filledUp(source.gather(d, last.maximum(0)), x.shape), x);
  },
  samples: [
    'f32[3] 0 i32[5] f32[5]',
    'f32[4,5] 1 i32[4,7] f32[4,7]',
    'f32[5,4] 0 i32[3,2] f32[3,3]',
    'f32[3,4] -1 i32[3,2] 7',
    'i32[4] 0 u32[2] i32[2]',
  ],
  domain: PLACES,
  onnx: 'ScatterElements',
});

/** x with the slices of `source` along `dim` added at the places of a one-dim index. Equal places add up. */
export const indexAdd: Op<[x: Tensor, dim: number, index: Tensor, source: Tensor]> = composite({
  name: 'indexAdd',
  expand: (x, dim, places, source) => {
    needPlaces(places, 'indexAdd');
    const d = normalizeDim(dim, x.rank, 'indexAdd');
    if (places.rank > 1 || numel(places.shape) !== source.size(d)) {
      throw wrongShape('indexAdd', source, places, 'The index has one place for each slice of the source.');
    }
    const row = signed(places).reshape(x.shape.map((_, i) => (i === d ? source.size(d) : 1)));
    return x.add(received(row, source, d, x.size(d)));
  },
  samples: ['f32[3] 0 i32[5] f32[5]', 'f32[4,5] 1 i32[2] f32[4,2]', 'f32[3,4] 0 i32[3] f32[3,4]'],
  domain: PLACES,
});
