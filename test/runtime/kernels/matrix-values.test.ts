/** Products of halves by matrix units: their values, by the kernels' texts, which no device here can run. */
import { describe, expect, test } from 'vitest';
import { tensor, type Tensor } from 'jitlens';
import { buildKernel, planSections } from '../../../runtime/kernels/kernel.ts';
import { lower } from '../../../runtime/kernels/lower.ts';
import { workgroupsOf } from '../../../runtime/kernels/schedule.ts';
import { fuse } from '../../../runtime/passes/fuse.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';
import { read } from '../support/compare.ts';
import { whollyOnReference } from '../support/devices.ts';
import { onlyTrace, traceOf } from '../support/traces.ts';
import { runWgsl } from '../support/wgsl.ts';

type Fn = (x: Tensor, y: Tensor) => Tensor;

/** Small whole numbers, so that sums are exact, in an order that no size divides. */
const whole = (shape: Shape, step: number) =>
  tensor(Float32Array.from({ length: numel(shape) }, (_, i) => ((step * i) % 11) - 5))
    .view(shape)
    .to('float16');

const FORMS: readonly (readonly [name: string, fn: Fn, x: Shape, y: Shape])[] = [
  ['a matrix by a matrix', (x, y) => x.matmul(y), [72, 64], [64, 96]],
  ['more steps than are written out', (x, y) => x.matmul(y), [40, 344], [344, 64]],
  ['what nothing divides', (x, y) => x.matmul(y), [67, 131], [131, 77]],
  ['a sum shorter than a step', (x, y) => x.matmul(y), [64, 24], [24, 64]],
  ['the right one transposed', (x, y) => x.matmul(y.t()), [70, 104], [90, 104]],
  ['both transposed', (x, y) => x.t().matmul(y.t()), [104, 72], [90, 104]],
  ['in batches', (x, y) => x.matmul(y.transpose(1, 2)), [2, 40, 40], [2, 48, 40]],
  [
    'of slices',
    (x, y) =>
      x
        .narrow(0, 1, 64)
        .narrow(1, 8, 64)
        .matmul(y.narrow(1, 16, 64)),
    [66, 80],
    [64, 96],
  ],
  ['of slices between vectors', (x, y) => x.narrow(1, 3, 64).matmul(y.narrow(1, 4, 64)), [64, 80], [64, 96]],
  ['by itself', (x) => x.matmul(x.t()), [64, 64], [1]],
  ['what is added lies in a factor', (x, y) => x.matmul(y).add(x), [64, 64], [64, 64]],
  ['a convolution', (x, y) => x.conv2d(y, undefined, { padding: 1, stride: 2 }), [2, 8, 9, 9], [32, 8, 3, 3]],
  ['rows and terms of several dims', (x, y) => x.permute([1, 0, 2]).reshape([32, 128]).matmul(y), [4, 32, 32], [128, 64]],
];

describe.each([16, 32, 64])('in subgroups of %i', (subgroup) => {
  test.each(FORMS)('%s', (_name, fn, x, y) =>
    whollyOnReference(async () => {
      const inputs: [Tensor, Tensor] = [whole(x, 7), whole(y, 5)];
      const { graph } = optimise(onlyTrace(traceOf(fn, inputs)).recorded);
      const [group, ...more] = fuse(graph, { maxStorageBuffers: 8 }).groups;
      if (!group || more.length > 0) throw new Error('not one kernel');
      const lowered = lower(group);
      const dtypes = [...lowered.reads, ...lowered.roots].map((node) => node.meta.dtype);
      const sections = planSections(lowered, (position) => ({ storage: { position }, dtype: dtypes[position] ?? 'float16' }), {
        parametric: false,
        target: { kind: 'gpu', workgroupMemory: 49152, subgroup },
      });
      const held = (await Promise.all(inputs.map((input) => input.data()))).map((values) => [...values]);
      const [want] = await read(fn(...inputs));
      const tried = sections.filter((section) => section.schedule.matrices);
      expect(tried.length).toBeGreaterThan(0);
      for (const section of tried) {
        const { text, storages, offsets } = buildKernel([section], false);
        const buffers = storages.map(({ position }, i) => {
          const from = lowered.reads[position];
          const of = from?.kind === 'external' ? held[from.position ?? -1] : undefined;
          return of ? of.slice((offsets[i] ?? 0) / 2) : new Array<number>(want?.values.length ?? 0).fill(NaN);
        });
        runWgsl(text.wgsl, workgroupsOf(section.schedule), subgroup, Object.fromEntries(buffers.map((b, i) => [`b${i}`, b])));
        expect(buffers[storages.findIndex(({ position }) => position >= lowered.reads.length)]).toEqual([
          ...(want?.values ?? []),
        ]);
      }
    }),
  );
});
