/**
 * @file Samples as one batch. In: samples of one form. Out: a value of that form with a batch in the place of each leaf.
 * Tensors are stacked; so are numbers (float32), booleans (bool) and typed arrays of one length. Anything else stays a list.
 */
import { JitLensError } from '../errors.ts';
import { stack } from '../ops/join.ts';
import { fromArray, tensor, type TypedArray } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What samples of type T become. */
export type Batch<T> = T extends Tensor | number | boolean | TypedArray
  ? Tensor
  : T extends string
    ? T[]
    : T extends readonly unknown[]
      ? { -readonly [K in keyof T]: Batch<T[K]> }
      : T extends Readonly<Record<string, unknown>>
        ? { -readonly [K in keyof T]: Batch<T[K]> }
        : T[];

export function collate<T>(samples: readonly T[]): Batch<T> {
  return collated(samples) as Batch<T>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isTyped(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function allAre<T>(samples: readonly unknown[], is: (value: unknown) => value is T): samples is readonly T[] {
  return samples.every(is);
}

function collated(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (allAre(samples, (x): x is Tensor => x instanceof Tensor)) return stack(samples);
  if (allAre(samples, (x): x is number => typeof x === 'number')) return tensor(samples, { dtype: 'float32' });
  if (allAre(samples, (x): x is boolean => typeof x === 'boolean')) return tensor(samples);
  if (allAre(samples, isTyped)) return joined(samples);
  if (allAre(samples, (x): x is unknown[] => Array.isArray(x))) {
    const lengths = new Set(samples.map((x) => x.length));
    if (lengths.size > 1) throw uneven(`lists of ${[...lengths].join(' and ')} values`);
    return samples[0]?.map((_, i) => collated(samples.map((x) => x[i])));
  }
  if (allAre(samples, isRecord) && isRecord(first)) {
    return Object.fromEntries(Object.keys(first).map((name) => [name, collated(samples.map((x) => x[name]))]));
  }
  return [...samples];
}

function joined(arrays: readonly TypedArray[]): Tensor {
  const [first] = arrays;
  if (!first) throw uneven('no samples');
  const odd = arrays.find((x) => x.length !== first.length || x.constructor !== first.constructor);
  if (odd) throw uneven(`a ${first.constructor.name} of ${first.length} and a ${odd.constructor.name} of ${odd.length} values`);
  const Kind = first.constructor as new (length: number) => TypedArray;
  const all = new Kind(first.length * arrays.length);
  arrays.forEach((x, i) => all.set(x, i * first.length));
  return fromArray(all, [arrays.length, first.length]);
}

function uneven(what: string): JitLensError {
  return new JitLensError(
    'JLT-DATA',
    `samples of one batch differ: ${what}`,
    'Make them alike in get(), or pass a `collate` function.',
  );
}
