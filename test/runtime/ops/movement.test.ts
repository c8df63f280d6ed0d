/** Movements on numbers that tell their places: the reference device shares the index maps, so these are written out. */
import { expect, test } from 'vitest';
import { arange, jit, type Tensor } from 'jitlens';

const matrix = () => arange(1, 7).view([2, 3]);
const square = () => arange(1, 10).view([3, 3]);
const row = () => arange(1, 5);

const CASES: readonly [name: string, make: () => Tensor, run: (x: Tensor) => Tensor, shape: number[], values: number[]][] = [
  ['repeat', row, (x) => x.slice(0, 0, 2).repeat([2, 2]), [2, 4], [1, 2, 1, 2, 1, 2, 1, 2]],
  ['repeat of rows', matrix, (x) => x.repeat([2, 1]), [4, 3], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]],
  ['tile', matrix, (x) => x.tile([2]), [2, 6], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]],
  ['roll', row, (x) => x.roll(1), [4], [4, 1, 2, 3]],
  ['roll back', matrix, (x) => x.roll(-1, 1), [2, 3], [2, 3, 1, 5, 6, 4]],
  ['roll of all', matrix, (x) => x.roll(2), [2, 3], [5, 6, 1, 2, 3, 4]],
  ['roll of two dims', matrix, (x) => x.roll([1, 1], [0, 1]), [2, 3], [6, 4, 5, 3, 1, 2]],
  ['triu', square, (x) => x.triu(), [3, 3], [1, 2, 3, 0, 5, 6, 0, 0, 9]],
  ['triu above', square, (x) => x.triu(1), [3, 3], [0, 2, 3, 0, 0, 6, 0, 0, 0]],
  ['tril', square, (x) => x.tril(), [3, 3], [1, 0, 0, 4, 5, 0, 7, 8, 9]],
  ['tril below', square, (x) => x.tril(-1), [3, 3], [0, 0, 0, 4, 0, 0, 7, 8, 0]],
  ['diagonal', square, (x) => x.diagonal(), [3], [1, 5, 9]],
  ['diagonal above', matrix, (x) => x.diagonal(1), [2], [2, 6]],
  ['diagonal below', square, (x) => x.diagonal(-1), [2], [4, 8]],
  ['diagonal beyond', square, (x) => x.diagonal(5), [0], []],
  ['pad reflect', row, (x) => x.pad([2, 3], 'reflect'), [9], [3, 2, 1, 2, 3, 4, 3, 2, 1]],
  ['pad replicate', row, (x) => x.pad([2, 1], 'replicate'), [7], [1, 1, 1, 2, 3, 4, 4]],
  ['pad circular', row, (x) => x.pad([1, 2], 'circular'), [7], [4, 1, 2, 3, 4, 1, 2]],
  ['pad with a number', matrix, (x) => x.pad([1, 0], 9), [2, 4], [9, 1, 2, 3, 9, 4, 5, 6]],
  ['movedim', () => arange(6).view([1, 2, 3]), (x) => x.movedim(0, -1), [2, 3, 1], [0, 1, 2, 3, 4, 5]],
  ['movedim of two', matrix, (x) => x.movedim([0, 1], [1, 0]), [3, 2], [1, 4, 2, 5, 3, 6]],
  ['unflatten', row, (x) => x.unflatten(0, [2, -1]), [2, 2], [1, 2, 3, 4]],
];

test.each(CASES)('%s', async (_name, make, run, shape, values) => {
  for (const out of [run(make()), jit.trace(run, [make()])(make())]) {
    expect(out.shape).toEqual(shape);
    expect([...(await out.data())]).toEqual(values);
  }
});

test('numbers with steps, seen through views, in a kernel', async () => {
  const run = (x: Tensor) => x.add(arange(1, 25, 2).view([2, 3, 2]).permute([2, 0, 1]));
  const x = () => arange(12).view([2, 2, 3]).mul(100);
  expect([...(await jit.trace(run, [x()])(x()).data())]).toEqual([...(await run(x()).data())]);
});

test('a diagonal is a view: writing it writes the matrix', async () => {
  const write = (x: Tensor) => {
    const y = x.clone();
    y.diagonal(1).mul_(10);
    return y;
  };
  const expected = [1, 20, 3, 4, 5, 60, 7, 8, 9];
  expect([...(await write(square()).data())]).toEqual(expected);
  expect([...(await jit.trace(write, [square()])(square()).data())]).toEqual(expected);
});

test.each([
  ['reflect', [4, 0]],
  ['circular', [5, 0]],
] as const)('pad takes no more than there is: %s', (mode, amounts) => {
  expect(() => row().pad(amounts, mode)).toThrow(expect.objectContaining({ code: 'JLT-PAD' }));
});
