/** Scans: one kernel that goes along each row, whatever shape, dtype and views; what it computes before and after; what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { full, jit, noGrad, tensor, type Tensor } from 'jitlens';
import { Builder, sumCombiner } from '../../../runtime/kernels/expr.ts';
import { scansOf } from '../../../runtime/kernels/scans.ts';
import { axis, condition, fromAxis, plus, times, type Index } from '../../../runtime/tensor/affine.ts';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';
import type { DType } from '../../../runtime/tensor/dtype.ts';
import { EXACT, expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { launched } from '../support/dispatches.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { Random } from '../support/random.ts';
import { dispatches, kernelsOf, sectionsOf, traceOf } from '../support/traces.ts';

const SCAN = { relative: 1e-5, absolute: 1e-4 };

const made = (shape: Shape, dtype: DType = 'float32', seed = 1): Tensor => {
  const values = new Random(seed).values(numel(shape), dtype, dtype === 'float32' ? [-1, 1] : [-9, 9]);
  return tensor(values, { dtype }).view(shape);
};

const shapes: readonly (readonly [Shape, number])[] = [
  [[33], 0],
  [[64], 0],
  [[1000], 0],
  [[1025], 0],
  [[3, 256], 1],
  [[5, 257], -1],
  [[70, 3], 0],
  [[130, 50], 1],
  [[50, 130], 0],
  [[2, 40, 3], 1],
  [[3, 1, 65], 2],
  [[1, 65, 1], 1],
];

describe.each(['software', 'gpu'] as const)('schedules for %s', (kind) => {
  let undo: (() => void) | undefined;
  beforeAll(async () => {
    if (kind === 'gpu') undo = await useGpuSchedules();
  });
  afterAll(() => undo?.());

  test.each(shapes)('cumsum and cumprod of %j along %d are one kernel each', async (shape, dim) => {
    for (const dtype of ['float32', 'int32', 'uint32', 'bool'] as const) {
      const x = () => made(shape, dtype);
      const [scan, tolerance] = [(y: Tensor) => y.cumsum(dim), dtype === 'float32' ? SCAN : EXACT];
      const want = await onReference(() => read(scan(x())));
      expectSame(await read(scan(x())), want, tolerance, `eager ${dtype}`);
      const y = x();
      expect(launched(() => scan(y))).toBe(1);
      const traced = traceOf(scan, [x()]);
      expect(dispatches(traced)).toBe(1);
      expectSame(await read(traced(x())), want, tolerance, `traced ${dtype}`);
    }
    const near = () => noGrad(() => made(shape).mul(0.01).add(1));
    const want = await onReference(() => read(near().cumprod(dim)));
    expectSame(await read(near().cumprod(dim)), want, { relative: 1e-4, absolute: 0 }, 'products');
  });

  test('whole numbers wrap around as eager ones do', async () => {
    const x = () => full([200], 2 ** 30).to('int32');
    const wrapped = Array.from({ length: 200 }, (_, i) => Math.imul(2 ** 30, i + 1));
    expect((await read(x().cumsum(0)))[0]?.values).toEqual(wrapped);
    expect((await read(traceOf((y: Tensor) => y.cumsum(0), [x()])(x())))[0]?.values).toEqual(wrapped);
    const powers = Array.from({ length: 40 }, (_, i) => (i < 31 ? 2 ** (i + 1) : 0) | 0);
    expect((await read(full([40], 2).to('int32').cumprod(0)))[0]?.values).toEqual(powers);
  });

  test('what is not finite stays where it is, and behind', async () => {
    const values = new Float32Array(300).fill(1);
    values[150] = Infinity;
    const sums = (await read(tensor(values).cumsum(0)))[0]?.values ?? [];
    expect(sums.findIndex((v) => v === Infinity)).toBe(150);
    values[250] = -Infinity;
    values[40] = NaN;
    const all = (await read(tensor(values).cumsum(0)))[0]?.values ?? [];
    expect(all.slice(0, 40)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(all.slice(40).every(Number.isNaN)).toBe(true);
    values[40] = 0;
    const products = (await read(tensor(values).cumprod(0)))[0]?.values ?? [];
    expect(products.slice(0, 40).every((v) => v === 1)).toBe(true);
    expect(products.slice(40, 150).every((v) => v === 0)).toBe(true);
    expect(products.slice(150).every(Number.isNaN)).toBe(true);
  });

  test('what is computed before and after is part of the kernel', async () => {
    const cases: readonly [string, (x: Tensor, y: Tensor) => Tensor, number][] = [
      ['before', (x, y) => x.mul(y).tanh().cumsum(1), 1],
      ['after', (x, y) => x.cumsum(1).mul(y).sub(x).relu(), 1],
      ['both', (x, y) => x.exp().add(y).cumsum(1).div(x.exp()), 1],
      ['from the end', (x) => x.flip([1]).cumsum(1).flip([1]), 1],
      ['without the place itself', (x) => x.cumsum(1).sub(x), 1],
      ['moved by one', (x) => x.pad([1, 0]).cumsum(1).slice(1, 0, 70), 1],
      ['a view before', (x, y) => x.t().add(y.t()).cumsum(0), 1],
      ['a view that takes apart', (x) => x.view([5, 7, 10]).permute([0, 2, 1]).reshape([5, 70]).cumsum(1), 1],
      ['two along one row', (x, y) => x.cumsum(1).mul(y.mul(0.1).add(1).cumprod(1)), 1],
      ['one that is short', (x) => x.slice(1, 0, 8).cumsum(1).add(1), 1],
    ];
    for (const [name, fn, count] of cases) {
      const inputs = (): [Tensor, Tensor] => [made([5, 70]), made([5, 70], 'float32', 2)];
      const want = await onReference(() => read(fn(...inputs())));
      const traced = traceOf(fn, inputs());
      expect(dispatches(traced), name).toBe(count);
      expectSame(await read(traced(...inputs())), want, SCAN, name);
    }
  });

  test('what goes another way is a kernel of its own', async () => {
    const cases: readonly [string, (x: Tensor) => Tensor | Tensor[], number][] = [
      ['both ways', (x) => x.cumsum(1).add(x.flip([1]).cumsum(1).flip([1])), 2],
      ['along both dims', (x) => x.cumsum(0).cumsum(1), 2],
      ['side by side, along both dims', (x) => x.cumsum(0).add(x.cumsum(1)), 2],
      ['summed', (x) => x.cumsum(1).sum({ dim: 1 }), 2],
      ['of sums of its rows', (x) => x.softmax(1).cumsum(1), 2],
      ['before sums of its rows', (x) => x.cumsum(1).softmax(1), 2],
      ['beside a long sum', (x) => x.cumsum(1).mul(x.sum({ dim: 1, keepdim: true })), 2],
      ['read in part', (x) => x.cumsum(1).select(1, 40).mul(2), 2],
      ['turned', (x) => x.cumsum(1).t().mul(2), 2],
      ['of another scan', (x) => x.cumsum(1).mul(0.1).cumprod(1), 2],
      ['given back too', (x) => [x.cumsum(1)].flatMap((y) => [y, y.mul(2)]), 1],
      ['sorted in', (x) => x.abs().cumsum(1).searchsorted(x), 2],
    ];
    for (const [name, fn, count] of cases) {
      const x = () => made([50, 60]);
      const want = await onReference(() => read(fn(x())));
      const traced = traceOf(fn, [x()]);
      expect(sectionsOf(traced), name).toHaveLength(count);
      expectSame(await read(traced(x())), want, { relative: 1e-4, absolute: 1e-4 }, name);
    }
  });

  test.each(Array.from({ length: 30 }, (_, i) => i + 1))('random ways through a tensor, seed %d', async (seed) => {
    const { shape, text, run } = randomScan(seed);
    const x = () => made(shape, 'float32', seed);
    const want = await onReference(() => read(run(x())));
    expectSame(await read(traceOf(run, [x()])(x())), want, { relative: 1e-4, absolute: 1e-3 }, text);
  });

  test('no kernel computes a term more than once', () => {
    for (const { kernel } of kernelsOf(traceOf((x: Tensor) => x.exp().cumsum(1).add(1), [made([5, 700])])))
      // A loop over blocks, and one over the threads of a row.
      expect(kernel.text.wgsl.match(/for \(/g)?.length).toBe(2);
  });

  test('gradients', async () => {
    const run = (x: Tensor, w: Tensor) => {
      const leaf = x.detach().requiresGrad_();
      leaf.cumsum(1).mul(w).sum().backward();
      return leaf.grad;
    };
    const inputs = (): [Tensor, Tensor] => [made([4, 90]), made([4, 90], 'float32', 2)];
    const want = await onReference(() => read(run(...inputs())));
    expectSame(await read(run(...inputs())), want, SCAN, 'eager');
    const traced = traceOf(run, inputs());
    expectSame(await read(traced(...inputs())), want, SCAN, 'traced');
    expect(dispatches(traced)).toBe(1);
  });

  test('one text serves all sizes of a dynamic dim', async () => {
    const fn = (x: Tensor) => x.mul(2).cumsum(1).add(1);
    const traced = jit.trace(fn, [jit.dynamic(made([3, 100]), 1)]);
    for (const size of [100, 101, 300, 37, 1200]) {
      const x = () => made([3, size]);
      expectSame(await read(traced(x())), await onReference(() => read(fn(x()))), SCAN, `size ${size}`);
    }
    expect(traced.info.recompiles).toEqual([]);
  });
});

test('products before and after are kernels of their own', async () => {
  const cases: readonly ((x: Tensor) => Tensor)[] = [(x) => x.matmul(x.t()).cumsum(1), (x) => x.cumsum(1).matmul(x.t())];
  for (const fn of cases) {
    const x = () => made([50, 60]);
    const traced = traceOf(fn, [x()]);
    expect(sectionsOf(traced)).toHaveLength(2);
    expectSame(await read(traced(x())), await onReference(() => read(fn(x()))), { relative: 1e-4, absolute: 1e-4 }, String(fn));
  }
});

test('a sum whose terms depend on the position is none, nor one that ends elsewhere', () => {
  const builder = new Builder();
  const [o, r] = [axis('o', 40), axis('r', 40)];
  const sumOf = (load: Index, end: Index) => {
    const when = condition([{ index: plus(end, times(fromAxis(r), -1)), lo: 0, hi: 40 }]);
    const body = builder.select(when, builder.load(0, load, 'float32'), builder.literal(0, 'float32'));
    const value = builder.reduce(sumCombiner(), [r], body);
    return scansOf({ axes: [o], stores: [{ buffer: 1, index: fromAxis(o), value }], builder });
  };
  const last = plus(times(fromAxis(o), -1), 39);
  expect(sumOf(fromAxis(r), fromAxis(o))?.length).toBe(40);
  expect(sumOf(fromAxis(r), last)?.length).toBe(40);
  expect(sumOf(plus(fromAxis(r), fromAxis(o)), fromAxis(o))).toBeUndefined();
  for (const end of [plus(fromAxis(o), -1), plus(fromAxis(o), 1), plus(last, 1), times(fromAxis(o), 2)])
    expect(sumOf(fromAxis(r), end)).toBeUndefined();
});

/** What it scans, and what it does before and after, by chance. */
function randomScan(seed: number) {
  const random = new Random(seed);
  const shape = Array.from({ length: random.whole(1, 3) }, () => random.pick([1, 2, 3, 33, 40, 65]));
  const dim = () => random.whole(0, shape.length - 1);
  const steps: { text: string; run: (y: Tensor, x: Tensor) => Tensor }[] = [];
  const scan = () => {
    const d = dim();
    steps.push({ text: `cumsum ${d}`, run: (y) => y.cumsum(d).mul(0.25) });
  };
  const other = () => {
    const [d, order] = [dim(), random.shuffled(shape.map((_, i) => i))];
    const back = order.map((_, i) => order.indexOf(i));
    const { length: rank } = shape;
    steps.push(
      random.pick([
        { text: 'tanh', run: (y) => y.tanh() },
        { text: '· x', run: (y, x) => y.mul(x) },
        { text: '+ row', run: (y, x) => y.add(x.select(0, 0)) },
        { text: `flip ${d}`, run: (y) => y.flip([d]) },
        { text: `sum ${d}`, run: (y) => y.sub(y.mean({ dim: d, keepdim: true })) },
        { text: `flat`, run: (y) => y.reshape([-1]).mul(2).view(shape) },
        {
          text: `permute ${order.join()}`,
          run: (y) =>
            y
              .permute(order)
              .cumsum(rank - 1)
              .permute(back)
              .mul(0.25),
        },
        { text: `moved ${d}`, run: (y) => y.pad([...new Array<number>(2 * (rank - 1 - d)).fill(0), 1, 0]).slice(d, 0, shape[d]) },
      ]),
    );
  };
  const wanted = [random.whole(0, 2), random.whole(1, 3)];
  for (let i = 0; i < (wanted[0] ?? 0); i++) other();
  scan();
  for (let i = 0; i < (wanted[1] ?? 0); i++) other();
  if (random.whole(0, 1)) scan();
  return {
    shape,
    text: `[${shape.join()}] ${steps.map((s) => s.text).join(', ')}`,
    run: (x: Tensor) => steps.reduce((y, s) => s.run(y, x), x),
  };
}
