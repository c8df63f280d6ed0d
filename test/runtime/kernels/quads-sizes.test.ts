/** Four elements at once beside a dim that varies: along what stays as it is, and only at sizes whose strides are whole vectors. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { atSizes, filled, type Sized } from '../support/sizes.ts';

type Pair = [Tensor, Tensor];
const beside = (fn: (x: Tensor, y: Tensor) => Tensor, x: (n: number) => number[], y: (n: number) => number[]): Sized<Pair> => ({
  make: () => fn,
  args: (n) => [filled(x(n)), filled(y(n), 5)],
});

/** Pipelines that each size made, what is said of that from the fourth size on, and how many buffers each plan's kernel accesses in fours. */
async function accesses(sized: Sized<Pair>, sizes: readonly number[]) {
  const { made, traced } = await atSizes(sized, sizes);
  const texts = traced.info.compiled.map((c) => c.plans()[0]?.kernels.map((k) => k.kernel.text.wgsl) ?? []);
  const missed = traced.info.recompiles.filter((r) => r.note === 'its kernels are not those of other sizes').length;
  return { made, missed, fours: texts.map(([only = '']) => only.match(/^@group.*array<vec4<f32>>;$/gm)?.length ?? 0) };
}

afterEach(() => {
  vi.restoreAllMocks();
});

const inside = (x: Tensor, y: Tensor) => x.slice(1, 2, 66).add(y);
const atEnd = (x: Tensor, y: Tensor) => x.slice(1, x.size(1) - 66, x.size(1) - 2).add(y);
const LENGTH = 1 << 18;
const last = (x: Tensor, y: Tensor) => x.slice(0, x.size(0) - LENGTH, x.size(0)).add(y);
const row = () => [64];

describe('an elementwise kernel', () => {
  // The fourth size and later: no kernel is made for them, but for the first one whose strides are no whole vectors.
  test.each<[string, Sized<Pair>, number[], number[], number[]]>([
    [
      'of n rows',
      beside(
        (x, y) => x.add(y),
        (n) => [n, 64],
        row,
      ),
      [4096, 4100, 4201, 5000, 4099],
      [0, 0],
      [3, 3, 3, 3, 3],
    ],
    [
      'of n planes across',
      beside(
        (x, y) => x.transpose(0, 1).mul(y),
        (n) => [n, 64, 64],
        row,
      ),
      [64, 68, 72, 70, 71],
      [0, 0],
      [3, 3, 3, 3, 3],
    ],
    [
      'of part of each row',
      beside(inside, (n) => [4096, n], row),
      [72, 76, 80, 70, 84, 71, 75, 88],
      [1, 0, 0, 0, 0],
      [3, 3, 3, 0, 3, 0, 0, 3],
    ],
    [
      'of part of each row, the first no whole vectors',
      beside(inside, (n) => [4096, n], row),
      [71, 79, 81, 72, 84, 75],
      [0, 0, 0],
      [0, 0, 0, 0, 0, 0],
    ],
    [
      'of the end of each row',
      beside(atEnd, (n) => [4096, n], row),
      [72, 76, 80, 70, 84, 71, 75, 88],
      [1, 0, 0, 0, 0],
      [3, 3, 3, 0, 3, 0, 0, 3],
    ],
    [
      'of the end of a tensor, at each place of a vector',
      beside(
        last,
        (n) => [LENGTH + n],
        () => [1],
      ),
      [4, 8, 12, 5, 6, 16, 7, 9, 11],
      [1, 0, 0, 0, 0, 0],
      [2, 2, 2, 0, 0, 2, 0, 0, 0],
    ],
    [
      'along what varies',
      beside(
        (x, y) => x.add(y),
        (n) => [4096, n],
        (n) => [n],
      ),
      [64, 68, 72, 70, 71, 80],
      [0, 0, 0],
      [3, 3, 0, 0, 0, 0],
    ],
  ])('%s', async (_name, sized, sizes, later, types) => {
    const { made, missed, fours } = await accesses(sized, sizes);
    expect(made.slice(3)).toEqual(later);
    expect(missed).toBe(later.filter((n) => n > 0).length);
    expect(fours).toEqual(types);
  });
});

test.each<[string, Sized<Pair>, number[], number[], number[]]>([
  [
    'n rows',
    beside(
      (x, y) => x.softmax(-1).mul(y),
      (n) => [n, 512],
      () => [512],
    ),
    [3, 4, 5, 6, 17],
    [0, 0],
    [3, 3, 3, 3, 3],
  ],
  [
    'parts of long rows',
    beside(
      (x, y) => x.slice(1, 4, 516).softmax(-1).mul(y),
      (n) => [3, n],
      () => [512],
    ),
    [520, 524, 528, 521, 522, 532, 523],
    [1, 0, 0, 0],
    [3, 3, 3, 0, 0, 3, 0],
  ],
])('a kernel by rows: %s', async (_name, sized, sizes, later, types) => {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  vi.spyOn(backend.gpu, 'info', 'get').mockReturnValue({ ...backend.gpu.info, kind: 'gpu' });
  const { made, missed, fours } = await accesses(sized, sizes);
  expect(made.slice(3)).toEqual(later);
  expect(missed).toBe(later.filter((n) => n > 0).length);
  expect(fours).toEqual(types);
});
