/** The passes: what each does to a small graph, in text; that every graph stays well formed; that none changes values. */
import { describe, expect, test } from 'vitest';
import { cat, tensor, zeros, type Tensor } from 'jitlens';
import { print } from '../../../runtime/ir/print.ts';
import { verify } from '../../../runtime/ir/verify.ts';
import type { Graph } from '../../../runtime/ir/graph.ts';
import { interpret } from '../../../runtime/jit/interpret.ts';
import { optimise, pipeline } from '../../../runtime/passes/pipeline.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { arranged } from '../support/arrange.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { calls } from '../support/entries.ts';
import { around, recordedOf, text } from '../support/passes.ts';
import { randomProgram, run, textOf } from '../support/programs.ts';
import { Random } from '../support/random.ts';
import { argumentsOf, parseSample, tensorsOf } from '../support/samples.ts';
import { onlyTrace, traceOf } from '../support/traces.ts';

/** Without these a graph is not functional, or outputs may share memory: the others build on them. */
const NEEDED = new Set(['functionalise', 'separate']);

describe('functionalise', () => {
  test('a write through a view becomes a new value, which every later read sees', () => {
    const { before, after } = around('functionalise', (x, y) => {
      x.select(0, 1).add_(y.select(0, 0));
      return x.mul(2);
    });
    expect(before).toBe(
      text(`
      %0 = input0() {input} : f32[2,3]
      %1 = input1() {input} : f32[2,3]
      %2 = select(%0) {dim=0 index=1} : f32[3]
      %3 = select(%1) {dim=0 index=0} : f32[3]
      %4 = add_(%2, %3) : f32[3]
      %5 = mul(%0, 2) : f32[2,3]
      return %5`),
    );
    expect(after).toBe(
      text(`
      %0 = input0() {input} : f32[2,3]
      %1 = input1() {input} : f32[2,3]
      %2 = select(%0) {dim=0 index=1} : f32[3]
      %3 = select(%1) {dim=0 index=0} : f32[3]
      %4 = add(%2, %3) : f32[3]
      %5 = write(%0, %4) {shape=[3] strides=[1] offset=3} : f32[2,3]
      %6 = mul(%5, 2) : f32[2,3]
      write %0 = %5
      return %6`),
    );
  });

  test('a returned view is a view of what is stored', () => {
    const { after } = around('functionalise', (x) => [x.add(1).t(), x.select(1, 0)]);
    expect(after.trimEnd().split('\n').at(-1)).toBe('return %2 as [3,2](1,3)@0, %0 as [2](3)@0');
  });
});

test('forward-writes: a read of one slice looks past the write of another', () => {
  const { before, after } = around('forward-writes', (x, y) => {
    const z = zeros([4, 3]);
    z.slice(0, 0, 2).copy_(x);
    return [z.slice(0, 2, 4).add(y), z.slice(0, 0, 2).mul(y)].map((r) => r.neg());
  });
  expect(before).toMatch(/%\d+ = slice\(%\d+\) \{dim=0 start=2 length=2 step=1\}/);
  const written = /(%\d+) = write\(/.exec(after)?.[1];
  const value = /write\(%\d+, (%\d+)\)/.exec(after)?.[1];
  // One slice reads the zeros, the other is the value that was written.
  expect(after).not.toContain(`slice(${written})`);
  expect(after).toContain(`mul(${value}, %1)`);
});

test('fold: constants are computed, and what changes nothing goes', () => {
  const { before, after } = around('fold', (x) =>
    x
      .add(0)
      .mul(1)
      .div(zeros([2, 3]).add(2))
      .sub(x.mul(1)),
  );
  expect(before.match(/ = (add|mul|div|sub|full)\(/g)).toHaveLength(7);
  expect(after).toContain('%1 = input1() {input} : f32[2,3]');
  expect(after).toMatch(/ = full\(\) \{shape=\[2, 3\] value=2 dtype=float32\}/);
  expect(after).toMatch(/= div\(%0, %\d+\)/);
  expect(after).not.toMatch(/ = (add|mul)\(/);
});

test('tile-writes: slices that fill a tensor become one join', () => {
  const fill = (x: Tensor, y: Tensor) => {
    const z = zeros([4, 3]);
    z.slice(0, 2, 4).copy_(y);
    z.slice(0, 0, 2).copy_(x);
    return z;
  };
  const { before, after } = around('tile-writes', fill);
  expect(before.match(/ = write\(/g)).toHaveLength(2);
  const order = /= cat\((%\d+), (%\d+)\) \{dim=0\} : f32\[4,3\]/.exec(after);
  expect(after).toMatch(new RegExp(`${order?.[1]} = copy\\(.*, %0\\)`));
  expect(after).toMatch(new RegExp(`${order?.[2]} = copy\\(.*, %1\\)`));
});

test('tile-writes: a hole keeps the writes', () => {
  const { after } = around('tile-writes', (x, y) => {
    const z = zeros([5, 3]);
    z.slice(0, 0, 2).copy_(x);
    z.slice(0, 3, 5).copy_(y);
    return z;
  });
  expect(after.match(/ = write\(/g)).toHaveLength(2);
  expect(after).not.toContain('cat(');
});

test('share: equal expressions are computed once', () => {
  const { before, after } = around('share', (x, y) => x.add(y).mul(x.add(y)).sub(x.add(2)));
  expect(before.match(/ = add\(/g)).toHaveLength(3);
  expect(after.match(/ = add\(/g)).toHaveLength(2);
  expect(after).toMatch(/= mul\((%\d+), \1\)/);
});

test('share: reductions are computed once, whether or not they keep their dims', () => {
  const { before, after } = around('share', (x) =>
    x
      .amax({ dim: 1, keepdim: true })
      .add(x.amax({ dim: 1 }))
      .add(x.amax({ dim: 0 }).select(0, 0)),
  );
  expect(before.match(/ = amax\(/g)).toHaveLength(3);
  expect(after.match(/ = amax\(/g)).toHaveLength(2);
  expect(after).toContain('shape=[2]');
});

test('prune: what nothing uses goes, arguments stay', () => {
  const { before, after } = around('prune', (x) => {
    x.exp().sum();
    return x.neg();
  });
  expect(before).toContain('exp');
  expect(after).toBe(
    text(`
    %0 = input0() {input} : f32[2,3]
    %1 = input1() {input} : f32[2,3]
    %2 = neg(%0) : f32[2,3]
    return %2`),
  );
});

test('sum-products: a sum of products of one form is one product with one more summed dim', () => {
  const { before, after } = around(
    'sum-products',
    (x, w) =>
      x
        .unbind()
        .map((step) => step.matmul(w))
        .reduce((a, b) => a.add(b)),
    [
      [4, 8, 8],
      [8, 8],
    ],
  );
  expect(before.match(/ = matmul\(/g)).toHaveLength(4);
  expect(after).toBe(
    text(`
    %0 = input0() {input} : f32[4,8,8]
    %1 = input1() {input} : f32[8,8]
    %2 = many_matmul(%0, %1) {varying=[0] count=4 summed} : f32[8,8]
    return %2`),
  );
});

test('sum-products: what lies in tensors of its own is joined, and looked at as it was', () => {
  const { after } = around(
    'sum-products',
    (x, y) => {
      const states = [1, 2, 3, 4].map((n) => x.mul(n).tanh());
      return states.map((s) => s.t().matmul(y.add(s)).t()).reduce((a, b) => a.add(b));
    },
    [
      [8, 9],
      [8, 9],
    ],
  );
  expect(after.slice(after.indexOf('%13 ='))).toBe(
    text(`
    %13 = cat(%2, %4, %6, %8) {dim=0} : f32[32,9]
    %14 = strided(%13) {shape=[4, 9, 8] strides=[72, 1, 9] offset=0} : f32[4,9,8]
    %15 = cat(%9, %10, %11, %12) {dim=0} : f32[32,9]
    %16 = strided(%15) {shape=[4, 8, 9] strides=[72, 9, 1] offset=0} : f32[4,8,9]
    %17 = many_matmul(%14, %16) {varying=[0, 1] count=4 summed} : f32[9,9]
    %18 = transpose(%17) {order=[1, 0]} : f32[9,9]
    return %18`),
  );
});

test('merge-products: products of the steps of a sequence by one weight are one', () => {
  const { before, after } = around('merge-products', (x, w) => x.unbind().map((step) => step.matmul(w).tanh()), [
    [4, 8, 8],
    [8, 8],
  ]);
  expect(before.match(/ = matmul\(/g)).toHaveLength(4);
  expect(after.replaceAll(/.* = select.*\n/g, '')).toBe(
    text(`
    %0 = input0() {input} : f32[4,8,8]
    %1 = input1() {input} : f32[8,8]
    %3 = many_matmul(%0, %1) {varying=[0] count=4} : f32[4,8,8]
    %4 = strided(%3) {shape=[8, 8] strides=[8, 1] offset=0} : f32[8,8]
    %5 = tanh(%4) : f32[8,8]
    %7 = strided(%3) {shape=[8, 8] strides=[8, 1] offset=64} : f32[8,8]
    %8 = tanh(%7) : f32[8,8]
    %10 = strided(%3) {shape=[8, 8] strides=[8, 1] offset=128} : f32[8,8]
    %11 = tanh(%10) : f32[8,8]
    %13 = strided(%3) {shape=[8, 8] strides=[8, 1] offset=192} : f32[8,8]
    %14 = tanh(%13) : f32[8,8]
    return %5, %8, %11, %14`),
  );
});

test('separate: one value returned as two tensors is copied', () => {
  const { before, after } = around('separate', (x, y) => [x.add(y), x.add(y)]);
  expect(before).not.toContain('clone');
  expect(after).toMatch(/(%\d+) = clone\((%\d+)\) : f32\[2,3\]\nreturn \2, \1\n$/);
});

/** Every call of the table and random programs: recorded graphs, and what makes inputs for them. */
const graphs: readonly { name: string; fn: (...inputs: Tensor[]) => unknown; inputs: (seed: number) => Tensor[] }[] = [
  ...calls.map(({ name, op, sample }) => {
    const forms = parseSample(sample);
    return {
      name: `${name} ${sample}`,
      fn: (...inputs: Tensor[]) => op(...argumentsOf(forms, inputs)),
      inputs: (seed: number) => {
        const random = new Random(seed);
        return tensorsOf(forms).map(({ shape, dtype }) =>
          arranged(shape, random.values(numel(shape), dtype, op.entry.domain), dtype, 'as is'),
        );
      },
    };
  }),
  ...Array.from({ length: 60 }, (_, i) => {
    const make = (shapes: readonly (readonly number[])[], seed: number) => {
      const random = new Random(seed);
      return shapes.map((shape) => tensor(random.values(numel(shape), 'float32', [-1, 1])).view(shape));
    };
    const program = onReference(() => randomProgram(5000 + i, (shapes) => make(shapes, i)));
    return {
      name: textOf(program),
      fn: (...xs: Tensor[]) => run(program, xs),
      inputs: (seed: number) => make(program.inputs, seed),
    };
  }),
];

test('every graph is well formed after every pass', () => {
  onReference(() => {
    for (const { name, fn, inputs } of graphs) {
      const { recorded } = onlyTrace(traceOf(fn, inputs(1) as [Tensor, ...Tensor[]]));
      let functional = false;
      const check = (graph: Graph, pass: string) => {
        try {
          verify(graph, { functional });
        } catch (error) {
          throw new Error(`after ${pass}:\n${name}\n${print(graph)}`, { cause: error });
        }
      };
      check(recorded, 'recording');
      optimise(recorded, {
        after: (graph, pass) => {
          functional ||= pass.establishes?.includes('functional') === true;
          expect(pass.requires.every((p) => p !== 'functional' || functional)).toBe(true);
          check(graph, pass.name);
        },
      });
    }
  });
});

describe.each(pipeline.map((pass) => pass.name).filter((name) => !NEEDED.has(name)))('without %s', (left) => {
  test('values are the same', async () => {
    for (const { name, fn, inputs } of graphs) {
      const [want, got] = onReference(() => {
        const { recorded } = onlyTrace(traceOf(fn, inputs(1) as [Tensor, ...Tensor[]]));
        const { graph } = optimise(recorded, { without: [left] });
        return [read(fn(...inputs(2))), read(interpret(graph, inputs(2)))];
      });
      // The same float64 operations, but for the order in which a folded chain is computed.
      expectSame(await got, await want, { relative: 1e-12, absolute: 1e-12 }, name);
    }
  });
});

test('a graph that breaks a rule is refused', () => {
  const graph = recordedOf((x, y) => cat([x, y]).add(1));
  const [first, ...others] = graph.nodes;
  if (!first) throw new Error('no nodes');
  expect(() => verify(graph, { functional: false })).not.toThrow();
  expect(() => verify({ ...graph, nodes: [...others, first] }, { functional: false })).toThrow(/inputs precede their uses/);
  expect(() => verify({ ...graph, nodes: [first, first, ...others] }, { functional: false })).toThrow(/ids are unique/);
  expect(() => verify({ ...graph, nodes: graph.nodes.slice(0, -1) }, { functional: false })).toThrow(/outputs are computed/);
  const wrong = graph.nodes.map((n) => (n.kind === 'op' ? { ...n, meta: { ...n.meta, shape: [1] } } : n));
  expect(() => verify({ ...graph, nodes: wrong, outputs: wrong.slice(-1) }, { functional: false })).toThrow(
    /shape and dtype|precede/,
  );
  const inPlace = recordedOf((x) => x.add_(1));
  expect(() => verify({ ...inPlace, returned: [] }, { functional: true })).toThrow(/writes nothing in place/);
});
