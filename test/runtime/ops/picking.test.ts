/** Picking by place: numbers written out, places that do not exist, and picks inside larger kernels. */
import { expect, test } from 'vitest';
import { arange, jit, tensor, type Tensor } from 'jitlens';
import { firstOff } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { launched } from '../support/dispatches.ts';

const matrix = () => tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
const places = (...list: number[]) => tensor(list, { dtype: 'int32' });
const numbers = async (x: Tensor) => [...(await x.data())];

const CASES: readonly [
  name: string,
  run: (x: Tensor, at: Tensor) => Tensor,
  at: () => Tensor,
  shape: number[],
  values: number[],
][] = [
  ['gather', (x, at) => x.gather(1, at), () => places(2, 0, 1, 1).view([2, 2]), [2, 2], [3, 1, 5, 5]],
  ['gather of rows', (x, at) => x.gather(0, at), () => places(1, 0, 1).view([1, 3]), [1, 3], [4, 2, 6]],
  ['indexSelect', (x, at) => x.indexSelect(1, at), () => places(2, 2, 0), [2, 3], [3, 3, 1, 6, 6, 4]],
  ['index from the end', (x, at) => x.index(at), () => places(-1, 0), [2, 3], [4, 5, 6, 1, 2, 3]],
  ['index of two dims', (x, at) => x.index(at), () => places(1, 0).view([2, 1]), [2, 1, 3], [4, 5, 6, 1, 2, 3]],
  ['embedding', (x, at) => at.embedding(x), () => places(1, 1, 0), [3, 3], [4, 5, 6, 4, 5, 6, 1, 2, 3]],
  ['takeAlongDim', (x, at) => x.takeAlongDim(at, 1), () => places(2).view([1, 1]), [2, 1], [3, 6]],
  ['no such place', (x, at) => x.indexSelect(0, at), () => places(2, 0), [2, 3], [NaN, NaN, NaN, 1, 2, 3]],
  ['no such place before', (x, at) => x.gather(0, at), () => places(-1, 1).view([1, 2]), [1, 2], [NaN, 5]],
  ['indexAdd', (x, at) => x.indexAdd(0, at, x), () => places(1, 1), [2, 3], [1, 2, 3, 9, 12, 15]],
  ['scatterAdd', (x, at) => x.scatterAdd(1, at, at.to('float32')), () => places(2, 2).view([1, 2]), [2, 3], [1, 2, 7, 4, 5, 6]],
  ['oneHot', (_x, at) => at.oneHot(3), () => places(2, 0), [2, 3], [0, 0, 1, 1, 0, 0]],
  ['maskedFill', (x, at) => x.maskedFill(x.gt(at), 0), () => places(2), [2, 3], [1, 2, 0, 0, 0, 0]],
];

test.each(CASES)('%s', async (_name, run, at, shape, values) => {
  for (const out of [
    run(matrix(), at()),
    jit.trace(run, [matrix(), at()])(matrix(), at()),
    onReference(() => run(matrix(), at())),
  ]) {
    expect(out.shape).toEqual(shape);
    expect(await numbers(out)).toEqual(values);
  }
});

/** A table of `rows` whose numbers float32 holds exactly, and places in it; made on the current device. */
const table = (rows: number, columns: number) =>
  arange(rows * columns)
    .remainder(101)
    .mul(0.125)
    .view([rows, columns]);
const spread = (count: number, rows: number) => arange(count).mul(7).remainder(rows);

const FUSED: Readonly<Record<string, [run: (x: Tensor, at: Tensor) => Tensor, make: () => [Tensor, Tensor]]>> = {
  'elements on the way in and out': [
    (x, at) => x.mul(2).indexSelect(0, at.add(1)).add(1).square(),
    () => [table(9, 5), spread(7, 8)],
  ],
  'summed over the places': [(x, at) => x.indexSelect(0, at).sum({ dim: 0 }), () => [table(40, 6), spread(300, 40)]],
  'summed over what is picked': [(x, at) => x.indexSelect(0, at).sum({ dim: 1 }), () => [table(40, 600), spread(20, 40)]],
  'places by places': [(x, at) => x.indexSelect(0, at.indexSelect(0, at)), () => [table(12, 3), spread(12, 12)]],
  'a pick of a pick': [(x, at) => x.indexSelect(0, at).indexSelect(1, at.slice(0, 0, 4)), () => [table(8, 8), spread(8, 8)]],
  'a pick of a sum': [(x, at) => x.sum({ dim: 1 }).indexSelect(0, at), () => [table(10, 7), spread(30, 10)]],
  'a place that is a sum': [
    (x, at) => x.indexSelect(0, at.gt(3).sum({ dim: 0, keepdim: true })),
    () => [table(10, 7), spread(6, 10)],
  ],
  'in a product': [(x, at) => x.indexSelect(0, at).matmul(x.t()), () => [table(10, 7), spread(30, 10)]],
  'windows of a pick': [(x, at) => x.indexSelect(1, at).view([1, 1, 6, 8]).unfold(3), () => [table(6, 9), spread(8, 9)]],
  'in parts of a join': [
    (x, at) => x.indexSelect(0, at).pad([1, 1], 'reflect').view([2, -1]).flip([0]),
    () => [table(6, 4), spread(4, 6)],
  ],
  'several positions to a thread': [(x, at) => x.mul(3).indexSelect(0, at).add(1), () => [table(600, 512), spread(600, 600)]],
};

test.each(Object.entries(FUSED))('fused: %s', async (_name, [run, make]) => {
  const wanted = await numbers(onReference(() => run(...make())));
  for (const got of [run(...make()), jit.trace(run, make())(...make())]) {
    expect(firstOff(await numbers(got), wanted, { relative: 1e-5, absolute: 1e-4 })).toBeUndefined();
  }
});

test('places are whole numbers', () => {
  expect(() => matrix().indexSelect(0, tensor([1]))).toThrow(expect.objectContaining({ code: 'JLT-DTYPE' }));
  expect(() => matrix().gather(0, places(1))).toThrow(expect.objectContaining({ code: 'JL410' }));
});

test('scatter: one source for each place, the last of several, a number, a part of the tensor', async () => {
  const put = (x: Tensor, at: Tensor) => x.scatter(1, at, at.add(10).to('float32'));
  const at = () => tensor([[2, 0, 2], [1, 1, 0]], { dtype: 'int32' }); // prettier-ignore
  const want = [10, 2, 12, 10, 11, 6];
  expect(await numbers(put(matrix(), at()))).toEqual(want);
  expect(await numbers(jit.trace(put, [matrix(), at()])(matrix(), at()))).toEqual(want);
  const last = matrix().scatter(1, places(2, 2, 2).view([1, 3]), tensor([[7, 8, 9]]));
  expect(await numbers(last)).toEqual([1, 2, 9, 4, 5, 6]);
  expect(await numbers(matrix().scatter(0, places(1, 0).view([1, 2]), -1))).toEqual([1, -1, 3, -1, 5, 6]);
  const x = matrix().requiresGrad_();
  const source = tensor([[7, 8, 9]]).requiresGrad_();
  x.scatter(1, places(2, 2, 0).view([1, 3]), source)
    .mul(matrix())
    .sum()
    .backward();
  expect(x.grad && (await numbers(x.grad))).toEqual([0, 2, 0, 4, 5, 6]);
  expect(source.grad && (await numbers(source.grad))).toEqual([0, 3, 1]);
});

test('adding by place takes memory for what it makes, not for every pair of place and source', async () => {
  const rows = 4096;
  const at = arange(rows).mul(5).remainder(rows);
  const sums = tensor(new Float32Array(rows)).indexAdd(0, at, at.to('float32'));
  expect(firstOff(await numbers(sums), [...Array(rows).keys()], { relative: 0, absolute: 0 })).toBeUndefined();
  expect(launched(() => sums.indexAdd(0, at, sums))).toBe(2);
});
