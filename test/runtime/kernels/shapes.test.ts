/** Eager calls: an op makes one pipeline for all shapes that it goes through alike, and each gives what the reference gives. */
import { expect, test } from 'vitest';
import { cat, type Tensor } from 'jitlens';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { filled, pipelines } from '../support/sizes.ts';
import { CLOSE } from '../support/traces.ts';

const cases: readonly [string, (x: Tensor) => Tensor, (n: number) => readonly number[]][] = [
  ['elements', (x) => x.exp(), (n) => [n]],
  ['a number', (x) => x.mul(3.5), (n) => [n, 3]],
  ['rows and a column', (x) => x.add(x.slice(0, 0, 1)), (n) => [n, 7]],
  ['a transposed operand', (x) => x.t().contiguous(), (n) => [n, n + 3]],
  ['sums of rows', (x) => x.sum({ dim: 1 }), (n) => [n, 9]],
  ['sums of columns', (x) => x.sum({ dim: 0 }), (n) => [n, 9]],
  ['a product', (x) => x.matmul(x.t()), (n) => [n, 2 * n]],
  ['a join', (x) => cat([x, x], 1), (n) => [n, 5]],
  ['a convolution', (x) => x.conv2d(filled([2, 3, 3, 3])), (n) => [2, 3, n, n]],
  ['a softmax', (x) => x.softmax(-1), (n) => [n, 40]],
];

test.each(cases)('%s', async (_name, fn, shape) => {
  const sizes = [67, 71, 75, 79];
  const made: number[] = [];
  for (const n of sizes) {
    const before = pipelines();
    const got = await read(fn(filled(shape(n))));
    made.push(pipelines() - before);
    expectSame(got, await onReference(() => read(fn(filled(shape(n))))), CLOSE, String(n));
  }
  expect(made.slice(1)).toEqual([0, 0, 0]);
});
