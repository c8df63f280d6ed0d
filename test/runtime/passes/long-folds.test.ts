/** Long folds in parts: which are, in how many; that values stay, eagerly and traced; what becomes of them. */
import { expect, test } from 'vitest';
import { jit, memory, tensor, zeros, type Tensor } from 'jitlens';
import { print } from '../../../runtime/ir/print.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { launched } from '../support/dispatches.ts';
import { recordedOf } from '../support/passes.ts';
import { compared, dispatches } from '../support/traces.ts';

type Fold = (x: Tensor) => unknown;

/** Numbers from −1 to 1, in an order that no size divides. */
const sized = (shape: Shape) =>
  tensor(Float32Array.from({ length: numel(shape) }, (_, i) => Math.fround(Math.sin(12.9898 * i)))).view(shape);
const textOf = (fn: Fold, shape: Shape) => onReference(() => print(optimise(recordedOf(fn, [shape, [1]])).graph));

test('a long sum is sums of parts, and their sum', () => {
  expect(textOf((x) => x.sum(), [8, 64, 512])).toBe(
    `%0 = input0() {input} : f32[8,64,512]
%1 = input1() {input} : f32[1]
%2 = parts_of_sum(%0) {dims=[0, 1, 2] whole=1 parts=32 each=2} : f32[8,32]
%3 = sum(%2) {dims=[0, 1]} : f32[]
return %3
`,
  );
});

const cases: readonly [string, Fold, Shape, string | undefined][] = [
  ['of which nothing divides the terms', (x) => x.sum(), [131_101], 'whole=0 parts=128 each=1025'],
  ['along rows', (x) => x.mean({ dim: 1, keepdim: true }), [3, 70_000], 'whole=0 parts=80 each=875'],
  ['along columns', (x) => x.sum({ dim: 0 }), [70_001, 7], 'whole=0 parts=68 each=1030'],
  ['around a dim that stays', (x) => x.sum({ dim: [0, 2] }), [40, 3, 2000], 'whole=1 parts=1 each=2000'],
  ['of the largest', (x) => x.neg().amax({ dim: [1, 2] }), [2, 260, 257], 'whole=0 parts=65 each=4'],
  ['of products', (x) => x.gt(0.999999).to('float32').add(1).prod(), [65_537], 'whole=0 parts=64 each=1025'],
  ['of a condition', (x) => x.gt(0.5).sum(), [300, 300], 'whole=0 parts=100 each=3'],
  ['of integers', (x) => x.mul(1000).to('int32').amin(), [99_999], 'whole=0 parts=97 each=1031'],
  ['that is short', (x) => x.sum(), [65_535], undefined],
  ['of more rows than a device has places for', (x) => x.sum({ dim: 1 }), [129, 65_536], undefined],
];
const cutIn = (graph: string) => /parts_of_\w+\(.*(whole=.*)\}/.exec(graph)?.[1];

test.each(cases)('a fold %s is cut so', (_what, fn, shape, parts) => {
  expect(cutIn(textOf(fn, shape))).toBe(parts);
});

/** Those that are small enough to be computed here. */
test.each(cases.filter(([, , shape]) => numel(shape) < 1 << 20))('a fold %s gives the same', async (_what, fn, shape, parts) => {
  const traced = await compared(fn as (x: Tensor) => Tensor, () => [sized(shape)], { relative: 1e-4, absolute: 1e-4 });
  expect(dispatches(traced)).toBe(parts === undefined ? 1 : 2);
});

const products: readonly [string, Fold, Shape, string | undefined][] = [
  ['of a vector by another', (x) => x.dot(x.add(1)), [100_003], 'along=0 parts=195 each=513'],
  ['of a few rows by a vector', (x) => x.mv(x.select(0, 1)), [3, 70_000], 'along=0 parts=140 each=500'],
  ['that counts places', (x) => x.argmax(), [40, 5000], 'along=0 parts=400 each=500'],
  ['that counts places, which nothing divides', (x) => x.argmin(), [131_101], undefined],
  ['by place', (x) => zeros([9]).scatterAdd(0, x.mul(9).floor().to('int32'), x), [70_000], 'along=0 parts=140 each=500'],
  ['of two dims', (x) => x.conv2d(x.square()), [1, 1, 300, 300], 'along=1 parts=150 each=2'],
];
test.each(products)('a sum %s', async (_what, fn, shape, parts) => {
  const cut = /parts_of_\w+(?: \w+)*\(.*(along=.*)\}/.exec(textOf(fn, shape))?.[1];
  expect(cut).toBe(parts);
  const make = () => [sized(shape)] as [Tensor];
  await compared(fn as (x: Tensor) => Tensor, make, { relative: 1e-4, absolute: 1e-3 });
});

test('a sum of products in parts, eagerly', async () => {
  const [x, y] = [sized([1 << 17]), sized([1 << 17]).add(1)];
  expect(launched(() => x.dot(y))).toBe(2);
  const wanted = await onReference(() => read(sized([1 << 17]).dot(sized([1 << 17]).add(1))));
  expectSame(await read(x.dot(y)), wanted, { relative: 1e-4, absolute: 1e-3 }, 'against reference');
});

test('many folds of one form stay as they are: one kernel may compute them all', () => {
  const several = (count: number) => (x: Tensor) => Array.from({ length: count }, (_, i) => x.add(i).sum());
  expect(textOf(several(7), [1 << 17]).match(/parts_of_sum/g)).toHaveLength(7);
  expect(textOf(several(8), [1 << 17])).not.toContain('parts_of_sum');
});

test('halves are added up as float32, and rounded once', () => {
  expect(textOf((x) => x.to('float16').sum({ dim: 1, keepdim: true }), [2, 1 << 17])).toMatch(
    / parts_of_sum.* : f32\[128,2\]\n.* sum.* : f32\[2\]\n.* to float16.* : f16\[2\]\n.* : f16\[2,1\]/,
  );
});

test('eagerly too, of what lies anyhow, in memory that is given back', async () => {
  const x = sized([300, 5, 301]);
  const view = x.permute([2, 1, 0]).slice(2, 1, 299);
  expect(launched(() => view.sum({ dim: [0, 2], keepdim: true }))).toBe(2);
  const live = () => memory()?.liveBytes ?? NaN;
  const [before, room] = [live(), 256];
  const sums = view.sum({ dim: [0, 2], keepdim: true });
  expect(live() - before).toBe(room);
  const wanted = await onReference(() =>
    read(
      sized([300, 5, 301])
        .permute([2, 1, 0])
        .slice(2, 1, 299)
        .sum({ dim: [0, 2], keepdim: true }),
    ),
  );
  expectSame(await read(sums), wanted, { relative: 1e-4, absolute: 1e-3 }, 'against reference');
});

test('sizes that vary: in parts that do too', async () => {
  const traced = jit.trace((x: Tensor) => x.sum(), [sized([70_000])]);
  const sizes = [80_000, 90_000, 100_003, 110_000];
  const wanted = await onReference(() => Promise.all(sizes.map((n) => read(sized([n]).sum()))));
  for (const [i, n] of sizes.entries())
    expectSame(await read(traced(sized([n]))), wanted[i] ?? [], { relative: 1e-4, absolute: 1e-3 }, `${n} elements`);
  const kernels = traced.info.compiled.map((c) => c.plan?.kernels.map((k) => k.kernel.text.wgsl));
  expect(kernels.map((k) => k?.length)).toEqual([2, 2, 2, 2, 2]);
  expect(kernels[4]).toEqual(kernels[2]);
});
