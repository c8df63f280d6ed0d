/**
 * @file What is chosen by value, so that the result's size is not known before a value is read: eager only, and to be
 * awaited. In: a tensor. Out: places or elements; one number is read, all else stays on the device.
 */
import { JitLensError } from '../errors.ts';
import { broadcastShapes, contiguousStrides, numel } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, op, overloaded, type Op, type Overloaded } from './define.ts';
import { indexSelect } from './index.ts';
import { stack } from './join.ts';
import { activeRecorder } from './recorder.ts';
import { noGrad } from './tape.ts';
import { arangeSpec } from './write.ts';

function refuseInTrace(name: string, instead: string): void {
  if (!activeRecorder()) return;
  throw new JitLensError(
    'JL411',
    `${name}: how many elements there are depends on their values, and a trace is made for fixed sizes`,
    `Call it outside the traced function, or use ${instead}.`,
  );
}

const from = (start: number, length: number): Tensor =>
  apply(arangeSpec, [], { shape: [length], start, step: 1, dtype: 'int32' });

interface Chosen {
  /** int32 places of what is true, in order. */
  readonly places: Tensor;
  /** For each place how many are true up to it. */
  readonly counts: Tensor;
}

/** Of a row of truth values. Reads one number. */
async function chosen(truths: Tensor): Promise<Chosen> {
  const counts = truths.to('int32').cumsum(0);
  const total = truths.numel === 0 ? 0 : await counts.select(0, truths.numel - 1).item();
  return { places: counts.searchsorted(from(1, total)), counts };
}

/** Index by index [count, dims], int32, where elements are not 0, in row-major order. */
export const nonzero: Op<[x: Tensor], Promise<Tensor>> = composite({
  name: 'nonzero',
  expand: async (x) => {
    refuseInTrace('nonzero', 'ne(0) as a mask');
    const { places } = await noGrad(() => chosen(x.ne(0).reshape([-1])));
    if (x.rank === 0) return places.view([places.numel, 1]).slice(1, 0, 0);
    const strides = contiguousStrides(x.shape);
    return stack(
      x.shape.map((size, d) => places.floorDivide(Math.max(1, strides[d] ?? 1)).remainder(Math.max(1, size))),
      1,
    );
  },
});

/** The elements at places that are named once each, in order; a gradient finds its way back by counting. */
const selected: Op<[x: Tensor, dim: number, places: Tensor, truths: Tensor, counts: Tensor]> = op(
  {
    name: 'maskedSelect',
    spec: indexSelect.entry.spec,
    samples: [],
    tolerance: indexSelect.entry.tolerance,
    domain: indexSelect.entry.domain,
    grad: (g, _out, _x, _dim, _places, truths: Tensor, counts: Tensor) => [
      truths.where(g.indexSelect(0, counts.sub(1).maximum(0)), 0),
    ],
  },
  (x, dim, places) => noGrad(() => x.indexSelect(dim, places)),
);

/** The elements where a mask (bool) is true, as one dim, in row-major order; x and mask broadcast. */
export const maskedSelect: Op<[x: Tensor, mask: Tensor], Promise<Tensor>> = composite({
  name: 'maskedSelect',
  expand: async (x, mask) => {
    refuseInTrace('maskedSelect', 'mask.where(x, 0)');
    if (mask.dtype !== 'bool') {
      throw new JitLensError('JLT-DTYPE', `maskedSelect: a mask is bool, not ${mask.dtype}`, "Compare, or convert: to('bool').");
    }
    const shape = broadcastShapes([x.shape, mask.shape], 'maskedSelect');
    const truths = mask.expand(shape).reshape([numel(shape)]);
    const elements = x.expand(shape).reshape([numel(shape)]);
    const { places, counts } = await noGrad(() => chosen(truths));
    return places.numel === 0 ? elements.slice(0, 0, 0) : selected(elements, 0, places, truths, counts);
  },
});

export interface UniqueOptions {
  /** Also gives for each element the place of its value among the values. */
  readonly returnInverse?: boolean;
  /** Also gives how often each value occurs. */
  readonly returnCounts?: boolean;
}

export interface Unique {
  /** Rising, each once; every NaN for itself. */
  readonly values: Tensor;
  /** int32, of the tensor's shape. */
  readonly inverse?: Tensor;
  /** int32, one for each value. */
  readonly counts?: Tensor;
}

type UniqueOp = Overloaded<
  Op<[x: Tensor, options?: UniqueOptions], Promise<Tensor | Unique>>,
  {
    /** The values, rising, each once. */
    (): Promise<Tensor>;
    (options: UniqueOptions): Promise<Unique>;
  }
>;

/** The values that there are, each once, rising. With options, also where each is and how often. No gradient flows through it. */
export const unique: UniqueOp = overloaded(
  composite({
    name: 'unique',
    expand: async (x, options) => {
      refuseInTrace('unique', 'sort()');
      const result = await noGrad(() => distinct(x, options));
      return options ? result : result.values;
    },
  }),
);

async function distinct(x: Tensor, { returnInverse = false, returnCounts = false }: UniqueOptions = {}): Promise<Unique> {
  const size = x.numel;
  const { values, indices } = x.reshape([size]).sort();
  // The first of all is new, and each that differs from the one before it.
  const fresh = from(0, size)
    .eq(0)
    .logicalOr(values.ne(values.roll(1)));
  const { places, counts } = await chosen(fresh);
  const inverse = () => counts.sub(1).gather(0, indices.argsort()).view(x.shape);
  const ends = () => (places.numel === 0 ? places : places.slice(0, 1).pad([0, 1], size));
  return {
    values: values.indexSelect(0, places),
    ...(returnInverse ? { inverse: inverse() } : {}),
    ...(returnCounts ? { counts: ends().sub(places) } : {}),
  };
}
