/**
 * @file Images made larger and smaller. In: [batch, channels, …] or as said. Out: the same with other last dims; sources are
 * placed as in PyTorch, by whole numbers, so that no rounding moves them.
 */
import { JitLensError } from '../errors.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { perDim, type PerDim } from './convolution.ts';
import { composite, parametric, type Op } from './define.ts';
import { sums, windows, type Windows } from './windows.ts';
import { arangeSpec } from './write.ts';

export interface InterpolateOptions {
  /** Sizes of the dims behind the channels. Give this or `scaleFactor`. */
  readonly size?: PerDim;
  /** What sizes are multiplied by. */
  readonly scaleFactor?: PerDim;
  /** The nearest element, or the two around the place in each dim by their distance. Default 'nearest'. */
  readonly mode?: 'nearest' | 'linear' | 'bilinear';
  /** The outermost elements are the outermost ones of the result; else their edges are. Default false; only for linear modes. */
  readonly alignCorners?: boolean;
}

/** Source places of one dim are (up · i + shift) / by. */
interface Ratio {
  readonly up: number;
  readonly shift: number;
  readonly by: number;
}

/** The fraction of small whole numbers that a number stands for (by continued fractions). */
function fraction(x: number): readonly [above: number, below: number] {
  let [above, below, aboveBefore, belowBefore] = [Math.floor(x), 1, 1, 0];
  for (let rest = x - above; Math.abs(above / below - x) > 1e-9 * x;) {
    const inverse = 1 / rest;
    const whole = Math.floor(inverse);
    [above, aboveBefore] = [whole * above + aboveBefore, above];
    [below, belowBefore] = [whole * below + belowBefore, below];
    rest = inverse - whole;
  }
  return [above, below];
}

/** The distance between source places, as a fraction. */
function step(size: number, count: number, scale: number | undefined): readonly [number, number] {
  if (scale === undefined) return [size, count];
  const [above, below] = fraction(scale);
  return [below, above];
}

function nearest(size: number, count: number, scale: number | undefined): Ratio {
  const [up, by] = step(size, count, scale);
  return { up, shift: 0, by };
}

function linear(size: number, count: number, scale: number | undefined, alignCorners: boolean): Ratio {
  if (alignCorners) return { up: count > 1 ? size - 1 : 0, shift: 0, by: Math.max(1, count - 1) };
  // (i + ½) · up / by − ½.
  const [up, by] = step(size, count, scale);
  return { up: 2 * up, shift: up - by, by: 2 * by };
}

/** How much of the element j behind the place ⌊n / by⌋ the place n / by, kept in 0 … most, takes: the nearer, the more. */
const share: Op<[n: Tensor, j: Tensor, by: number, most: number]> = parametric({
  name: 'share',
  params: ['n', 'j', 'b', 'm'],
  operands: (n, j, by, most) => [n, j, by, most],
  wgsl: 'jl_share(n, j, b, m)',
  prelude: [
    `fn jl_share(n: i32, j: i32, by: i32, most: i32) -> f32 {
  let start = select(n / by, -1, n < 0);
  let rest = f32(n - start * by) / f32(by);
  let second = select(select(rest, 0.0, start >= most), 1.0, start < 0);
  return select(second, 1.0 - second, j == 0);
}`,
  ],
  result: 'float32',
  flops: 6,
  reference: (n, j, by, most) => Math.max(0, 1 - Math.abs(Math.min(Math.max(n / by, 0), most) - Math.floor(n / by) - j)),
});

function sharesOf({ up, shift, by }: Ratio, size: number, count: number): Tensor {
  const line = (length: number, start: number, step: number) =>
    apply(arangeSpec, [], { shape: [length], start, step, dtype: 'int32' });
  return share(line(count, shift, up).view([count, 1]), line(2, 0, 1), by, size - 1);
}

/** The last `dims` dims at other sizes. */
function resized(x: Tensor, ratios: readonly Ratio[], counts: readonly number[], mode: InterpolateOptions['mode']): Tensor {
  const sizes = x.shape.slice(-counts.length);
  const cells = sizes.map(() => (mode === 'nearest' ? 1 : 2));
  const of = (name: keyof Ratio) => ratios.map((r) => r[name]);
  const one = sizes.map(() => 1);
  // A step of 0 sees one place only; a window that starts there does so at any step that is too short to leave it.
  const up = ratios.map((r) => Math.max(1, r.up));
  const by = ratios.map((r, d) => (r.up === 0 ? (counts[d] ?? 1) + 1 : r.by));
  const w: Windows = { sizes, counts, cells, up, shift: of('shift'), by, dilation: one, bounded: false };
  if (mode === 'nearest') return windows(x, w, 0).view([...x.shape.slice(0, -counts.length), ...counts]);
  const shares = ratios.map((r, d) => sharesOf(r, sizes[d] ?? 1, counts[d] ?? 1));
  return sums(x, shares, w);
}

/** The dims behind [batch, channels] at another `size`, or times `scaleFactor`. */
export const interpolate: Op<[x: Tensor, options: InterpolateOptions]> = composite({
  name: 'interpolate',
  expand: (x, { size, scaleFactor, mode = 'nearest', alignCorners = false } = {}) => {
    const dims = x.rank - 2;
    const fits = mode === 'linear' ? dims === 1 : mode === 'bilinear' ? dims === 2 : dims >= 1;
    if (!fits || (size === undefined) === (scaleFactor === undefined) || (mode === 'nearest' && alignCorners)) {
      throw new JitLensError(
        'JL410',
        `interpolate: '${mode}'${alignCorners ? ' with alignCorners' : ''} of a tensor of shape ${formatShape(x.shape)}`,
        "Give size or scaleFactor; 'linear' wants [batch, channels, length], 'bilinear' [batch, channels, height, width], and only these align corners.",
      );
    }
    const sizes = x.shape.slice(2);
    const scales = scaleFactor === undefined ? undefined : factors(scaleFactor, dims);
    const counts = scales ? sizes.map((n, d) => Math.floor(n * (scales[d] ?? 1))) : perDim(size, 1, dims, 'interpolate: size', 1);
    const ratios = sizes.map((n, d) => {
      const [count, scale] = [counts[d] ?? 1, scales?.[d]];
      return mode === 'nearest' ? nearest(n, count, scale) : linear(n, count, scale, alignCorners);
    });
    return resized(x, ratios, counts, mode);
  },
  samples: [
    'f32[2,3,4,5] {"size":[7,3]}',
    'f32[1,2,3,3] {"scaleFactor":2}',
    'f32[1,2,7] {"scaleFactor":1.5}',
    'f32[2,1,5] {"size":8,"mode":"linear"}',
    'f32[2,3,4,5] {"size":[7,3],"mode":"bilinear"}',
    'f32[1,2,5,4] {"scaleFactor":[0.6,2.5],"mode":"bilinear"}',
    'f32[1,2,4,5] {"size":[8,3],"mode":"bilinear","alignCorners":true}',
    'f32[1,2,4,5] {"size":[1,9],"mode":"bilinear","alignCorners":true}',
  ],
  onnx: 'Resize',
});

function factors(scale: PerDim, dims: number): readonly number[] {
  const list = typeof scale === 'number' ? new Array<number>(dims).fill(scale) : scale;
  if (list.length === dims && list.every((s) => s > 0 && Number.isFinite(s))) return list;
  throw new JitLensError(
    'JL410',
    `interpolate: scaleFactor [${list.join(', ')}]`,
    `Give a positive number, or one for each of ${dims} dims.`,
  );
}

function checkShuffle(name: string, x: Tensor, factor: number, fits: boolean): void {
  if (x.rank >= 3 && Number.isInteger(factor) && factor > 0 && fits) return;
  throw new JitLensError(
    'JL410',
    `${name}: factor ${factor} for a tensor of shape ${formatShape(x.shape)}`,
    name === 'pixelShuffle' ? 'Channels are a multiple of factor².' : 'Height and width are multiples of the factor.',
  );
}

type Shuffle = Op<[x: Tensor, factor: number]>;

/** [.., C · f², H, W] as [.., C, H · f, W · f]: each group of f² channels fills a square of pixels. */
export const pixelShuffle: Shuffle = composite({
  name: 'pixelShuffle',
  expand: (x, f) => {
    checkShuffle('pixelShuffle', x, f, (x.shape.at(-3) ?? 0) % (f * f) === 0);
    const [channels, height, width] = [x.size(-3) / (f * f), x.size(-2), x.size(-1)];
    const lead = x.shape.slice(0, -3);
    return x
      .reshape([...lead, channels, f, f, height, width])
      .movedim([-4, -3], [-3, -1])
      .reshape([...lead, channels, height * f, width * f]);
  },
  samples: ['f32[2,8,3,5] 2', 'f32[9,2,1] 3'],
  onnx: 'DepthToSpace',
});

/** The opposite of `pixelShuffle`: [.., C, H · f, W · f] as [.., C · f², H, W]. */
export const pixelUnshuffle: Shuffle = composite({
  name: 'pixelUnshuffle',
  expand: (x, f) => {
    checkShuffle('pixelUnshuffle', x, f, (x.shape.at(-2) ?? 0) % f === 0 && (x.shape.at(-1) ?? 0) % f === 0);
    const [channels, height, width] = [x.size(-3), x.size(-2) / f, x.size(-1) / f];
    const lead = x.shape.slice(0, -3);
    return x
      .reshape([...lead, channels, height, f, width, f])
      .movedim([-3, -1], [-4, -3])
      .reshape([...lead, channels * f * f, height, width]);
  },
  samples: ['f32[2,2,6,4] 2', 'f32[1,3,6] 3'],
  onnx: 'SpaceToDepth',
});
