/** Uniforms: what all threads read alike is bound as such where it is small, and gives the same. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arange, manualSeed, rand, type Tensor } from 'jitlens';
import { expectSame, read } from '../support/compare.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { CLOSE, onlyTrace, traceOf } from '../support/traces.ts';

let leave: () => void;
beforeAll(async () => {
  leave = await useGpuSchedules();
  manualSeed(0);
});
afterAll(() => leave());

const SIDE = 192;
const image = (channels: number) => rand([channels, SIDE, SIDE]);

/** A direct convolution: `weights` is [outputs, channels, 3, 3]. */
function convolved(x: Tensor, weights: Tensor): Tensor {
  const outputs = weights.size(0);
  return weights
    .reshape([outputs, -1])
    .matmul(x.unsqueeze(0).unfold(3))
    .view([outputs, SIDE - 2, SIDE - 2]);
}

async function run(fn: (x: Tensor, w: Tensor) => Tensor, x: Tensor, w: Tensor) {
  const traced = traceOf(fn, [x, w]);
  expectSame(await read([traced(x, w)]), await read([fn(x, w)]), CLOSE, 'against eager');
  const texts = onlyTrace(traced).plan?.kernels.map((k) => k.kernel.text.wgsl) ?? [];
  return texts.join('\n').match(/var<uniform> b\d: array<vec4<\w+>, \d+>/g) ?? [];
}

test.each<[string, number, number, string[]]>([
  ['whole vectors', 3, 16, ['array<vec4<f32>, 108>']],
  ['a last vector that is not full', 1, 5, ['array<vec4<f32>, 12>']],
])('weights of %s', async (_what, channels, outputs, found) => {
  const declared = await run(convolved, image(channels), rand([outputs, channels, 3, 3]));
  expect(declared.map((text) => text.slice(text.indexOf('array')))).toEqual(found);
});

test('weights that are a part of a larger tensor', async () => {
  const all = rand([40, 3, 3, 3]);
  const fn = (x: Tensor, w: Tensor) => convolved(x, w.slice(0, 7, 23));
  expect(await run(fn, image(3), all)).toHaveLength(1);
  const far = (x: Tensor, w: Tensor) => convolved(x, w.flip([0]).slice(0, 0, 8));
  expect(await run(far, image(3), all)).toHaveLength(1);
});

test('weights that are padded are read behind their end, where a uniform has nothing', async () => {
  const padded = (x: Tensor, w: Tensor) =>
    w
      .pad([0, 2])
      .matmul(x.unsqueeze(0).unfold(3))
      .view([16, SIDE - 2, SIDE - 2]);
  expect(await run(padded, image(2), rand([16, 16]))).toEqual([]);
});

test('what comes in vectors anyway is no uniform', async () => {
  expect(await run((x, w) => x.mul(w).add(w.exp()), rand([1 << 16, 4]), rand([4]))).toEqual([]);
});

test('what is written, or chosen by values, is no uniform', async () => {
  const written = (x: Tensor, w: Tensor) => {
    const y = convolved(x, w);
    w.add_(y.sum());
    return y;
  };
  const [x, w] = [image(2), rand([4, 2, 3, 3])];
  const traced = traceOf(written, [x, w.clone()]);
  const [a, b] = [w.clone(), w.clone()];
  expectSame(await read([traced(x, a), a]), await read([written(x, b), b]), CLOSE, 'against eager');
  const chosen = (y: Tensor, table: Tensor) => table.indexSelect(0, y.mul(20).floor().to('int32').clamp(0, 19).view([-1]));
  expect(await run(chosen, image(8), arange(20))).toEqual([]);
});
