/** Kernels by rows: what becomes one, at odd lengths, with loops and written out; and what stays as it was. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { arange, cat, full, tensor, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import type { DeviceKind } from '../../../runtime/profile/model.ts';
import { compared, dispatches, onlyTrace, sectionsOf, traceOf } from '../support/traces.ts';
import { randomTensor } from '../support/random.ts';

/** Kernels are made as for this kind of device, on the device that there is. */
function madeFor(kind: DeviceKind): void {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  vi.spyOn(backend.gpu, 'info', 'get').mockReturnValue({ ...backend.gpu.info, kind });
}
afterEach(() => {
  vi.restoreAllMocks();
});

type Inputs = [x: Tensor, weight: Tensor, bias: Tensor, target: Tensor];
const numbers = (shape: readonly number[], seed: number) => randomTensor(shape, seed, 2);
const inputs = (rows: number, columns: number) => (): Inputs => [
  numbers([rows, columns], 1),
  numbers([columns], 2),
  numbers([columns], 3),
  arange(rows).mul(7).remainder(columns).to('int32'),
];
const schedules = (traced: Parameters<typeof onlyTrace>[0]) => onlyTrace(traced).plan?.kernels.map((k) => k.kernel.schedule);

const forms: Readonly<Record<string, (...inputs: Inputs) => Tensor>> = {
  softmax: (x) => x.softmax(-1),
  logSoftmax: (x) => x.logSoftmax(-1),
  logsumexp: (x) => x.logsumexp(-1),
  layerNorm: (x, w, b) => x.layerNorm(x.size(1), w, b),
  'layerNorm and gelu': (x, w, b) => x.layerNorm(x.size(1), w, b).gelu(),
  rmsNorm: (x, w) => x.rmsNorm(x.size(1), w),
  'crossEntropy of each row': (x, _w, _b, t) => x.crossEntropy(t, { reduction: 'none' }),
};

describe.each(['software', 'gpu'] as const)('made for %s', (kind) => {
  describe.each(Object.entries(forms))('%s', (_name, fn) => {
    test.each([
      [5, 100],
      [3, 1000],
      [2, 1025],
      [33, 40],
      [130, 40],
    ])('of %d rows of %d is one kernel', async (rows, columns) => {
      madeFor(kind);
      const traced = await compared(fn, inputs(rows, columns));
      expect(schedules(traced)).toEqual([expect.stringContaining('workgroup per row')]);
    });

    test.each([
      [1, 1],
      [7, 1],
      [7, 3],
      [1, 17],
      [70, 8],
    ])('of %d rows of %d', async (rows, columns) => {
      madeFor(kind);
      expect(dispatches(await compared(fn, inputs(rows, columns)))).toBe(1);
    });
  });
});

describe('a sum of many rows, alone', () => {
  const rows = 9000;
  test.each<[string, (x: Tensor, w: Tensor) => Tensor, readonly number[], string]>([
    ['of neighbours in memory', (x) => x.exp().sum({ dim: -1 }), [rows, 70], 'workgroup per row'],
    ['of neighbours, with the same weights for all', (x, w) => x.mul(w).sum({ dim: -1 }), [rows, 70], 'workgroup per row'],
    ['of a few', (x) => x.exp().sum({ dim: -1 }), [rows, 20], 'thread per element'],
    ['across memory', (x) => x.exp().sum({ dim: 0 }), [70, rows], 'thread per element'],
    ['of windows that overlap', (x) => x.view([1, 1, -1]).avgPool1d(40, { stride: 1 }), [1, rows], 'thread per element'],
  ])('%s', async (_, fn, shape, wanted) => {
    madeFor('gpu');
    const traced = await compared(fn, () => [numbers(shape, 1), numbers([shape[1] ?? 1], 2)]);
    expect(schedules(traced)).toEqual([expect.stringContaining(wanted)]);
  });
});

const texts = (traced: Parameters<typeof onlyTrace>[0]) =>
  onlyTrace(traced)
    .plan?.kernels.map((k) => k.kernel.text.wgsl)
    .join('') ?? '';

test('places of a thread are written out for a GPU, while there are few, and are loops elsewhere', async () => {
  const softmax = (x: Tensor) => x.softmax(-1);
  const loops = async (kind: DeviceKind, columns: number) => {
    madeFor(kind);
    const traced = await compared(softmax, () => [numbers([2, columns], 1)] as [Tensor]);
    const text = texts(traced);
    return { loops: text.match(/for \(var q_/g)?.length ?? 0, loads: text.match(/= b1\[/g)?.length };
  };
  expect(await loops('gpu', 1000)).toEqual({ loops: 0, loads: 8 });
  expect(await loops('gpu', 10_000)).toEqual({ loops: 3, loads: 3 });
  expect(await loops('software', 1000)).toEqual({ loops: 3, loads: 3 });
});

describe.each(['software', 'gpu'] as const)('made for %s, rows', (kind) => {
  const only = async <A extends [Tensor, ...Tensor[]]>(fn: (...inputs: A) => unknown, make: () => A) => {
    madeFor(kind);
    expect(schedules(await compared(fn, make))).toEqual([expect.stringContaining('workgroup per row')]);
  };

  test('of a vocabulary', () =>
    only(
      (x) => x.logSoftmax(-1),
      () => [numbers([2, 50257], 1)] as [Tensor],
    ));

  test('over several dims', () =>
    only(
      (x) => x.layerNorm([3, 50]).relu(),
      () => [numbers([2, 4, 3, 50], 1)] as [Tensor],
    ));

  test('of which sums are of different lengths', () =>
    only(
      (x, y) => x.mul(y.sum({ dim: 1, keepdim: true })).add(x.amax({ dim: 1, keepdim: true })),
      () => [numbers([6, 45], 1), numbers([6, 130], 2)] as [Tensor, Tensor],
    ));

  test('joined from parts', () =>
    only(
      (x) => cat([x.softmax(-1), x.logSoftmax(-1)], 1),
      () => [numbers([6, 45], 1)] as [Tensor],
    ));

  test('of numbers that are not finite', () =>
    only(
      (x) => x.softmax(-1),
      () => {
        const x = numbers([5, 90], 1);
        x.select(0, 1).select(0, 7).copy_(full([], NaN));
        x.select(0, 2).select(0, 88).copy_(full([], Infinity));
        x.select(0, 3).select(0, 1).copy_(full([], -Infinity));
        x.select(0, 4).copy_(full([], -Infinity));
        return [x] as [Tensor];
      },
    ));

  test('with whole numbers and truths', () =>
    only(
      (x, k) => {
        const whole = k.sum({ dim: 1, keepdim: true }).sub(k.amax({ dim: 1, keepdim: true }));
        return x.gt(0).any({ dim: 1, keepdim: true }).where(x.mul(whole), k);
      },
      () =>
        [
          numbers([6, 70], 1),
          arange(6 * 70)
            .view([6, 70])
            .sub(200),
        ] as [Tensor, Tensor],
    ));

  test('with a short sum at each place, computed by each that needs it', async () => {
    madeFor(kind);
    const traced = await compared(
      (a, b) => a.matmul(b).softmax(-1),
      () => [numbers([6, 5], 1), numbers([5, 70], 2)] as [Tensor, Tensor],
    );
    expect(schedules(traced)).toEqual([
      expect.stringContaining('thread per element'),
      expect.stringContaining('workgroup per row'),
    ]);
  });

  test('with windows', () =>
    only(
      (x) => {
        const y = x
          .narrow(1, 0, 64)
          .add(x.narrow(1, 1, 64))
          .add(x.narrow(1, 2, 64));
        return y.softmax(-1);
      },
      () => [numbers([6, 66], 1)] as [Tensor],
    ));

  const across = [
    [19, 'one thread each'],
    [33, 'some threads each, the last of which have fewer places'],
    [128, 'as many places for each thread'],
    [1000, 'loops'],
  ] as const;
  test.each(across)('across memory, of %d places: %s', (places) =>
    only(
      (x) => x.softmax(1),
      () => [numbers([3, places, 70], 1)] as [Tensor],
    ),
  );

  test('across memory, with sums that need each other', () =>
    only(
      (x, y) => {
        const over = { dim: 1, keepdim: true };
        const apart = x.sub(x.mean(over));
        return apart.div(apart.square().mean(over).add(1e-5).sqrt()).mul(y.amax(over));
      },
      () => [numbers([2, 96, 41], 1), numbers([2, 96, 41], 2)] as [Tensor, Tensor],
    ));

  test('across memory, that are long: threads have no neighbours enough', async () => {
    const long = await compared(
      (x: Tensor) => x.softmax(0),
      () => [numbers([1025, 30], 1)] as [Tensor],
    );
    expect(schedules(long)?.filter((s) => s.includes('row'))).toEqual([]);
  });
});

test('a sum over rows of what is made of their sums leaves those to a kernel by rows', async () => {
  const traced = await compared(
    (x: Tensor) => x.logsumexp(1).sum(),
    () => [numbers([9, 100], 1)] as [Tensor],
  );
  expect(schedules(traced)).toEqual([expect.stringContaining('workgroup per row'), expect.stringContaining('element')]);
});

test('the gradient of a cross entropy goes by rows, after a sum of all of them', async () => {
  const gradient = (x: Tensor, y: Tensor) => {
    const logits = x.detach().requiresGrad_();
    logits.crossEntropy(y).backward();
    return logits.grad;
  };
  madeFor('gpu');
  const targets = () => tensor(Int32Array.from({ length: 60 }, (_, i) => (i % 9 === 4 ? -100 : (i * 7) % 130)));
  const traced = await compared(gradient, () => [numbers([60, 130], 1), targets()] as [Tensor, Tensor]);
  expect(schedules(traced)).toEqual([expect.any(String), expect.stringMatching(/^workgroup per row/)]);
});

test.each([
  ['many rows: threads share a row', [3000, 100], 1, [/^workgroup per row/]],
  ['rows across memory', [20, 200, 70], 1, [/^workgroup per row/]],
  ['so few that two kernels may stand side by side with others', [300, 100], 1, [/^workgroup per row/, /^workgroup per row/]],
  ['rows that are too long across memory: the largest alone, and then its place', [1500, 180], 0, [/^workgroup/, /^workgroup/]],
  ['short rows', [3000, 20], 1, [/^thread/, /^thread/]],
])('the largest, and its place, of %s', async (_name, shape, dim, wanted) => {
  madeFor('gpu');
  const traced = await compared(
    (x: Tensor) => x.max(dim),
    () => [numbers(shape, 1)] as [Tensor],
  );
  expect(schedules(traced)).toEqual(wanted.map((w) => expect.stringMatching(w) as unknown));
});

test('rows across memory: neighbouring threads have neighbouring rows', async () => {
  madeFor('gpu');
  const traced = await compared(
    (x: Tensor) => x.softmax(1),
    () => [numbers([3, 128, 70], 1)] as [Tensor],
  );
  expect(texts(traced)).toMatch(/let place = .* \* 16 \+ i32\(local\) % 16;/);
});

test('rows in more workgroups than go in one dim', async () => {
  madeFor('gpu');
  const traced = traceOf((x: Tensor) => x.sub(x.amax({ dim: 1, keepdim: true })).add(3), [full([65_537, 260], 1)]);
  expect(schedules(traced)).toEqual(['workgroup per row, 64 threads']);
  const out = traced(full([65_537, 260], 1)) as Tensor;
  const ends = out.slice(0, 65_534).slice(1, 257);
  expect([...(await ends.reshape([9]).data())]).toEqual(new Array(9).fill(3));
  out.dispose();
});

test('of sums along different dims, one is of the rows that are stored', async () => {
  const traced = await compared(
    (x: Tensor) => x.div(x.sum({ dim: 0, keepdim: true })).sub(x.amax({ dim: 1, keepdim: true })),
    () => [full([40, 50], 2)] as [Tensor],
  );
  expect(dispatches(traced)).toBe(2);
});

describe('gradients, with what they need of the way forward', () => {
  test.each<[string, number]>([
    ['softmax', 1],
    ['logSoftmax', 1],
    ['layerNorm', 4],
    ['layerNorm and gelu', 4],
    ['rmsNorm', 3],
    ['crossEntropy of each row', 1],
  ])('of %s: %d kernels', async (name, kernels) => {
    const fn = (x: Tensor, w: Tensor, b: Tensor, t: Tensor, seen: Tensor) => {
      const leaves = [x, w, b];
      for (const leaf of leaves) leaf.requiresGrad = true;
      const out = forms[name]?.(x, w, b, t) ?? x;
      out
        .mul(out.rank === 1 ? seen.select(1, 0) : seen)
        .sum()
        .backward();
      return leaves.flatMap((leaf) => leaf.grad ?? []);
    };
    const make = () => [...inputs(9, 150)(), numbers([9, 150], 4)] as [Tensor, Tensor, Tensor, Tensor, Tensor];
    expect(sectionsOf(await compared(fn, make))).toHaveLength(kernels);
  });
});
