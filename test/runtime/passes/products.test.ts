/** Many products as one: when that is, when it is not, and that values stay; how many kernels are left of a recurrent layer. */
import { describe, expect, test } from 'vitest';
import { jit, noGrad, range, type Tensor } from 'jitlens';
import { LSTMCell, RecurrentLayer } from '../../../extension/samples/lstm.ts';
import { costOf } from '../../../runtime/host/describe.ts';
import { nodeName, type Node } from '../../../runtime/ir/graph.ts';
import { print } from '../../../runtime/ir/print.ts';
import { interpret } from '../../../runtime/jit/interpret.ts';
import { lower } from '../../../runtime/kernels/lower.ts';
import { rewritten } from '../../../runtime/kernels/schedule.ts';
import { extentOf } from '../../../runtime/kernels/extents.ts';
import { tilingsOf } from '../../../runtime/kernels/tiles.ts';
import { fuse } from '../../../runtime/passes/fuse.ts';
import { groupName } from '../../../runtime/passes/group-name.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import type { Shape } from '../../../runtime/tensor/shape.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { recordedOf } from '../support/passes.ts';
import { Random, randomTensor } from '../support/random.ts';
import { CLOSE, compared, onlyTrace, traceOf } from '../support/traces.ts';

const total = (terms: readonly Tensor[]): Tensor => terms.reduce((a, b) => a.add(b));

/** The graph as text, optimised without a pass, after the values were compared: eager, traced, and on the reference device. */
async function textWithout(pass: string, fn: (x: Tensor, y: Tensor) => unknown, x: Shape, y: Shape): Promise<string> {
  const traced = await compared(fn, () => [randomTensor(x), randomTensor(y, 2)] as [Tensor, Tensor], CLOSE);
  return print(optimise(onlyTrace(traced).recorded, { without: [pass] }).graph);
}

/** How many of each name. */
function countsIn(text: string): { many: number; matmul: number; convolution: number } {
  const count = (name: string) => text.split(` = ${name}(`).length - 1;
  return { many: count('many_matmul') + count('many_convolution'), matmul: count('matmul'), convolution: count('convolution') };
}

type Case = readonly [what: string, fn: (x: Tensor, y: Tensor) => unknown, x: Shape, y: Shape, many: number, single: number];
const X: Shape = [5, 8, 9];
const W: Shape = [9, 10];
const steps = (x: Tensor, w: Tensor) => x.unbind().map((s) => s.matmul(w));

describe('a sum of products', () => {
  const cases: readonly Case[] = [
    ['of five', (x, w) => total(steps(x, w)), X, W, 1, 0],
    ['of four is one', (x, w) => total(steps(x.slice(0, 0, 4), w)), X, W, 1, 0],
    ['of three stays', (x, w) => total(steps(x.slice(0, 0, 3), w)), X, W, 0, 3],
    [
      'with other terms between',
      (x, w) => steps(x, w).reduce((a, b, i) => a.add(w.slice(0, 0, 8).mul(i)).add(b), w.slice(0, 1, 9)),
      X,
      W,
      1,
      0,
    ],
    ['as a balanced tree', (x, w) => ((p) => total([total(p.slice(0, 2)), total(p.slice(2))]))(steps(x, w)), X, W, 1, 0],
    ['with a product that something else reads', (x, w) => ((p) => [total(p), p[1]?.exp()])([...steps(x, w)]), X, W, 1, 1],
    ['with a product that is returned', (x, w) => ((p) => [total(p), p[2]])(steps(x, w)), X, W, 1, 1],
    ['one of which is taken twice', (x, w) => ((p) => total([...p, ...p.slice(0, 1)]))(steps(x, w)), X, W, 1, 1],
    [
      'with sums on the way that are returned',
      (x, w) => {
        const [a, b, c, d, e] = steps(x, w) as [Tensor, Tensor, Tensor, Tensor, Tensor];
        const half = a.add(b).add(c);
        return [half, half.add(d).add(e)];
      },
      X,
      W,
      0,
      5,
    ],
    ['that differ in shape', (x, w) => total(steps(x, w).map((p, i) => (i < 3 ? p : p.sum({ dim: 0 })))), X, W, 0, 5],
    [
      'of which one operand was changed before',
      (x, w) => {
        const terms = [x.select(0, 0).matmul(w), x.select(0, 1).matmul(w)];
        x.select(0, 1).add_(1);
        return total([...terms, x.select(0, 1).matmul(w), x.select(0, 2).matmul(w)]);
      },
      X,
      W,
      1,
      0,
    ],
    ['in batches', (x, w) => total(steps(x, w)), [4, 2, 8, 9], [2, 9, 10], 1, 0],
    ['with vectors', (x, w) => total(x.unbind().map((s) => s.matmul(w.select(1, 0)))), X, W, 0, 5],
    ['of nothing', (x, w) => total(steps(x, w)), [4, 0, 9], W, 0, 4],
    ['of whole numbers', (x, w) => total(steps(x.mul(3).to('int32'), w.mul(3).to('int32'))), X, W, 1, 0],
    ['of two kinds of numbers', (x, w) => total(steps(x, w).map((p, i) => (i < 2 ? p : p.mul(4).to('int32')))), X, W, 0, 5],
    ['backwards', (x, w) => total(steps(x, w).reverse()), X, W, 1, 0],
    [
      'of views, seen as views',
      (x, w) =>
        total(
          x.unbind().map((s, i) =>
            s
              .mul(i)
              .t()
              .matmul(w.slice(0, 0, 8).add(i))
              .t(),
          ),
        ),
      X,
      W,
      1,
      0,
    ],
    ['of views that differ', (x, w) => total(steps(x, w).map((p, i) => (i % 2 ? p.t().t() : p))), X, W, 0, 5],
    ['of a transposed argument', (x, w) => total(steps(x.transpose(0, 2), w)), [9, 8, 5], W, 1, 0],
    [
      'that are convolutions',
      (x, w) => total(x.unbind().map((s) => s.conv2d(w.view([8, 2, 3, 3]), undefined, { padding: 1 }))),
      [4, 1, 2, 8, 8],
      [8, 18],
      1,
      0,
    ],
  ];
  test.each(cases)('%s', async (_what, fn, x, y, many, single) => {
    const counts = countsIn(await textWithout('merge-products', fn, x, y));
    expect([counts.many, counts.matmul + counts.convolution]).toEqual([many, single]);
  });
});

describe('products that are ready at once', () => {
  const each = (x: Tensor, w: Tensor) => steps(x, w).map((p, i) => p.add(i).tanh());
  const cases: readonly Case[] = [
    ['of steps by one weight', each, X, W, 1, 0],
    ['three stay', (x, w) => each(x.slice(0, 0, 3), w), X, W, 0, 3],
    ['in any order', (x, w) => [3, 0, 4, 1, 2].map((i) => x.select(0, i).matmul(w).exp()), X, W, 1, 0],
    ['with a gap', (x, w) => [0, 1, 2, 3, 5].map((i) => x.select(0, i).matmul(w).exp()), [6, 8, 9], W, 1, 1],
    ['every second one', (x, w) => [0, 2, 4, 6].map((i) => x.select(0, i).matmul(w).exp()), [8, 8, 9], W, 1, 0],
    ['that are returned as they are', (x, w) => steps(x, w), X, W, 0, 5],
    ['each read by the next', (x, w) => steps(x, w).reduce((a, b) => a.tanh().mul(b)), X, W, 1, 0],
    [
      'one operand of which was changed before',
      (x, w) => {
        const before = each(x.slice(0, 0, 2), w);
        x.select(0, 4).mul_(2);
        return [...before, ...each(x, w)];
      },
      X,
      W,
      1,
      1,
    ],
    ['a step by one part of a weight each', (x, w) => w.chunk(4, 1).map((part) => x.matmul(part).exp()), [8, 9], [9, 40], 1, 0],
    [
      'of heads by heads',
      (x, w) => x.chunk(4, 1).map((part, i) => part.matmul(w.slice(0, 10 * i, 10 * i + 10)).exp()),
      [12, 40],
      [40, 10],
      1,
      0,
    ],
    ['with vectors', (x, w) => x.unbind().map((s) => s.matmul(w.select(1, 0)).exp()), X, W, 0, 5],
    ['short sums', (x, w) => steps(x, w).map((p) => p.exp()), [5, 8, 3], [3, 10], 0, 5],
    ['of a transposed argument', (x, w) => each(x.transpose(0, 2), w), [9, 8, 5], W, 1, 0],
    [
      'convolutions of images by one weight',
      (x, w) => x.unbind().map((s) => s.conv2d(w.view([8, 2, 3, 3]), undefined, { padding: 1 }).relu()),
      [4, 1, 2, 8, 8],
      [8, 18],
      1,
      0,
    ],
  ];
  test.each(cases)('%s', async (_what, fn, x, y, many, single) => {
    const counts = countsIn(await textWithout('sum-products', fn, x, y));
    expect([counts.many, counts.matmul + counts.convolution]).toEqual([many, single]);
  });

  test('are one product of as many rows', () => {
    const graph = onReference(
      () =>
        optimise(
          recordedOf(
            (x, w) => steps(x, w).map((p) => p.exp()),
            [
              [6, 32, 40],
              [40, 48],
            ],
          ),
        ).graph,
    );
    const [group] = fuse(graph, { maxStorageBuffers: 8 }).groups;
    if (!group) throw new Error('no kernels');
    expect(groupName(group)).toBe('many_matmul');
    const [tiling] = tilingsOf(rewritten(lower(group).nest), 1 << 15);
    expect(tiling?.families).toHaveLength(1);
    expect(extentOf(tiling?.rows ?? [])).toBe(6 * 32);
    expect(extentOf(tiling?.columns ?? [])).toBe(48);
    expect(extentOf(tiling?.batch ?? [])).toBe(1);
  });
});

/** A few sequences, sums and products of their steps, in an order and with additions between that the seed chooses. */
function randomSums(seed: number): (x: Tensor, y: Tensor) => Tensor[] {
  return (x, y) => {
    const random = new Random(seed);
    const pool = [...x.unbind(), ...y.unbind()];
    const results: Tensor[] = [];
    const step = (): Tensor => {
      const s = pool[random.whole(0, pool.length - 1)] ?? x;
      return random.whole(0, 2) === 0 ? s.t() : s;
    };
    for (const _ of range(3)) {
      const how = random.whole(0, 3);
      const fixed = step();
      const terms = Array.from({ length: random.whole(3, 7) }, (_, i) => {
        const own = random.whole(0, 5) === 0 ? step() : (pool[i] ?? x).t();
        const p = own.matmul(how < 2 ? fixed : (pool.at(-1 - i) ?? fixed));
        return how % 2 === 0 ? p.t() : p;
      });
      const sum = random.shuffled(terms).reduce((a, b) => (random.whole(0, 4) === 0 ? b.add(a).add(fixed) : a.add(b)));
      results.push(sum);
      if (random.whole(0, 1) === 0) pool.push(sum.tanh());
      if (random.whole(0, 2) === 0) results.push((terms[1] ?? sum).exp());
      if (random.whole(0, 3) === 0) x.select(0, random.whole(0, 3)).mul_(0.5);
    }
    return results;
  };
}

test('values of random sums are the same, on the reference device and traced', async () => {
  const make = (): [Tensor, Tensor] => [randomTensor([4, 8, 8], 3), randomTensor([4, 8, 8], 4)];
  let merged = 0;
  for (let seed = 0; seed < 40; seed++) {
    const fn = randomSums(seed);
    const { recorded } = onlyTrace(onReference(() => traceOf(fn, make())));
    const { graph } = optimise(recorded);
    merged += countsIn(print(graph)).many;
    const run = (by: (xs: Tensor[]) => unknown) => onReference(() => ((xs: Tensor[]) => read([by(xs), xs]))(make()));
    const wanted = await run(([x, y]) => fn(x as Tensor, y as Tensor));
    const same = { relative: 1e-12, absolute: 1e-12 };
    expectSame(await run((xs) => interpret(graph, xs)), wanted, same, `seed ${seed}`);
    for (const without of ['sum-products', 'merge-products']) {
      const other = optimise(recorded, { without: [without] }).graph;
      expectSame(await run((xs) => interpret(other, xs)), wanted, same, `seed ${seed}, without ${without}`);
    }
    if (seed < 15) {
      const traced = traceOf(fn, make());
      const xs = make();
      expectSame(await read([traced(...xs), xs]), wanted, CLOSE, `seed ${seed}, traced`);
    }
  }
  expect(merged).toBeGreaterThan(40);
});

test('a chain of thousands of additions takes time in proportion', () => {
  const chain = (count: number) =>
    onReference(() =>
      recordedOf(
        (x, w) => {
          const p = () => x.select(0, 1).mul(2).matmul(w);
          return total(Array.from({ length: count }, (_, i) => (i % 2 ? p() : x.select(0, 0).matmul(w.add(i)))));
        },
        [
          [2, 8, 8],
          [8, 8],
        ],
      ),
    );
  const recorded = chain(3000);
  const start = performance.now();
  const { graph } = optimise(recorded);
  expect(performance.now() - start).toBeLessThan(3000);
  expect(countsIn(print(graph)).many).toBe(1);
});

describe('a recurrent layer', () => {
  const time = 6;
  const inputs = (): [Tensor, Tensor, Tensor] => [
    randomTensor([time, 8, 16]),
    randomTensor([8, 16], 2),
    randomTensor([8, 16], 3),
  ];
  const layer = () => {
    const module = new RecurrentLayer(new LSTMCell(16, 16));
    [...module.parameters()].forEach((p, i) => noGrad(() => p.copy_(randomTensor(p.shape, 10 + i).mul(0.3))));
    return module;
  };
  const gradients = (module: RecurrentLayer) => (x: Tensor, h: Tensor, c: Tensor) => {
    module.zeroGrad();
    module.forward(x, [h, c])[0].square().sum().backward();
    return [...module.parameters()].map((p) => p.grad);
  };
  const planOf = (fn: (...xs: [Tensor, Tensor, Tensor]) => unknown) => {
    const { plan } = onlyTrace(traceOf(fn, inputs()));
    const sections = plan?.kernels.flatMap((k) => k.sections);
    const has = (name: string) => sections?.filter((s) => [...s.group.inside].some((n) => nodeName(n) === name)).length;
    return { plan, kernels: plan?.kernels.length, many: has('many_matmul'), single: has('matmul') };
  };

  const check = async (fn: (...xs: [Tensor, Tensor, Tensor]) => unknown) =>
    expectSame(await read(traceOf(fn, inputs())(...inputs())), await read(fn(...inputs())), CLOSE, 'traced against eager');

  test('computes what it can for all steps at once', async () => {
    const module = layer();
    const forward = (x: Tensor, h: Tensor, c: Tensor) => noGrad(() => module.forward(x, [h, c])[0]);
    await check(forward);
    const { kernels, many, single } = planOf(forward);
    expect([many, single]).toEqual([1, time]);
    expect(kernels).toBeLessThanOrEqual(3 * time);
  });

  test('adds up the gradients of all steps in one product for each weight', async () => {
    const all = gradients(layer());
    await check(all);
    const { plan, many, single } = planOf(all);
    // One with the state for each step forward, and for each but the first backward.
    expect([many, single]).toEqual([3, 2 * time - 1]);
    // The outputs, the states and the gradients of the gates.
    expect(plan && print(plan.optimised.graph).match(/ = cat\(.*\{dim=0\}/g)).toHaveLength(3);
    expect(plan && print(plan.optimised.graph).match(/ = sum\(/g)).toHaveLength(1);
  });

  test('costs as many operations as before', () => {
    const { recorded } = onlyTrace(traceOf(gradients(layer()), inputs()));
    const costs = (nodes: readonly Node[]) =>
      nodes.filter((n) => n.kind === 'op' && n.op.kind === 'contract').reduce((sum, n) => sum + costOf(n).flops, 0);
    const { graph } = optimise(recorded, { without: ['sum-products', 'merge-products'] });
    expect(costs(optimise(recorded).graph.nodes)).toBe(costs(graph.nodes));
  });

  test('holds what jit.verify compares', async () => {
    const report = await jit.verify(layer(), { inputs: [inputs()[0], inputs().slice(1)] });
    expect(report.refused).toEqual([]);
    expect(report.ok).toBe(true);
  });
});
