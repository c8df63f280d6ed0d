/**
 * Memory: what a traced call returns shares it with what the eager call's results share it with, and nothing else; and
 * writes reach the tensors that they reach eagerly.
 */
import { describe, expect, test } from 'vitest';
import { jit, tensor, zeros, type Tensor } from 'jitlens';
import { flattenTree } from '../../../runtime/jit/tree.ts';
import { expectSame, read, EXACT } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { traceOf } from '../support/traces.ts';

type Case = (x: Tensor, y: Tensor) => unknown;

/** Each returns tensors that do or do not share memory with each other or with the arguments, [2, 3] both. */
const CASES: Readonly<Record<string, Case>> = {
  'the argument itself': (x) => x,
  'a view of the argument': (x) => x.t(),
  'a slice of a slice of the argument': (x) => x.slice(1, 1).select(0, 1),
  'the argument plus 0': (x) => x.add(0),
  'the argument times 1, and the argument': (x) => [x.mul(1), x],
  'a view of the argument plus 0': (x) => x.add(0).view([3, 2]),
  'a copy of the argument': (x) => x.clone(),
  'one sum twice': (x, y) => {
    const sum = x.add(y);
    return [sum, sum];
  },
  'two equal sums': (x, y) => [x.add(y), x.add(y)],
  'two equal sums, one through a view': (x, y) => [x.add(y), x.add(y).view([6])],
  'two equal sums, both through views': (x, y) => [x.add(y).t(), x.add(y).view([6])],
  'a sum and a view of it': (x, y) => {
    const sum = x.add(y);
    return [sum, sum.select(0, 1)];
  },
  'two slices of one sum': (x, y) => {
    const sum = x.add(y);
    return { top: sum.select(0, 0), bottom: sum.select(0, 1) };
  },
  'zeros and a view of them': () => {
    const z = zeros([2, 3]);
    return [z, z.t()];
  },
  'two zeros': () => [zeros([2, 3]), zeros([2, 3])],
  'a filled tensor and one of its slices': (x, y) => {
    const z = zeros([4, 3]);
    z.slice(0, 0, 2).copy_(x);
    z.slice(0, 2, 4).copy_(y);
    return [z, z.slice(0, 0, 2)];
  },
  'a written tensor and the slice that was written': (x) => {
    const z = zeros([4, 3]);
    z.slice(0, 1, 3).add_(x);
    return [z.slice(0, 1, 3), z];
  },
  'a slice taken before the write': (x) => {
    const z = zeros([2, 3]);
    const slice = z.select(0, 0);
    z.add_(x);
    return [slice, z];
  },
  'the argument, written': (x) => x.add_(1),
  'a view of the argument, written': (x) => x.select(0, 0).mul_(2),
  'a view taken before the argument is written': (x) => {
    const view = x.view([6]);
    x.add_(1);
    return view;
  },
  'a sum, then the argument written with the same sum': (x, y) => {
    const sum = x.add(y);
    x.add_(y);
    return sum;
  },
  'the value before the write': (x) => {
    const before = x.mul(1);
    x.add_(1);
    return before;
  },
  'a write that changes nothing': (x) => {
    x.mul_(1);
    return x.add(1);
  },
  'one argument copied into the other': (x, y) => {
    x.copy_(y);
    return x.add(0.5);
  },
  'the arguments swapped': (x, y) => {
    const kept = x.clone();
    x.copy_(y);
    y.copy_(kept);
    return x.sub(y);
  },
  'a tensor of host data, written': (x) => {
    const made = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    return made.add_(x);
  },
  'a tensor of host data': () => tensor([1, 2, 3]),
};

const make = (): [Tensor, Tensor] => [
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]),
  tensor([
    [10, 20, 30],
    [40, 50, 60],
  ]),
];

const tensorsIn = (value: unknown) => flattenTree(value, 'result').tensors;

/** For each tensor, the first one that lies in the same storage, and what is seen in all when 100 is added to each in turn. */
async function footprint(fn: Case, inputs: [Tensor, Tensor]) {
  const all = tensorsIn([fn(...inputs), inputs]);
  const storages = all.map((x) => all.findIndex((y) => y.storage === x.storage));
  const before = await read(all);
  for (const x of all) x.add_(100);
  return { storages, before, after: await read(all) };
}

describe.each(Object.entries(CASES))('%s', (_name, fn) => {
  test('has the memory that it has eagerly', async () => {
    const reference = await onReference(() => footprint(fn, make()));
    const eager = await footprint(fn, make());
    const traced = traceOf(fn, make());
    const runs = {
      eager,
      traced: await footprint(traced, make()),
      'traced, again': await footprint(traced, make()),
      'traced on the reference device': await onReference(() => footprint(traceOf(fn, make()), make())),
    };
    for (const [how, run] of Object.entries(runs)) {
      expectSame(run.before, reference.before, EXACT, `${how}: values`);
      expect(run.storages, `${how}: memory`).toEqual(reference.storages);
      expectSame(run.after, reference.after, EXACT, `${how}: values after writes`);
    }
  });
});

describe('arguments that are views', () => {
  const base = () => tensor([1, 2, 3, 4, 5, 6, 7, 8]);
  test.each([
    ['a slice', (x: Tensor) => x.slice(0, 2, 6), (x: Tensor) => x.view([2, 2])],
    ['every second element', (x: Tensor) => x.slice(0, 0, 8, 2), (x: Tensor) => x.slice(0, 1, 3)],
    ['a transposed matrix', (x: Tensor) => x.view([2, 4]).t(), (x: Tensor) => x.select(0, 1)],
    ['a transposed matrix, whole', (x: Tensor) => x.view([2, 4]).t(), (x: Tensor) => x],
  ])('%s', async (_name, view, fn) => {
    const traced = jit.trace(fn, [view(base())]);
    for (const by of [fn, traced]) {
      const x = base();
      const out = by(view(x));
      expect(out.storage).toBe(x.storage);
      expect(out.layout).toEqual(fn(view(x)).layout);
      expect([...(await out.data())]).toEqual([...(await fn(view(base())).data())]);
    }
  });
});
