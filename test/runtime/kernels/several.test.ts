/** Positions of a thread: which forms a GPU may try, that each gives the same, and what a CPU takes. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { full, manualSeed, rand, type Tensor } from 'jitlens';
import { taking } from '../support/candidates.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { CLOSE, kernelsOf, traceOf } from '../support/traces.ts';

let leave = () => {};
afterEach(() => {
  vi.restoreAllMocks();
  leave();
  leave = () => {};
});

type Fn = (x: Tensor, w: Tensor) => Tensor;
type Shape = readonly number[];

/** Weights are [outputs, channels, size, size]. */
const convolved: Fn = (x, w) => {
  const [outputs = 1, channels = 1, size = 1] = w.shape;
  const side = x.size(-1) - size + 1;
  return w
    .reshape([outputs, channels * size * size])
    .matmul(x.unfold(size))
    .view([-1, outputs, side, side]);
};
const depthwise: Fn = (x, w) => {
  const [channels = 1, side = 1] = x.shape;
  return w
    .view([channels, 1, 9])
    .matmul(x.view([channels, 1, side, side]).unfold(3))
    .view([channels, side - 2, side - 2]);
};
/** The gradient of a weight, whose window's cells read the same of what comes from behind. */
const ofWeights =
  (groups: number, shape: Shape): Fn =>
  (x, g) => {
    const weight = full(shape, 0).requiresGrad_();
    x.conv2d(weight, undefined, { padding: 1, groups }).mul(g).sum().backward();
    if (!weight.grad) throw new Error('a weight has a gradient');
    return weight.grad;
  };
const product: Fn = (x, w) => x.matmul(w);
const turned: Fn = (x, w) => product(x, w.flip([1]));

const alone = (positions: number, threads: number) => `thread per element, ${positions} positions a thread, ${threads} threads`;
const block = (positions: number, threads: number) => `workgroup per block, ${positions} positions a thread, ${threads} threads`;

/** And the kernel's schedules: the one that should be the fastest first. */
const cases: readonly [string, Fn, Shape, Shape, readonly string[]][] = [
  ['all channels of a position', convolved, [1, 3, 138, 138], [16, 3, 3, 3], [alone(16, 64), alone(16, 256), block(16, 64)]],
  [
    'few channels, of positions whose windows overlap',
    convolved,
    [1, 1, 370, 370],
    [2, 1, 3, 3],
    [alone(8, 64), alone(8, 256), alone(16, 64), alone(16, 256)],
  ],
  ['windows of one channel', depthwise, [16, 82, 82], [16, 9], [alone(4, 64), alone(4, 256)]],
  ['a batch, whose weights are few', convolved, [4, 2, 66, 66], [8, 2, 3, 3], [alone(8, 64), alone(8, 256), block(32, 64)]],
  ['long sums for a few columns', product, [5000, 200], [200, 10], [block(16, 64), block(32, 128), block(16, 128), alone(2, 64)]],
  ['short sums for a few columns', product, [20001, 20], [20, 8], [alone(8, 64), alone(8, 256), block(16, 64)]],
  ['factors that are read backwards', turned, [20001, 20], [20, 8], [alone(8, 64), alone(8, 256), block(16, 64)]],
  ['so few positions that threads have one each', product, [4000, 9], [9, 3], ['thread per element, 64 threads']],
];

describe.each(cases)('%s', (_what, fn, x, w, wanted) => {
  const inputs = (): [Tensor, Tensor] => {
    manualSeed(1);
    return [rand(x), rand(w)];
  };

  test('each form gives the same', async () => {
    const reference = await onReference(() => read(fn(...inputs())));
    const found: string[] = [];
    for (let n = 0; n < wanted.length; n++) {
      // What was tried is remembered by the device.
      leave();
      leave = await useGpuSchedules();
      const counts = taking(n, (wgsl) => wgsl.includes('b2'));
      const traced = traceOf(fn, inputs());
      expectSame(await read(traced(...inputs())), reference, CLOSE, `candidate ${n}`);
      const [kernel, ...others] = kernelsOf(traced);
      expect([counts, others]).toEqual([wanted.length > 1 ? [wanted.length] : [], []]);
      found.push((kernel?.kernel.schedule ?? '').replace(/, \d+ µs when tried.*/, ''));
    }
    expect(found).toEqual(wanted);
  });
});

describe('long sums of few positions, of which a workgroup has several', () => {
  const cases: readonly [string, number, Shape, Shape, Shape, string][] = [
    [
      'cells of one channel',
      256,
      [1, 256, 24, 24],
      [1, 256, 24, 24],
      [256, 1, 3, 3],
      'workgroup per element, 9 positions a thread',
    ],
    ['few outputs', 1, [1, 128, 24, 24], [1, 3, 24, 24], [3, 128, 3, 3], 'workgroup per element, 9 positions a thread'],
    ['few channels: a position each', 8, [1, 8, 24, 24], [1, 8, 24, 24], [8, 1, 3, 3], 'workgroup per element, 256 threads'],
  ];
  test.each(cases)('%s', async (_what, groups, x, g, weight, wanted) => {
    const inputs = (): [Tensor, Tensor] => {
      manualSeed(2);
      return [rand(x), rand(g)];
    };
    const fn = ofWeights(groups, weight);
    const reference = await onReference(() => read(fn(...inputs())));
    leave = await useGpuSchedules();
    const traced = traceOf(fn, inputs());
    expectSame(await read(traced(...inputs())), reference, CLOSE, 'shared');
    expect(kernelsOf(traced)[0]?.kernel.schedule).toContain(wanted);
    expectSame(await read(fn(...inputs())), reference, CLOSE, 'eagerly');
  });
});
