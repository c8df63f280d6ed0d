/**
 * @file Order: sorting, the largest few, searching what is sorted. In: a tensor, a dim. Out: values and int32 places. Equal
 * elements keep their order, NaN is the largest. A block is sorted by counting, for each element, those that come before it;
 * sorted blocks are merged two by two, each element finding its place in the other block by binary search.
 */
import { JitLensError } from '../errors.ts';
import { constant, type Index } from '../tensor/affine.ts';
import { dtypes, isFloat, promote, type DType } from '../tensor/dtype.ts';
import { formatShape, normalizeDim, numel, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, contractSpec, elementwiseSpec, op, type Op } from './define.ts';
import type { Extreme } from './extremes.ts';
import { LESS } from './functions/order.ts';
import { less } from './functions/reference.ts';
import { gather } from './index.ts';
import { shapeOf, type ElementwiseSpec, type HostView, type SearchSpec } from './spec.ts';
import { noGrad } from './tape.ts';
import { arangeSpec } from './write.ts';

const EXACT = { relative: 0, absolute: 0 };
/** Largest block that is sorted by counting, which takes the square of its size; of many elements that outweighs merging more. */
const BLOCK = 1024;
const BLOCK_OF_MANY = 128;
const MANY = 2 ** 18;

/** Over `x` and `v` in rising or falling order: whether x comes before v, and if `right`, also where they are equal. */
const comesBefore = (descending: boolean, right: boolean) => {
  const [a, b] = descending === right ? ['x', 'v'] : ['v', 'x'];
  const text = `jl_less_T_(${a}, ${b})`;
  return right ? `!${text}` : text;
};
const comesBeforeHost = (descending: boolean, right: boolean) => (x: number, v: number) =>
  right ? !(descending ? less(x, v) : less(v, x)) : descending ? less(v, x) : less(x, v);

type Order = 'rising' | 'rising, right' | 'falling' | 'falling, right';
const orderOf = (descending: boolean, right: boolean) => `${descending ? 'falling' : 'rising'}${right ? ', right' : ''}` as Order;

function stepSpec(descending: boolean, right: boolean): ElementwiseSpec {
  const before = comesBeforeHost(descending, right);
  return elementwiseSpec(['l', 's', 'x', 'v'], {
    name: `search step, ${orderOf(descending, right)}`,
    wgsl: `select(l, l + s, ${comesBefore(descending, right)})`,
    prelude: LESS,
    reference: (low, stride, x, v) => (before(x, v) ? low + stride : low),
  });
}

const STEPS: Readonly<Record<Order, ElementwiseSpec>> = {
  rising: stepSpec(false, false),
  'rising, right': stepSpec(false, true),
  falling: stepSpec(true, false),
  'falling, right': stepSpec(true, true),
};

const searchSpec: SearchSpec = {
  kind: 'search',
  name: 'searchsorted',
  samples: [],
  tolerance: EXACT,
  step: (a) => STEPS[a['order'] as Order],
  infer: ([, values = 0]) => ({ shape: shapeOf(values), dtype: 'int32' }),
  flops: ([rows = 0], _a, out) => numel(out.shape) * Math.ceil(Math.log2(1 + (shapeOf(rows).at(-1) ?? 1))),
};

/** How many elements of each value's sorted row come before it. */
function search(rows: Tensor, values: Tensor, order: Order): Tensor {
  return apply(searchSpec, [rows, values], { order });
}

/** Counting along the last dim: for each place i, the sum of `element` over all places j. */
function counting(
  name: string,
  element: ElementwiseSpec,
  twice: boolean,
  of: (j: number, i: number, a: number, b: number) => number,
) {
  return contractSpec<[Tensor]>({
    name,
    result: 'int32',
    tolerance: EXACT,
    shape: ([x = []]) => x,
    extents: ([x = []]) => [x.at(-1) ?? 1],
    sources: (out, [j = constant(0)]) => {
      const other = { index: [...out.slice(0, -1), j] };
      return twice ? [other, { index: out }] : [other];
    },
    term: { element, places: (out, [j = constant(0)]): readonly Index[] => [j, out.at(-1) ?? constant(0)] },
    reference: ([x]) => counted(x, of),
  });
}

function counted(x: HostView | undefined, of: (j: number, i: number, a: number, b: number) => number): Float64Array {
  if (!x) return new Float64Array();
  const size = x.shape.at(-1) ?? 1;
  return x.data.map((b, flat) => {
    const start = flat - (flat % size);
    let sum = 0;
    for (let j = 0; j < size; j++) sum += of(j, flat - start, x.data[start + j] ?? NaN, b);
    return sum;
  });
}

function rankSpec(descending: boolean) {
  const before = comesBeforeHost(descending, false);
  const order = descending ? ['b', 'a'] : ['a', 'b'];
  const name = descending ? 'falling' : 'rising';
  const element = elementwiseSpec(['j', 'i', 'a', 'b'], {
    name: `rank, ${name}`,
    wgsl: `jl_${name}_T_(j, i, a, b)`,
    prelude: [
      ...LESS,
      ...['f32', 'i32', 'u32'].map(
        (type) => `fn jl_${name}${type}(j: i32, i: i32, a: ${type}, b: ${type}) -> i32 {
  return select(0, 1, jl_less${type}(${order.join(', ')}) || (j < i && !jl_less${type}(${[...order].reverse().join(', ')})));
}`,
      ),
    ],
    reference: (j, i, a, b) => Number(before(a, b) || (j < i && !before(b, a))),
  });
  return counting(`rank, ${name}`, element, true, element.reference);
}

/** How many elements of its row come before each. */
const RANKS = { rising: rankSpec(false), falling: rankSpec(true) } as const;

const placeOfRank = elementwiseSpec(['j', 'i', 'a'], {
  name: 'place of rank',
  wgsl: 'select(0, j, a == i)',
  reference: (j, i, a) => (a === i ? j : 0),
});
/** The place of the element that has each rank. */
const fromRanks = counting('places of ranks', placeOfRank, false, (j, i, a) => (a === i ? j : 0));

function line(length: number, step = 1): Tensor {
  return apply(arangeSpec, [], { shape: [length], start: 0, step, dtype: 'int32' });
}

/** The places of the elements of each row (the last dim), in order. */
function orderOfRows(x: Tensor, descending: boolean): Tensor {
  const size = x.size(-1);
  const block = x.numel < MANY ? BLOCK : BLOCK_OF_MANY;
  if (size <= block) return orderOfBlocks(x, descending);
  const runs = 2 ** Math.ceil(Math.log2(size / block));
  const length = Math.ceil(size / runs);
  const lead = x.shape.slice(0, -1);
  const spare = runs * length - size;
  // What is added comes last in every order, since it stands behind its equals.
  const blocks = (spare === 0 ? x : x.pad([0, spare], lastOf(x.dtype, descending))).reshape([...lead, runs, length]);
  const order = orderOfBlocks(blocks, descending);
  let run: Run = { values: blocks.gather(-1, order), places: order.add(line(runs, length).view([runs, 1])) };
  for (let left = runs; left > 1; left /= 2) run = merged(run, descending);
  return run.places.view([...lead, runs * length]).slice(-1, 0, size);
}

function orderOfBlocks(x: Tensor, descending: boolean): Tensor {
  return apply(fromRanks, [apply(RANKS[descending ? 'falling' : 'rising'], [x, x])]);
}

function lastOf(dtype: DType, descending: boolean): number {
  if (descending) return dtypes[dtype].least;
  return isFloat(dtype) ? NaN : dtypes[dtype].most;
}

/** Sorted rows [.., rows, length], and where their elements came from. */
interface Run {
  readonly values: Tensor;
  readonly places: Tensor;
}

/** Each two rows as one. */
function merged({ values, places }: Run, descending: boolean): Run {
  const [rows, length] = [values.size(-2), values.size(-1)];
  const lead = values.shape.slice(0, -2);
  const pairs = values.view([...lead, rows / 2, 2, length]);
  const [first, second] = [pairs.select(-2, 0), pairs.select(-2, 1)];
  // An element of the first row comes after those before it there and those of the second row that come before it.
  const ranks = search(second, first, orderOf(descending, false)).add(line(length));
  const joint = [...lead, rows / 2, 2 * length];
  const at = line(2 * length).expand(joint);
  const [below, upTo] = [search(ranks, at, 'rising'), search(ranks, at, 'rising, right')];
  const from = upTo.gt(below).where(below, at.sub(below).add(length));
  const taken = (x: Tensor) => x.view(joint).gather(-1, from);
  return { values: taken(values), places: taken(places) };
}

/** The places along `dim` of its elements in order. No gradient flows through places. */
function orderAlong(x: Tensor, dim: number, descending: boolean, name: string): Tensor {
  if (x.rank === 0) return line(1).view([]);
  const d = normalizeDim(dim, x.rank, name);
  const counts = x.dtype === 'bool' ? x.to('int32') : x;
  return noGrad(() => orderOfRows(counts.movedim(d, -1), descending).movedim(-1, d));
}

export interface SortOptions {
  /** The largest first. */
  readonly descending?: boolean;
  /** Equal elements keep their order. They always do. */
  readonly stable?: boolean;
}

/** The elements at places that name each once along `dim`, for which a gradient finds its way back by their order. */
const reordered: Op<[x: Tensor, dim: number, places: Tensor]> = op(
  { ...gather.entry, grad: (g, _out, _x, dim, places) => [g.gather(dim, places.argsort(dim))] },
  (x, dim, places) => noGrad(() => gather(x, dim, places)),
);

/** The elements along `dim` (the last) from the smallest to the largest, and their places. Equal ones keep their order. */
export const sort: Op<[x: Tensor, dim?: number, options?: SortOptions], Extreme> = composite({
  name: 'sort',
  expand: (x, dim = -1, { descending = false } = {}) => {
    const indices = orderAlong(x, dim, descending, 'sort');
    return { values: x.rank === 0 ? x.clone() : reordered(x, dim, indices), indices };
  },
  samples: ['f32[7]', 'f32[5,7] 0', 'f32[3,4,5] 1 {"descending":true}', 'i32[6,3] 0', 'f32[]', 'f32[2,1300]', 'bool[9]'],
  tolerance: EXACT,
});

/** The places along `dim` (the last) of its elements from the smallest to the largest. Equal ones keep their order. */
export const argsort: Op<[x: Tensor, dim?: number, options?: SortOptions]> = composite({
  name: 'argsort',
  expand: (x, dim = -1, { descending = false } = {}) => orderAlong(x, dim, descending, 'argsort'),
  samples: ['f32[7]', 'i32[5,7] 0 {"descending":true}', 'i32[2,1100]'],
});

/** The k largest (smallest) elements along `dim` (the last) and their places, in order. */
export const topk: Op<[x: Tensor, k: number, dim?: number, largest?: boolean, sorted?: boolean], Extreme> = composite({
  name: 'topk',
  expand: (x, k, dim = -1, largest = true) => {
    const size = x.rank === 0 ? 1 : x.size(normalizeDim(dim, x.rank, 'topk'));
    if (!Number.isInteger(k) || k < 0 || k > size) {
      throw new JitLensError('JL410', `topk: ${k} of ${size} elements`, `Ask for a whole number from 0 to ${size}.`);
    }
    if (x.rank === 0)
      return k === 1
        ? { values: x.clone(), indices: line(1).view([]) }
        : { values: x.view([1]).slice(0, 0, 0), indices: line(0) };
    const indices = orderAlong(x, dim, largest, 'topk').slice(dim, 0, k).contiguous();
    return { values: x.gather(dim, indices), indices };
  },
  samples: ['f32[7] 3', 'f32[5,7] 2 0 false', 'i32[3,6] 6 -1', 'f32[2,1200] 5'],
  tolerance: EXACT,
});

function single(value: number, like: DType): Tensor {
  const dtype = isFloat(like) || Number.isInteger(value) ? like : 'float32';
  return apply(arangeSpec, [], { shape: [1], start: value, step: 0, dtype }).view([]);
}

/**
 * For each of `values` how many elements of the sorted last dim are smaller (`right`: or equal): where it would go. Rows are
 * told apart by the dims before, or there is one row for all values. int32.
 */
export const searchsorted: Op<[sorted: Tensor, values: Tensor | number, options?: { readonly right?: boolean }]> = composite({
  name: 'searchsorted',
  expand: (sorted, values, { right = false } = {}) => {
    const wanted = typeof values === 'number' ? single(values, sorted.dtype) : values;
    const sameRows = sorted.rank === wanted.rank && sameShape(sorted.shape.slice(0, -1), wanted.shape.slice(0, -1));
    if (sorted.rank === 0 || (sorted.rank > 1 && !sameRows)) {
      throw new JitLensError(
        'JL410',
        `searchsorted: values of shape ${formatShape(wanted.shape)} in rows of shape ${formatShape(sorted.shape)}`,
        'Give one row, or rows and values with the same dims but for the last.',
      );
    }
    const type = promote(sorted.dtype, wanted.dtype);
    return search(sorted.to(type), wanted.to(type), orderOf(false, right));
  },
  samples: ['f32[1] f32[5]', 'i32[1] i32[2,3] {"right":true}', 'f32[3,1] f32[3,4]', 'f32[1] 0.5'],
});
