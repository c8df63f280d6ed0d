/** @file Tensors from nothing or from host data. In: shapes, numbers, arrays. Out: tensors on the current device. */
import { JitLensError } from '../errors.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { apply } from '../ops/apply.ts';
import { shuffled } from '../ops/draw.ts';
import { belowWord, normal, uniform, words } from '../ops/random.ts';
import { arangeSpec, fullSpec } from '../ops/write.ts';
import { currentBackend } from './backend.ts';
import type { DType } from './dtype.ts';
import { contiguous } from './layout.ts';
import { formatShape, needList, numel, type Shape } from './shape.ts';
import { Tensor } from './tensor.ts';

export interface CreateOptions {
  /** Default float32. */
  readonly dtype?: DType;
}

type Nested = number | boolean | readonly Nested[];

function fromData(data: ArrayLike<number>, shape: Shape, dtype: DType): Tensor {
  checkShape(shape);
  const made = new Tensor(currentBackend().upload(dtype, data), contiguous(shape));
  activeRecorder()?.recordData(made);
  return made;
}

function checkShape(shape: Shape): void {
  if (needList(shape, 'a tensor').some((size) => !Number.isInteger(size) || size < 0)) {
    throw new JitLensError('JLT-SHAPE', `${formatShape(shape)} is not a shape`, 'Sizes are whole numbers from 0.');
  }
}

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array;

function dtypeOf(data: TypedArray): DType {
  return data instanceof Int32Array ? 'int32' : data instanceof Uint32Array ? 'uint32' : 'float32';
}

/**
 * The numbers of a typed array (or a list) in row-major order under `shape`, by default one dim. An array of the dtype's own
 * type goes to the device as it is.
 */
export function fromArray(
  data: TypedArray | readonly number[],
  shape: Shape = [data.length],
  options: CreateOptions = {},
): Tensor {
  if (numel(shape) !== data.length) {
    throw new JitLensError(
      'JLT-SHAPE',
      `fromArray: ${data.length} numbers do not make a tensor of shape ${formatShape(shape)}`,
      'The product of the sizes must equal the length.',
    );
  }
  return fromData(data, shape, options.dtype ?? ('buffer' in data ? dtypeOf(data) : 'float32'));
}

/** A tensor of the given numbers: one, nested arrays, or a typed array (then of one dim). Booleans make a bool tensor. */
export function tensor(values: Nested | TypedArray, options: CreateOptions = {}): Tensor {
  if (typeof values === 'object' && 'buffer' in values) return fromArray(values, [values.length], options);
  const shape: number[] = [];
  for (let level: Nested | undefined = values; Array.isArray(level); level = (level as readonly Nested[])[0])
    shape.push(level.length);
  const flat: number[] = [];
  const kinds = new Set<string>();
  const walk = (value: Nested, depth: number): void => {
    if (typeof value === 'object') {
      if (value.length !== shape[depth]) {
        throw new JitLensError(
          'JLT-SHAPE',
          `tensor(): rows of ${shape[depth] ?? 0} and ${value.length} values`,
          'Rows must have one length.',
        );
      }
      for (const inner of value) walk(inner, depth + 1);
      return;
    }
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw new JitLensError(
        'JLT-DATA',
        `tensor(): a value of type ${typeof value} is not a number`,
        'Give numbers or booleans.',
      );
    if (depth !== shape.length)
      throw new JitLensError('JLT-SHAPE', 'tensor(): numbers and lists are mixed', 'Nest all values alike.');
    kinds.add(typeof value);
    flat.push(Number(value));
  };
  walk(values, 0);
  return fromData(flat, shape, options.dtype ?? (kinds.has('boolean') && kinds.size === 1 ? 'bool' : 'float32'));
}

/** `value` everywhere. */
export function full(shape: Shape, value: number, options: CreateOptions = {}): Tensor {
  checkShape(shape);
  if (typeof value !== 'number') {
    throw new JitLensError('JLT-DATA', `full: a value of type ${typeof value} is not a number`, 'Write full([2, 3], 0.5).');
  }
  return apply(fullSpec, [], { shape, value, dtype: options.dtype ?? 'float32' });
}

/** 0 everywhere. */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 0, options);
}

/** 1 everywhere. */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 1, options);
}

/** start, start + step, … below `end`; `arange(n)` counts from 0. int32 unless told otherwise. */
export function arange(start: number, end?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!Number.isFinite(length))
    throw new JitLensError('JLT-SHAPE', `arange(${from}, ${to}, ${step}) never ends`, 'The step must not be 0.');
  const whole = Number.isInteger(from) && Number.isInteger(step);
  return apply(arangeSpec, [], { shape: [length], start: from, step, dtype: options.dtype ?? (whole ? 'int32' : 'float32') });
}

/** A tensor whose elements nobody has set: whatever the memory held, so set them all. Here they are 0. */
export function empty(shape: Shape, options: CreateOptions = {}): Tensor {
  return zeros(shape, options);
}

/** 1 on the diagonal, else 0: [rows, columns], square when only rows are given. */
export function eye(rows: number, columns = rows, options: CreateOptions = {}): Tensor {
  checkShape([rows, columns]);
  return arange(rows)
    .unsqueeze(1)
    .eq(arange(columns))
    .to(options.dtype ?? 'float32');
}

/** `steps` numbers from `start` to `end`, both included, at equal distances. */
export function linspace(start: number, end: number, steps: number, options: CreateOptions = {}): Tensor {
  checkShape([steps]);
  const share = arange(steps).div(Math.max(1, steps - 1));
  return full([], start)
    .lerp(full([], end), share)
    .to(options.dtype ?? 'float32');
}

/** Uniform on [0, 1): multiples of 2⁻²⁴. The same on every device after the same `manualSeed`. */
export function rand(shape: Shape, options: CreateOptions = {}): Tensor {
  return uniform(shape).to(options.dtype ?? 'float32');
}

/** Standard normal, by the Box–Muller transform. See `manualSeed`. */
export function randn(shape: Shape, options: CreateOptions = {}): Tensor {
  return normal(shape).to(options.dtype ?? 'float32');
}

/** Whole numbers from `low` to below `high`, all equally likely; int32 unless told otherwise. */
export function randint(low: number, high: number, shape: Shape, options: CreateOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 32) {
    throw new JitLensError(
      'JLT-RANGE',
      `randint: no whole numbers from ${low} to below ${high}`,
      'Give whole numbers, the lower one first.',
    );
  }
  return belowWord(words(shape), high - low)
    .to('int32')
    .add(low)
    .to(options.dtype ?? 'int32');
}

/** The whole numbers from 0 to below `count` in random order, int32. */
export function randperm(count: number): Tensor {
  checkShape([count]);
  return shuffled(count);
}

type Like = (x: Tensor, options?: CreateOptions) => Tensor;
const like =
  (make: (shape: Shape, options: CreateOptions) => Tensor): Like =>
  (x, options) =>
    make(x.shape, { dtype: x.dtype, ...options });

/** 0 everywhere, with the shape and dtype of `x`. */
export const zerosLike: Like = like(zeros);
/** 1 everywhere, with the shape and dtype of `x`. */
export const onesLike: Like = like(ones);
/** As `empty`, with the shape and dtype of `x`. */
export const emptyLike: Like = like(empty);
/** As `rand`, with the shape and dtype of `x`. */
export const randLike: Like = like(rand);
/** As `randn`, with the shape and dtype of `x`. */
export const randnLike: Like = like(randn);
/** `value` everywhere, with the shape and dtype of `x`. */
export function fullLike(x: Tensor, value: number, options: CreateOptions = {}): Tensor {
  return full(x.shape, value, { dtype: x.dtype, ...options });
}
/** As `randint`, with the shape and dtype of `x`. */
export function randintLike(x: Tensor, low: number, high: number, options: CreateOptions = {}): Tensor {
  return randint(low, high, x.shape, { dtype: x.dtype, ...options });
}

/** `range(end)`, `range(start, end, step)`: the whole numbers from `start` (0) to before `end`, for `for…of`. */
export function* range(first: number, second?: number, step = 1): Iterable<number> {
  const [from, to] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new JitLensError('JLT-RANGE', 'range() with a step of 0 never ends', 'Use a step other than 0.');
  for (let i = from; step > 0 ? i < to : i > to; i += step) yield i;
}
