/** Variances of long rows: which are taken of parts, in which; that values are as near as those of two passes; how often rows are read. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { full, jit, ones, tensor, type Tensor } from 'jitlens';
import { print } from '../../../runtime/ir/print.ts';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { leavesOf } from '../../../runtime/passes/leaves.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';
import { read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { recordedOf, text } from '../support/passes.ts';
import { Random, randomTensor } from '../support/random.ts';
import { compared, dispatches, onlyTrace } from '../support/traces.ts';

type Fn = (x: Tensor, y: Tensor) => unknown;
type Traced = Parameters<typeof onlyTrace>[0];
const textOf = (fn: Fn, x: Shape, y: Shape = [1]) => onReference(() => print(optimise(recordedOf(fn, [x, y])).graph));

/** Kernels are made as for a GPU, on the device that there is. */
function madeForGpu(): void {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  vi.spyOn(backend.gpu, 'info', 'get').mockReturnValue({ ...backend.gpu.info, kind: 'gpu' });
}
afterEach(() => {
  vi.restoreAllMocks();
});

/** Kernels that read the first argument. */
const readersOf = (traced: Traced) =>
  onlyTrace(traced).plan?.fusion.groups.filter((g) =>
    [...leavesOf(g.roots, g.inside)].some((n) => n.kind === 'external' && n.position === 0),
  ).length;

test('a variance is of parts, and of what their means are from the mean', () => {
  expect(textOf((x) => x.var({ dim: 1 }), [4, 65536])).toBe(
    text(`
    %0 = input0() {input} : f32[4,65536]
    %1 = input1() {input} : f32[1]
    %2 = strided(%0) {shape=[4, 64, 1024] strides=[65536, 1024, 1] offset=0} : f32[4,64,1024]
    %3 = sum(%2) {dims=[2] keepdim} : f32[4,64,1]
    %4 = div(%3, 1024) : f32[4,64,1]
    %5 = sub(%2, %4) : f32[4,64,1024]
    %6 = square(%5) : f32[4,64,1024]
    %7 = sum(%6) {dims=[2] keepdim} : f32[4,64,1]
    %8 = div(%3, 1024) : f32[4,64,1]
    %9 = sum(%3) {dims=[1] keepdim} : f32[4,1,1]
    %10 = div(%9, 65536) : f32[4,1,1]
    %11 = eq(%8, %10) : bool[4,64,1]
    %12 = sub(%8, %10) : f32[4,64,1]
    %13 = where(%11, 0, %12) : f32[4,64,1]
    %14 = square(%13) : f32[4,64,1]
    %15 = sum(%14) {dims=[1] keepdim} : f32[4,1,1]
    %16 = mul(%15, 1024) : f32[4,1,1]
    %17 = sum(%7) {dims=[1] keepdim} : f32[4,1,1]
    %18 = strided(%17) {shape=[4] strides=[1] offset=0} : f32[4]
    %19 = strided(%16) {shape=[4] strides=[1] offset=0} : f32[4]
    %20 = add(%18, %19) : f32[4]
    %21 = div(%20, 65535) : f32[4]
    return %21`),
  );
});

const batch = { dim: [0, 2, 3] };
const rows = { dim: 1, keepdim: true };
const norm: Fn = (x) => x.batchNorm({ training: true });
const followed: Fn = (x, runningMean) => x.batchNorm({ runningMean, training: true });
const squares = (x: Tensor, from: Tensor) => x.sub(from).square().sum({ dim: -1 });

const cases: readonly [string, Fn, Shape, string | undefined][] = [
  ['few rows', (x) => x.var({ dim: 1 }), [4, 65536], '[4,64,1024] over 2'],
  ['of everything', (x) => x.std(), [512, 512], '[256,2,512] over 1, 2'],
  ['of channels', (x) => x.var(batch), [16, 4, 64, 64], '[16,4,4,16,64] over 3, 4'],
  ['of channels that lie last', (x) => x.permute([0, 3, 1, 2]).var(batch), [16, 64, 64, 4], '[16,4,4,16,64] over 3, 4'],
  ['across memory', (x) => x.var({ dim: 0 }), [65536, 4], '[64,1024,4] over 1'],
  ['a norm of batches', followed, [16, 4, 64, 64], '[16,4,4,16,64] over 3, 4'],
  ['a norm of groups', (x) => x.groupNorm(2), [2, 8, 128, 256], '[2,2,128,1024] over 3'],
  ['a norm of images', (x) => x.instanceNorm(), [2, 2, 512, 256], '[2,2,128,4,256] over 3, 4'],
  ['a mean of another shape', (x) => squares(x, x.mean({ dim: 1 }).view([4, 1])), [4, 65536], '[4,64,1024] over 2'],
  ['a mean that is repeated', (x) => squares(x, x.mean(rows).expand([4, 65536])), [4, 65536], '[4,64,1024] over 2'],
  [
    'a product by itself',
    (x) => {
      const distance = x.sub(x.mean(rows));
      return distance.mul(distance).sum({ dim: 1 });
    },
    [4, 65536],
    '[4,64,1024] over 2',
  ],
  ['many long rows', (x) => x.var({ dim: 1 }), [129, 80000], '[129,32,2500] over 2'],
  ['many rows across memory', (x) => x.var({ dim: 0 }), [2048, 1024], '[2,1024,1024] over 1'],
  ['rows whose means are kept', followed, [16, 144, 32, 32], '[16,1,144,32,32] over 1, 3, 4'],
  ['the same, not kept', norm, [16, 144, 32, 32], undefined],
  ['rows that one kernel has whole', (x) => x.var({ dim: 1 }), [129, 65536], undefined],
  ['rows that threads keep', (x) => x.layerNorm(4096), [512, 4096], undefined],
  ['little', (x) => x.var({ dim: 1 }), [3, 65536], undefined],
  ['a length that nothing divides', (x) => x.var({ dim: 1 }), [4, 65537], undefined],
  ['a mean of other dims', (x) => squares(x, x.mean({ dim: 0, keepdim: true })), [4, 65536], undefined],
  ['a mean of something else', (x) => squares(x, x.exp().mean(rows)), [4, 65536], undefined],
  ['nearly a mean', (x) => squares(x, x.sum(rows).div(65535)), [4, 65536], undefined],
  ['means of other rows', (x) => squares(x, x.mean({ dim: 2, keepdim: true }).transpose(0, 1)), [2, 2, 65536], undefined],
  ['a mean that several rows are compared with', (x) => squares(x, x.mean(rows).expand([3, 1])), [1, 1 << 18], undefined],
  [
    'means of one row as those of all',
    (x) =>
      squares(
        x,
        x
          .sum(rows)
          .div(full([1, 4], 65536))
          .view([16])
          .narrow(0, 0, 4)
          .view([4, 1]),
      ),
    [4, 65536],
    undefined,
  ],
  ['squares of other rows', (x) => x.sub(x.mean(rows)).square().sum({ dim: 0 }), [4, 65536], undefined],
  ['whole numbers', (x) => x.mul(100).to('int32').var({ dim: 1 }), [4, 65536], undefined],
  ['halves', (x) => x.to('float16').var({ dim: 1 }), [4, 65536], undefined],
];
const cutIn = (graph: string) => {
  const [, shape, dims] = /strided\(%\d+\).* : \w+(\[.*\])\n.* sum\(%\d+\) \{dims=\[(.*)\] keepdim\}/.exec(graph) ?? [];
  return shape && `${shape} over ${dims}`;
};

test.each(cases)('%s: parts', (_what, fn, shape, cut) => {
  expect(cutIn(textOf(fn, shape, [shape[1] ?? 1]))).toBe(cut);
});

/** Those that are small enough to be computed here. */
const small = cases.filter(([what, , shape]) => numel(shape) <= 1 << 19 && what !== 'halves');
test.each(small)('%s: values', async (_what, fn, shape) => {
  const make = (): [Tensor, Tensor] => [randomTensor(shape), ones([shape[1] ?? 1])];
  await compared(fn, make, { relative: 2e-4, absolute: 2e-4 });
});

/** Each row of its own numbers. */
const tensorOf = (count: number, length: number, of: (row: number, i: number) => number) =>
  tensor(Float32Array.from({ length: count * length }, (_, i) => of(Math.floor(i / length), i % length))).view([count, length]);

describe.each(['software', 'gpu'] as const)('made for %s', (kind) => {
  const variances = (x: Tensor) => x.var({ dim: 1, correction: 0 });
  const length = 65536;

  test('as near as two passes: far from 0, with one far from the others, of one number', async () => {
    if (kind === 'gpu') madeForGpu();
    const random = new Random(5);
    const near = () => 0.02 * random.next() - 0.01;
    const kinds: readonly ((i: number) => number)[] = [
      () => 1e4 + near(),
      (i) => (i === 0 ? 1e4 : near()),
      (i) => (i === length - 1 ? -1e6 : 1 + near()),
      () => 1234.567,
      (i) => (i < length / 2 ? 1e4 : -1e4) + near(),
      (i) => i + near(),
    ];
    const x = tensorOf(kinds.length, length, (row, i) => kinds[row]?.(i) ?? NaN);
    const [got = [], twice = [], numbers = []] = (await read([jit.trace(variances, [x])(x), variances(x), x])).map(
      (r) => r.values,
    );
    kinds.forEach((_, row) => {
      const own = numbers.slice(row * length, (row + 1) * length);
      const mean = own.reduce((sum, n) => sum + n / length, 0);
      const want = own.reduce((sum, n) => sum + (n - mean) ** 2 / length, 0);
      // A mean is within some roundings: that squared is added to a variance.
      const off = 1e-6 * want + (8 * 2 ** -23 * mean) ** 2;
      for (const value of [got[row], twice[row]]) expect(Math.abs((value ?? NaN) - want), `row ${row}`).toBeLessThanOrEqual(off);
    });
  });

  test('what is no number, or too large, gives what it gives in two passes', async () => {
    if (kind === 'gpu') madeForGpu();
    const kinds: readonly ((i: number) => number)[] = [
      (i) => (i === 70 ? Infinity : 1),
      (i) => (i === 5000 ? NaN : i),
      (i) => (i % 9000 === 7 ? (i < 30_000 ? Infinity : -Infinity) : 0),
      () => 3e38,
      (i) => (i < 100 ? 3e38 : 1),
      (i) => (i === 1 ? 1e25 : 0),
    ];
    const x = tensorOf(kinds.length, length, (row, i) => kinds[row]?.(i) ?? 0);
    const [got, twice] = await read([jit.trace(variances, [x])(x), variances(x)]);
    expect(twice?.values).toEqual([NaN, NaN, NaN, Infinity, Infinity, Infinity]);
    expect(got?.values).toEqual(twice?.values);
  });
});

describe('a norm of batches in training', () => {
  const shape = [16, 4, 64, 64];
  const inputs = (): [x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor] => [
    randomTensor(shape),
    randomTensor([4], 2),
    randomTensor([4], 3),
    randomTensor([4], 4),
    ones([4]),
  ];
  const forward = (x: Tensor, weight: Tensor, bias: Tensor, runningMean: Tensor, runningVar: Tensor) =>
    x.batchNorm({ weight, bias, runningMean, runningVar, training: true });

  test('reads its image twice: each element once, by the one thread that has it', async () => {
    madeForGpu();
    const traced = await compared(forward, inputs, { relative: 2e-4, absolute: 2e-4 });
    expect(readersOf(traced)).toBe(2);
    expect(dispatches(traced)).toBe(3);
    const [statistics = ''] = onlyTrace(traced).plan?.kernels.map((k) => k.kernel.text.wgsl) ?? [];
    const loads = statistics.match(/= b\d\[/g)?.length;
    // 128 threads have a part of 1024.
    expect({ loads, loops: statistics.includes('for (var q') }).toEqual({ loads: 8, loops: false });
  });

  test('has gradients of the same statistics', async () => {
    const gradients = (x: Tensor, w: Tensor, b: Tensor, mean: Tensor, variance: Tensor, slopes: Tensor) => {
      const [y = x, weight = w, bias = b] = [x, w, b].map((t) => t.detach().requiresGrad_());
      forward(y, weight, bias, mean, variance).mul(slopes).sum().backward();
      return [y.grad, weight.grad, bias.grad];
    };
    const make = (): [...ReturnType<typeof inputs>, Tensor] => [...inputs(), randomTensor(shape, 5)];
    const traced = await compared(gradients, make, { relative: 1e-3, absolute: 1e-3 });
    expect(readersOf(traced)).toBe(4);
  });
});

test('sizes that vary: in parts that do too', async () => {
  const variances = (x: Tensor) => x.var({ dim: 1 });
  const sized = (n: number) => randomTensor([4, 1024 * n], n);
  const traced = jit.trace(variances, [sized(64)]);
  for (const n of [64, 66, 70, 80, 81]) {
    const [got, want] = await read([traced(sized(n)), variances(sized(n))]);
    got?.values.forEach((value, i) => {
      expect(value, `${n}`).toBeCloseTo(want?.values[i] ?? NaN, 5);
    });
  }
  expect(traced.info.compiled.map((c) => c.plan?.kernels.length)).toEqual([2, 2, 2, 2, 2]);
});
