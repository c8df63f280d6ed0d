/** Where walks over keys end, and what is none: several kernels stay, with the reason. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cat, grad, jit, type Tensor } from 'jitlens';
import { executable } from '../../../runtime/jit/execute.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { expectSame, read } from '../support/compare.ts';
import { randomTensor } from '../support/random.ts';
import { CLOSE, kernelsOf, onlyTrace, traceOf } from '../support/traces.ts';
import { inputsOf, madeForGpu, matches, T, type Attention, type Inputs, type Sizes } from '../support/walks.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test.each<[string, Attention, number]>([
  ['a softmax of what it gives', (q, k, v, m) => matches(q, k, v, m).softmax(-1).matmul(v).softmax(-1), 2],
  [
    'another product',
    (q, k, v, m) =>
      matches(q, k, v, m)
        .softmax(-1)
        .matmul(v)
        .add(q.matmul(T(k).matmul(v))),
    3,
  ],
  ['sums over queries', (q, k, v, m) => matches(q, k, v, m).softmax(-1).matmul(v).sum({ dim: -2 }), 2],
  [
    'a second one',
    (q, k, v, m) =>
      matches(matches(q, k, v, m).softmax(-1).matmul(q), k, v, m)
        .softmax(-1)
        .matmul(v),
    2,
  ],
])('a walk ends before %s', async (_, fn, count) => {
  const make = () => inputsOf({ batch: [2], queries: 40, keys: 40, features: 36, columns: 34 });
  const traced = traceOf(fn, make());
  const schedules = kernelsOf(traced).map((k) => k.kernel.schedule);
  expect(schedules).toHaveLength(count);
  expect(schedules).toContainEqual(expect.stringContaining('thread per row'));
  expectSame(await read(traced(...make())), await read(fn(...make())), CLOSE, 'traced against eager');
});

describe('several kernels stay', () => {
  const sizes: Sizes = { batch: [2], queries: 40, keys: 50, features: 33, columns: 34 };
  const shares = (q: Tensor, k: Tensor) => q.matmul(T(k)).softmax(-1);
  const walks = (traced: Parameters<typeof kernelsOf>[0]) =>
    kernelsOf(traced).filter(
      (k) => /(thread|workgroup) per rows?\b/.test(k.kernel.schedule) && /walk|mixed/.test(k.kernel.text.wgsl),
    );

  test.each<[string, (...inputs: Inputs) => unknown]>([
    ['scores that are returned', (q, k, v) => [q.matmul(T(k)), q.matmul(T(k)).softmax(-1).matmul(v)]],
    ['shares that are returned', (q, k, v) => [shares(q, k).matmul(v), shares(q, k)]],
    ['shares that two sums take', (q, k, v) => shares(q, k).matmul(v).add(shares(q, k).matmul(v.square()))],
    [
      'weights that need the largest of all scores',
      (q, k, v) => {
        const s = q.matmul(T(k));
        const less = s.sub(s.amax({ dim: -1, keepdim: true }));
        return less.exp().mul(less).matmul(v);
      },
    ],
    ['powers that are not all of one kind', (q, k, v) => shares(q, k).square().matmul(v)],
    [
      'the largest of other scores',
      (q, k, v) => {
        const s = q.matmul(T(k));
        return s
          .sub(s.neg().amax({ dim: -1, keepdim: true }))
          .exp()
          .matmul(v);
      },
    ],
    [
      'a largest of another axis',
      (q, k, v) => {
        const s = q.matmul(T(k));
        return s
          .sub(s.amax({ dim: -2, keepdim: true }))
          .exp()
          .matmul(v);
      },
    ],
    [
      'scores that are joined',
      (q, k, v, m) =>
        cat([q.matmul(T(k)), m.unsqueeze(0).expand([2, 40, 50])], -1)
          .softmax(-1)
          .matmul(cat([v, v], 1)),
    ],
    ['scores that are no sums of products', (q, _k, v, m) => m.softmax(-1).matmul(v).add(q.sum())],
  ])('%s', async (_, fn) => {
    const eager = await read(fn(...inputsOf(sizes)));
    const traced = traceOf(fn, inputsOf(sizes));
    expect([kernelsOf(traced).length > 1, walks(traced)]).toEqual([true, []]);
    expectSame(await read(traced(...inputsOf(sizes))), eager, CLOSE, 'traced against eager');
  });

  test('the smallest score in the place of the largest', async () => {
    const fn = (q: Tensor, k: Tensor, v: Tensor) => {
      const s = q.matmul(T(k));
      return s
        .sub(s.amin({ dim: -1, keepdim: true }))
        .exp()
        .matmul(v);
    };
    const make = () =>
      inputsOf({ batch: [], queries: 8, keys: 9, features: 3, columns: 2 }).slice(0, 3) as [Tensor, Tensor, Tensor];
    const traced = traceOf(fn, make());
    expect(walks(traced)).toEqual([]);
    expectSame(await read(traced(...make())), await read(fn(...make())), CLOSE, 'traced against eager');
  });

  test('left out, as it can be to compare', async () => {
    const fn = (q: Tensor, k: Tensor, v: Tensor) => shares(q, k).matmul(v);
    const [q, k, v] = inputsOf(sizes);
    const backend = currentBackend();
    const { recorded } = onlyTrace(traceOf(fn, [q, k, v]));
    const kernels = ([[], ['walks']] as const).map((without) => executable(recorded, backend, without).plan?.kernels.length);
    expect(kernels).toEqual([1, 3]);
    const { run } = executable(recorded, backend, ['walks']);
    expectSame(await read(run([q, k, v])), await read(fn(q, k, v)), CLOSE, 'without walks');
  });

  test('shares that are kept for a gradient', async () => {
    const fn = (q: Tensor, k: Tensor, v: Tensor) => {
      const x = q.detach().requiresGrad_();
      return grad([shares(x, k).matmul(v).square().sum()], [x]);
    };
    const [q, k, v] = inputsOf(sizes);
    const traced = traceOf(fn, [q, k, v]);
    expect(walks(traced)).toEqual([]);
    expectSame(await read(traced(q, k, v)), await read(fn(q, k, v)), CLOSE, 'traced against eager');
  });

  test('more columns than a thread has room for: the reason is told', () => {
    const traced = traceOf(
      (q: Tensor, k: Tensor, v: Tensor) => shares(q, k).matmul(v),
      inputsOf({ ...sizes, columns: 300 }).slice(0, 3) as [Tensor, Tensor, Tensor],
    );
    const reasons = kernelsOf(traced).flatMap((k) => k.sections.map((s) => s.group.boundary));
    expect(reasons).toContain('a thread has no room for 300 columns');
  });

  test('few rows, which would leave most of a block idle: the reason is told', () => {
    madeForGpu();
    const of = (rows: number) =>
      traceOf(
        (q: Tensor, k: Tensor, v: Tensor) => shares(q, k).matmul(v),
        inputsOf({ batch: [], queries: rows, keys: 2048, features: 32, columns: 32 }).slice(0, 3) as [Tensor, Tensor, Tensor],
      );
    const reasons = kernelsOf(of(4)).flatMap((k) => k.sections.map((s) => s.group.boundary));
    expect(reasons).toContain('too few rows share a walk over what is summed');
    expect(kernelsOf(of(8)).map((k) => k.kernel.schedule)).toEqual([expect.stringContaining('workgroup per rows')]);
  });

  test('sizes that vary', async () => {
    const traced = jit.trace(
      (q: Tensor, k: Tensor, v: Tensor) => shares(q, k).matmul(v),
      [jit.dynamic(randomTensor([9, 4], 1, 2), 0), randomTensor([7, 4], 2, 2), randomTensor([7, 5], 3, 2)],
    );
    expect(walks(traced)).toEqual([]);
    const [q, k, v] = [randomTensor([12, 4], 1, 2), randomTensor([7, 4], 2, 2), randomTensor([7, 5], 3, 2)];
    expectSame(await read(traced(q, k, v)), await read(shares(q, k).matmul(v)), CLOSE, 'traced against eager');
  });
});
