/** What is computed again rather than stored: where less is read and written so, and each reason for which it is not. */
import { describe, expect, test } from 'vitest';
import { grad, type Tensor } from 'jitlens';
import { nodeInputs, nodeName, type Graph, type Node, type OpNode } from '../../../runtime/ir/graph.ts';
import { computedAgain, isLess } from '../../../runtime/passes/again.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { readsPerElement } from '../../../runtime/passes/sums.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { randomTensor } from '../support/random.ts';
import { compared, onlyTrace, sectionsOf, traceOf } from '../support/traces.ts';

type Make = () => [Tensor, ...Tensor[]];
type Fn = (...inputs: [Tensor, ...Tensor[]]) => unknown;

const [ROWS, COLUMNS] = [48, 40];
const of = (shape: number[], count = 1) =>
  (() => Array.from({ length: count }, (_, i) => randomTensor(shape, i + 1))) as unknown as Make;
const one = of([ROWS, COLUMNS]);
const two = of([ROWS, COLUMNS], 2);
const line = (x: Tensor) => x.mul(2).add(1);
/** By rows and by columns, so by two kernels. */
const bothWays = (y: Tensor, other = y): Tensor[] => [y.square().sum({ dim: 0 }), other.mul(3).exp().sum({ dim: 1 })];

/** What is stored for later kernels, by what makes it, and how many tensors of so many elements are read or written. */
function planOf(traced: Parameters<typeof sectionsOf>[0], whole = ROWS * COLUMNS) {
  const sections = sectionsOf(traced);
  const outputs = onlyTrace(traced).plan?.fusion.graph.outputs;
  const roots = sections.flatMap((s) => s.group.roots);
  const tensors = [...sections.flatMap((s) => s.reads), ...roots].filter((n) => numel(n.meta.shape) === whole);
  return { kernels: sections.length, stored: roots.filter((r) => !outputs?.includes(r)).map(nodeName), tensors: tensors.length };
}

describe('what several kernels read', () => {
  test.each<[string, Make, Fn, ReturnType<typeof planOf>]>([
    ['is computed by each from one tensor', one, (x) => bothWays(line(x)), { kernels: 2, stored: [], tensors: 2 }],
    ['and so is what it is made of', one, (x) => bothWays(line(x).neg(), line(x).abs()), { kernels: 2, stored: [], tensors: 2 }],
    ['through a view', one, (x) => bothWays(line(x).slice(0, 0, 24), line(x)), { kernels: 2, stored: [], tensors: 2 }],
    [
      'from another thing that is stored, and then given up itself',
      two,
      (x, y = x) => {
        const seen = line(x);
        const wide = seen.matmul(y.transpose(0, 1));
        return [wide, ...bothWays(seen.neg())];
      },
      { kernels: 4, stored: ['add'], tensors: 6 },
    ],
    [
      'is what is stored where it takes many operations',
      one,
      (x) => bothWays(x.erf().exp().erf()),
      { kernels: 3, stored: ['erf'], tensors: 4 },
    ],
    [
      'from what is given, even where it is a step',
      one,
      (x) => bothWays(x.gt(0).where(x, 0.5)),
      { kernels: 2, stored: [], tensors: 2 },
    ],
    [
      'is stored where a step may be on one side of it here, on the other there',
      one,
      (x) => {
        const y = line(x);
        return [
          y.square().sum({ dim: 0 }),
          y
            .eq(y.amax({ dim: 1, keepdim: true }))
            .where(y, 0)
            .sum({ dim: 1 }),
        ];
      },
      { kernels: 3, stored: ['add'], tensors: 4 },
    ],
    [
      'is stored where a whole number is made of it',
      one,
      (x) => bothWays(line(x), line(x).floor()),
      { kernels: 3, stored: ['add'], tensors: 4 },
    ],
    [
      'is stored where a step is made of what is made of it',
      one,
      (x) => bothWays(line(x), line(x).neg().add(2).remainder(3)),
      { kernels: 3, stored: ['add'], tensors: 4 },
    ],
    [
      'is not, where the step is made of a sum of it',
      one,
      (x) => [line(x).square().sum({ dim: 0 }).gt(9), line(x).mul(3).exp().sum({ dim: 1 })],
      { kernels: 2, stored: [], tensors: 2 },
    ],
    [
      'nor where the step is made of what is stored',
      one,
      (x) => [line(x).tanh(), line(x).tanh().floor().sum({ dim: 1 }), line(x).square().sum({ dim: 0 })],
      { kernels: 3, stored: [], tensors: 4 },
    ],
    [
      'nor where it is no number that may be rounded',
      two,
      (x, y = x) => bothWays(x.gt(0).where(x, 0.5), x.gt(0).where(y, 0.5).floor()),
      { kernels: 2, stored: [], tensors: 3 },
    ],
    [
      'is not stored where it takes numbers that are cheap',
      () => [randomTensor([ROWS, COLUMNS], 1), randomTensor([2], 2)],
      (x, z = x) => bothWays(x.mul(z.select(0, 0).neg()).add(z.select(0, 1).abs())),
      { kernels: 2, stored: [], tensors: 2 },
    ],
    [
      'is not stored, but the sum that it takes',
      one,
      (x) => bothWays(x.sub(x.mean({ dim: 1, keepdim: true }))),
      { kernels: 3, stored: ['div'], tensors: 3 },
    ],
    [
      'leaves one kernel for the rows of what is stored anyway',
      two,
      (x, y = x) => {
        const w = y.slice(0, 0, COLUMNS);
        const z = x.add(x.matmul(w).matmul(w));
        return [z, z.layerNorm([COLUMNS]).matmul(w)];
      },
      { kernels: 4, stored: ['matmul', 'over root'], tensors: 12 },
    ],
    [
      'is stored where nothing less would be read',
      two,
      (x, y = x) => [...bothWays(x.add(y)), x.add(y).abs().sqrt().sum()],
      { kernels: 4, stored: ['add'], tensors: 6 },
    ],
    [
      'is stored where a product reads it',
      two,
      (x, y = x) => [line(x).matmul(y.transpose(0, 1)), line(x).square().sum({ dim: 0 })],
      { kernels: 3, stored: ['add'], tensors: 5 },
    ],
  ])('%s', async (_, make, fn, plan) => {
    expect(planOf(await compared(fn, make, { relative: 2e-4, absolute: 2e-4 }))).toEqual(plan);
  });

  test('a slice of what is stored counts as the slice', async () => {
    const fn = (x: Tensor) => {
      const all = line(x);
      return [all, ...bothWays(all.slice(1, COLUMNS, 2 * COLUMNS).sigmoid())];
    };
    expect(planOf(await compared(fn, () => [randomTensor([ROWS, 4 * COLUMNS], 1)] as [Tensor]))).toEqual({
      kernels: 3,
      stored: [],
      tensors: 0,
    });
  });

  test('what would be read of a tensor that is replaced in place is stored', async () => {
    const fn = (p: Tensor, g: Tensor) => {
      const y = line(p);
      p.sub_(g);
      return bothWays(y);
    };
    const traced = await compared(fn, two as () => [Tensor, Tensor], { relative: 2e-4, absolute: 2e-4 });
    expect([onlyTrace(traced).plan?.inPlace.size, planOf(traced).stored]).toEqual([1, ['add', 'sub']]);
  });
});

const scale = () => randomTensor([COLUMNS], 7);

test('numbers that stand for several elements, of elements that do', async () => {
  const fn = (x: Tensor, z: Tensor, w: Tensor) => {
    const s = x.sum({ dim: 1, keepdim: true });
    const n = s.neg().add(z).unsqueeze(2);
    return [s, n.mul(w).square().sum({ dim: 2 }), n.add(w).exp().sum({ dim: 0 })];
  };
  const make = () => [[ROWS, COLUMNS], [ROWS, 4], [4]].map((shape, i) => randomTensor(shape, i)) as [Tensor, Tensor, Tensor];
  expect(planOf(await compared(fn, make, { relative: 2e-4, absolute: 2e-4 })).kernels).toEqual(3);
});

test('a plan that comes out no better is not taken', async () => {
  const fn = (...inputs: [Tensor, Tensor, Tensor]) => {
    const [a, b, r] = inputs.map((t) => t.detach().requiresGrad_()) as [Tensor, Tensor, Tensor];
    const c = r.mul(a).mul(0.5);
    const d = a.mul(b).mul(0.5).relu();
    const e = d.add(d);
    return [c, ...grad([e.sum().add(c.square().sum()).add(c.square().sum()).add(e.square().sum())], [a, b, r])];
  };
  const make = () => [ROWS, ROWS, 1].map((rows, i) => randomTensor([rows, COLUMNS], i)) as [Tensor, Tensor, Tensor];
  expect(planOf(await compared(fn, make)).tensors).toEqual(10);
});

describe('gradients', () => {
  test.each<[string, (x: Tensor, w: Tensor) => Tensor]>([
    ['a layer norm between products', (x, w) => x.matmul(w).layerNorm([COLUMNS], scale(), scale()).matmul(w)],
    ['a norm over the batch', (x, w) => line(x.matmul(w)).batchNorm({ training: true, weight: scale(), bias: scale() }).relu()],
    [
      'gates',
      (x, w) => {
        const [i, f, o, g] = x.matmul(w).chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
        return i
          .sigmoid()
          .mul(g.tanh())
          .add(f.sigmoid())
          .tanh()
          .mul(o.sigmoid())
          .matmul(w.slice(0, 0, COLUMNS / 4));
      },
    ],
    ['a softmax', (x, w) => x.matmul(w).softmax(-1).matmul(w)],
    [
      'largest elements',
      (x, w) =>
        line(x)
          .amax({ dim: 1, keepdim: true })
          .mul(line(x))
          .add(line(w).amax({ dim: 0 })),
    ],
  ])('of %s are those of float64', async (_, layer) => {
    const fn = (x: Tensor, w: Tensor) => {
      const of = [x, w].map((t) => t.detach().requiresGrad_());
      return grad(
        [
          layer(...(of as [Tensor, Tensor]))
            .square()
            .sum(),
        ],
        of,
      );
    };
    const make = (): [Tensor, Tensor] => [randomTensor([ROWS, COLUMNS], 1), randomTensor([COLUMNS, COLUMNS], 2)];
    await compared(fn, make, { relative: 2e-4, absolute: 2e-4 });
  });
});

/** The kernels that store what is so named, and the outputs; what of it need not be stored if nothing else hinders. */
function given(fn: Fn, make: Make, names: readonly string[]) {
  const graph: Graph = optimise(onlyTrace(traceOf(fn, make())).recorded).graph;
  const ops = graph.nodes.filter((n): n is OpNode => n.kind === 'op');
  const mayGo = new Set(ops.filter((n) => names.includes(nodeName(n)) && !graph.outputs.includes(n)));
  const isRoot = (n: Node) => graph.outputs.includes(n) || mayGo.has(n as OpNode);
  const homes = new Map<Node, Map<OpNode, number>>();
  const groups = ops.filter(isRoot).map((root) => {
    const inside = new Set<Node>([root]);
    for (const n of inside) for (const x of nodeInputs(n)) if (x.kind === 'op' && !isRoot(x)) inside.add(x);
    for (const n of [...inside].sort((a, b) => graph.nodes.indexOf(b) - graph.nodes.indexOf(a))) {
      const times = ops.filter((r) => inside.has(r) && r.inputs.includes(n));
      const most = Math.max(0, ...times.map((r) => (homes.get(r)?.get(root) ?? 0) * readsPerElement(r, n)));
      homes.set(n, (homes.get(n) ?? new Map<OpNode, number>()).set(root, n === root ? numel(n.meta.shape) : most));
    }
    return { roots: [root], inside };
  });
  return { graph, groups, homes, mayGo };
}

describe('one by one', () => {
  const LIMITS = { tensors: 12, repeats: 4 };
  const found = (...[fn, make, names, limits = LIMITS]: [Fn, Make, string[], typeof LIMITS?]) =>
    [...computedAgain(given(fn, make, names), limits)].map(nodeName).sort();

  test('what more than 8 kernels read is stored', () => {
    const many = (count: number) => (x: Tensor) =>
      Array.from({ length: count }, (_, i) =>
        line(x)
          .pow(i + 1)
          .sum({ dim: i % 2 }),
      );
    expect(found(many(8), one, ['add'])).toEqual(['add', 'mul']);
    expect(found(many(9), one, ['add'])).toEqual([]);
  });

  test('no kernel binds more than it can', () => {
    const fn: Fn = (x, y = x) => bothWays(x.add(y.slice(0, 0, 1)));
    expect(found(fn, two, ['add'], { ...LIMITS, tensors: 3 })).toEqual(['add', 'slice']);
    expect(found(fn, two, ['add'], { ...LIMITS, tensors: 2 })).toEqual([]);
  });

  test('nor computes an element more often than it may', () => {
    const fn: Fn = (x) => [line(x).square().sum({ dim: 0 }), line(x).unsqueeze(0).expand([3, ROWS, COLUMNS]).tanh()];
    expect(found(fn, one, ['add'])).toEqual(['add', 'mul']);
    expect(found(fn, one, ['add'], { ...LIMITS, repeats: 2 })).toEqual([]);
  });

  test('a sum is not stored in its stead by one kernel more', () => {
    const fn: Fn = (x) => {
      const less = x.sub(x.sum({ dim: 1, keepdim: true }));
      return [...bothWays(less), less.neg()];
    };
    const plan = given(fn, one, ['sub']);
    expect([...computedAgain(plan, LIMITS)].map(nodeName)).toEqual(['sub']);
    const [first, ...others] = plan.groups;
    const more = {
      roots: [...others.slice(-1).flatMap((g) => g.roots), ...(first?.roots ?? [])],
      inside: first?.inside ?? new Set(),
    };
    expect([...computedAgain({ ...plan, groups: [more, ...others.slice(0, -1)] }, LIMITS)]).toEqual([]);
  });

  test('a number for each row, of which several operations make more, is stored in its stead', () => {
    const fn: Fn = (x) => bothWays(x.add(x.slice(0, 0, 1).sqrt()));
    expect(found(fn, one, ['add'])).toEqual(['add']);
  });

  test('what is stored anyway is read', () => {
    const fn: Fn = (x, y = x) => [line(x).matmul(y.transpose(0, 1)), ...bothWays(line(x).neg())];
    expect(found(fn, two, ['add', 'neg'])).toEqual(['neg']);
  });

  test('kernels count once, however often they were looked at', () => {
    const fn: Fn = (x) =>
      Array.from({ length: 8 }, (_, i) =>
        line(x)
          .neg()
          .pow(i + 1)
          .sum({ dim: i % 2 }),
      );
    expect(found(fn, one, ['add', 'neg'])).toEqual(['add', 'mul', 'neg']);
  });

  test('nothing is where as much would be read', () => {
    const fn: Fn = (x, y = x) => [...bothWays(x.add(y)), x.add(y).abs().sum()];
    expect(found(fn, two, ['add'])).toEqual([]);
  });

  test('sums never are, however short', () => {
    const fn: Fn = (x) => [x.sum({ dim: 1 }).square().sum({ dim: 0 }), x.sum({ dim: 1 }).mul(3).exp().sum({ dim: 0 })];
    expect(found(fn, of([ROWS, 2]), ['sum'])).toEqual([]);
  });

  test('what is replaced may be read where it is read anyway', () => {
    const fn: Fn = (p, g = p) => {
      const y = line(p);
      const all = [y.mul(p).sum({ dim: 0 }), y.div(p).sum({ dim: 1 })];
      p.sub_(g);
      return all;
    };
    expect(found(fn, two, ['add'])).toEqual(['add', 'mul']);
  });

  test('two sums are not stored in the stead of one', () => {
    const fn: Fn = (x) => {
      const total = (dim: number) => x.square().sum({ dim, keepdim: true });
      return bothWays(x.sub(total(0).add(total(1))));
    };
    expect(found(fn, one, ['sub'])).toEqual([]);
  });
});

test('another plan is better only if nothing about it is worse', () => {
  const fn: Fn = (x) => bothWays(line(x));
  const [many, few] = [given(fn, one, ['add']), given(fn, one, [])];
  expect([isLess(few, many), isLess(many, few), isLess(few, few)]).toEqual([true, false, false]);
  // Less is read, but what is stored takes memory.
  const sums: Fn = (x, y = x, z = x) =>
    Array.from({ length: 3 }, (_, i) =>
      x
        .add(y)
        .sub(z)
        .pow(i + 1)
        .sum({ dim: i % 2 }),
    );
  const three = of([ROWS, COLUMNS], 3);
  const [sub, sum, ...rest] = given(sums, three, ['sub']).groups;
  const both = [sub, sum].flatMap((g) => g ?? []);
  const joined = { roots: both.flatMap((g) => g.roots), inside: new Set(both.flatMap((g) => [...g.inside])) };
  expect(isLess({ ...given(sums, three, []), groups: [joined, ...rest] }, given(sums, three, []))).toBe(false);
  const [first, ...others] = few.groups;
  const twice = first ? { ...few, groups: [first, first, ...others] } : few;
  expect(isLess(twice, { ...many, groups: [...many.groups, ...many.groups] })).toBe(true);
  expect(isLess({ ...twice, groups: [...twice.groups, { roots: [], inside: new Set() }] }, many)).toBe(false);
});
