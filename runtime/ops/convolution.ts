/**
 * @file Convolutions of one to three dims, and their transposes. In: images [batch, channels, …], weights, how windows lie.
 * Out: images. A convolution is a form that is linear in each of image, weight and result, so each of the three is a sum of
 * products of the other two: forward, both gradients and the transposed convolution are those three sums.
 */
import { JitLensError } from '../errors.ts';
import { condition, constant, divide, modulo, plus, times, type Index } from '../tensor/affine.ts';
import { formatShape, numel, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, contractSpec, op, type Op } from './define.ts';
import type { Attributes, HostView } from './spec.ts';

/** One number for all dims, or one for each. */
export type PerDim = number | readonly number[];

export interface ConvolutionOptions {
  /** Distance between windows. Default 1. */
  readonly stride?: PerDim;
  /** Zeros added on both sides (0); `'same'` keeps the size, at a stride of 1; `'valid'` is 0. */
  readonly padding?: PerDim | 'same' | 'valid';
  /** Distance between the elements of a window. Default 1. */
  readonly dilation?: PerDim;
  /** Channels are cut into this many groups (1) that do not see each other. */
  readonly groups?: number;
}

export interface ConvolutionTransposeOptions {
  readonly stride?: PerDim;
  /** What the padding of the convolution that this one undoes was. Default 0. */
  readonly padding?: PerDim;
  /** Added to the size at one side: a strided convolution gives one size for several. Default 0. */
  readonly outputPadding?: PerDim;
  readonly dilation?: PerDim;
  readonly groups?: number;
}

/** Shapes of the three parts, and how windows lie in the image. */
type Geometry = {
  /** [batch, channels, …]. */
  readonly image: Shape;
  /** [outputs, channels / groups, …]. */
  readonly weight: Shape;
  /** [batch, outputs, …]. */
  readonly result: Shape;
  readonly stride: readonly number[];
  /** Before the first element of each dim. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
};
type Part = 'image' | 'weight' | 'result';

const geometryOf = (attributes: Attributes): Geometry => attributes as unknown as Geometry;
const at = (list: readonly number[], d: number): number => list[d] ?? 1;
/** Channels of the image and of the result that one group has. */
const perGroup = ({ weight, groups }: Geometry) => ({ inputs: at(weight, 1), outputs: Math.max(1, at(weight, 0) / groups) });

/** What is multiplied to make each part, and what is added up besides the windows' cells or places. */
const FACTORS: Readonly<Record<Part, readonly [Part, Part]>> = {
  result: ['image', 'weight'],
  image: ['result', 'weight'],
  weight: ['image', 'result'],
};
const EXTENTS: Readonly<Record<Part, (g: Geometry) => readonly number[]>> = {
  result: (g) => [perGroup(g).inputs, ...g.weight.slice(2)],
  image: (g) => [perGroup(g).outputs, ...g.weight.slice(2).map((_, d) => reachOf(g, d).count)],
  weight: (g) => [at(g.image, 0), ...g.result.slice(2)],
};

/**
 * The windows that reach a place of the image, along one dim: of `count` that lie beside each other, of which the one at n starts
 * at window ⌊(place + shift) / stride⌋ − first − n and reaches it with cell stride · (first + n) + (place + shift) mod stride +
 * padding − shift, if it has that cell. So a stride leaves out cells, and of what is summed only the weight depends on where
 * between two windows a place is, unless a shift makes them fewer. With a dilation, each cell is tried.
 */
function reachOf({ weight, stride, padding, dilation }: Geometry, d: number) {
  const [cells, step, before] = [at(weight, d + 2), at(stride, d), padding[d] ?? 0];
  if (step === 1 || at(dilation, d) > 1) return { count: cells };
  const shifted = Array.from({ length: step }, (_, shift) => {
    const first = Math.ceil((shift - before - step + 1) / step);
    return { shift, first, count: Math.floor((cells - 1 - before + shift) / step) - first + 1 };
  });
  return shifted.reduce((best, each) => (each.count < best.count ? each : best));
}

/** One of them: which window, which of its cells, and what else holds where it does reach the place. */
function reaching(place: Index, n: Index, g: Geometry, d: number) {
  const [step, before] = [at(g.stride, d), g.padding[d] ?? 0];
  const reach = reachOf(g, d);
  if (!('shift' in reach)) {
    const start = plus(place, plus(times(n, -at(g.dilation, d)), before));
    return { window: divide(start, step), cell: n, tests: [{ index: modulo(start, step), lo: 0, hi: 1 }] };
  }
  const [shifted, turn] = [plus(place, reach.shift), plus(n, reach.first)];
  const cell = plus(plus(modulo(shifted, step), times(turn, step)), before - reach.shift);
  return { window: plus(divide(shifted, step), times(turn, -1)), cell, tests: [] };
}

/** Where each part is read or written, given the made part's index and what is summed; and when that is in range. */
function places(made: Part, out: readonly Index[], summed: readonly Index[], g: Geometry) {
  const { inputs, outputs } = perGroup(g);
  const [first = constant(0), second = constant(0), ...rest] = out;
  const [extra = constant(0), ...loop] = summed;
  const group = made === 'image' ? divide(second, Math.max(1, inputs)) : divide(made === 'weight' ? first : second, outputs);
  const batch = made === 'weight' ? extra : first;
  const output = made === 'result' ? second : made === 'weight' ? first : plus(times(group, outputs), extra);
  const input = made === 'result' ? extra : made === 'weight' ? second : plus(second, times(group, -inputs));
  const reached = made === 'image' ? rest.map((q, d) => reaching(q, loop[d] ?? constant(0), g, d)) : [];
  const cells = made === 'weight' ? rest : made === 'image' ? reached.map((r) => r.cell) : loop;
  const windows = made === 'result' ? rest : made === 'weight' ? loop : reached.map((r) => r.window);
  const starts = windows.map((p, d) => plus(times(p, at(g.stride, d)), -(g.padding[d] ?? 0)));
  const pixels = made === 'image' ? rest : starts.map((p, d) => plus(p, times(cells[d] ?? constant(0), at(g.dilation, d))));
  const inRange = (list: readonly Index[], shape: Shape) => list.map((index, d) => ({ index, lo: 0, hi: at(shape, d + 2) }));
  // A window that does not reach the place has no such cell.
  const isCell = inRange(cells, g.weight);
  const isReached = [...inRange(windows, g.result), ...isCell, ...reached.flatMap((r) => r.tests)];
  return {
    inside: condition(made === 'image' ? isReached : inRange(pixels, g.image)),
    isCell: condition(isCell),
    image: [batch, plus(times(group, inputs), input), ...pixels],
    weight: [output, input, ...cells],
    result: [batch, output, ...windows],
  };
}

/** Every product of the form, added where it belongs. */
function reference(made: Part, [a, b]: readonly HostView[], g: Geometry): Float64Array {
  const out = new Float64Array(numel(g[made]));
  const [left, right] = FACTORS[made];
  const data = { [left]: a?.data, [right]: b?.data, [made]: undefined };
  const { inputs, outputs } = perGroup(g);
  const cells = g.weight.slice(2);
  const windows = g.result.slice(2);
  const flat = (shape: Shape, index: readonly number[]) => index.reduce((sum, i, d) => sum * at(shape, d) + i, 0);
  const unravel = (shape: Shape, n: number) => {
    let rest = n;
    return [...shape]
      .reverse()
      .map((size) => [rest % size, (rest = Math.floor(rest / size))][0] ?? 0)
      .reverse();
  };
  for (let window = 0; window < numel(windows); window++) {
    for (let cell = 0; cell < numel(cells); cell++) {
      const [p, k] = [unravel(windows, window), unravel(cells, cell)];
      const q = p.map((start, d) => start * at(g.stride, d) + at(k, d) * at(g.dilation, d) - (g.padding[d] ?? 0));
      if (q.some((x, d) => x < 0 || x >= at(g.image, d + 2))) continue;
      for (let batch = 0; batch < at(g.image, 0); batch++) {
        for (let output = 0; output < at(g.weight, 0); output++) {
          for (let input = 0; input < inputs; input++) {
            const channel = Math.floor(output / outputs) * inputs + input;
            const place = {
              image: flat(g.image, [batch, channel, ...q]),
              weight: flat(g.weight, [output, input, ...k]),
              result: flat(g.result, [batch, output, ...p]),
            };
            const product = (data[left]?.[place[left]] ?? NaN) * (data[right]?.[place[right]] ?? NaN);
            out[place[made]] = (out[place[made]] ?? 0) + product;
          }
        }
      }
    }
  }
  return out;
}

type Form = Op<[a: Tensor, b: Tensor, geometry: Geometry]>;
const CONTRACT = { tolerance: { relative: 2e-5, absolute: 2e-5 }, domain: [-1, 1] as const };

function form(made: Part, name: string, grad: (g: Tensor, a: Tensor, b: Tensor, geometry: Geometry) => readonly Tensor[]): Form {
  const [left, right] = FACTORS[made];
  const spec = contractSpec<[Tensor, Tensor, Geometry]>({
    ...CONTRACT,
    name,
    shape: (_shapes, attributes) => geometryOf(attributes)[made],
    extents: (_shapes, attributes) => EXTENTS[made](geometryOf(attributes)),
    sources: (out, summed, _shapes, attributes) => {
      const where = places(made, out, summed, geometryOf(attributes));
      return [
        { index: where[left], inside: where.inside, otherwise: 0 },
        { index: where[right], inside: right === 'weight' ? where.isCell : undefined, otherwise: 0 },
      ];
    },
    reference: (operands, attributes) => reference(made, operands, geometryOf(attributes)),
    onnx: made === 'image' ? 'ConvTranspose' : made === 'result' ? 'Conv' : undefined,
  });
  return op(
    { ...CONTRACT, name, spec, samples: [], grad: (g, _out, a, b, geometry) => grad(g, a, b, geometry) },
    (a, b, geometry) => apply(spec, [a, b], geometry),
  );
}

const toResult: Form = form('result', 'convolution', (g, image, weight, geometry) => [
  toImage(g, weight, geometry),
  toWeight(image, g, geometry),
]);
const toImage: Form = form('image', 'transposed convolution', (g, result, weight, geometry) => [
  toResult(g, weight, geometry),
  toWeight(g, result, geometry),
]);
const toWeight: Form = form('weight', 'convolution for weights', (g, image, result, geometry) => [
  toImage(result, g, geometry),
  toResult(image, g, geometry),
]);

/** One number for each of `rank` dims. */
export function perDim(value: PerDim | undefined, otherwise: number, rank: number, what: string, least = 0): readonly number[] {
  const list = value === undefined || typeof value === 'number' ? new Array<number>(rank).fill(value ?? otherwise) : value;
  if (list.length !== rank || list.some((n) => !Number.isInteger(n) || n < least)) {
    throw new JitLensError(
      'JL410',
      `${what} [${list.join(', ')}]`,
      `Give a whole number from ${least}, or one for each of ${rank} dims.`,
    );
  }
  return list;
}

/** Runs `body` on a batch; an image without a batch dim is a batch of one. */
function batched(x: Tensor, dims: number, name: string, body: (x: Tensor) => Tensor): Tensor {
  if (x.rank === dims + 2) return body(x);
  if (x.rank === dims + 1) return body(x.unsqueeze(0)).squeeze(0);
  throw new JitLensError(
    'JL410',
    `${name}: the image has shape ${formatShape(x.shape)}`,
    `It has [batch, channels] and ${dims} more dims, or no batch.`,
  );
}

function checkWeight(name: string, channels: number, weight: Tensor, inputs: number, dims: number, groups: number): void {
  const fits = weight.rank === dims + 2 && channels === inputs && Number.isInteger(groups) && groups > 0;
  if (fits && weight.size(0) % groups === 0 && !weight.shape.slice(2).includes(0)) return;
  throw new JitLensError(
    'JL410',
    `${name}: ${channels} channels with a weight of shape ${formatShape(weight.shape)} in ${groups} groups`,
    name.startsWith('convT')
      ? `The weight is [channels, outputs / groups] and ${dims} kernel sizes; groups divide the channels.`
      : `The weight is [outputs, channels / groups] and ${dims} kernel sizes; groups divide the outputs.`,
  );
}

/** The sum with one number for each channel. */
function biased(x: Tensor, bias: Tensor | undefined | null, dims: number): Tensor {
  return bias ? x.add(bias.view([bias.numel, ...new Array<number>(dims).fill(1)])) : x;
}

type Convolution = Op<[x: Tensor, weight: Tensor, bias?: Tensor, options?: ConvolutionOptions]>;
type ConvolutionTranspose = Op<[x: Tensor, weight: Tensor, bias?: Tensor, options?: ConvolutionTransposeOptions]>;

function convolution(dims: number, samples: readonly string[]): Convolution {
  const name = `conv${dims}d`;
  return composite({
    ...CONTRACT,
    name,
    samples,
    expand: (x, weight, bias, options = {}) =>
      batched(x, dims, name, (image) => {
        const { groups = 1, padding: wanted = 0 } = options;
        checkWeight(name, image.size(1), weight, (weight.shape[1] ?? 0) * groups, dims, groups);
        const cells = weight.shape.slice(2);
        const stride = perDim(options.stride, 1, dims, `${name}: stride`, 1);
        const dilation = perDim(options.dilation, 1, dims, `${name}: dilation`, 1);
        const reach = cells.map((k, d) => at(dilation, d) * (k - 1));
        if (wanted === 'same' && stride.some((s) => s !== 1)) {
          throw new JitLensError(
            'JL410',
            `${name}: padding 'same' with stride [${stride.join(', ')}]`,
            'It wants a stride of 1.',
          );
        }
        const numbers = typeof wanted === 'string' ? 0 : wanted;
        // With an odd sum the larger half goes behind.
        const padding = wanted === 'same' ? reach.map((r) => Math.floor(r / 2)) : perDim(numbers, 0, dims, `${name}: padding`);
        const sizes = image.shape.slice(2).map((size, d) => {
          const room = wanted === 'same' ? size - 1 : size + 2 * (padding[d] ?? 0) - at(reach, d) - 1;
          return Math.floor(room / at(stride, d)) + 1;
        });
        if (sizes.some((size) => size < 1)) {
          throw new JitLensError(
            'JL410',
            `${name}: no window of ${cells.join('×')} fits ${image.shape.slice(2).join('×')}`,
            'Pad the image, or make the kernel or its dilation smaller.',
          );
        }
        const result = [image.size(0), weight.size(0), ...sizes];
        const geometry = { image: image.shape, weight: weight.shape, result, stride, padding, dilation, groups };
        return biased(toResult(image, weight, geometry), bias, dims);
      }),
  });
}

function convolutionTranspose(dims: number, samples: readonly string[]): ConvolutionTranspose {
  const name = `convTranspose${dims}d`;
  return composite({
    ...CONTRACT,
    name,
    samples,
    expand: (x, weight, bias, options = {}) =>
      batched(x, dims, name, (result) => {
        const { groups = 1 } = options;
        checkWeight(name, result.size(1), weight, weight.shape[0] ?? 0, dims, groups);
        const stride = perDim(options.stride, 1, dims, `${name}: stride`, 1);
        const dilation = perDim(options.dilation, 1, dims, `${name}: dilation`, 1);
        const padding = perDim(options.padding, 0, dims, `${name}: padding`);
        const more = perDim(options.outputPadding, 0, dims, `${name}: outputPadding`);
        const sizes = result.shape.slice(2).map((size, d) => {
          const reach = at(dilation, d) * (at(weight.shape, d + 2) - 1);
          return (size - 1) * at(stride, d) - 2 * (padding[d] ?? 0) + reach + (more[d] ?? 0) + 1;
        });
        if (sizes.some((size) => size < 1) || more.some((n, d) => n >= Math.max(at(stride, d), at(dilation, d)))) {
          throw new JitLensError(
            'JL410',
            `${name}: an image of ${sizes.join('×')}, with outputPadding [${more.join(', ')}]`,
            'Sizes are 1 or more, and outputPadding is less than stride or dilation.',
          );
        }
        const image = [result.size(0), at(weight.shape, 1) * groups, ...sizes];
        const geometry = { image, weight: weight.shape, result: result.shape, stride, padding, dilation, groups };
        return biased(toImage(result, weight, geometry), bias, dims);
      }),
  });
}

/** Convolution of [batch, channels, length] (or without batch) with weight [outputs, channels / groups, k]. */
export const conv1d: Convolution = convolution(1, [
  'f32[2,4,9] f32[3,4,3] f32[3]',
  'f32[4,9] f32[6,2,2] null {"stride":2,"padding":1,"dilation":3,"groups":2}',
]);
/** Convolution of [batch, channels, height, width] (or without batch) with weight [outputs, channels / groups, k, k]. */
export const conv2d: Convolution = convolution(2, [
  'f32[2,4,5,6] f32[3,4,3,3] f32[3]',
  'f32[2,4,7,6] f32[6,2,3,1] f32[6] {"stride":[2,1],"padding":[1,0],"groups":2}',
  'f32[1,3,8,9] f32[5,3,2,3] null {"padding":"same","dilation":[1,2]}',
  'f32[3,8,8] f32[3,1,3,3] f32[3] {"groups":3,"padding":"valid","stride":3}',
  'f32[1,3,12,13] f32[16,3,3,3] f32[16] {"padding":1}',
]);
/** Convolution of [batch, channels, depth, height, width] (or without batch) with weight [outputs, channels / groups, k, k, k]. */
export const conv3d: Convolution = convolution(3, [
  'f32[2,1,4,5,3] f32[3,1,2,2,2] f32[3]',
  'f32[1,2,5,4,4] f32[4,1,3,1,2] null {"stride":[2,1,2],"padding":1,"groups":2}',
]);
/** The opposite of `conv1d` in shape, and its gradient: weight [channels, outputs / groups, k]. */
export const convTranspose1d: ConvolutionTranspose = convolutionTranspose(1, [
  'f32[2,4,5] f32[4,3,3] f32[3]',
  'f32[4,5] f32[4,2,3] null {"stride":3,"padding":1,"outputPadding":2,"groups":2}',
]);
/** The opposite of `conv2d` in shape, and its gradient: weight [channels, outputs / groups, k, k]. */
export const convTranspose2d: ConvolutionTranspose = convolutionTranspose(2, [
  'f32[2,4,5,3] f32[4,3,2,3] f32[3]',
  'f32[2,4,3,3] f32[4,1,3,3] f32[2] {"stride":2,"padding":1,"outputPadding":1,"groups":2}',
  'f32[1,3,4,4] f32[3,2,3,2] null {"stride":[1,2],"dilation":[2,1]}',
]);
/** The opposite of `conv3d` in shape, and its gradient: weight [channels, outputs / groups, k, k, k]. */
export const convTranspose3d: ConvolutionTranspose = convolutionTranspose(3, [
  'f32[2,1,3,2,2] f32[1,3,2,2,2] f32[3]',
  'f32[1,2,2,2,3] f32[2,2,2,1,3] null {"stride":[2,1,2],"padding":[1,0,1]}',
]);
