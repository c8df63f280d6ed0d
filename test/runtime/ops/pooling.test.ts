/** Pooling and resizing against their formulas, written out in the test: which elements a window holds, where a source lies. */
import { describe, expect, test } from 'vitest';
import { jit, tensor, type Tensor } from 'jitlens';
import { firstOff } from '../support/compare.ts';
import { launched } from '../support/dispatches.ts';
import { Random } from '../support/random.ts';

const CLOSE = { relative: 1e-5, absolute: 1e-6 };
const random = new Random(21);
const [H, W] = [7, 9];
const image = random.shuffled(Array.from({ length: H * W }, (_, i) => i * 0.25 - 5));
const onDevice = (values: readonly number[] = image, shape: readonly number[] = [1, 1, H, W]) =>
  tensor(Float32Array.from(values)).view(shape);
const numbers = async (x: Tensor) => [...(await x.data())];

async function everywhere(
  run: (x: Tensor) => Tensor,
  want: readonly number[],
  shape: readonly number[],
  x = onDevice,
): Promise<void> {
  for (const got of [run(x()), jit.trace(run, [x().mul(0.5)])(x())]) {
    expect(got.shape).toEqual(shape);
    expect(firstOff(await numbers(got), want, CLOSE)).toBeUndefined();
  }
}

/** The rows and columns that each window of a row holds, given where it starts. */
type Range = (i: number) => number[];

/** What `of` makes of the elements of each window. */
function pooled(rows: number, columns: number, row: Range, column: Range, of: (values: number[], all: number) => number) {
  const out: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const cells = row(i).flatMap((y) => column(j).map((x) => [y, x] as const));
      const there = cells.filter(([y, x]) => y >= 0 && y < H && x >= 0 && x < W);
      const values = there.map(([y, x]) => image[y * W + x] ?? NaN);
      out.push(of(values, cells.length));
    }
  }
  return out;
}
const strided =
  (kernel: number, stride: number, padding = 0, dilation = 1): Range =>
  (i) =>
    Array.from({ length: kernel }, (_, k) => i * stride - padding + k * dilation);
/** Adaptive windows: from ⌊i · size / count⌋ to before ⌈(i + 1) · size / count⌉. */
const parts =
  (size: number, count: number): Range =>
  (i) => {
    const start = Math.floor((i * size) / count);
    return Array.from({ length: Math.ceil(((i + 1) * size) / count) - start }, (_, k) => start + k);
  };
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
const most = (values: readonly number[]) => Math.max(...values);

/** What divides the mean of window (i, j): its cells in the image and the padding behind it. */
const countingPad = (rows: Range, columns: Range, padding: number, [i, j]: readonly [number, number]) =>
  rows(i).filter((y) => y < H + padding).length * columns(j).filter((x) => x < W + padding).length;

const POOLS: readonly [name: string, run: (x: Tensor) => Tensor, shape: [number, number], want: () => number[]][] = [
  ['maxima', (x) => x.maxPool2d(2), [3, 4], () => pooled(3, 4, strided(2, 2), strided(2, 2), most)],
  [
    'maxima with stride, padding and dilation',
    (x) => x.maxPool2d(3, { stride: 2, padding: 1, dilation: [2, 1] }),
    [3, 5],
    () => pooled(3, 5, strided(3, 2, 1, 2), strided(3, 2, 1), most),
  ],
  [
    'maxima of windows that only begin in the image',
    (x) => x.maxPool2d(2, { ceilMode: true }),
    [4, 5],
    () => pooled(4, 5, strided(2, 2), strided(2, 2), most),
  ],
  [
    'no window that begins in the padding behind',
    (x) => x.maxPool2d(2, { stride: 3, padding: 1, ceilMode: true }),
    [3, 4],
    () => pooled(3, 4, strided(2, 3, 1), strided(2, 3, 1), most),
  ],
  ['means', (x) => x.avgPool2d([3, 2], { stride: 1 }), [5, 8], () => pooled(5, 8, strided(3, 1), strided(2, 1), mean)],
  [
    'means with zeros around',
    (x) => x.avgPool2d(3, { stride: 2, padding: 1 }),
    [4, 5],
    () => pooled(4, 5, strided(3, 2, 1), strided(3, 2, 1), (values, all) => sum(values) / all),
  ],
  [
    'means of what is there',
    (x) => x.avgPool2d(3, { stride: 2, padding: 1, countIncludePad: false }),
    [4, 5],
    () => pooled(4, 5, strided(3, 2, 1), strided(3, 2, 1), mean),
  ],
  [
    'means of windows that leave the padding',
    (x) => x.avgPool2d(4, { stride: 3, padding: 1, ceilMode: true }),
    [3, 4],
    () => {
      const [row, column] = [strided(4, 3, 1), strided(4, 3, 1)];
      const totals = pooled(3, 4, row, column, sum);
      return totals.map((total, n) => total / countingPad(row, column, 1, [Math.floor(n / 4), n % 4]));
    },
  ],
  ['adaptive means', (x) => x.adaptiveAvgPool2d([3, 4]), [3, 4], () => pooled(3, 4, parts(H, 3), parts(W, 4), mean)],
  [
    'adaptive means of more windows',
    (x) => x.adaptiveAvgPool2d([9, 3]),
    [9, 3],
    () => pooled(9, 3, parts(H, 9), parts(W, 3), mean),
  ],
  ['adaptive maxima', (x) => x.adaptiveMaxPool2d([5, 2]), [5, 2], () => pooled(5, 2, parts(H, 5), parts(W, 2), most)],
];

test.each(POOLS)('%s', (_name, run, [rows, columns], want) => everywhere(run, want(), [1, 1, rows, columns]));

test('places of maxima count in the image, and name the elements', async () => {
  const { values, indices } = onDevice().maxPool2d(3, { stride: 2, padding: 1, returnIndices: true });
  const places = await numbers(indices);
  expect(indices.dtype).toBe('int32');
  expect(places.map((p) => image[p])).toEqual(await numbers(values));
});

test('the gradient of a maximum goes to the first largest element of its window', async () => {
  const x = onDevice([1, 3, 3, 0, 3, 2, 3, 3], [1, 1, 2, 4]).requiresGrad_();
  x.maxPool2d(2).sum().backward();
  expect(x.grad && (await numbers(x.grad))).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
});

test('a maximum of NaN is NaN, and padding is never the largest', async () => {
  const low = onDevice([-5, -7, NaN, -3], [1, 1, 4]);
  expect(await numbers(low.maxPool1d(2, { padding: 1 }))).toEqual([-5, NaN, -3]);
  const whole = tensor([-5, -7, -9], { dtype: 'int32' }).view([1, 3]);
  expect(await numbers(whole.maxPool1d(2, { padding: 1 }))).toEqual([-5, -7]);
});

test('two kernels each', () => {
  const x = onDevice();
  expect(launched(() => x.maxPool2d(2))).toBe(2);
  expect(launched(() => x.avgPool2d(3, { padding: 1 }))).toBe(2);
  expect(launched(() => x.adaptiveAvgPool2d(1))).toBe(2);
});

test.each([
  ['padding over half', () => onDevice().maxPool2d(3, { padding: 2 })],
  ['no window', () => onDevice().avgPool2d(8)],
  ['rank', () => onDevice().maxPool1d(2)],
  ['size and factor', () => onDevice().interpolate({ size: 3, scaleFactor: 2 })],
  ['bilinear of a line', () => onDevice().view([1, H, W]).interpolate({ size: 3, mode: 'bilinear' })],
  ['channels that do not fill squares', () => onDevice().pixelShuffle(2)],
])('refused: %s', (_name, run) => {
  expect(run).toThrow(expect.objectContaining({ code: 'JL410' }));
});

describe('resizing', () => {
  const nearest = (rows: number, columns: number, down: number, across: number) =>
    Array.from({ length: rows * columns }, (_, n) => {
      const [i, j] = [Math.floor(n / columns), n % columns];
      return image[Math.floor(i * down + 1e-9) * W + Math.floor(j * across + 1e-9)] ?? NaN;
    });

  test('the nearest: ⌊i · in / out⌋', async () => {
    await everywhere((x) => x.interpolate({ size: [11, 4] }), nearest(11, 4, H / 11, W / 4), [1, 1, 11, 4]);
    await everywhere((x) => x.interpolate({ scaleFactor: [2, 1.7] }), nearest(14, 15, 1 / 2, 1 / 1.7), [1, 1, 14, 15]);
  });

  /** Weights of the two rows (columns) around a place. */
  function bilinear(rows: number, columns: number, source: (i: number, count: number, size: number) => number): number[] {
    const around = (i: number, count: number, size: number) => {
      const place = Math.max(0, source(i, count, size));
      const low = Math.floor(place);
      return { low, high: Math.min(low + 1, size - 1), part: place - low };
    };
    return Array.from({ length: rows * columns }, (_, n) => {
      const y = around(Math.floor(n / columns), rows, H);
      const x = around(n % columns, columns, W);
      const pixel = (r: number, c: number) => image[r * W + c] ?? NaN;
      const row = (r: number) => pixel(r, x.low) * (1 - x.part) + pixel(r, x.high) * x.part;
      return row(y.low) * (1 - y.part) + row(y.high) * y.part;
    });
  }
  const edges = (i: number, count: number, size: number) => ((i + 0.5) * size) / count - 0.5;
  const corners = (i: number, count: number, size: number) => (count > 1 ? (i * (size - 1)) / (count - 1) : 0);

  test.each([
    [11, 4],
    [3, 20],
    [14, 18],
    [1, 9],
    [H, W],
  ])('bilinear to %i × %i', async (rows, columns) => {
    const size = [rows, columns];
    await everywhere((x) => x.interpolate({ size, mode: 'bilinear' }), bilinear(rows, columns, edges), [1, 1, ...size]);
    const aligned = bilinear(rows, columns, corners);
    await everywhere((x) => x.interpolate({ size, mode: 'bilinear', alignCorners: true }), aligned, [1, 1, ...size]);
  });

  test('bilinear by a factor uses the factor, not the sizes', async () => {
    const source = (i: number) => (i + 0.5) / 1.3 - 0.5;
    const [rows, columns] = [Math.floor(H * 1.3), Math.floor(W * 1.3)];
    await everywhere((x) => x.interpolate({ scaleFactor: 1.3, mode: 'bilinear' }), bilinear(rows, columns, source), [
      1,
      1,
      rows,
      columns,
    ]);
  });

  test('pixels from channels and back', async () => {
    const x = onDevice(Array.from({ length: 16 }, (_, i) => i), [1, 4, 2, 2]); // prettier-ignore
    const shuffled = x.pixelShuffle(2);
    expect(shuffled.shape).toEqual([1, 1, 4, 4]);
    expect(await numbers(shuffled)).toEqual([0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15]);
    expect(await numbers(shuffled.pixelUnshuffle(2))).toEqual(await numbers(x));
  });
});
