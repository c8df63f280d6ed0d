/** Losses and attention against direct computation in float64, written from PyTorch's definitions. */
import { describe, expect, test } from 'vitest';
import { jit, manualSeed, tensor, type Tensor } from 'jitlens';
import { numel } from '../../../runtime/tensor/shape.ts';
import { firstOff } from '../support/compare.ts';
import { Random } from '../support/random.ts';

const random = new Random(41);
const onDevice = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  tensor(Float32Array.from(values)).view(shape);
const classes = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  tensor(Int32Array.from(values)).view(shape);
const numbers = async (x: Tensor) => [...(await x.data())];
const CLOSE = { relative: 2e-5, absolute: 2e-6 };
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

async function same(got: Tensor, want: readonly number[]): Promise<void> {
  expect(firstOff(await numbers(got), want, CLOSE)).toBeUndefined();
}

describe('cross entropy', () => {
  const [N, C, D] = [3, 4, 2];
  const logits = random.values(N * C * D, 'float32', [-3, 3]);
  const weight = random.values(C, 'float32', [0.5, 2]);
  const targets = [2, 0, 3, 3, 1, 2];
  const shares = random.values(N * C * D, 'float32', [0, 1]);

  /** ln softmax over the classes. */
  const logs = logits.map((x, flat) => {
    const [n, d] = [Math.floor(flat / (C * D)), flat % D];
    return x - Math.log(sum(Array.from({ length: C }, (_, c) => Math.exp(logits[(n * C + c) * D + d] ?? NaN))));
  });
  const log = (n: number, c: number, d: number) => logs[(n * C + c) * D + d] ?? NaN;
  const places = Array.from({ length: N * D }, (_, i) => ({ n: Math.floor(i / D), d: i % D, target: targets[i] ?? NaN }));

  interface Options {
    readonly weighted?: boolean;
    readonly ignoreIndex?: number;
    readonly labelSmoothing?: number;
  }

  function byClass({ weighted = false, ignoreIndex = -100, labelSmoothing = 0 }: Options) {
    const w = (c: number) => (weighted ? (weight[c] ?? NaN) : 1);
    const losses = places.map(({ n, d, target }) => {
      if (target === ignoreIndex) return 0;
      const all = sum(Array.from({ length: C }, (_, c) => -w(c) * log(n, c, d)));
      return -(1 - labelSmoothing) * w(target) * log(n, target, d) + (labelSmoothing / C) * all;
    });
    const total = sum(places.map(({ target }) => (target === ignoreIndex ? 0 : w(target))));
    return { none: losses, sum: [sum(losses)], mean: [sum(losses) / total] };
  }

  const options: readonly Options[] = [
    {},
    { weighted: true },
    { ignoreIndex: 3 },
    { labelSmoothing: 0.1 },
    { weighted: true, ignoreIndex: 2, labelSmoothing: 0.3 },
  ];
  const reductions = ['none', 'sum', 'mean'] as const;

  test.each(options.flatMap((o) => reductions.map((reduction) => [{ ...o, reduction }] as const)))(
    'of classes, %j',
    async (o) => {
      const { weighted, ...rest } = o;
      const run = (x: Tensor, t: Tensor, w: Tensor) => x.crossEntropy(t, { ...rest, weight: weighted ? w : undefined });
      const inputs = () => [onDevice(logits, [N, C, D]), classes(targets, [N, D]), onDevice(weight)] as [Tensor, Tensor, Tensor];
      const want = byClass(o)[o.reduction];
      await same(run(...inputs()), want);
      await same(jit.trace(run, inputs())(...inputs()), want);
    },
  );

  test.each(options.slice(0, 4).map((o) => [o] as const))(
    'of probabilities, %j',
    async ({ weighted = false, labelSmoothing = 0 }) => {
      const w = (c: number) => (weighted ? (weight[c] ?? NaN) : 1);
      const losses = places.map(({ n, d }) => {
        const share = (c: number) => (shares[(n * C + c) * D + d] ?? NaN) * (1 - labelSmoothing) + labelSmoothing / C;
        return sum(Array.from({ length: C }, (_, c) => -w(c) * share(c) * log(n, c, d)));
      });
      const given = { labelSmoothing, weight: weighted ? onDevice(weight) : undefined };
      const [x, t] = [onDevice(logits, [N, C, D]), onDevice(shares, [N, C, D])];
      await same(x.crossEntropy(t, { ...given, reduction: 'none' }), losses);
      await same(x.crossEntropy(t, given), [sum(losses) / (N * D)]);
    },
  );

  test('of one prediction, and of a batch without more dims', async () => {
    const x = logits.slice(0, 4);
    const whole = Math.log(sum(x.map(Math.exp)));
    const single = onDevice(x).crossEntropy(tensor(2, { dtype: 'int32' }));
    expect(single.shape).toEqual([]);
    await same(single, [whole - (x[2] ?? NaN)]);
    await same(onDevice(x, [1, 4]).crossEntropy(classes([1])), [whole - (x[1] ?? NaN)]);
    await same(onDevice(x).crossEntropy(tensor(1, { dtype: 'int32' }), { reduction: 'none' }), [whole - (x[1] ?? NaN)]);
  });

  test('a target that is ignored makes no gradient; one that does not exist makes NaN', async () => {
    const x = onDevice([1, 2, 3, -Infinity, 0, 1], [2, 3]).requiresGrad_();
    x.crossEntropy(classes([0, -100])).backward();
    const g = x.grad ? await numbers(x.grad) : [];
    expect(g.slice(3)).toEqual([0, 0, 0]);
    expect(sum(g)).toBeCloseTo(0, 6);
    expect(await numbers(onDevice([1, 2, 3], [1, 3]).crossEntropy(classes([3])))).toEqual([NaN]);
  });

  test('of logarithms', async () => {
    const x = onDevice([-1, -2, -3, -4], [2, 2]);
    await same(x.nllLoss(classes([1, 0]), { weight: onDevice([1, 3]) }), [(2 * 3 + 3) / 4]);
    await same(x.nllLoss(classes([1, 0]), { ignoreIndex: 0, reduction: 'none' }), [2, 0]);
  });
});

const [P, T] = [random.values(12, 'float32', [-3, 3]), random.values(12, 'float32', [-3, 3])];
const inUnit = (x: number) => Math.fround(1 / (1 + Math.exp(-x)));
const [Q, R] = [P.map(inUnit), T.map(inUnit)];
const each = (of: (x: number, t: number) => number, xs: readonly number[] = P, ts: readonly number[] = T) =>
  xs.map((x, i) => of(x, ts[i] ?? NaN));

const LOSSES: readonly [
  string,
  (x: Tensor, t: Tensor, reduction: 'none' | 'mean') => Tensor,
  number[],
  (readonly number[])[]?,
][] = [
  ['squares', (x, t, reduction) => x.mseLoss(t, { reduction }), each((x, t) => (x - t) ** 2)],
  ['distances', (x, t, reduction) => x.l1Loss(t, { reduction }), each((x, t) => Math.abs(x - t))],
  [
    'smooth',
    (x, t, reduction) => x.smoothL1Loss(t, { beta: 2, reduction }),
    each((x, t) => (Math.abs(x - t) < 2 ? (x - t) ** 2 / 4 : Math.abs(x - t) - 1)),
  ],
  [
    'Huber',
    (x, t, reduction) => x.huberLoss(t, { delta: 2, reduction }),
    each((x, t) => (Math.abs(x - t) < 2 ? (x - t) ** 2 / 2 : 2 * (Math.abs(x - t) - 1))),
  ],
  [
    'binary',
    (x, t, reduction) => x.binaryCrossEntropy(t, { reduction }),
    each((x, t) => -t * Math.log(x) - (1 - t) * Math.log(1 - x), Q, R),
    [Q, R],
  ],
  [
    'binary of logits, weighted',
    (x, t, reduction) => x.binaryCrossEntropyWithLogits(t, { posWeight: onDevice([3]), weight: onDevice([0.5]), reduction }),
    each((x, t) => 0.5 * (-3 * t * Math.log(1 / (1 + Math.exp(-x))) - (1 - t) * Math.log(1 / (1 + Math.exp(x)))), P, R),
    [P, R],
  ],
  ['divergence', (x, t, reduction) => x.klDiv(t, { reduction }), each((x, t) => t * (Math.log(t) - x), P, R), [P, R]],
  [
    'divergence from logarithms',
    (x, t, reduction) => x.klDiv(t, { reduction, logTarget: true }),
    each((x, t) => Math.exp(t) * (t - x)),
  ],
];

test.each(LOSSES)('%s', async (_name, run, want, [x, t] = [P, T]) => {
  await same(run(onDevice(x ?? []), onDevice(t ?? []), 'none'), want);
  await same(run(onDevice(x ?? []), onDevice(t ?? []), 'mean'), [sum(want) / want.length]);
});

test('a divergence of a batch; of a probability of 0', async () => {
  const want = sum(each((x, t) => t * (Math.log(t) - x), P, R)) / 3;
  await same(onDevice(P, [3, 4]).klDiv(onDevice(R, [3, 4]), { reduction: 'batchmean' }), [want]);
  expect(await numbers(onDevice([-1]).klDiv(onDevice([0])))).toEqual([0]);
});

test('certain predictions that are wrong cost 100, and their slope is a number', async () => {
  const x = onDevice([0, 1, 0, 1]).requiresGrad_();
  const losses = x.binaryCrossEntropy(onDevice([1, 0, 0, 1]), { reduction: 'none' });
  await same(losses, [100, 100, 0, 0]);
  losses.sum().backward();
  await same(x.grad ?? x, [-1e12, 1e12, 0, 0]);
});

test('large logits keep their digits', async () => {
  await same(onDevice([200, -200]).binaryCrossEntropyWithLogits(onDevice([0, 1]), { reduction: 'none' }), [200, 200]);
  await same(onDevice([30]).binaryCrossEntropyWithLogits(onDevice([1])), [Math.log1p(Math.exp(-30))]);
});

test('cosines, also of nothing', async () => {
  const a = onDevice([3, 4, 0, 0], [2, 2]).requiresGrad_();
  const cosines = a.cosineSimilarity(onDevice([4, 3, 1, 1], [2, 2]));
  await same(cosines, [24 / 25, 0]);
  cosines.sum().backward();
  expect((await numbers(a.grad ?? a)).every(Number.isFinite)).toBe(true);
});

test('shapes that only broadcast are refused', () => {
  expect(() => onDevice([1, 2], [2, 1]).mseLoss(onDevice([1, 2]))).toThrow(expect.objectContaining({ code: 'JL410' }));
  expect(() => onDevice([1, 2], [2, 1]).crossEntropy(classes([0]))).toThrow(expect.objectContaining({ code: 'JL410' }));
});

describe('attention', () => {
  const [B, L, S, E, V] = [2, 4, 5, 3, 2];
  const given = (shape: readonly number[]) => random.values(numel(shape), 'float32', [-1, 1]);
  const [q, k, v] = [given([B, L, E]), given([B, S, E]), given([B, S, V])];
  const bonus = given([L, S]);
  const seen = Array.from({ length: L * S }, (_, i) => (Math.floor(i / S) === 2 ? 0 : Number(i % 3 !== 0)));
  const inputs = () => [onDevice(q, [B, L, E]), onDevice(k, [B, S, E]), onDevice(v, [B, S, V])] as [Tensor, Tensor, Tensor];

  function attended(scale: number, sees: (i: number, j: number) => boolean, added: (i: number, j: number) => number): number[] {
    const out: number[] = [];
    for (let b = 0; b < B; b++) {
      for (let i = 0; i < L; i++) {
        const match = (j: number) =>
          sum(Array.from({ length: E }, (_, e) => (q[(b * L + i) * E + e] ?? NaN) * (k[(b * S + j) * E + e] ?? NaN)));
        const powers = Array.from({ length: S }, (_, j) => (sees(i, j) ? Math.exp(match(j) * scale + added(i, j)) : 0));
        const total = sum(powers) || 1;
        for (let f = 0; f < V; f++) out.push(sum(powers.map((p, j) => (p / total) * (v[(b * S + j) * V + f] ?? NaN)))); // prettier-ignore
      }
    }
    return out;
  }

  const always = () => true;
  const nothing = () => 0;
  const mask = () => tensor(seen, { dtype: 'bool' }).view([L, S]);
  const cases: readonly [string, (q: Tensor, k: Tensor, v: Tensor) => Tensor, number[]][] = [
    ['plain', (a, b, c) => a.scaledDotProductAttention(b, c), attended(1 / Math.sqrt(E), always, nothing)],
    ['another scale', (a, b, c) => a.scaledDotProductAttention(b, c, { scale: 2 }), attended(2, always, nothing)],
    [
      'causal',
      (a, b, c) => a.scaledDotProductAttention(b, c, { isCausal: true }),
      attended(1 / Math.sqrt(E), (i, j) => j <= i, nothing),
    ],
    [
      'a mask, one row of which sees nothing',
      (a, b, c) => a.scaledDotProductAttention(b, c, { attnMask: mask() }),
      attended(1 / Math.sqrt(E), (i, j) => seen[i * S + j] === 1, nothing),
    ],
    [
      'numbers added',
      (a, b, c) => a.scaledDotProductAttention(b, c, { attnMask: onDevice(bonus, [L, S]) }),
      attended(1 / Math.sqrt(E), always, (i, j) => bonus[i * S + j] ?? NaN),
    ],
  ];
  test.each(cases)('%s', async (_name, run, want) => {
    await same(run(...inputs()), want);
    await same(jit.trace(run, inputs())(...inputs()), want);
  });

  test('a row that sees nothing has a gradient of numbers', async () => {
    const [a, b, c] = inputs().map((x) => x.requiresGrad_()) as [Tensor, Tensor, Tensor];
    a.scaledDotProductAttention(b, c, { attnMask: mask() }).sum().backward();
    for (const x of [a, b, c]) expect((await numbers(x.grad ?? x)).every(Number.isFinite)).toBe(true);
  });

  test('dropped matches are gone, those that stay are larger', async () => {
    manualSeed(3);
    const ones = onDevice(new Array<number>(S).fill(1), [1, S, 1]);
    const queries = onDevice(new Array<number>(200).fill(0), [1, 200, 1]);
    const got = await numbers(queries.scaledDotProductAttention(ones, ones, { dropoutP: 0.5 }));
    const kept = got.map((x) => Math.round(x / (2 / S)));
    expect(kept.every((n, i) => Math.abs(n * (2 / S) - (got[i] ?? NaN)) < 1e-5)).toBe(true);
    expect(sum(kept) / (200 * S)).toBeGreaterThan(0.4);
    expect(sum(kept) / (200 * S)).toBeLessThan(0.6);
  });
});
