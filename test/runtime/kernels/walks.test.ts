/**
 * Attention as one walk over its keys: every form that is written here is one kernel, which gives what the eager run gives, and
 * what float64 gives; also where scores are not finite. What is no such walk stays several kernels.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { arange, cat, grad, jit, tensor, type Tensor } from 'jitlens';
import type { Pipeline } from '../../../runtime/device/pipelines.ts';
import { Trial } from '../../../runtime/device/trial.ts';
import { executable } from '../../../runtime/jit/execute.ts';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { SIZES as BLOCKS } from '../../../runtime/kernels/walk.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { attended, type Rules } from '../support/attended.ts';
import { expectSame, firstOff, read } from '../support/compare.ts';
import { randomTensor } from '../support/random.ts';
import { CLOSE, kernelsOf, onlyTrace, traceOf } from '../support/traces.ts';

type Kind = 'software' | 'gpu';
type Inputs = [q: Tensor, k: Tensor, v: Tensor, mask: Tensor];
type Attention = (...inputs: Inputs) => Tensor;

/** Kernels are made as for a GPU, on the device that there is; gives what a workgroup of it may share. */
function madeForGpu(): number {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  vi.spyOn(backend.gpu, 'info', 'get').mockReturnValue({ ...backend.gpu.info, kind: 'gpu' });
  return backend.gpu.target.workgroupMemory;
}
afterEach(() => {
  vi.restoreAllMocks();
});

interface Sizes {
  readonly batch: readonly number[];
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly columns: number;
}

const T = (x: Tensor): Tensor => x.transpose(-1, -2);
const matches: Attention = (q, k) => q.matmul(T(k)).mul(0.3);
/** Numbers from −1 to 1, of which some are −∞; each row has some that are not. */
function masking(queries: number, keys: number): Float32Array {
  const random = (i: number) => Math.sin(12.9898 * i) * 43758.5453;
  const part = (i: number) => random(i) - Math.floor(random(i));
  return Float32Array.from({ length: queries * keys }, (_, i) =>
    part(i) < 0.4 && i % keys !== Math.floor(i / keys) % keys ? -Infinity : 2 * part(i + 0.5) - 1,
  );
}

interface Form {
  readonly fn: Attention;
  /** Whether what all batches share is computed before, where there are many. */
  readonly prepares?: boolean;
  /** What it does, for the mask [queries, keys]. */
  readonly rules: (mask: (i: number, j: number) => number) => Rules;
}

const scaled = (s: number) => 0.3 * s;
const forms: Readonly<Record<string, Form>> = {
  plain: { fn: (q, k, v, m) => matches(q, k, v, m).softmax(-1).matmul(v), rules: () => ({ score: scaled }) },
  'the op, causal': {
    fn: (q, k, v) => q.scaledDotProductAttention(k, v, { isCausal: true, scale: 0.3 }),
    rules: () => ({ score: (s, i, j) => (j <= i ? 0.3 * s : -3e38) }),
  },
  'the op, with a mask of numbers': {
    fn: (q, k, v, attnMask) => q.scaledDotProductAttention(k, v, { attnMask, scale: 0.3 }),
    rules: (m) => ({ score: (s, i, j) => 0.3 * s + m(i, j) }),
  },
  'divided after the sum of values, with a reciprocal': {
    fn: (q, k, v, m) => {
      const s = matches(q, k, v, m).add(m);
      const e = s.sub(s.amax({ dim: -1, keepdim: true })).exp();
      return e.matmul(v).mul(e.sum({ dim: -1, keepdim: true }).reciprocal());
    },
    rules: (m) => ({ score: (s, i, j) => 0.3 * s + m(i, j) }),
  },
  'the other way round': {
    fn: (q, k, v) => T(T(v).matmul(k.matmul(T(q)).mul(0.3).softmax(-2))),
    rules: () => ({ score: scaled }),
  },
  'shares that are weighted': {
    prepares: true,
    fn: (q, k, v, m) => matches(q, k, v, m).softmax(-1).mul(m.isfinite().where(m, 0)).matmul(v),
    rules: (m) => ({ score: scaled, share: (p, i, j) => (Number.isFinite(m(i, j)) ? p * m(i, j) : 0) }),
  },
  'scores that are bent, and factors that are computed': {
    prepares: true,
    fn: (q, k, v) => {
      const near = arange(q.size(-2))
        .unsqueeze(1)
        .sub(arange(k.size(-2)))
        .abs();
      return q.mul(0.3).matmul(T(k).neg()).tanh().sub(near.mul(0.01)).softmax(-1).matmul(v.mul(2));
    },
    rules: () => ({ score: (s, i, j) => Math.tanh(-0.3 * s) - 0.01 * Math.abs(i - j), share: (p) => 2 * p }),
  },
};

function inputsOf({ batch, queries, keys, features, columns }: Sizes): Inputs {
  const numbers = (shape: readonly number[], seed: number) => randomTensor([...batch, ...shape], seed, 2);
  const mask = tensor(masking(queries, keys)).view([queries, keys]);
  return [numbers([queries, features], 1), numbers([keys, features], 2), numbers([keys, columns], 3), mask];
}

/** What float64 gives for each batch. */
async function expected(sizes: Sizes, [q, k, v]: Inputs, { rules }: Form): Promise<number[]> {
  const { batch, queries, keys, features, columns } = sizes;
  const mask = masking(queries, keys);
  const count = batch.reduce((n, s) => n * s, 1);
  const all = await Promise.all([q, k, v].map(async (x) => Float64Array.from(await x.data())));
  const places = (which: number, batchOf: number, rows: number, width: number) => ({
    data: (all[which] ?? new Float64Array()).subarray(batchOf * rows * width, (batchOf + 1) * rows * width),
    features: width,
  });
  return Array.from({ length: count }, (_, b) => [
    ...attended(
      places(0, b, queries, features),
      places(1, b, keys, features),
      places(2, b, keys, columns),
      rules((i, j) => mask[i * keys + j] ?? NaN),
    ),
  ]).flat();
}

/** Runs it eagerly and traced, where it is one walk; gives what the traced run gave. */
async function walked(kind: Kind, fn: Attention, make: () => Inputs, before = 0): Promise<readonly number[]> {
  const eager = await read(fn(...make()));
  if (kind === 'gpu') madeForGpu();
  const traced = traceOf(fn, make());
  const kernels = kernelsOf(traced);
  const schedules = kernels.map((k) => k.kernel.schedule).filter((s) => /(thread|workgroup) per rows?\b/.test(s));
  expect([schedules.length, kernels.length]).toEqual([1, 1 + before]);
  expect(schedules[0]).toMatch(kind === 'gpu' ? /^workgroup per rows/ : /^thread per row/);
  const result = await read(traced(...make()));
  expectSame(result, eager, CLOSE, 'traced against eager');
  return result[0]?.values ?? [];
}

const preparing = ({ prepares = false }: Form, { batch }: Sizes) => Number(prepares && batch.reduce((n, s) => n * s, 1) > 4);

const SIZES: readonly Sizes[] = [
  { batch: [2, 3], queries: 37, keys: 70, features: 20, columns: 19 },
  { batch: [3], queries: 5, keys: 2, features: 3, columns: 2 },
  { batch: [], queries: 64, keys: 64, features: 64, columns: 64 },
  { batch: [1, 1], queries: 9, keys: 131, features: 33, columns: 5 },
];

describe.each(Object.entries(forms))('%s', (_name, form) => {
  test.each(SIZES)('is one kernel on a CPU: %j', async (sizes) => {
    const got = await walked('software', form.fn, () => inputsOf(sizes), preparing(form, sizes));
    expect(firstOff(got, await expected(sizes, inputsOf(sizes), form), CLOSE)).toBeUndefined();
  });

  test('is one kernel, by blocks, on a GPU', async () => {
    const [sizes = SIZES[0]] = SIZES;
    if (!sizes) throw new Error('no sizes');
    const got = await walked('gpu', form.fn, () => inputsOf(sizes), preparing(form, sizes));
    expect(firstOff(got, await expected(sizes, inputsOf(sizes), form), CLOSE)).toBeUndefined();
  });
});

describe('blocks of every size give the same', () => {
  /** Of the kernels that ran: rows, keys and terms of their blocks, and the scores of a thread. */
  const seen = new Set<string>();

  /** Of the candidates the n-th runs; the others are not even compiled. */
  function taking(n: number): void {
    const backend = currentBackend();
    if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
    const { gpu } = backend;
    const get = gpu.pipelines.get.bind(gpu.pipelines);
    let asked = 0;
    const left: unknown = { settled: Promise.resolve(), isSettled: true };
    vi.spyOn(gpu, 'compares', 'get').mockReturnValue(true);
    vi.spyOn(gpu.pipelines, 'get').mockImplementation((form) =>
      form.wgsl.includes('weights_staged') && asked++ !== n ? (left as Pipeline) : get(form),
    );
    vi.spyOn(gpu, 'fastest').mockImplementation((candidates) => {
      return new Trial(candidates, () => Promise.resolve(candidates.map((_, i) => (i === n ? 1 : 2))));
    });
  }

  const all = [
    [128, 64, 8, 64, 0],
    [128, 64, 8, 64, 1],
    [128, 64, 8, 64, 2],
    [64, 128, 16, 64, 2],
    [64, 64, 18, 100, 3],
    [128, 128, 6, 21, 1],
    [31, 130, 6, 40, 0],
    [31, 130, 6, 40, 1],
    [31, 130, 6, 40, 2],
    [70, 31, 6, 33, 3],
  ] as const;

  test.each(all)('%d queries, %d keys of %d, %d columns: candidate %d', async (queries, keys, features, columns, n) => {
    // What was tried is remembered for kernels that are the same.
    const sizes: Sizes = { batch: [100 + n], queries, keys, features, columns };
    const form = forms['the op, causal'];
    if (!form) throw new Error('no form');
    const memory = madeForGpu();
    taking(n);
    const traced = traceOf(form.fn, inputsOf(sizes));
    const got = [...(await (traced(...inputsOf(sizes)) as Tensor).data())];
    expect(firstOff(got, await expected(sizes, inputsOf(sizes), form), CLOSE)).toBeUndefined();
    const [kernel, ...others] = kernelsOf(traced).map((k) => k.kernel);
    expect([kernel?.schedule, others]).toEqual([expect.stringMatching(/^workgroup per rows/), []]);
    const text = kernel?.text.wgsl ?? '';
    const elements = [...text.matchAll(/^var<workgroup> \w+: array<(vec4<f32>|f32), (\d+)>/gm)];
    const bytes = elements.reduce((sum, [, type, count]) => sum + (type === 'f32' ? 4 : 16) * Number(count), 0);
    expect(bytes).toBeLessThanOrEqual(memory);
    // Neighbouring threads load neighbours in memory: of queries and keys those along their features, of values those of a key.
    expect([...text.matchAll(/let (rows|columns)_spot = lane ([/%])/g)].map(([, ...side]) => side.join(' '))).toEqual([
      'rows /',
      'columns /',
      'columns %',
    ]);
    const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1]);
    const [wide, tall] = [number(/rows_from = \(block % \d+\) \* (\d+)/), number(/columns_from \+= (\d+)/)];
    const thread = [wide / (number(/@workgroup_size\((\d+)\)/) / number(/columns_of = lane % (\d+)/))];
    seen.add([wide, tall, number(/rows_term = lane % (\d+)/), ...thread, tall / number(/columns_of = lane % (\d+)/)].join());
  });

  test('none is left out', () => {
    const every = BLOCKS.map(({ block, thread }) => [block.rows, block.keys, block.depth, thread.rows, thread.keys].join());
    expect([...seen].sort()).toEqual(every.sort());
  });
});

/** A copy with some rows of one number each. */
async function filled(x: Tensor, rows: Readonly<Record<number, number>>, width = x.size(-1)): Promise<Tensor> {
  const data = Float32Array.from(await x.data());
  for (const [row, value] of Object.entries(rows)) data.fill(value, Number(row) * x.size(-1), Number(row) * x.size(-1) + width);
  return tensor(data).view(x.shape);
}

describe.each(['software', 'gpu'] as const)('made for a %s', (kind) => {
  const sizes: Sizes = { batch: [], queries: 20, keys: 150, features: 8, columns: 9 };
  const added = forms['the op, with a mask of numbers'];

  test.each<[string, (inputs: Inputs) => Promise<Inputs>]>([
    ['queries that see nothing', async ([q, k, v, m]) => [q, k, v, await filled(m, { 2: -Infinity, 19: -Infinity })]],
    [
      'queries that see none of the first keys',
      async ([q, k, v, m]) => [q, k, v, await filled(m, { 0: -Infinity, 7: -Infinity }, 140)],
    ],
    ['queries that are not finite', async ([q, k, v, m]) => [await filled(q, { 3: NaN, 4: Infinity, 5: -Infinity }), k, v, m]],
    ['keys that are not finite', async ([q, k, v, m]) => [q, await filled(k, { 3: NaN, 100: Infinity }), v, m]],
    ['scores of +∞', async ([q, k, v, m]) => [q, k, v, await filled(m, { 1: Infinity, 6: Infinity }, 1)]],
    ['values that are not finite', async ([q, k, v, m]) => [q, k, await filled(v, { 0: NaN, 149: Infinity }, 4), m]],
    ['scores that are large', ([q, k, v, m]) => Promise.resolve([q.mul(1e3), k, v, m])],
  ])('%s are as they are eagerly', async (_, changed) => {
    const inputs = await changed(inputsOf(sizes));
    if (!added) throw new Error('no form');
    const got = await walked(kind, added.fn, () => inputs);
    expect(got.some(Number.isFinite)).toBe(_ !== 'keys that are not finite');
  });

  test('values whose sums leave the range of numbers do not where shares are scaled', async () => {
    const large: Attention = (q, k, v) => {
      const shares = q.matmul(T(k)).softmax(-1).mul(1e-30);
      return shares.matmul(v.abs().add(1).mul(1e38)).mul(1e-8);
    };
    expect((await walked(kind, large, () => inputsOf(sizes))).every(Number.isFinite)).toBe(true);
  });

  test('where a condition takes shares away, none is left of those that are no numbers', async () => {
    const masked: Attention = (q, k, v, m) => {
      const shares = matches(q, k, v, m).add(m).softmax(-1);
      return arange(q.size(-2)).lt(10).unsqueeze(1).where(shares, 0).matmul(v);
    };
    const [q, k, v, m] = inputsOf(sizes);
    const [queries, mask] = [await filled(q, { 12: NaN }), await filled(m, { 2: -Infinity, 13: Infinity, 15: -Infinity })];
    const got = await walked(kind, masked, () => [queries, k, v, mask], 1);
    const row = (i: number) => new Set(got.slice(i * 9, (i + 1) * 9));
    expect(row(2)).toEqual(new Set([NaN]));
    expect([12, 13, 15, 16].map(row)).toEqual(Array.from({ length: 4 }, () => new Set([0])));
  });

  test('a total without a number is none, also where it is looked at alone', async () => {
    const looked: Attention = (q, k, v, m) => {
      const s = matches(q, k, v, m).add(m);
      const e = s.sub(s.amax({ dim: -1, keepdim: true })).exp();
      const total = e.sum({ dim: -1, keepdim: true });
      return total.eq(0).where(1, e.matmul(v).div(total));
    };
    const [q, k, v, m] = inputsOf(sizes);
    const mask = await filled(m, { 2: -Infinity });
    const got = await walked(kind, looked, () => [q, k, v, mask]);
    expect(new Set(got.slice(18, 27))).toEqual(new Set([NaN]));
  });

  test('heads that share keys are rows of one block', async () => {
    const grouped: Attention = (q, k, v) => {
      const wide = (x: Tensor) => x.unsqueeze(1).expand([2, 3, x.size(-2), x.size(-1)]);
      return q.scaledDotProductAttention(wide(k), wide(v));
    };
    const make = (): Inputs => [
      randomTensor([2, 3, 14, 8], 1, 2),
      randomTensor([2, 21, 8], 2, 2),
      randomTensor([2, 21, 6], 3, 2),
      tensor([0]),
    ];
    await walked(kind, grouped, make);
  });

  test('what follows is stored by the same kernel, in another order', async () => {
    const followed: Attention = (q, k, v, m) =>
      T(matches(q, k, v, m).softmax(-1).matmul(v).add(v.select(-2, 0).unsqueeze(-2)).relu());
    await walked(kind, followed, () => inputsOf({ ...sizes, batch: [2] }));
  });
});

test.each<[string, Attention, number]>([
  ['a softmax of what it gives', (q, k, v, m) => matches(q, k, v, m).softmax(-1).matmul(v).softmax(-1), 3],
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
