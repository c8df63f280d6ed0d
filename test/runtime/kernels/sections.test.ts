/** Kernels of several sections: values of every schedule as one, on the device's own schedules and on those for a GPU. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jit, nn, noGrad, optim, tensor, type Tensor } from 'jitlens';
import type { PipelineForm } from '../../../runtime/device/pipelines.ts';
import { compile, kernelBytes } from '../../../runtime/jit/compile.ts';
import { executable } from '../../../runtime/jit/execute.ts';
import { boundBy, buildKernel } from '../../../runtime/kernels/kernel.ts';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { kernelText, type SectionText } from '../../../runtime/kernels/sections.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { randomTensor } from '../support/random.ts';
import { CLOSE, compared, kernelsOf, onlyTrace, traceOf } from '../support/traces.ts';

type Inputs = [Tensor, ...Tensor[]];
type Fn = (...xs: Tensor[]) => unknown;

const sized =
  (...shapes: readonly number[][]) =>
  (): Inputs =>
    shapes.map((shape, i) => randomTensor(shape, i + 1)) as Inputs;

function onGpu(): GpuBackend {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('a device without kernels');
  return backend;
}

/** What a kernel stores and binds in another place too. */
const boundTwice = (traced: Parameters<typeof kernelsOf>[0]): string[] =>
  kernelsOf(traced).flatMap(({ kernel }) => {
    const places = kernel.storages.map((p) => JSON.stringify(p.kind === 'external' ? p.node.storage : p));
    return places.filter((place, i) => kernel.form.access[i] === 'write' && places.indexOf(place) !== places.lastIndexOf(place));
  });

/** Moves each parameter by its gradient with momentum, in place. */
const moved: Fn = (...xs) => {
  for (let i = 0; i < xs.length; i += 3) {
    const [p, g, m] = xs.slice(i, i + 3);
    if (!p || !g || !m) throw new Error('three tensors for each');
    m.mul_(0.9).add_(g);
    p.sub_(m.mul(0.1));
  }
  return xs[0];
};

describe.each(['software', 'gpu'] as const)('schedules for %s', (kind) => {
  let undo: (() => void) | undefined;
  beforeAll(async () => {
    if (kind === 'gpu') undo = await useGpuSchedules();
  });
  afterAll(() => undo?.());

  test.each<[string, Fn, () => Inputs, RegExp?]>([
    ['elements of two sizes', (x, y) => [x.exp(), y.tanh().neg()], sized([70, 3], [9])],
    [
      'elements and sums of a row',
      (x, y, z) => [x.softmax(-1), y.softmax(-1), z.sin()],
      sized([9, 150], [3, 40], [300]),
      /per row/,
    ],
    [
      'sums that threads share, in two ways',
      (x, y, z) => [x.sum({ dim: 0 }), y.sum({ dim: 1 }), z.sigmoid()],
      sized([200, 40], [7, 500], [11]),
      /per 8 columns, 256 threads; workgroup per element, 256 threads/,
    ],
    ['what has functions of its own', (x, y) => [x.gelu(), y.gelu('tanh').sum()], sized([40], [30])],
    ['what has constants that are not finite', (x, y) => [x.amax({ dim: 1 }), y.div(0), x.amin()], sized([4, 40], [30])],
    ['truths and whole numbers', (x, y) => [x.gt(0.2), y.round().to('int32').add(3)], sized([40], [30])],
    ['slices of one tensor', (x) => [x.select(0, 1).exp(), x.select(0, 3).sum({ dim: 0 })], sized([4, 32, 16])],
    ['one tensor in vectors of four, and element by element', (x) => [x.softmax(-1), x.select(0, 3).exp()], sized([4, 1024])],
    ['updates in place', moved, sized([50], [50], [50], [20, 2], [20, 2], [20, 2], [10], [10], [10])],
  ])('%s', async (_, fn, make, schedule = /side by side/) => {
    const traced = await compared(fn, make);
    const kernels = kernelsOf(traced);
    expect(kernels.map((k) => k.sections.length > 1)).toEqual([true]);
    if (kind === 'gpu') expect(kernels[0]?.kernel.schedule).toMatch(schedule);
  });

  test('a line of the text is for an op of its own section, and all ops have lines', () => {
    const [kernel] = kernelsOf(
      traceOf((x: Tensor, y: Tensor) => [x.exp(), y.sum({ dim: 0 })], sized([40], [300, 4])() as [Tensor, Tensor]),
    );
    const lines = kernel?.kernel.text.wgsl.trimEnd().split('\n') ?? [];
    const origins = kernel?.kernel.text.origins ?? [];
    expect(origins).toHaveLength(lines.length);
    const ends = lines.flatMap((text, i) => (/^fn section|^@compute/.test(text) ? [i] : []));
    const named = kernel?.sections.map((s, i) => {
      const own = new Set([...s.group.inside].flatMap((n) => [...n.origins]));
      const found = origins.slice(ends[i], ends[i + 1]).filter((id) => id >= 0);
      expect(found.length).toBeGreaterThan(0);
      expect(found.filter((id) => !own.has(id))).toEqual([]);
      return lines[ends[i] ?? 0];
    });
    expect(named).toEqual(['fn section0(group: i32, local: u32) {', 'fn section1(group: i32, local: u32) {']);
    expect(kernel?.name).toBe('exp_beside_sum');
  });

  test('left out, each is a kernel of its own, with the same values', async () => {
    const fn = (x: Tensor, y: Tensor) => [x.exp(), y.tanh()];
    const inputs = sized([40], [30])() as [Tensor, Tensor];
    const { recorded } = onlyTrace(traceOf(fn, inputs));
    for (const [without, sections] of [
      [[], [2]],
      [['side-by-side'], [1, 1]],
    ] as const) {
      const { plan, run } = executable(recorded, onGpu(), without);
      expect(plan?.kernels.map((k) => k.sections.length)).toEqual(sections);
      expectSame(await read(run(inputs)), await read(fn(...inputs)), CLOSE, without.join());
    }
  });

  test('no step stores what it has bound twice: a training step whose memory is reused', async () => {
    const step = () => {
      const net = new nn.Sequential(new nn.Linear(6, 9), new nn.LayerNorm([9]), new nn.Linear(9, 4), new nn.GELU());
      const adam = new optim.Adam(net.parameters(), { lr: 0.1 });
      let value = 0;
      for (const p of net.parameters())
        noGrad(() => p.copy_(tensor(Float32Array.from({ length: p.numel }, () => Math.sin(++value))).view(p.shape)));
      const fn = (x: Tensor) => {
        adam.zeroGrad();
        const loss = net.forward(x).square().mean();
        loss.backward();
        adam.step();
        return loss.detach();
      };
      return { fn, net };
    };
    const [eager, other] = [step(), step()];
    const x = randomTensor([3, 6], 1);
    const traced = jit.trace(other.fn, [x]);
    // Tracing ran it once.
    eager.fn(x);
    const run = async ({ net }: typeof eager, fn: Fn) => read([fn(x), fn(x), [...net.parameters()]]);
    expectSame(await run(other, traced), await run(eager, eager.fn), CLOSE, 'traced against eager');
    expect(kernelsOf(traced).some((k) => k.sections.length > 1)).toBe(true);
    expect(boundTwice(traced)).toEqual([]);
  });

  test('what a step reads last is not the memory of what it stores', async () => {
    const fn: Fn = (...xs) => {
      const [x, y, z] = xs as [Tensor, Tensor, Tensor];
      const [u, v] = [x.sum({ dim: 0 }), y.sum({ dim: 0 })];
      const only = z.mul(u);
      const next = z.sub(v).abs().sum({ dim: 0 });
      return [only, y.mul(next)];
    };
    const traced = await compared(fn, sized([1100, 3], [1100, 3], [1100, 3]));
    expect(kernelsOf(traced).map((k) => k.sections.length)).toEqual([2, 2, 1]);
    expect(boundTwice(traced)).toEqual([]);
  });
});

describe('products on a GPU', () => {
  let undo = () => {};
  beforeAll(async () => {
    undo = await useGpuSchedules();
  });
  afterAll(() => {
    undo();
  });

  // Two long texts are compiled here, by a CPU for a CPU.
  test('of one block size are side by side', { timeout: 240_000 }, async () => {
    const fn: Fn = (a, b, c, d) => [a.matmul(b).relu(), c.matmul(d)];
    const make = sized([40, 64], [64, 30], [30, 64], [64, 29]);
    const traced = traceOf(fn, make());
    const wanted = await onReference(() => read(fn(...make())));
    expectSame(await read(traced(...make())), wanted, CLOSE, 'traced against reference');
    const kernels = kernelsOf(traced);
    expect(kernels.map((k) => k.sections.length)).toEqual([2]);
    expect(kernels[0]?.kernel.schedule).toMatch(/: workgroup per block.*; workgroup per block/);
  });

  /** The sections of its kernels, none of which is compiled. */
  function planned(fn: Fn, make: () => Inputs): number[] {
    const { recorded } = onReference(() => onlyTrace(traceOf(fn, make())));
    const { gpu } = onGpu();
    const get = (form: PipelineForm) => ({ form, settled: Promise.resolve() });
    const { kernels } = compile(recorded, Object.create(gpu, { pipelines: { value: { get } } }) as typeof gpu);
    expect(kernels[0]?.kernel.schedule).toMatch(/workgroup per block/);
    return kernels.map((k) => k.sections.length);
  }

  test.each<[string, Fn, () => Inputs, number[]]>([
    ['of one block size', (a, b, c, d) => [a.matmul(b), c.matmul(d)], sized([40, 64], [64, 30], [30, 64], [64, 29]), [2]],
    ['of two', (a, b, c, d) => [a.matmul(b), c.matmul(d)], sized([40, 64], [64, 30], [200, 64], [64, 200]), [1, 1]],
    ['that fill a device', (a, b, c) => [a.matmul(b), a.matmul(c)], sized([1200, 16], [16, 1200], [16, 1200]), [1, 1]],
    ['and what is none', (a, b, c) => [a.matmul(b), c.sum({ dim: 0 })], sized([64, 40], [40, 72], [20, 40]), [1, 1]],
  ])('%s: sections', (_, fn, make, sections) => {
    expect(planned(fn, make)).toEqual(sections);
  });
});

test('a kernel moves each tensor once, whichever sections read it', () => {
  const x = randomTensor([40, 8], 1);
  const [kernel] = kernelsOf(traceOf((a: Tensor) => [a.exp(), a.sum({ dim: 0 })], [x]));
  expect(kernel?.sections).toHaveLength(2);
  const moved = [40 * 8, 40 * 8, 8].reduce((sum, n) => sum + 4 * n, 0);
  expect(kernel && kernelBytes(kernel)).toBe(moved);
});

describe('what must not be is refused', () => {
  const binding = (storage: object, writable: boolean) => ({ storage, writable, offset: 0, dtype: 'float32' as const });
  test('sections that store what another binds', () => {
    const s = {};
    const bindings = (writable: boolean) => ({ bindings: [binding(s, writable)] });
    expect(boundBy([bindings(false), bindings(false)])).toHaveLength(1);
    expect(boundBy([bindings(false), { bindings: [{ ...binding(s, false), vector: 'quad' }] }])).toHaveLength(2);
    for (const [a, b] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const)
      expect(() => boundBy([bindings(a), bindings(b)])).toThrow(/stores apart/);
  });

  const section = (prelude: string): SectionText => ({
    lines: [],
    preludes: new Set([prelude]),
    enables: new Set(),
    builtins: new Set(),
    parameters: new Int32Array(),
    workgroups: 1,
  });
  test('workgroup memory of one name and two sizes, and nothing at all', () => {
    const of = (size: number) => section(`var<workgroup> shared_f32: array<f32, ${size}>;`);
    expect(kernelText([of(64), of(64)], [], 64).wgsl.match(/shared_f32/g)).toHaveLength(1);
    expect(() => kernelText([of(64), of(128)], [], 64)).toThrow(/one name/);
    expect(() => buildKernel([], false)).toThrow(/one size/);
  });
});
