/** @file Tensors from nothing or from host data. In: shapes, numbers, arrays. Out: tensors on the current device. */
import { JitLensError } from '../errors.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { apply } from '../ops/apply.ts';
import { arangeSpec, fullSpec } from '../ops/write.ts';
import { currentBackend } from './backend.ts';
import type { DType } from './dtype.ts';
import { contiguous } from './layout.ts';
import { normal, uniform } from './random.ts';
import { formatShape, numel, type Shape } from './shape.ts';
import { Tensor } from './tensor.ts';

export interface CreateOptions {
  /** Default float32. */
  readonly dtype?: DType;
}

type Nested = number | boolean | readonly Nested[];

function fromData(data: ArrayLike<number>, shape: Shape, dtype: DType, origin: 'data' | 'random'): Tensor {
  checkShape(shape);
  const made = new Tensor(currentBackend().upload(dtype, data), contiguous(shape));
  activeRecorder()?.recordData(made, origin);
  return made;
}

function checkShape(shape: Shape): void {
  if (shape.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new JitLensError('JLT-SHAPE', `${formatShape(shape)} is not a shape`, 'Sizes are whole numbers from 0.');
  }
}

/** A tensor of the given numbers: one, nested arrays, or a typed array (then of one dim). Booleans make a bool tensor. */
export function tensor(values: Nested | Float32Array | Int32Array | Uint32Array, options: CreateOptions = {}): Tensor {
  if (values instanceof Float32Array) return fromData(values, [values.length], options.dtype ?? 'float32', 'data');
  if (values instanceof Int32Array) return fromData(values, [values.length], options.dtype ?? 'int32', 'data');
  if (values instanceof Uint32Array) return fromData(values, [values.length], options.dtype ?? 'uint32', 'data');
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
    if (depth !== shape.length)
      throw new JitLensError('JLT-SHAPE', 'tensor(): numbers and lists are mixed', 'Nest all values alike.');
    kinds.add(typeof value);
    flat.push(Number(value));
  };
  walk(values, 0);
  return fromData(flat, shape, options.dtype ?? (kinds.has('boolean') && kinds.size === 1 ? 'bool' : 'float32'), 'data');
}

/** `value` everywhere. */
export function full(shape: Shape, value: number, options: CreateOptions = {}): Tensor {
  checkShape(shape);
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

/** Uniform on [0, 1). See `manualSeed`. */
export function rand(shape: Shape): Tensor {
  return fromData(uniform(numel(shape)), shape, 'float32', 'random');
}

/** Standard normal. See `manualSeed`. */
export function randn(shape: Shape): Tensor {
  return fromData(normal(numel(shape)), shape, 'float32', 'random');
}

/** `range(end)`, `range(start, end, step)`: the whole numbers from `start` (0) to before `end`, for `for…of`. */
export function* range(first: number, second?: number, step = 1): Iterable<number> {
  const [from, to] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new JitLensError('JLT-RANGE', 'range() with a step of 0 never ends', 'Use a step other than 0.');
  for (let i = from; step > 0 ? i < to : i > to; i += step) yield i;
}
