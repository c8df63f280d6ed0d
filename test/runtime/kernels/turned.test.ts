/** Loads across memory: which kernels read them turned, how many loads, and that each element is where it belongs. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cat, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { buildKernel, planSection } from '../../../runtime/kernels/kernel.ts';
import { lower } from '../../../runtime/kernels/lower.ts';
import { fuse } from '../../../runtime/passes/fuse.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { taking } from '../support/candidates.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { Random, randomTensor } from '../support/random.ts';
import { atSizes } from '../support/sizes.ts';
import { CLOSE, kernelsOf, onlyTrace, traceOf } from '../support/traces.ts';

let leave = () => {};
beforeEach(async () => {
  leave = await useGpuSchedules();
});
afterEach(() => {
  vi.restoreAllMocks();
  leave();
});

type Inputs = [Tensor, Tensor, Tensor];
type Fn = (...xs: Inputs) => Tensor | Tensor[];
type Shapes = readonly [readonly number[], (readonly number[])?, (readonly number[])?];

const TURNED = 'workgroup per turned block, 4 positions a thread, 256 threads';
const ALONE = /^thread per element, /;
const stagedIn = (wgsl: string) => wgsl.match(/^var<workgroup> turned/gm)?.length ?? 0;
const made = ([x, y = [1], z = [1]]: Shapes): Inputs => [randomTensor(x, 1), randomTensor(y, 2), randomTensor(z, 3)];

/** The kernels of the traced function, whose values are those of the reference. */
async function kernels<A extends [Tensor, ...Tensor[]]>(fn: (...xs: A) => unknown, make: () => A) {
  const wanted = await onReference(() => read(fn(...make())));
  const traced = traceOf(fn, make());
  expectSame(await read(traced(...make())), wanted, CLOSE, 'traced against reference');
  return kernelsOf(traced).map(({ kernel: { schedule, text } }) => ({ schedule, staged: stagedIn(text.wgsl) }));
}

describe('turned', () => {
  test.each<[string, Fn, Shapes, number]>([
    ['a transposed copy', (x) => x.t().contiguous(), [[512, 544]], 1],
    ['of sizes that fill no square', (x) => x.t().contiguous(), [[601, 515]], 1],
    ['of a long and a short side', (x) => x.t().contiguous(), [[33, 8001]], 1],
    ['of a short and a long side', (x) => x.t().contiguous(), [[8001, 34]], 1],
    ['each of a batch', (x) => x.transpose(1, 2).mul(2), [[5, 130, 417]], 1],
    ['channels last', (x) => x.permute([0, 2, 3, 1]).contiguous(), [[3, 40, 47, 51]], 1],
    ['all dims the other way', (x) => x.permute([3, 2, 1, 0]).contiguous(), [[37, 5, 43, 35]], 1],
    ['a batch that lies inside', (x) => x.permute([2, 1, 0]).contiguous(), [[90, 33, 91]], 1],
    [
      'with one that is not',
      (x, y) => x.t().add(y),
      [
        [530, 500],
        [500, 530],
      ],
      1,
    ],
    ['with a row and a column', (x, y, z) => x.t().mul(y).add(z), [[530, 500], [530], [500, 1]], 1],
    [
      'two of them',
      (x, y) => x.t().mul(y.t()),
      [
        [530, 500],
        [530, 500],
      ],
      2,
    ],
    [
      'the same one twice',
      (x, y) => x.t().sin().mul(y).add(x.t()),
      [
        [530, 500],
        [500, 530],
      ],
      1,
    ],
    [
      'more than there is room for',
      (x, y, z) =>
        x
          .t()
          .sub(y.t())
          .mul(z.t())
          .add(x.flip([0]).t()),
      [
        [530, 500],
        [530, 500],
        [530, 500],
      ],
      3,
    ],
    [
      'in arms of two choices',
      (x, y, z) => cat([cat([x.t(), y], 1), z], 0),
      [
        [530, 500],
        [500, 7],
        [11, 537],
      ],
      1,
    ],
    [
      'in the other arms',
      (x, y, z) => cat([z, cat([y, x.t()], 1)], 0).mul(2),
      [
        [530, 500],
        [500, 7],
        [11, 537],
      ],
      1,
    ],
    ['turned around along one side', (x) => x.t().flip([0]).mul(2), [[530, 500]], 1],
    ['turned around along both', (x) => x.t().flip([0, 1]).mul(2), [[530, 500]], 1],
    ['part of each row and column', (x) => x.slice(1, 3, 516).slice(0, 1, 530).t().exp(), [[540, 520]], 1],
    ['every third row', (x) => x.slice(0, 0, 1590, 3).t().exp(), [[1590, 500]], 1],
    ['with zeros around it', (x) => x.pad([1, 2, 3, 4]).t().contiguous(), [[530, 500]], 1],
    ['with ones around what is turned', (x) => x.t().pad([5, 0, 0, 7], 1).mul(3), [[530, 500]], 1],
    [
      'behind another one, end to end',
      (x, y) => cat([x.t(), y.t()], 1).mul(2),
      [
        [301, 500],
        [230, 500],
      ],
      2,
    ],
    [
      'below another one',
      (x, y) => cat([x.t(), y.t()], 0).mul(2),
      [
        [530, 301],
        [530, 230],
      ],
      2,
    ],
    ['truth values', (x) => x.gt(0).t().logicalNot(), [[530, 500]], 1],
    [
      'chosen between',
      (x, y, z) => x.t().where(z.gt(0).t(), y),
      [
        [530, 500],
        [500, 530],
        [530, 500],
      ],
      2,
    ],
    [
      'beside neighbours of something else',
      (x, y) =>
        x
          .slice(1, 1, 500)
          .t()
          .sub(x.slice(1, 0, 499).t())
          .mul(y.t()),
      [
        [530, 500],
        [530, 499],
      ],
      1,
    ],
    [
      'several results',
      (x, y) => [x.t().add(y), x.t().mul(y).sub(1)],
      [
        [530, 500],
        [500, 530],
      ],
      1,
    ],
  ])('%s', async (_name, fn, shapes, staged) => {
    expect(await kernels(fn, () => made(shapes))).toEqual([{ schedule: TURNED, staged }]);
  });

  test.each(['int32', 'uint32', 'bool'] as const)('%s', async (dtype) => {
    const make = (): [Tensor] => [randomTensor([530, 500], 1, 9).abs().floor().sub(3).relu().to(dtype)];
    expect(await kernels((x) => x.t().contiguous(), make)).toContainEqual({ schedule: TURNED, staged: 1 });
  });

  test('beside rows that are picked', async () => {
    const fn: Fn = (x, y, z) => y.indexSelect(0, z.abs().mul(6).floor().to('int32')).add(x.t());
    expect(await kernels(fn, () => made([[530, 500], [7, 530], [500]]))).toContainEqual({ schedule: TURNED, staged: 1 });
  });
});

describe('as before', () => {
  test.each<[string, Fn, Shapes]>([
    ['a straight copy', (x) => x.mul(2), [[512, 544]]],
    ['too few positions', (x) => x.t().contiguous(), [[500, 500]]],
    ['a side that is short', (x) => x.t().contiguous(), [[31, 9000]]],
    ['the other side that is short', (x) => x.t().contiguous(), [[9000, 31]]],
    ['heads', (x) => x.permute([0, 2, 1, 3]).contiguous(), [[4, 64, 33, 40]]],
    ['windows that overlap', (x) => x.unfold(40, { stride: 4 }).mul(2), [[1, 1, 40, 740]]],
    [
      'neighbours, the first one further on',
      (x) =>
        x
          .slice(1, 1, 500)
          .t()
          .sub(x.slice(1, 0, 499).t()),
      [[530, 500]],
    ],
    [
      'neighbours, the second one further on',
      (x) =>
        x
          .slice(1, 0, 499)
          .t()
          .sub(x.slice(1, 1, 500).t()),
      [[530, 500]],
    ],
    ['every second element', (x) => x.slice(1, 0, 1100, 2).mul(2), [[520, 1100]]],
    [
      'under different conditions',
      (x, y, z) => cat([cat([x.t(), y.slice(0, 0, 500)], 1), z], 0).add(cat([cat([x.t(), z.slice(1, 0, 530)], 0), y], 1)),
      [
        [530, 500],
        [511, 7],
        [11, 537],
      ],
    ],
    [
      'a column for all',
      (x, y) => x.mul(y),
      [
        [512, 544],
        [512, 1],
      ],
    ],
  ])('%s', async (_name, fn, shapes) => {
    expect(await kernels(fn, () => made(shapes))).toEqual([{ schedule: expect.stringMatching(ALONE) as string, staged: 0 }]);
  });

  test('rows that are picked from what is transposed', async () => {
    const fn: Fn = (x, y) => x.transpose(1, 2).indexSelect(0, y.to('int32')).mul(2);
    const found = await kernels(fn, () => made([[4, 300, 302], [3]]));
    expect(found.map((k) => k.staged)).toEqual([0, 0]);
  });

  test('on a device that has caches and no memory of workgroups', async () => {
    leave();
    const found = await kernels(
      (x) => x.t().contiguous(),
      (): [Tensor] => [randomTensor([512, 544])],
    );
    expect(found).toEqual([{ schedule: expect.stringMatching(ALONE) as string, staged: 0 }]);
  });
});

test('a device may find the form without it to be the fastest', async () => {
  const fn: Fn = (x, y) => x.t().add(y);
  const shapes: Shapes = [
    [530, 500],
    [500, 530],
  ];
  const reference = await onReference(() => read(fn(...made(shapes))));
  const counts = taking(1, (wgsl) => wgsl.includes('b2'));
  const traced = traceOf(fn, made(shapes));
  expectSame(await read(traced(...made(shapes))), reference, CLOSE, 'the second');
  expect(counts).toEqual([2]);
  expect(kernelsOf(traced).map((k) => k.kernel.schedule)).toEqual([expect.stringMatching(/^thread per element, 4 positions/)]);
});

test('an eager op', async () => {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  const [x, y] = made([
    [530, 501],
    [501, 530],
  ]);
  const get = vi.spyOn(backend.gpu.pipelines, 'get');
  const results = [x.t().contiguous(), x.t().add(y), y.t().add_(x), x.permute([1, 0]).gt(0)];
  expect(get.mock.calls.map(([form]) => stagedIn(form.wgsl))).toEqual([1, 1, 1, 1]);
  const wanted = await onReference(() => {
    const [a, b] = made([
      [530, 501],
      [501, 530],
    ]);
    return read([a.t().contiguous(), a.t().add(b), b.t().add_(a), a.permute([1, 0]).gt(0)]);
  });
  expectSame(await read(results), wanted, CLOSE, 'eager');
});

test.each<[string, (n: number) => number[], number[]]>([
  ['rows', (n) => [n, 520], [544, 515, 531, 40, 33, 576, 5]],
  ['columns', (n) => [520, n], [544, 515, 531, 40, 33, 576, 5]],
  ['rows and columns', (n) => [n, n + 3], [544, 515, 531, 40, 33, 576, 5]],
  ['batches', (n) => [n, 50, 60], [90, 88, 91, 96, 2]],
])('%s that vary in number', async (_name, shape, sizes) => {
  const { made: kernelsMade, traced } = await atSizes(
    { make: () => (x: Tensor) => x.transpose(-1, -2).mul(2), args: (n) => [randomTensor(shape(n), n)] },
    sizes,
  );
  expect(traced.info.compiled.map((c) => c.plans()[0]?.kernels[0]?.kernel.schedule)).toContain(TURNED);
  // The last size is too short for some, which then have a kernel of another form.
  expect(new Set(kernelsMade.slice(3, -1))).toEqual(new Set([0]));
});

/** By seed, how many loads are staged. */
test.each([
  [3, 0],
  [6, 1],
  [7, 2],
  [9, 1],
  [10, 1],
  [11, 2],
  [16, 1],
  [20, 0],
])('random views, %d', async (seed, staged) => {
  const random = new Random(seed);
  const rank = random.whole(2, 4);
  const shape = Array.from({ length: rank }, () => random.whole(8, Math.ceil(120 / rank)));
  while (shape.reduce((a, b) => a * b) < 1 << 18) {
    const d = random.whole(0, rank - 1);
    shape[d] = Math.ceil((shape[d] ?? 1) * 1.4);
  }
  const operands = Array.from({ length: random.whole(1, 3) }, () => ({
    // Of memory; with so many further elements before each row.
    order: random.shuffled(shape.map((_, d) => d)),
    shift: random.whole(0, 2),
    op: random.pick(['add', 'mul', 'sub'] as const),
    flipped: random.whole(0, 2) === 0 ? [random.whole(0, rank - 1)] : [],
  }));
  const inputs = () =>
    operands.map((o, i) =>
      randomTensor(
        o.order.map((d) => (shape[d] ?? 1) + o.shift),
        i,
      ),
    ) as [Tensor];
  const fn = (...xs: Tensor[]) =>
    operands
      .map(({ order, shift, flipped }, i) => {
        const x = order.reduce((t, _, d) => t.slice(d, shift, t.size(d)), xs[i] as Tensor);
        return x.permute(shape.map((_, d) => order.indexOf(d))).flip(flipped);
      })
      .reduce((a, b, i) => a[operands[i]?.op ?? 'add'](b).relu());
  expect((await kernels(fn, inputs)).map((k) => k.staged)).toEqual([staged]);
});

describe('its text', () => {
  const textOf = (fn: Fn, shapes: Shapes, dtype: 'float16' | 'float32', workgroupMemory: number) =>
    onReference(() => {
      const inputs = made(shapes).map((x) => x.to(dtype)) as Inputs;
      const { graph } = optimise(onlyTrace(traceOf(fn, inputs)).recorded);
      const [group] = fuse(graph, { maxStorageBuffers: 8 }).groups;
      if (!group) throw new Error('no kernel');
      const lowered = lower(group);
      const types = [...lowered.reads, ...lowered.roots].map((node) => node.meta.dtype);
      const storageOf = (position: number) => ({ storage: { position }, dtype: types[position] ?? dtype });
      const target = { kind: 'gpu', workgroupMemory } as const;
      return buildKernel([planSection(lowered, storageOf, { parametric: false, target })], false).text.wgsl;
    });
  const both: Fn = (x, y, z) => x.t().mul(z.t()).add(y);
  const shapes: Shapes = [
    [530, 500],
    [500, 530],
    [530, 500],
  ];

  test('halves are staged as they are computed with', () => {
    const text = textOf(both, shapes, 'float16', 16384);
    expect(text).toContain('var<workgroup> turned0: array<f32, 1056>;');
    expect(text).toContain('= f32(b1[');
    expect(text).toMatch(/b0\[.*\] = f16\(v\d+\);/);
  });

  test('as many are staged as there is memory for', () => {
    const staged = (bytes: number) => stagedIn(textOf(both, shapes, 'float32', bytes));
    expect([16384, 8448, 8447, 4223].map(staged)).toEqual([2, 2, 1, 0]);
  });

  test('only squares that are not whole ask how far they go', () => {
    const asks = (rows: number, columns: number) =>
      textOf((x) => x.t().mul(2), [[rows, columns]], 'float32', 16384).match(/min\(| if /g)?.length ?? 0;
    expect([asks(512, 512), asks(512, 516), asks(516, 512), asks(515, 518)].map((n) => n - 1)).toEqual([0, 2, 5, 8]);
  });
});
