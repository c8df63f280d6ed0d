/** Attention as one walk over its keys: every form is one kernel, which gives what the eager run and float64 give, also where scores are not finite. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { arange, tensor, type Tensor } from 'jitlens';
import { firstOff } from '../support/compare.ts';
import { randomTensor } from '../support/random.ts';
import { CLOSE } from '../support/traces.ts';
import {
  expected,
  forms,
  inputsOf,
  matches,
  preparing,
  T,
  walked,
  type Attention,
  type Inputs,
  type Sizes,
} from '../support/walks.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const SIZES: readonly Sizes[] = [
  { batch: [2, 3], queries: 37, keys: 70, features: 20, columns: 19 },
  { batch: [3], queries: 5, keys: 2, features: 3, columns: 2 },
  { batch: [], queries: 64, keys: 64, features: 64, columns: 64 },
  { batch: [1, 1], queries: 9, keys: 131, features: 33, columns: 5 },
];

describe.each(Object.entries(forms))('%s', (_name, form) => {
  test.each(SIZES)('is one kernel on a CPU: %j', async (sizes) => {
    const got = await walked('software', form.fn, () => inputsOf(sizes), preparing(form, sizes));
    expect(firstOff(got, await expected(sizes, inputsOf(sizes), form), CLOSE)).toBeUndefined();
  });

  test('is one kernel, by blocks, on a GPU', async () => {
    const [sizes = SIZES[0]] = SIZES;
    if (!sizes) throw new Error('no sizes');
    const got = await walked('gpu', form.fn, () => inputsOf(sizes), preparing(form, sizes));
    expect(firstOff(got, await expected(sizes, inputsOf(sizes), form), CLOSE)).toBeUndefined();
  });
});

/** A copy with some rows of one number each. */
async function filled(x: Tensor, rows: Readonly<Record<number, number>>, width = x.size(-1)): Promise<Tensor> {
  const data = Float32Array.from(await x.data());
  for (const [row, value] of Object.entries(rows)) data.fill(value, Number(row) * x.size(-1), Number(row) * x.size(-1) + width);
  return tensor(data).view(x.shape);
}

describe.each(['software', 'gpu'] as const)('made for a %s', (kind) => {
  const sizes: Sizes = { batch: [], queries: 20, keys: 150, features: 8, columns: 9 };
  const added = forms['the op, with a mask of numbers'];

  test.each<[string, (inputs: Inputs) => Promise<Inputs>]>([
    ['queries that see nothing', async ([q, k, v, m]) => [q, k, v, await filled(m, { 2: -Infinity, 19: -Infinity })]],
    [
      'queries that see none of the first keys',
      async ([q, k, v, m]) => [q, k, v, await filled(m, { 0: -Infinity, 7: -Infinity }, 140)],
    ],
    ['queries that are not finite', async ([q, k, v, m]) => [await filled(q, { 3: NaN, 4: Infinity, 5: -Infinity }), k, v, m]],
    ['keys that are not finite', async ([q, k, v, m]) => [q, await filled(k, { 3: NaN, 100: Infinity }), v, m]],
    ['scores of +∞', async ([q, k, v, m]) => [q, k, v, await filled(m, { 1: Infinity, 6: Infinity }, 1)]],
    ['values that are not finite', async ([q, k, v, m]) => [q, k, await filled(v, { 0: NaN, 149: Infinity }, 4), m]],
    ['scores that are large', ([q, k, v, m]) => Promise.resolve([q.mul(1e3), k, v, m])],
  ])('%s are as they are eagerly', async (_, changed) => {
    const inputs = await changed(inputsOf(sizes));
    if (!added) throw new Error('no form');
    const got = await walked(kind, added.fn, () => inputs);
    expect(got.some(Number.isFinite)).toBe(_ !== 'keys that are not finite');
  });

  test('values whose sums leave the range of numbers do not where shares are scaled', async () => {
    const large: Attention = (q, k, v) => {
      const shares = q.matmul(T(k)).softmax(-1).mul(1e-30);
      return shares.matmul(v.abs().add(1).mul(1e38)).mul(1e-8);
    };
    expect((await walked(kind, large, () => inputsOf(sizes))).every(Number.isFinite)).toBe(true);
  });

  test('where a condition takes shares away, none is left of those that are no numbers', async () => {
    const masked: Attention = (q, k, v, m) => {
      const shares = matches(q, k, v, m).add(m).softmax(-1);
      return arange(q.size(-2)).lt(10).unsqueeze(1).where(shares, 0).matmul(v);
    };
    const [q, k, v, m] = inputsOf(sizes);
    const [queries, mask] = [await filled(q, { 12: NaN }), await filled(m, { 2: -Infinity, 13: Infinity, 15: -Infinity })];
    const got = await walked(kind, masked, () => [queries, k, v, mask], 1);
    const row = (i: number) => new Set(got.slice(i * 9, (i + 1) * 9));
    expect(row(2)).toEqual(new Set([NaN]));
    expect([12, 13, 15, 16].map(row)).toEqual(Array.from({ length: 4 }, () => new Set([0])));
  });

  test('a total without a number is none, also where it is looked at alone', async () => {
    const looked: Attention = (q, k, v, m) => {
      const s = matches(q, k, v, m).add(m);
      const e = s.sub(s.amax({ dim: -1, keepdim: true })).exp();
      const total = e.sum({ dim: -1, keepdim: true });
      return total.eq(0).where(1, e.matmul(v).div(total));
    };
    const [q, k, v, m] = inputsOf(sizes);
    const mask = await filled(m, { 2: -Infinity });
    const got = await walked(kind, looked, () => [q, k, v, mask]);
    expect(new Set(got.slice(18, 27))).toEqual(new Set([NaN]));
  });

  test('heads that share keys are rows of one block', async () => {
    const grouped: Attention = (q, k, v) => {
      const wide = (x: Tensor) => x.unsqueeze(1).expand([2, 3, x.size(-2), x.size(-1)]);
      return q.scaledDotProductAttention(wide(k), wide(v));
    };
    const make = (): Inputs => [
      randomTensor([2, 3, 14, 8], 1, 2),
      randomTensor([2, 21, 8], 2, 2),
      randomTensor([2, 21, 6], 3, 2),
      tensor([0]),
    ];
    await walked(kind, grouped, make);
  });

  test('what follows is stored by the same kernel, in another order', async () => {
    const followed: Attention = (q, k, v, m) =>
      T(matches(q, k, v, m).softmax(-1).matmul(v).add(v.select(-2, 0).unsqueeze(-2)).relu());
    await walked(kind, followed, () => inputsOf({ ...sizes, batch: [2] }));
  });
});
