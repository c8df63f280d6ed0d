/** Tensors from nothing: their values, shapes and dtypes, and what is refused. */
import { describe, expect, test } from 'vitest';
import { arange, empty, emptyLike, eye, fromArray, full, fullLike, linspace, ones, onesLike, tensor, zerosLike } from 'jitlens';
import { read } from '../support/compare.ts';

const one = (shape: number[], dtype: string, values: number[]) => [{ shape, dtype, values }];

test.each([
  ['eye', () => eye(2, 3), one([2, 3], 'float32', [1, 0, 0, 0, 1, 0])],
  ['eye of whole numbers', () => eye(2, 2, { dtype: 'int32' }), one([2, 2], 'int32', [1, 0, 0, 1])],
  ['linspace', () => linspace(-1, 1, 5), one([5], 'float32', [-1, -0.5, 0, 0.5, 1])],
  ['linspace of one', () => linspace(3, 9, 1), one([1], 'float32', [3])],
  ['linspace of none', () => linspace(3, 9, 0), one([0], 'float32', [])],
  ['empty', () => empty([2]), one([2], 'float32', [0, 0])],
  ['arange downwards', () => arange(3, 0, -1), one([3], 'int32', [3, 2, 1])],
  ['zerosLike', () => zerosLike(full([2], 3, { dtype: 'int32' })), one([2], 'int32', [0, 0])],
  ['onesLike', () => onesLike(tensor([true])), one([1], 'bool', [1])],
  ['emptyLike', () => emptyLike(ones([1, 2]), { dtype: 'uint32' }), one([1, 2], 'uint32', [0, 0])],
  ['fullLike', () => fullLike(ones([2]), 7), one([2], 'float32', [7, 7])],
  ['fromArray', () => fromArray(Int32Array.of(1, 2, 3, 4), [2, 2]), one([2, 2], 'int32', [1, 2, 3, 4])],
  ['fromArray of a list', () => fromArray([1, 2], [2, 1]), one([2, 1], 'float32', [1, 2])],
  ['fromArray of doubles', () => fromArray(Float64Array.of(0.5, 0.25)), one([2], 'float32', [0.5, 0.25])],
])('%s', async (_name, make, expected) => {
  expect(await read(make())).toEqual(expected);
});

describe('refused', () => {
  test.each([
    [
      'a shape that the numbers do not fill',
      () => fromArray([1, 2, 3], [2, 2]),
      /3 numbers do not make a tensor of shape \[2, 2\]/,
    ],
    ['a size below 0', () => eye(-1), /is not a shape/],
    ['a fractional size', () => linspace(0, 1, 2.5), /is not a shape/],
  ])('%s', (_name, make, message) => {
    expect(make).toThrow(message);
  });
});

test('a tensor made from a typed array keeps its numbers when the array changes', async () => {
  const data = Float32Array.of(1, 2);
  const x = fromArray(data);
  data[0] = 9;
  expect((await read(x))[0]?.values).toEqual([1, 2]);
});
