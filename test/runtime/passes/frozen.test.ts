/** Frozen graphs: scales and shifts of products move into constants, those are computed once, and values stay; what is left alone. */
import { describe, expect, test } from 'vitest';
import { arange, full, rand, type Tensor } from 'jitlens';
import { print } from '../../../runtime/ir/print.ts';
import { verify } from '../../../runtime/ir/verify.ts';
import { frozen } from '../../../runtime/jit/frozen-graph.ts';
import { interpret } from '../../../runtime/jit/interpret.ts';
import type { ElementwiseSpec } from '../../../runtime/ops/spec.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import type { Shape } from '../../../runtime/tensor/shape.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { ops } from '../support/entries.ts';
import { frozenProgram } from '../support/frozen-programs.ts';
import { around, recordedOf, text } from '../support/passes.ts';
import { randomTensor } from '../support/random.ts';
import { onlyTrace, traceOf } from '../support/traces.ts';

type Fn = (x: Tensor) => unknown;

const aroundFrozen = (pass: string, fn: Fn, input: Shape) => around(pass, fn, [input, [1]], frozen);
/** The names of the ops that are left when all passes have run. */
const left = (fn: Fn, input: Shape = [4, 6]) => opsOf(print(optimise(frozen(recordedOf(fn, [input, [1]]))).graph));
const opsOf = (graph: string) =>
  [...graph.matchAll(/ = ([^(]+)\([^)]*\)(?! \{(?:input|parameter|constant)\})/g)].map(([, name]) => name);

const known = new Map<string, Tensor>();
/** A tensor that is there before anything is recorded: one of each shape. */
function held(...shape: number[]): Tensor {
  const x = known.get(shape.join()) ?? rand(shape);
  known.set(shape.join(), x);
  return x;
}
const ALL = [
  [6, 5],
  [5],
  [4, 1],
  [1],
  [5, 1],
  [3, 6, 5],
  [3, 1, 1],
  [6, 2, 3],
  [6, 1],
  [2, 3, 2, 2],
  [3, 1, 5],
  [4, 3, 2],
  [3, 2, 4],
];
for (const shape of ALL) held(...shape);

const affine = { runningMean: rand([3]), runningVar: rand([3]), weight: rand([3]), bias: rand([3]) };
const [kernels, biases] = [rand([3, 2, 1, 1]), rand([3])];
const normed = (x: Tensor) => x.conv2d(kernels, biases).batchNorm(affine).relu();

describe('scale-products', () => {
  test('a batch norm in use goes into the weight and the summand of its convolution', () => {
    const { before, after } = aroundFrozen('scale-products', normed, [1, 2, 4, 4]);
    expect(before).toBe(
      text(`
      %0 = input0() {input} : f32[1,2,4,4]
      %1 = input1() {input} : f32[1]
      %2 = captured2() {constant} : f32[3,2,1,1]
      %3 = convolution(%0, %2) {image=[1, 2, 4, 4] weight=[3, 2, 1, 1] result=[1, 3, 4, 4] stride=[1, 1] padding=[0, 0] dilation=[1, 1] groups=1} : f32[1,3,4,4]
      %4 = captured4() {constant} : f32[3]
      %5 = view(%4) {shape=[3, 1, 1]} : f32[3,1,1]
      %6 = add(%3, %5) : f32[1,3,4,4]
      %7 = captured7() {constant} : f32[3]
      %8 = captured9() {constant} : f32[3]
      %9 = captured11() {constant} : f32[3]
      %10 = captured13() {constant} : f32[3]
      %11 = view(%9) {shape=[3, 1, 1]} : f32[3,1,1]
      %12 = sub(%6, %11) : f32[1,3,4,4]
      %13 = view(%10) {shape=[3, 1, 1]} : f32[3,1,1]
      %14 = over root(%12, %13, 1, 0.00001) : f32[1,3,4,4]
      %15 = view(%8) {shape=[3, 1, 1]} : f32[3,1,1]
      %16 = view(%7) {shape=[3, 1, 1]} : f32[3,1,1]
      %17 = addcmul(%15, %14, %16, 1) : f32[1,3,4,4]
      %18 = relu(%17) : f32[1,3,4,4]
      return %18`),
    );
    expect(after).toBe(
      text(`
      %0 = input0() {input} : f32[1,2,4,4]
      %1 = input1() {input} : f32[1]
      %2 = captured2() {constant} : f32[3,2,1,1]
      %3 = captured4() {constant} : f32[3]
      %4 = view(%3) {shape=[3, 1, 1]} : f32[3,1,1]
      %5 = captured7() {constant} : f32[3]
      %6 = captured9() {constant} : f32[3]
      %7 = captured11() {constant} : f32[3]
      %8 = captured13() {constant} : f32[3]
      %9 = view(%7) {shape=[3, 1, 1]} : f32[3,1,1]
      %10 = neg(%9) : f32[3,1,1]
      %11 = add(%4, %10) : f32[3,1,1]
      %12 = view(%8) {shape=[3, 1, 1]} : f32[3,1,1]
      %13 = strided(%8) {shape=[3, 1, 1, 1] strides=[1, 0, 0, 0] offset=0} : f32[3,1,1,1]
      %14 = over root(%2, %13, 1, 0.00001) : f32[3,2,1,1]
      %15 = over root(%11, %12, 1, 0.00001) : f32[3,1,1]
      %16 = view(%6) {shape=[3, 1, 1]} : f32[3,1,1]
      %17 = view(%5) {shape=[3, 1, 1]} : f32[3,1,1]
      %18 = strided(%5) {shape=[3, 1, 1, 1] strides=[1, 0, 0, 0] offset=0} : f32[3,1,1,1]
      %19 = mul(%14, %18) : f32[3,2,1,1]
      %20 = convolution(%0, %19) {image=[1, 2, 4, 4] weight=[3, 2, 1, 1] result=[1, 3, 4, 4] stride=[1, 1] padding=[0, 0] dilation=[1, 1] groups=1} : f32[1,3,4,4]
      %21 = mul(%15, %17) : f32[3,1,1]
      %22 = add(%21, %16) : f32[3,1,1]
      %23 = add(%20, %22) : f32[1,3,4,4]
      %24 = relu(%23) : f32[1,3,4,4]
      return %24`),
    );
  });

  test('a graph that is not frozen stays as it is', () => {
    for (const pass of ['scale-products', 'precompute']) {
      const { before, after } = around(pass, (x) => normed(x), [[1, 2, 4, 4], [1]]);
      expect(after).toBe(before);
    }
  });

  const [weight, columns, rows, scalar] = [held(6, 5), held(5), held(4, 1), held(1)];
  const places = arange(12).view([6, 2]);
  const moved: readonly [string, Fn, Shape?][] = [
    ['columns of a product by the right factor', (x) => x.matmul(weight).mul(columns)],
    ['rows of a product by the left factor', (x) => weight.t().matmul(x.t()).div(held(5, 1))],
    ['one number', (x) => x.matmul(weight).mul(3)],
    ['one element', (x) => x.matmul(weight).mul(scalar)],
    ['the same for all, though expanded', (x) => x.matmul(weight).mul(columns.expand([4, 5]))],
    ['each batch, where the factor has batches too', (x) => x.matmul(held(3, 6, 5)).mul(held(3, 1, 1)), [3, 4, 6]],
    [
      'channels of a convolution with groups',
      (x) => x.conv1d(held(6, 2, 3), undefined, { groups: 2 }).mul(held(6, 1)),
      [2, 4, 9],
    ],
    ['channels of a transposed convolution', (x) => x.convTranspose2d(held(2, 3, 2, 2)).mul(held(3, 1, 1)), [1, 2, 3, 3]],
    [
      'images by a frozen image',
      (x) =>
        held(3, 2, 4)
          .conv1d(x, undefined, { padding: 1 })
          .mul(held(3, 1, 1)),
      [5, 2, 3],
    ],
    ['a chain', (x) => scalar.mul(x.matmul(weight).mul(columns)).div(2).neg()],
  ];
  test.each(moved)('a scale is moved: %s', (_name, fn, input) => {
    expect(left(fn, input).filter((name) => name !== 'transpose' && name !== 'strided')).toHaveLength(1);
  });

  const summed: readonly [string, Fn][] = [
    ['before and after', (x) => x.matmul(weight).add(columns).mul(columns).sub(scalar)],
    ['taken from a constant', (x) => columns.sub(x.matmul(weight).add(1))],
    ['numbers', (x) => x.matmul(weight).add(1).mul(3).sub(2)],
    ['a summand with a factor', (x) => x.matmul(weight).addcmul(columns, scalar, 0.5).add(scalar)],
    ['a product with a factor and a summand', (x) => columns.addcmul(x.matmul(weight), columns, 0.5)],
    ['of which it is the second', (x) => columns.addcmul(columns, x.matmul(weight), 0.5)],
  ];
  test.each(summed)('shifts are one: %s', (_name, fn) => {
    expect(left(fn)).toEqual(['matmul', 'add']);
  });

  const kept: readonly [string, Fn, string[], Shape?][] = [
    ['rows, along which the constant factor does not lie', (x) => x.matmul(weight).mul(rows), ['matmul', 'mul']],
    ['a factor that is not constant', (x) => x.matmul(weight).mul(x.mean()), ['matmul', 'sum', 'div', 'mul']],
    ['no constant factor', (x) => x.matmul(x.t()).mul(3), ['transpose', 'matmul', 'mul']],
    ['more rows than the product has', (x) => x.matmul(weight).mul(held(3, 1, 5)), ['matmul', 'mul']],
    [
      'a product that is read twice',
      (x) => [x.matmul(weight)].map((y) => y.mul(columns).add(y.tanh())),
      ['matmul', 'mul', 'tanh', 'add'],
    ],
    ['a product that is given back', (x) => [x.matmul(weight)].flatMap((y) => [y, y.mul(columns)]), ['matmul', 'mul']],
    ['what is not linear', (x) => x.matmul(weight).relu().mul(columns), ['matmul', 'relu', 'mul']],
    ['what divides by it', (x) => columns.div(x.matmul(weight)), ['matmul', 'div']],
    ['a batch of which the factor is not', (x) => x.matmul(weight).mul(held(3, 1, 1)), ['matmul', 'mul'], [3, 4, 6]],
    [
      'channels that lie in groups of a transposed convolution',
      (x) => x.convTranspose1d(held(4, 3, 2), undefined, { groups: 2 }).mul(held(6, 1)),
      ['transposed convolution', 'mul'],
      [1, 4, 5],
    ],
    ['whole numbers', (x) => x.to('int32').matmul(places).mul(2), ['to int32', 'matmul', 'mul']],
  ];
  test.each(kept)('a scale stays: %s', (_name, fn, names, input) => {
    const found = left(fn, input);
    expect(found.filter((name) => !['view', 'strided', 'expand'].includes(name ?? ''))).toEqual(names);
  });

  test('in halves a scale stays', () => {
    const found = onReference(() => {
      const [w, s] = [rand([6, 5]).to('float16'), rand([5]).to('float16')];
      return left((x) => x.to('float16').matmul(w).mul(s));
    });
    expect(found).toContain('mul');
  });

  test('what ops say of being linear is so', () => {
    const specs = ops.flatMap(([, { entry }]) => {
      const spec = entry.spec as ElementwiseSpec | undefined;
      return spec?.linear ? [spec] : [];
    });
    expect(specs.map((s) => s.name)).toEqual(expect.arrayContaining(['mul', 'div', 'neg']));
    for (const { name, linear = [], params, reference } of specs) {
      for (const param of linear) {
        const values = params.map((_, i) => 0.75 + i);
        const at = params.indexOf(param);
        for (const a of [2, -0.5, 0])
          expect(reference(...values.with(at, a * (values[at] ?? NaN))), `${name} in ${param}`).toBeCloseTo(
            a * reference(...values),
            12,
          );
      }
    }
  });
});

test('a summand of more dims is scaled with the product', async () => {
  const fn = (x: Tensor) =>
    x
      .matmul(held(6, 5))
      .add(held(3, 1, 1))
      .mul(held(5));
  const x = () => randomTensor([1, 6]);
  const { graph } = optimise(frozen(onlyTrace(traceOf(fn, [x()])).recorded));
  expect(opsOf(print(graph))).toEqual(['matmul', 'mul', 'add']);
  expectSame(await read(interpret(graph, [x()])), await read(fn(x())), { relative: 2e-5, absolute: 2e-5 }, 'scaled');
});

describe('precompute', () => {
  const weight = rand([6, 5]);

  test('what depends on frozen tensors alone is one of them; views of it stay', () => {
    const fn = (x: Tensor) => x.matmul(weight.div(weight.square().sum({ dim: 0, keepdim: true }).sqrt()).select(1, 0));
    const { before, after } = aroundFrozen('precompute', fn, [4, 6]);
    expect(opsOf(before)).toEqual(['square', 'sum', 'sqrt', 'div', 'select', 'matmul']);
    expect(after).toBe(
      text(`
      %0 = input0() {input} : f32[4,6]
      %1 = input1() {input} : f32[1]
      %2 = frozen0() {constant} : f32[6,5]
      %3 = select(%2) {dim=1 index=0} : f32[6]
      %4 = matmul(%0, %3) : f32[4]
      return %4`),
    );
  });

  test('what would be larger than all that it is made of stays', () => {
    const [column, row] = [rand([6, 1]), rand([5])];
    expect(left((x) => x.matmul(column.add(row)))).toEqual(['add', 'matmul']);
    // A sum of it is small again.
    expect(left((x) => x.mul(column.add(row).sum()))).toEqual(['mul']);
  });

  test('random numbers are drawn anew', () => {
    expect(left((x) => x.add(rand([6]).mul(weight.select(1, 0))))).toEqual(expect.arrayContaining(['rand', 'mul']));
  });

  test('what is made of attributes alone is no memory', () => {
    expect(left((x) => x.add(full([4, 6], 2)).add(weight.select(1, 0)))).toEqual(['full', 'add', 'select', 'add']);
  });

  test('what is given back though it is constant, is a copy at every call', () => {
    const { graph } = optimise(frozen(recordedOf((x) => [x.neg(), weight.exp(), weight.t().exp()])));
    expect(graph.outputs.map((x) => (x.kind === 'op' ? x.op.name : x.name))).toEqual(['neg', 'clone', 'clone']);
  });

  test('a weight that is transposed lies as it did', () => {
    const { graph } = optimise(frozen(recordedOf((x) => x.matmul(weight.t().mul(2)), [[4, 5], [1]])));
    const node = graph.nodes.find((n) => n.kind === 'external' && n.name.startsWith('frozen'));
    expect(node?.kind === 'external' && node.layout).toEqual({ shape: [5, 6], strides: [1, 5], offset: 0 });
  });
});

describe('random products with scales and shifts', () => {
  const programs = Array.from({ length: 160 }, (_, i) => ({ ...frozenProgram(i + 1), seed: i + 1 }));
  const moves = { moved: 0 };

  test.each(programs)('$seed: $text', async ({ make, input, seed }) => {
    const x = () => randomTensor(input, seed);
    // In float64, so that a wrong factor cannot hide behind rounding.
    const [want, ...got] = onReference(() => {
      const fn = make();
      const graph = frozen(onlyTrace(traceOf(fn, [x()])).recorded);
      const check = (without?: string[]) => {
        let functional = false;
        const after = optimise(graph, {
          without,
          after: (g, pass) => {
            functional ||= pass.establishes?.includes('functional') === true;
            verify(g, { functional });
          },
        });
        return after.graph;
      };
      const [all, unscaled] = [check(), check(['scale-products'])];
      if (all.nodes.length < unscaled.nodes.length) moves.moved++;
      return [read(fn(x())), read(interpret(all, [x()])), read(interpret(unscaled, [x()]))];
    });
    const exact = { relative: 1e-11, absolute: 1e-11 };
    for (const result of got) expectSame(await result, await want, exact, 'passes, in float64');
  });

  test('are moved in many cases', () => {
    expect(moves.moved).toBeGreaterThan(60);
  });
});
