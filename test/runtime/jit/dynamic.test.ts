/** Dims that change: from the third size on no call makes a pipeline, and every call gives what the reference gives. */
import { describe, expect, test } from 'vitest';
import { cat, jit, manualSeed, memory, nn, noGrad, optim, scope, type Tensor } from 'jitlens';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { atSizes, filled, pipelines, type Sized } from '../support/sizes.ts';
import { CLOSE } from '../support/traces.ts';

const SIZES = [5, 7, 9, 11, 13, 32, 64, 10, 200, 2];
const NONE = SIZES.slice(3).map(() => 0);

const mlp = () => {
  manualSeed(1);
  return new nn.Sequential(new nn.Linear(10, 64), new nn.ReLU(), new nn.Linear(64, 10));
};
const trainer = () => {
  const model = mlp();
  const adam = new optim.Adam(model.parameters(), { lr: 0.01 });
  return (x: Tensor, y: Tensor) => {
    adam.zeroGrad();
    const loss = model.forward(x).sub(y).square().mean();
    loss.backward();
    adam.step();
    return loss.detach();
  };
};
const unary = (fn: (x: Tensor) => unknown, shape: (n: number) => number[]): Sized<[Tensor]> => ({
  make: () => fn,
  args: (n) => [filled(shape(n))],
});
const moduleOf = (make: () => nn.Module & { forward(x: Tensor): Tensor }, shape: (n: number) => number[]): Sized<[Tensor]> => ({
  make: () => {
    manualSeed(2);
    const module = make();
    return (x) => noGrad(() => module.forward(x));
  },
  args: (n) => [filled(shape(n))],
});

const smoothed = (x: Tensor) => {
  let y = x;
  for (let i = 0; i < 3; i++) y = y.mul(2).add(x.sum({ dim: 0 }));
  return y.softmax(-1);
};

describe('no pipeline is made for a fourth size', () => {
  test.each<[string, Sized<[Tensor]>]>([
    ['an MLP', moduleOf(mlp, (n) => [n, 10])],
    [
      'softmax of rows',
      unary(
        (x) => x.softmax(-1),
        (n) => [n, 50],
      ),
    ],
    [
      'softmax along it',
      unary(
        (x) => x.softmax(-1),
        (n) => [4, n],
      ),
    ],
    [
      'layer norm',
      moduleOf(
        () => new nn.LayerNorm(32),
        (n) => [n, 32],
      ),
    ],
    [
      'a mean, and a size as a value',
      unary(
        (x) => x.mean().add(x.sum().div(x.shape[0] ?? 1)),
        (n) => [n, 12],
      ),
    ],
    [
      'a convolution of a batch',
      moduleOf(
        () => new nn.Conv2d(3, 8, 3, { padding: 1 }),
        (n) => [n, 3, 6, 6],
      ),
    ],
    [
      'views',
      unary(
        (x) => cat([x.t(), x.flip([0]).slice(0, 1).reshape([-1, 6]).t()], 1),
        (n) => [n, 6],
      ),
    ],
    [
      'a long sum',
      unary(
        (x) => x.square().sum(),
        (n) => [n, 300],
      ),
    ],
  ])('%s', async (_name, sized) => {
    const { made, traced } = await atSizes(sized, SIZES);
    expect(made.slice(3)).toEqual(NONE);
    expect(made[2]).toBeGreaterThan(0);
    expect([traced.info.eagerCalls, traced.info.compiled.length]).toEqual([0, SIZES.length]);
    expect(traced.info.recompiles.map((r) => r.note)).toEqual([
      undefined,
      expect.stringMatching(/^dim \d of tensor 0 is dynamic/),
    ]);
  });

  test('a convolution of images of other sizes', async () => {
    const { made } = await atSizes(
      moduleOf(
        () => new nn.Conv2d(2, 4, 3, { padding: 1 }),
        (n) => [2, 2, n, n],
      ),
      SIZES.slice(0, 7),
    );
    expect(made.slice(3)).toEqual([0, 0, 0, 0]);
  });

  test('attention over sequences', async () => {
    const attend: Sized<[Tensor]> = {
      make: () => {
        manualSeed(3);
        const attention = new nn.MultiheadAttention(16, 2);
        return (x) => noGrad(() => attention.forward(x, x, x));
      },
      args: (n) => [filled([2, n, 16])],
    };
    const { made } = await atSizes(attend, SIZES.slice(0, 8));
    expect(made.slice(3)).toEqual([0, 0, 0, 0, 0]);
  });

  test('a step of training, and two arguments of one size', async () => {
    const { made, traced } = await atSizes({ make: trainer, args: (n) => [filled([n, 10]), filled([n, 10], 5)] }, SIZES);
    expect(made.slice(3)).toEqual(NONE);
    expect(traced.info.recompiles.map((r) => r.note)).toEqual([
      undefined,
      'dim 0 of tensor 0 and dim 0 of tensor 1 are dynamic from now on',
    ]);
  });

  test('a scripted function, with a loop', async () => {
    const { made, traced } = await atSizes({ make: () => smoothed, args: (n) => [filled([n, 6])] }, SIZES, 'script');
    expect(made.slice(3)).toEqual(NONE);
    expect(made[2]).toBeGreaterThan(0);
    expect([traced.info.eagerCalls, traced.info.compiled.length]).toEqual([0, SIZES.length]);
  });
});

test('what does not vary is written out, and goes into no parameter', async () => {
  const { traced } = await atSizes(
    moduleOf(mlp, (n) => [n, 10]),
    [5, 7, 9],
  );
  const texts =
    traced.info.compiled
      .at(-1)
      ?.plans()[0]
      ?.kernels.map((k) => k.kernel.text) ?? [];
  // How many threads have something to do, and, by some schedules, where the rows end.
  const numbers = texts.map((t) => [...t.parameters].filter((n) => n !== 0));
  expect(numbers).toHaveLength(2);
  for (const { length } of numbers) expect([1, 2]).toContain(length);
  expect(numbers.flat().filter((n) => [64, 10, 640].includes(n))).toEqual([]);
});

test('much larger sizes have kernels of their own, which their sums are shared in', async () => {
  const { made, traced } = await atSizes(
    unary(
      (x) => x.square().mean(),
      (n) => [n, 2],
    ),
    [5, 7, 9, 200, 1000, 3000, 11, 1200],
  );
  expect(made.slice(3).map((n) => n > 0)).toEqual([false, true, false, false, false]);
  const schedules = traced.info.compiled.slice(-2).map((c) => c.plans()[0]?.kernels[0]?.kernel.schedule);
  expect(schedules).toEqual([expect.stringMatching(/^thread per element/), expect.stringMatching(/^workgroup per element/)]);
});

test.each<[string, Sized<[Tensor]>, number[]]>([
  [
    'many rows, some so long that their sums are cut',
    unary(
      (x) => x.softmax(-1),
      (n) => [130, n],
    ),
    [9, 10, 11, 570, 12],
  ],
  [
    'so many positions that a thread has several',
    unary(
      (x) => x.mul(2),
      (n) => [n, 32771],
    ),
    [9, 10, 11, 12, 16],
  ],
])('%s', async (_name, sized, sizes) => {
  const { made } = await atSizes(sized, sizes);
  expect(made.slice(3)).toEqual([0, 0]);
});

test('on a device without kernels sizes are no matter', () =>
  onReference(async () => {
    const traced = jit.trace((x: Tensor) => x.mul(2).sum({ dim: 0 }), [filled([2, 3])]);
    const sizes = Array.from({ length: 20 }, (_, i) => i + 3);
    const all = sizes.map((n) => traced(filled([n, 3])).data());
    const wanted = sizes.map((n) => filled([n, 3]).mul(2).sum({ dim: 0 }).data());
    expect(traced.info.eagerCalls).toBe(0);
    expect(await Promise.all(all)).toEqual(await Promise.all(wanted));
  }));

describe('a dim that is declared dynamic', () => {
  const declared = (sized: Sized<[Tensor]>): Sized<[Tensor]> => ({ ...sized, args: (n) => [jit.dynamic(sized.args(n)[0], 0)] });

  test.each<[string, Sized<[Tensor]>]>([
    ['an MLP', moduleOf(mlp, (n) => [n, 10])],
    [
      'layer norm',
      moduleOf(
        () => new nn.LayerNorm(32),
        (n) => [n, 32],
      ),
    ],
    [
      'a mean',
      unary(
        (x) => x.mean({ dim: 0 }).mul(x.shape[0] ?? 1),
        (n) => [n, 12],
      ),
    ],
  ])('%s', async (_name, sized) => {
    const { made, traced } = await atSizes(declared(sized), SIZES);
    expect(made.slice(1)).toEqual(SIZES.slice(1).map(() => 0));
    expect(traced.info.recompiles).toEqual([]);
  });

  test('counts from the end, and is refused where there is none', () => {
    const x = filled([2, 3]);
    expect(jit.dynamic(x, -1)).toBe(x);
    expect(() => jit.dynamic(x, 2)).toThrow(expect.objectContaining({ code: 'JLT-DIM' }));
  });
});

describe('nothing is taken for granted', () => {
  test('a branch on a size, and a loop over it', async () => {
    const fn = (x: Tensor) => {
      let y = (x.shape[0] ?? 0) > 10 ? x.neg() : x;
      for (let i = 0; i < (x.shape[0] ?? 0); i += 4) y = y.add(x.select(0, i));
      return y;
    };
    const { traced } = await atSizes(
      unary(fn, (n) => [n, 4]),
      [5, 7, 9, 11, 13, 8, 12],
    );
    expect(traced.info.recompiles.slice(2).every((r) => r.note === 'its kernels are not those of other sizes')).toBe(true);
  });

  test('views that are simpler at some sizes, for which a kernel is made too', async () => {
    // What 6 divides is no remainder: 3 · 32 is such, 3 · 9 is none.
    const fn = (x: Tensor) => cat([x.t().reshape([3, -1]), x.flip([0]).reshape([-1, 3]).t()], 1);
    const { made, traced } = await atSizes(
      unary(fn, (n) => [n, 6]),
      [5, 7, 9, 11, 32, 64, 13],
    );
    expect(made.slice(3)).toEqual([0, expect.any(Number), 0, 0]);
    expect(made[4]).toBeGreaterThan(0);
    expect(traced.info.recompiles.slice(2)).toEqual([
      { guard: 'shape of tensor 0', was: '[11, 6]', now: '[32, 6]', note: 'its kernels are not those of other sizes' },
    ]);
  });

  test('sizes 0 and 1, which compile anew', async () => {
    const fn = (x: Tensor, y: Tensor) => x.add(y).sum({ dim: 0 });
    const sized: Sized<[Tensor, Tensor]> = { make: () => fn, args: (n) => [filled([n, 3]), filled([n, 3], 5)] };
    const { traced } = await atSizes(sized, [5, 7, 9, 1, 0, 11, 1, 0, 2, 3]);
    expect(traced.info.recompiles.map((r) => r.note)).toEqual([
      undefined,
      'dim 0 of tensor 0 and dim 0 of tensor 1 are dynamic from now on',
      undefined,
      undefined,
    ]);
    await atSizes({ ...sized, args: (n) => [filled([n, 3]), filled([n === 13 ? 1 : n, 3], 5)] }, [5, 7, 9, 13, 11]);
  });

  test.each<[string, (x: Tensor, y: Tensor) => Tensor, (n: number, m: number) => [Tensor, Tensor]]>([
    [
      'a sum of a product',
      (x, y) =>
        x
          .matmul(y.t())
          .sum({ dim: 1 })
          .add(x.sum({ dim: 1 })),
      (n, m) => [filled([n, 6]), filled([m, 6], 5)],
    ],
    ['a sum over one at each place of the other', (x, y) => x.t().matmul(y), (n, m) => [filled([n, 6]), filled([n, m], 5)]],
  ])('sizes that are equal at first, and then not: %s', async (_name, fn, args) => {
    const { traced } = await atSizes({ make: () => fn, args: (n) => args(n, n) }, [5, 7, 9, 11, 13]);
    const made: number[] = [];
    for (const [n, m] of [
      [4, 7],
      [7, 4],
      [16, 8],
      [8, 6],
    ] as const) {
      const before = pipelines();
      traced(...args(n, m));
      const got = traced(...args(n, m));
      made.push(pipelines() - before);
      expectSame(await read(got), await onReference(() => read(fn(...args(n, m)))), CLOSE, `${n} and ${m}`);
    }
    expect(made.slice(1, 3)).toEqual([0, 0]);
  });

  test('sizes that are those of other dims', async () => {
    // At 6 all dims are equal, and at 12 one is twice the other.
    await atSizes(
      unary(
        (x) =>
          x
            .matmul(filled([6, 6]))
            .add(filled([6]))
            .softmax(0),
        (n) => [n, 6],
      ),
      [6, 12, 3, 7, 6, 36, 5],
    );
  });

  test('results that have one shape at one size alone', async () => {
    const { made, traced } = await atSizes(
      unary(
        (x) => [x.add(1), x.t().mul(2)],
        (n) => [n, 6],
      ),
      [5, 7, 6, 9, 11, 13],
    );
    const kernels = traced.info.compiled.map((c) => c.plans()[0]?.kernels.map((k) => k.sections.length));
    // Only where both have one shape they are stored by one; else they run side by side until a dim is dynamic.
    expect(kernels).toEqual([[2], [2], [1], [1, 1], [1, 1], [1, 1]]);
    expect(made.slice(4)).toEqual([0, 0]);
  });

  test('other values of plain arguments, and a second dynamic dim', async () => {
    const traced = jit.trace((x: Tensor, by: number) => x.mul(by).sum({ dim: 0 }), [filled([5, 3]), 2]);
    for (const [n, m, by] of [
      [7, 3, 2],
      [9, 3, 2],
      [11, 3, 2],
      [11, 3, 3],
      [12, 4, 2],
      [13, 5, 2],
      [14, 6, 2],
      [15, 7, 2],
    ] as const) {
      const x = filled([n, m]);
      const [got, wanted] = await Promise.all([traced(x, by), x.mul(by).sum({ dim: 0 })].map((t) => t.data()));
      wanted?.forEach((v, i) => {
        expect(got?.[i]).toBeCloseTo(v, 4);
      });
    }
    const before = pipelines();
    traced(filled([23, 29]), 2);
    expect(pipelines() - before).toBe(0);
    expect(traced.info.eagerCalls).toBe(0);
  });
});

test('dims that become dynamic one after the other are one family', () => {
  const traced = jit.trace((x: Tensor) => x.mul(2).sum({ dim: 3 }), [filled([2, 2, 2, 2])]);
  for (let d = 0; d < 4; d++)
    for (let n = 3; n < 6; n++) traced(filled([0, 1, 2, 3].map((other) => (other < d ? 5 : other === d ? n : 2))));
  const before = pipelines();
  traced(filled([3, 4, 6, 7]));
  expect([pipelines() - before, traced.info.eagerCalls]).toEqual([0, 0]);
});

test('many sizes keep the memory of none, and a few plans', () => {
  const [w, v] = [filled([4, 4]), filled([4, 4], 5)];
  const traced = jit.trace((x: Tensor) => x.matmul(w).softmax(0).matmul(v).softmax(0), [filled([100, 4])]);
  // The run that is recorded leaves tensors.
  const call = (n: number) => {
    scope(() => void traced(filled([n, 4])));
  };
  for (const n of [100, 110, 100, 110, 120, 120]) call(n);
  const before = memory()?.liveBytes;
  // The second call is the first that is replayed.
  for (let n = 140; n < 200; n++) for (let i = 0; i < 2; i++) call(n);
  expect(memory()?.liveBytes).toBe(before);
  expect(traced.info.compiled.length).toBe(2 + 32);
  expect(traced.info.eagerCalls).toBe(0);
  // The one that was called longest ago is recorded anew.
  call(140);
  expect(traced.info.compiled.length).toBe(2 + 32);
});
