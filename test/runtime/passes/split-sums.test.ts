/** Long sums in parts: which are, in how many; that values stay, also where the last part is not full; what becomes of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cat, einsum, full, tensor, type Tensor } from 'jitlens';
import { print } from '../../../runtime/ir/print.ts';
import { partsOf } from '../../../runtime/ops/long-sums.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';
import { read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { recordedOf } from '../support/passes.ts';
import { onlyTrace, traceOf } from '../support/traces.ts';

let undo = () => {};
beforeAll(async () => {
  undo = await useGpuSchedules();
});
afterAll(() => {
  undo();
});

/** Small whole numbers, so that sums are exact in float32, in an order that no size divides. */
const sized = (shape: Shape, step: number) =>
  tensor(Float32Array.from({ length: numel(shape) }, (_, i) => ((step * i) % 11) - 5)).view(shape);

const product = (x: Tensor, y: Tensor) => x.matmul(y);
const forWeights = (x: Tensor, g: Tensor) => {
  const weight = full([24, 8, 3, 3], 0).requiresGrad_();
  x.conv2d(weight, undefined, { padding: 1 }).mul(g).sum().backward();
  return weight.grad;
};
const optimisedText = (fn: (x: Tensor, y: Tensor) => unknown, shapes: readonly [Shape, Shape]) =>
  onReference(() => print(optimise(recordedOf(fn, shapes)).graph));

test('a product of few positions is sums of parts, and their sum', () => {
  expect(
    optimisedText(product, [
      [32, 32768],
      [32768, 32],
    ]),
  ).toBe(
    `%0 = input0() {input} : f32[32,32768]
%1 = input1() {input} : f32[32768,32]
%2 = parts_of_matmul(%0, %1) {along=0 parts=64 each=512} : f32[64,32,32]
%3 = sum(%2) {dims=[0]} : f32[32,32]
return %3
`,
  );
});

const cases: readonly [string, (x: Tensor, y: Tensor) => unknown, Shape, Shape, string | undefined][] = [
  ['a size that nothing divides', product, [24, 29173], [29173, 24], 'along=0 parts=56 each=521'],
  ['as many parts as fill a device', product, [256, 8192], [8192, 256], 'along=0 parts=16 each=512'],
  ['the gradient of a weight', forWeights, [1, 8, 104, 104], [1, 24, 104, 104], 'along=1 parts=26 each=4'],
  ['about as many parts, where a number near divides', product, [384, 4096], [4096, 384], 'along=0 parts=8 each=512'],
  ['squares, where even parts are fewer', (x) => x.layerNorm([100, 1024]), [2, 100, 1024], [1], 'along=0 parts=100 each=1'],
  ['many positions', product, [1024, 1024], [1024, 1024], undefined],
  ['few positions, each better with a workgroup', product, [20, 65536], [65536, 20], undefined],
  ['short sums', product, [64, 1000], [1000, 64], undefined],
  ['by a vector', (x, y) => x.matmul(y.select(1, 0)), [1024, 32768], [32768, 2], undefined],
];
const cutIn = (graph: string) => /parts_of_.* \{.*(along=.*)\}/.exec(graph)?.[1];
/** Cases that are small enough to be computed here. */
const isSmall = ([what]: (typeof cases)[number]) => /nothing|gradient/.test(what);

test('a later dim is cut, where the first one gives fewer parts than a device has places for', () => {
  const small: [Shape, Shape] = [
    [2, 3, 4],
    [2, 3, 5],
  ];
  const { nodes } = onReference(() => recordedOf((x: Tensor, y: Tensor) => einsum('nko,nkc->oc', [x, y]), small));
  const node = nodes.find((n) => n.kind === 'op' && n.op.kind === 'contract');
  if (node?.kind !== 'op' || node.op.kind !== 'contract') throw new Error('no contraction');
  const { op, attributes } = node;
  const of = (batches: number) => {
    const inputs = [64, 576].map((positions) => [batches, 784, positions]);
    return partsOf(op, inputs, attributes, { dtype: 'float32', shape: [64, 576] });
  };
  expect(of(16)).toEqual({ along: 1, parts: 28, each: 28 });
  expect(of(32)).toEqual({ along: 0, parts: 32, each: 1 });
});

test.each(cases.filter((c) => !isSmall(c)))('%s', (_what, fn, x, y, parts) => {
  expect(cutIn(optimisedText(fn, [x, y]))).toBe(parts);
});

test.each(cases.filter(isSmall))('%s, and its values', async (_what, fn, x, y, parts) => {
  const make = () => [sized(x, 7), sized(y, 5)] as [Tensor, Tensor];
  const wanted = await onReference(() => read(fn(...make())));
  const traced = traceOf(fn, make());
  expect(await read(traced(...make()))).toEqual(wanted);
  const { plan } = onlyTrace(traced);
  expect(plan && cutIn(print(plan.optimised.graph))).toBe(parts);
  const schedules = plan?.kernels.filter((k) => k.name.startsWith('parts_of_')).map((k) => k.kernel.schedule);
  expect(schedules).toEqual([expect.stringMatching(/^workgroup per block/)]);
});

test('a part that is not full takes nothing of what lies behind', async () => {
  const behind = new Array(3 * 24).fill(Infinity);
  const [x, y] = [sized([24, 29173], 7), sized([29173, 24], 5)];
  const make = (): [Tensor, Tensor] => [cat([x, tensor(behind).view([24, 3])], 1), cat([y, tensor(behind).view([3, 24])])];
  const traced = traceOf((a: Tensor, b: Tensor) => a.slice(1, 0, 29173).matmul(b.slice(0, 0, 29173)), make());
  const { plan } = onlyTrace(traced);
  expect(plan && cutIn(print(plan.optimised.graph))).toBe('along=0 parts=56 each=521');
  expect(await read(traced(...make()))).toEqual(await read(x.matmul(y)));
});
