/** Kernels as a GPU has them, whose rows, sums and blocks are those of another size than the one that they are made for. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tensor } from 'jitlens';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { atSizes, filled, type Sized } from '../support/sizes.ts';

let undo = () => {};
beforeAll(async () => {
  undo = await useGpuSchedules();
});
afterAll(() => {
  undo();
});

const of = (fn: (x: Tensor) => Tensor, shape: (n: number) => number[]): Sized<[Tensor]> => ({
  make: () => fn,
  args: (n) => [filled(shape(n))],
});

test.each<[string, string, Sized<[Tensor]>, number[]]>([
  [
    'softmax',
    'workgroup per row',
    of(
      (x) => x.softmax(-1),
      (n) => [3, n],
    ),
    [40, 50, 60, 5, 64, 700, 33],
  ],
  [
    'rows of a batch',
    'workgroup per row',
    of(
      (x) => x.softmax(-1),
      (n) => [n, 70],
    ),
    [2, 3, 4, 300, 5],
  ],
  [
    'a sum for each column',
    'workgroup per',
    of(
      (x) => x.square().sum({ dim: 0 }),
      (n) => [n, 40],
    ),
    [150, 170, 190, 600, 7, 256],
  ],
  [
    'columns of a sum',
    'workgroup per',
    of(
      (x) => x.square().sum({ dim: 0 }),
      (n) => [200, n],
    ),
    [33, 34, 35, 5, 64, 100],
  ],
  [
    'one sum',
    'workgroup per element',
    of(
      (x) => x.square().sum(),
      (n) => [n, 3],
    ),
    [150, 160, 170, 2000, 5],
  ],
])('%s', async (_name, schedule, sized, sizes) => {
  const { made, traced } = await atSizes(sized, sizes);
  expect(made.slice(3)).toEqual(sizes.slice(3).map(() => 0));
  const schedules = traced.info.compiled
    .at(-1)
    ?.plans()
    .flatMap((p) => p.kernels.map((k) => k.kernel.schedule));
  expect(schedules?.some((s) => s.startsWith(schedule))).toBe(true);
});

const rows = (x: Tensor, w: Tensor) => x.matmul(w).relu();
const terms = (x: Tensor, y: Tensor) => x.t().matmul(y);
const both = (x: Tensor, y: Tensor) => x.matmul(y.transpose(1, 2));

// Scripted, so that no single op has to be compiled; such texts take a software device long.
test.each<[string, Sized<[Tensor, Tensor]>, number[]]>([
  ['rows', { make: () => rows, args: (n) => [filled([n, 20]), filled([20, 40])] }, [5, 7, 40, 41, 3, 64, 100]],
  ['terms', { make: () => terms, args: (n) => [filled([n, 32]), filled([n, 32], 5)] }, [5, 7, 40, 41, 3, 64, 100]],
  ['both, of a batch', { make: () => both, args: (n) => [filled([2, n, 24]), filled([2, n, 24], 5)] }, [5, 7, 40, 41, 3, 64]],
])('products in blocks: %s', { timeout: 300_000 }, async (_name, sized, sizes) => {
  const { made, traced } = await atSizes(sized, sizes, 'script');
  expect(made.slice(3)).toEqual(sizes.slice(3).map(() => 0));
  const schedules = traced.info.compiled
    .at(-1)
    ?.plans()
    .flatMap((p) => p.kernels.map((k) => k.kernel.schedule));
  expect(schedules?.some((s) => s.startsWith('workgroup per block'))).toBe(true);
});
