/** Sums that a workgroup shares, by element and by neighbouring columns: sizes that fill none, and where they may stand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cat, full, stack, tensor, type Tensor } from 'jitlens';
import { Conv2d } from '../../../extension/samples/conv2d.ts';
import { cutOf } from '../../../runtime/kernels/cuts.ts';
import { Builder, sumCombiner, type Sum } from '../../../runtime/kernels/expr.ts';
import { axis, fromAxis } from '../../../runtime/tensor/affine.ts';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';
import { EXACT, firstOff } from '../support/compare.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { compared, onlyTrace, traceOf } from '../support/traces.ts';

let undo = () => {};
beforeAll(async () => {
  undo = await useGpuSchedules();
});
afterAll(() => {
  undo();
});

/** Small whole numbers, so that sums are exact in float32, in an order that no size divides. */
const sized = (shape: Shape, step = 7) =>
  tensor(Float32Array.from({ length: numel(shape) }, (_, i) => ((step * i) % 11) - 5)).view(shape);
const numbers = async (x: unknown) => [...(await (x as Tensor).data())];
const schedules = (traced: Parameters<typeof onlyTrace>[0]) => onlyTrace(traced).plan?.kernels.map((k) => k.kernel.schedule);

const ELEMENT = 'workgroup per element, 256 threads';
const COLUMNS = 'workgroup per 8 columns, 256 threads';

describe('sums over the rows of a matrix, a workgroup for some columns', () => {
  test.each([
    [128, 16, 8],
    [129, 33, 8],
    [1000, 31, 8],
    [4113, 9, 8],
    [150, 4101, 8],
    [150, 8203, 16],
    [150, 16411, 32],
  ])('%d rows, %d columns, %d at once', async (rows, columns, together) => {
    const fn = (x: Tensor) => x.sum({ dim: 0 });
    const traced = traceOf(fn, [sized([rows, columns])]);
    const wanted = Array.from({ length: columns }, (_, j) => {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += ((7 * (i * columns + j)) % 11) - 5;
      return sum;
    });
    for (const by of [fn, traced]) expect(await numbers(by(sized([rows, columns])))).toEqual(wanted);
    expect(schedules(traced)).toEqual([`workgroup per ${together} columns, 256 threads`]);
  });

  type Fn = (x: Tensor, y: Tensor) => unknown;
  const forms: Readonly<Record<string, Fn>> = {
    'of two lengths, with work before and after': (x, y) =>
      x
        .relu()
        .sum({ dim: 0 })
        .sub(y.mul(2).sum({ dim: 0 }))
        .relu(),
    'of one loop': (x) => x.sum({ dim: 0 }).add(x.mul(x).sum({ dim: 0 })),
    'the largest': (x) => x.amax({ dim: 0 }),
    'of integers': (x) => x.to('int32').mul(3).sum({ dim: 0 }),
    'into truth values': (x, y) => x.sum({ dim: 0 }).gt(y.sum({ dim: 0 })),
    'whether any is more than 4': (x) => x.gt(4).any({ dim: 0 }),
    'for several tensors': (x) => [x.sum({ dim: 0 }), x.mul(3).amax({ dim: 0 }), x.mul(x).sum({ dim: 0 })],
    'laid end to end': (x, y) => cat([x.sum({ dim: 0 }), y.sum({ dim: 0 })]),
    'under a condition that does not differ between columns': (x, y) => stack([x.sum({ dim: 0 }), y.sum({ dim: 0 })]).mul(2),
  };
  test.each(Object.entries(forms))('%s', async (_name, fn) => {
    const traced = await compared(fn, () => [sized([200, 70]), sized([131, 70], 5)], EXACT);
    expect(schedules(traced)).toEqual([COLUMNS]);
  });

  test('of each matrix in a batch, several dims at once', async () => {
    const traced = await compared(
      (x) => x.sum({ dim: [1, 2] }),
      () => [sized([3, 10, 13, 50])],
      EXACT,
    );
    expect(schedules(traced)).toEqual([COLUMNS]);
  });

  test('in parts where they are long', async () => {
    const traced = traceOf((x: Tensor) => x.sum({ dim: 0 }), [full([30000, 16], 0.1)]);
    const got = await numbers(traced(full([30000, 16], 0.1)));
    expect(schedules(traced)).toEqual([COLUMNS]);
    expect(firstOff(got, Array<number>(16).fill(30000 * Math.fround(0.1)), { relative: 1e-6, absolute: 0 })).toBeUndefined();
  });

  test.each([
    ['neighbours along the sum', [20, 300], 1, ELEMENT],
    ['few neighbours', [300, 7], 0, ELEMENT],
    ['short sums', [100, 70], 0, 'thread per element, 64 threads'],
  ] as const)('not with %s', (_what, shape, dim, wanted) => {
    expect(schedules(traceOf((x: Tensor) => x.sum({ dim }), [full(shape, 1)]))).toEqual([wanted]);
  });
});

describe('sums under conditions, a workgroup for each element', () => {
  test('of parts of different sizes', async () => {
    const traced = await compared(
      (x, y) => cat([x.sum({ dim: 1 }), y.mul(2).sum({ dim: 1 }).relu(), x.amax({ dim: 1 })]).add(1),
      () => [sized([5, 300]), sized([4, 201], 5)],
      EXACT,
    );
    expect(schedules(traced)).toEqual([ELEMENT]);
  });

  test('that differ between columns', async () => {
    const traced = await compared(
      (x, y) => cat([x.sum({ dim: 0 }), y.sum({ dim: 0 })]).mul(2),
      () => [sized([200, 70]), sized([200, 50], 5)],
      EXACT,
    );
    expect(schedules(traced)).toEqual([ELEMENT]);
  });

  test('of the weight of a convolution written by hand', async () => {
    const layer = new Conv2d(2, 3, 3);
    const gradient = (x: Tensor) => {
      layer.zeroGrad();
      layer.forward(x).sum().backward();
      return layer.weights.grad;
    };
    const traced = traceOf(gradient, [sized([1, 2, 16, 18])]);
    const got = await numbers(traced(sized([1, 2, 16, 18])));
    // Each weight meets every window's place of its own: the sum of a 14×16 part of its channel, whatever the output.
    const part = (c: number, i: number, j: number) =>
      sized([1, 2, 16, 18])
        .select(0, 0)
        .select(0, c)
        .slice(0, i, i + 14)
        .slice(1, j, j + 16)
        .sum();
    const channels = await Promise.all(
      [0, 1].flatMap((c) => Array.from({ length: 9 }, (_, at) => part(c, Math.floor(at / 3), at % 3).item())),
    );
    expect(got).toEqual([0, 1, 2].flatMap(() => channels));
    // Computed once for the outputs, which do not matter.
    expect(schedules(traced)).toEqual([expect.stringContaining('workgroup per row')]);
  });
});

test('a part is never longer than the loop that ends it', () => {
  const b = new Builder();
  const axes = [axis('r', 62), axis('s', 62)];
  const body = b.load(0, fromAxis(axes[0] ?? axis('r', 1)), 'float32');
  const sum = b.reduce(sumCombiner(), axes, body) as Sum;
  expect(cutOf([sum], [62, 62], 1)).toEqual({ level: 1, every: 32 });
});
