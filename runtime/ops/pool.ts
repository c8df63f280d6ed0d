/**
 * @file Pooling: windows of the last dims, each made one number. In: [batch, channels, …] or without batch. Out: the same
 * with smaller last dims. The gradient of a maximum goes to the first largest element of its window.
 */
import { JitLensError } from '../errors.ts';
import { dtypes } from '../tensor/dtype.ts';
import { formatShape, numel } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { perDim, type PerDim } from './convolution.ts';
import { composite, overloaded, type Op, type Overloaded } from './define.ts';
import { firstLargest, type Extreme } from './extremes.ts';
import { sums, windows, type Windows } from './windows.ts';
import { arangeSpec, fullSpec } from './write.ts';

interface WindowOptions {
  /** Distance between windows. Default: the kernel. */
  readonly stride?: PerDim;
  /** Added on both sides; at most half the kernel. Default 0. */
  readonly padding?: PerDim;
  /** Also takes a last window that only begins in the tensor. */
  readonly ceilMode?: boolean;
}

export interface MaxPoolOptions extends WindowOptions {
  /** Distance between the elements of a window. Default 1. */
  readonly dilation?: PerDim;
  /** Gives { values, indices }; indices count in the flattened last dims. */
  readonly returnIndices?: boolean;
}

export interface AvgPoolOptions extends WindowOptions {
  /** Padding counts as zeros. Default true; else a mean is one of the elements that are there. */
  readonly countIncludePad?: boolean;
}

type Form = WindowOptions & Pick<MaxPoolOptions, 'dilation'>;
const at = (list: readonly number[], d: number): number => list[d] ?? 1;

function checkImage(name: string, x: Tensor, dims: number): readonly number[] {
  if (x.rank === dims + 1 || x.rank === dims + 2) return x.shape.slice(-dims);
  throw new JitLensError(
    'JL410',
    `${name}: a tensor of shape ${formatShape(x.shape)}`,
    `It has [batch, channels] and ${dims} more dims, or no batch.`,
  );
}

function windowsIn(name: string, x: Tensor, dims: number, kernel: PerDim, options: Form): Windows {
  const sizes = checkImage(name, x, dims);
  const cells = perDim(kernel, 1, dims, `${name}: kernel`, 1);
  const stride = options.stride === undefined ? cells : perDim(options.stride, 1, dims, `${name}: stride`, 1);
  const padding = perDim(options.padding, 0, dims, `${name}: padding`);
  const dilation = perDim(options.dilation, 1, dims, `${name}: dilation`, 1);
  const counts = sizes.map((size, d) => {
    const [step, before] = [at(stride, d), padding[d] ?? 0];
    const room = size + 2 * before - at(dilation, d) * (at(cells, d) - 1) - 1;
    const count = Math.floor((room + (options.ceilMode ? step - 1 : 0)) / step) + 1;
    // A window that would begin behind the tensor and what is before it is none.
    return options.ceilMode && (count - 1) * step >= size + before ? count - 1 : count;
  });
  if (counts.some((count) => count < 1) || padding.some((p, d) => 2 * p > at(cells, d))) {
    throw new JitLensError(
      'JL410',
      `${name}: windows of ${cells.join('×')}, padding [${padding.join(', ')}], in ${sizes.join('×')}`,
      'One window must fit, and padding is at most half a window.',
    );
  }
  const shift = padding.map((p) => -p);
  return { sizes, counts, cells, up: stride, shift, by: cells.map(() => 1), dilation, bounded: false };
}

/** One window for each of `size` equal parts; where they do not divide the size, windows overlap. */
function partsOf(name: string, x: Tensor, size: PerDim): Windows {
  const sizes = checkImage(name, x, 2);
  const counts = perDim(size, 1, 2, `${name}: size`, 1);
  const cells = sizes.map((n, d) =>
    Math.max(0, ...Array.from({ length: at(counts, d) }, (_, i) => ends(n, at(counts, d), i + 1) - starts(n, at(counts, d), i))),
  );
  const none = sizes.map(() => 0);
  return { sizes, counts, cells, up: sizes, shift: none, by: counts, dilation: none.map(() => 1), bounded: true };
}

const starts = (size: number, count: number, i: number) => Math.floor((i * size) / count);
const ends = (size: number, count: number, i: number) => Math.ceil((i * size) / count);

/** The largest element of each window. */
function largest(x: Tensor, w: Windows): Tensor {
  return firstLargest(cellsOf(x, w), { dim: -1 });
}

/** The elements of each window as one last dim. */
function cellsOf(x: Tensor, w: Windows): Tensor {
  const lead = x.shape.slice(0, x.rank - w.sizes.length);
  return windows(x, w, dtypes[x.dtype].least).view([...lead, ...w.counts, numel(w.cells)]);
}

function largestWithPlaces(x: Tensor, w: Windows): Extreme {
  const cells = cellsOf(x, w);
  const places = apply(arangeSpec, [], { shape: [numel(w.sizes)], start: 0, step: 1, dtype: 'int32' }).view(w.sizes);
  const chosen = cells.argmax(-1, true);
  const lead = x.shape.slice(0, x.rank - w.sizes.length);
  const indices = cellsOf(places, w)
    .expand([...lead, ...w.counts, numel(w.cells)])
    .gather(-1, chosen)
    .squeeze(-1);
  return { values: firstLargest(cells, { dim: -1 }), indices };
}

type MaxPool = Overloaded<
  Op<[x: Tensor, kernel: PerDim, options?: MaxPoolOptions], Tensor | Extreme>,
  {
    (kernel: PerDim, options: MaxPoolOptions & { readonly returnIndices: true }): Extreme;
    (kernel: PerDim, options?: MaxPoolOptions & { readonly returnIndices?: false }): Tensor;
  }
>;

function maxPool(dims: number, samples: readonly string[]): MaxPool {
  const name = `maxPool${dims}d`;
  return overloaded(
    composite({
      name,
      samples,
      expand: (x, kernel, options = {}) => {
        const w = windowsIn(name, x, dims, kernel, options);
        return options.returnIndices ? largestWithPlaces(x, w) : largest(x, w);
      },
    }),
  );
}

type AvgPool = Op<[x: Tensor, kernel: PerDim, options?: AvgPoolOptions]>;

function avgPool(dims: number, samples: readonly string[]): AvgPool {
  const name = `avgPool${dims}d`;
  return composite({
    name,
    samples,
    expand: (x, kernel, options = {}) => {
      const w = windowsIn(name, x, dims, kernel, options);
      const total = sums(x, [], w);
      const { countIncludePad = true } = options;
      const padded = w.shift.some((s) => s !== 0);
      if ((countIncludePad || !padded) && !options.ceilMode) return total.mul(1 / numel(w.cells));
      return total.div(sums(ones(w.sizes), [], w).add(countIncludePad && padded ? paddingSeen(w) : 0));
    },
  });
}

const ones = (shape: readonly number[]): Tensor => apply(fullSpec, [], { shape, value: 1, dtype: 'float32' });

/** How much of the padding each window sees. */
function paddingSeen(w: Windows): Tensor {
  const padding = w.shift.map((s) => -s);
  const sizes = w.sizes.map((size, d) => size + 2 * (padding[d] ?? 0));
  const all = sums(ones(sizes), [], { ...w, sizes, shift: padding.map(() => 0) });
  return all.sub(sums(ones(w.sizes), [], w));
}

/** Largest elements of windows of [batch, channels, length], or without batch. Padding is less than everything. */
export const maxPool1d: MaxPool = maxPool(1, ['f32[2,3,8] 2', 'f32[3,9] 3 {"stride":2,"padding":1,"dilation":2}']);
/** Largest elements of windows of [batch, channels, height, width], or without batch. Padding is less than everything. */
export const maxPool2d: MaxPool = maxPool(2, [
  'f32[2,3,8,6] 2',
  'f32[2,7,9] [3,2] {"stride":[2,1],"padding":1,"ceilMode":true}',
  'f32[1,2,7,8] 3 {"dilation":2,"stride":1,"returnIndices":true}',
  'i32[1,2,5,6] 2 {"padding":1}',
]);
/** Means of windows of [batch, channels, length], or without batch. */
export const avgPool1d: AvgPool = avgPool(1, ['f32[2,3,8] 2', 'f32[3,9] 4 {"stride":3,"padding":2,"ceilMode":true}']);
/** Means of windows of [batch, channels, height, width], or without batch. */
export const avgPool2d: AvgPool = avgPool(2, [
  'f32[2,3,8,6] 2',
  'f32[2,3,7,8] [3,2] {"stride":2,"padding":[1,0],"countIncludePad":false}',
  'f32[3,6,7] 3 {"stride":2,"padding":1,"ceilMode":true}',
  'f32[1,3,30,31] 5 {"stride":1,"padding":2}',
]);

type Adaptive = Op<[x: Tensor, size: PerDim]>;

/** Means of `size` windows that cover the last two dims, as equal as can be. */
export const adaptiveAvgPool2d: Adaptive = composite({
  name: 'adaptiveAvgPool2d',
  expand: (x, size) => {
    const w = partsOf('adaptiveAvgPool2d', x, size);
    const total = sums(x, [], w);
    const equal = w.sizes.every((n, d) => n % at(w.counts, d) === 0);
    return equal ? total.mul(1 / numel(w.cells)) : total.div(sums(ones(w.sizes), [], w));
  },
  samples: ['f32[2,3,8,6] [4,3]', 'f32[2,3,7,5] [3,4]', 'f32[3,4,5] [6,7]', 'f32[1,2,9,9] 1'],
});

/** Largest elements of `size` windows that cover the last two dims, as equal as can be. */
export const adaptiveMaxPool2d: Adaptive = composite({
  name: 'adaptiveMaxPool2d',
  expand: (x, size) => largest(x, partsOf('adaptiveMaxPool2d', x, size)),
  samples: ['f32[2,3,8,6] [4,3]', 'f32[2,3,7,5] [3,4]', 'f32[1,2,9,9] 1'],
});
