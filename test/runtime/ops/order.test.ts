/** Sorting against JavaScript's own stable sort: ties, NaN, infinities, whole numbers, rows longer than a block. */
import { expect, test } from 'vitest';
import { arange, jit, tensor, type Tensor } from 'jitlens';
import { numel } from '../../../runtime/tensor/shape.ts';
import { firstOff } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { launched } from '../support/dispatches.ts';
import { Random } from '../support/random.ts';

const random = new Random(51);
const numbers = async (x: Tensor) => [...(await x.data())];
const EXACT = { relative: 0, absolute: 0 };

/** Rising order, NaN last; the negative of it falling. Equal elements are left to the stable sort. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

function sorted(values: readonly number[], descending: boolean) {
  const places = values.map((_, i) => i).sort((i, j) => compare(values[i] ?? 0, values[j] ?? 0) * (descending ? -1 : 1));
  return { values: places.map((i) => values[i] ?? 0), places };
}

const few = (count: number) => Array.from({ length: count }, () => random.pick([-1, 0, 2, 2, 7, NaN, Infinity, -Infinity, 0.5]));
const SIZES = [1, 2, 9, 1000, 1024, 1025, 2049, 5000];

test.each(SIZES.flatMap((n) => [[n, false] as const, [n, true] as const]))(
  '%i elements, descending: %s',
  async (n, descending) => {
    const values = few(n);
    const want = sorted(values, descending);
    const run = (x: Tensor) => Object.values(x.sort(0, { descending })) as Tensor[];
    const x = () => tensor(Float32Array.from(values));
    for (const by of [run, ...(n === 9 || n === 2049 ? [jit.trace(run, [x()])] : [])]) {
      const [got, places] = by(x());
      expect(got && firstOff(await numbers(got), want.values, EXACT)).toBeUndefined();
      expect(places && firstOff(await numbers(places), want.places, EXACT)).toBeUndefined();
      expect(places?.dtype).toBe('int32');
    }
  },
);

test.each([
  ['rows', [3, 1500], -1],
  ['columns', [1500, 3], 0],
  ['a dim between', [2, 7, 3], 1],
])('%s', async (_name, shape, dim) => {
  const values = Array.from({ length: numel(shape) }, () => random.whole(-9, 9));
  const x = tensor(Int32Array.from(values)).view(shape);
  const last = await numbers(x.sort(dim).values.movedim(dim, -1).contiguous());
  const rows = await numbers(x.movedim(dim, -1).contiguous());
  const size = shape.at(dim) ?? 1;
  const want = Array.from({ length: rows.length / size }, (_, r) => sorted(rows.slice(r * size, (r + 1) * size), false).values);
  expect(last).toEqual(want.flat());
});

test('unsigned numbers, extremes of each type, truth values', async () => {
  const unsigned = [3, 2 ** 32 - 1, 0, 2 ** 31];
  expect(await numbers(tensor(Uint32Array.from(unsigned)).sort(0, { descending: true }).values)).toEqual([
    2 ** 32 - 1,
    2 ** 31,
    3,
    0,
  ]);
  const signed = tensor(Int32Array.from([5, -(2 ** 31), 2 ** 31 - 1, 0]));
  expect(await numbers(signed.argsort())).toEqual([1, 3, 0, 2]);
  const truths = tensor([true, false, true]).sort();
  expect(truths.values.dtype).toBe('bool');
  expect(await numbers(truths.indices)).toEqual([1, 0, 2]);
});

test('a hundred thousand elements', async () => {
  const values = Array.from({ length: 100_000 }, () => Math.fround(random.next()));
  const { values: got, indices } = tensor(Float32Array.from(values)).sort();
  const want = sorted(values, false);
  expect(firstOff(await numbers(got), want.values, EXACT)).toBeUndefined();
  expect(firstOff(await numbers(indices), want.places, EXACT)).toBeUndefined();
});

test('the largest and smallest few', async () => {
  const x = tensor([[4, 1, NaN, 4], [0, -3, 2, -3]]); // prettier-ignore
  const largest = x.topk(2);
  expect(await numbers(largest.values)).toEqual([NaN, 4, 2, 0]);
  expect(await numbers(largest.indices)).toEqual([2, 0, 2, 0]);
  const smallest = x.topk(1, 0, false);
  expect(await numbers(smallest.values)).toEqual([0, -3, 2, -3]);
  expect(() => x.topk(5)).toThrow(expect.objectContaining({ code: 'JL410' }));
});

test('gradients go to where elements came from', async () => {
  const x = tensor([3, 1, 2]).requiresGrad_();
  x.sort()
    .values.mul(tensor([10, 20, 30]))
    .sum()
    .backward();
  expect(x.grad && (await numbers(x.grad))).toEqual([30, 10, 20]);
  const y = tensor([3, 1, 2]).requiresGrad_();
  y.topk(2)
    .values.mul(tensor([10, 20]))
    .sum()
    .backward();
  expect(y.grad && (await numbers(y.grad))).toEqual([10, 0, 20]);
});

test('a block takes two kernels for its order and one for its values', () => {
  const x = tensor(Float32Array.from(few(500)));
  expect(launched(() => x.argsort())).toBe(2);
  expect(launched(() => x.sort())).toBe(3);
});

const ROW = [-Infinity, -2, 0, 0, 0, 1, 5, Infinity, NaN];
const WANTED = [-Infinity, -5, -2, 0, 0.5, 5, 6, Infinity, NaN];

test.each([false, true])('places in a sorted row, right: %s', async (right) => {
  const want = WANTED.map((v) => ROW.filter((x) => (right ? compare(x, v) <= 0 : compare(x, v) < 0)).length);
  const run = (row: Tensor, values: Tensor) => row.searchsorted(values, { right });
  const inputs = () => [tensor(ROW), tensor(WANTED).view([3, 3])] as [Tensor, Tensor];
  for (const got of [run(...inputs()), jit.trace(run, inputs())(...inputs()), onReference(() => run(...inputs()))]) {
    expect(got.shape).toEqual([3, 3]);
    expect(await numbers(got)).toEqual(want);
  }
  expect(launched(() => run(...inputs()))).toBe(1);
});

test('a row for each row of values; one number; long rows', async () => {
  const rows = tensor([[1, 3, 5], [2, 4, 6]]); // prettier-ignore
  expect(await numbers(rows.searchsorted(tensor([[3, 9], [3, 0]])))).toEqual([1, 3, 1, 0]); // prettier-ignore
  expect(await numbers(tensor([1, 3, 5]).searchsorted(3, { right: true }))).toEqual([2]);
  expect(await numbers(arange(7).searchsorted(2.5))).toEqual([3]);
  const long = arange(100_000).mul(2);
  expect(await numbers(long.searchsorted(tensor(Int32Array.from([-1, 0, 1, 99_999, 199_998, 199_999]))))).toEqual([
    0, 0, 1, 50_000, 99_999, 100_000,
  ]);
  expect(await numbers(tensor([]).searchsorted(tensor([1, 2])))).toEqual([0, 0]);
  expect(() => rows.searchsorted(tensor([1]))).toThrow(expect.objectContaining({ code: 'JL410' }));
});
