/** Attention in many forms, what each gives in float64, and how a form is run where it is one walk over its keys. */
import { expect, vi } from 'vitest';
import { arange, tensor, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { attended, type Rules } from './attended.ts';
import { expectSame, read } from './compare.ts';
import { randomTensor } from './random.ts';
import { CLOSE, kernelsOf, traceOf } from './traces.ts';

export type Kind = 'software' | 'gpu';
export type Inputs = [q: Tensor, k: Tensor, v: Tensor, mask: Tensor];
export type Attention = (...inputs: Inputs) => Tensor;

/** Kernels are made as for a GPU, on the device that there is; gives what a workgroup of it may share. */
export function madeForGpu(): number {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  vi.spyOn(backend.gpu, 'info', 'get').mockReturnValue({ ...backend.gpu.info, kind: 'gpu' });
  return backend.gpu.target.workgroupMemory;
}
export interface Sizes {
  readonly batch: readonly number[];
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly columns: number;
}

export const T = (x: Tensor): Tensor => x.transpose(-1, -2);
export const matches: Attention = (q, k) => q.matmul(T(k)).mul(0.3);
/** Numbers from −1 to 1, of which some are −∞; each row has some that are not. */
function masking(queries: number, keys: number): Float32Array {
  const random = (i: number) => Math.sin(12.9898 * i) * 43758.5453;
  const part = (i: number) => random(i) - Math.floor(random(i));
  return Float32Array.from({ length: queries * keys }, (_, i) =>
    part(i) < 0.4 && i % keys !== Math.floor(i / keys) % keys ? -Infinity : 2 * part(i + 0.5) - 1,
  );
}

export interface Form {
  readonly fn: Attention;
  /** Whether what all batches share is computed before, where there are many. */
  readonly prepares?: boolean;
  /** What it does, for the mask [queries, keys]. */
  readonly rules: (mask: (i: number, j: number) => number) => Rules;
}

const scaled = (s: number) => 0.3 * s;
export const forms: Readonly<Record<string, Form>> = {
  plain: { fn: (q, k, v, m) => matches(q, k, v, m).softmax(-1).matmul(v), rules: () => ({ score: scaled }) },
  'the op, causal': {
    fn: (q, k, v) => q.scaledDotProductAttention(k, v, { isCausal: true, scale: 0.3 }),
    rules: () => ({ score: (s, i, j) => (j <= i ? 0.3 * s : -3e38) }),
  },
  'the op, with a mask of numbers': {
    fn: (q, k, v, attnMask) => q.scaledDotProductAttention(k, v, { attnMask, scale: 0.3 }),
    rules: (m) => ({ score: (s, i, j) => 0.3 * s + m(i, j) }),
  },
  'divided after the sum of values, with a reciprocal': {
    fn: (q, k, v, m) => {
      const s = matches(q, k, v, m).add(m);
      const e = s.sub(s.amax({ dim: -1, keepdim: true })).exp();
      return e.matmul(v).mul(e.sum({ dim: -1, keepdim: true }).reciprocal());
    },
    rules: (m) => ({ score: (s, i, j) => 0.3 * s + m(i, j) }),
  },
  'the other way round': {
    fn: (q, k, v) => T(T(v).matmul(k.matmul(T(q)).mul(0.3).softmax(-2))),
    rules: () => ({ score: scaled }),
  },
  'shares that are weighted': {
    prepares: true,
    fn: (q, k, v, m) => matches(q, k, v, m).softmax(-1).mul(m.isfinite().where(m, 0)).matmul(v),
    rules: (m) => ({ score: scaled, share: (p, i, j) => (Number.isFinite(m(i, j)) ? p * m(i, j) : 0) }),
  },
  'scores that are bent, and factors that are computed': {
    prepares: true,
    fn: (q, k, v) => {
      const near = arange(q.size(-2))
        .unsqueeze(1)
        .sub(arange(k.size(-2)))
        .abs();
      return q.mul(0.3).matmul(T(k).neg()).tanh().sub(near.mul(0.01)).softmax(-1).matmul(v.mul(2));
    },
    rules: () => ({ score: (s, i, j) => Math.tanh(-0.3 * s) - 0.01 * Math.abs(i - j), share: (p) => 2 * p }),
  },
};

export function inputsOf({ batch, queries, keys, features, columns }: Sizes): Inputs {
  const numbers = (shape: readonly number[], seed: number) => randomTensor([...batch, ...shape], seed, 2);
  const mask = tensor(masking(queries, keys)).view([queries, keys]);
  return [numbers([queries, features], 1), numbers([keys, features], 2), numbers([keys, columns], 3), mask];
}

/** What float64 gives for each batch. */
export async function expected(sizes: Sizes, [q, k, v]: Inputs, { rules }: Form): Promise<number[]> {
  const { batch, queries, keys, features, columns } = sizes;
  const mask = masking(queries, keys);
  const count = batch.reduce((n, s) => n * s, 1);
  const all = await Promise.all([q, k, v].map(async (x) => Float64Array.from(await x.data())));
  const places = (which: number, batchOf: number, rows: number, width: number) => ({
    data: (all[which] ?? new Float64Array()).subarray(batchOf * rows * width, (batchOf + 1) * rows * width),
    features: width,
  });
  return Array.from({ length: count }, (_, b) => [
    ...attended(
      places(0, b, queries, features),
      places(1, b, keys, features),
      places(2, b, keys, columns),
      rules((i, j) => mask[i * keys + j] ?? NaN),
    ),
  ]).flat();
}

/** Runs it eagerly and traced, where it is one walk; gives what the traced run gave. */
export async function walked(kind: Kind, fn: Attention, make: () => Inputs, before = 0): Promise<readonly number[]> {
  const eager = await read(fn(...make()));
  if (kind === 'gpu') madeForGpu();
  const traced = traceOf(fn, make());
  const kernels = kernelsOf(traced);
  const schedules = kernels.map((k) => k.kernel.schedule).filter((s) => /(thread|workgroup) per rows?\b/.test(s));
  expect([schedules.length, kernels.length]).toEqual([1, 1 + before]);
  expect(schedules[0]).toMatch(kind === 'gpu' ? /^workgroup per rows/ : /^thread per row/);
  const result = await read(traced(...make()));
  expectSame(result, eager, CLOSE, 'traced against eager');
  return result[0]?.values ?? [];
}

export const preparing = ({ prepares = false }: Form, { batch }: Sizes) =>
  Number(prepares && batch.reduce((n, s) => n * s, 1) > 4);
