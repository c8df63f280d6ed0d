/** Recomputation against saving: what several kernels read is stored, or made again by each, by which moves fewer bytes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manualSeed, rand, type Tensor } from 'jitlens';
import { numel } from '../../../runtime/tensor/shape.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { compared, kernelsOf, onlyTrace } from '../support/traces.ts';

let undo = () => {};
beforeAll(async () => {
  undo = await useGpuSchedules();
});
afterAll(() => {
  undo();
});

type Fn = (x: Tensor, y: Tensor, z: Tensor) => unknown;
const [ROWS, COLUMNS] = [120, 130];
const inputs = (): [Tensor, Tensor, Tensor] => {
  manualSeed(3);
  return [rand([ROWS, COLUMNS]), rand([ROWS, COLUMNS]), rand([ROWS, COLUMNS])];
};
/** Two kernels go over it, in different directions. */
const bothWays = (t: Tensor) => [t.sum({ dim: 0 }), t.sum({ dim: 1 })];

/** Why the elements of a value are stored between kernels; undefined where none of its size are. */
async function storedFor(fn: Fn): Promise<string | undefined> {
  const traced = await compared(fn, inputs, { relative: 1e-4, absolute: 1e-2 });
  const between = kernelsOf(traced).filter((k) => k.sections.some((s) => s.group.roots.some((r) => r.meta.shape.length === 2)));
  return between[0]?.sections[0]?.group.boundary;
}

const again: readonly [string, Fn][] = [
  ['of one tensor', (x) => bothWays(x.mul(2).add(1))],
  ['of two', (x, y) => bothWays(x.mul(y))],
  ['of one, and a number for each row', (x) => bothWays(x.sub(x.select(1, 0).unsqueeze(1)))],
  ['that each kernel makes more of', (x, y) => [...bothWays(x.add(y)), x.add(y).square().sum({ dim: 0 })]],
];
test.each(again)('a value %s is made again', async (_what, fn) => {
  expect(await storedFor(fn)).toBeUndefined();
});

const saved: readonly [string, Fn, RegExp][] = [
  ['of three tensors', (x, y, z) => bothWays(x.mul(y).mul(z)), /^2 kernels read it/],
  ['that takes long', (x) => bothWays(x.erf().add(x.sin()).add(x.exp())), /^2 kernels read it/],
  [
    'of a product',
    (x, y) =>
      bothWays(
        x
          .slice(1, 0, 40)
          .matmul(y.slice(0, 0, 40))
          .relu(),
      ),
    /^2 kernels read it/,
  ],
  [
    'that a product reads',
    (x, y) => [x.add(1).matmul(y.t()).sum(), x.add(1).sum({ dim: 0 })],
    /kernels read it|computed \d+ times/,
  ],
];
test.each(saved)('a value %s is stored', async (_what, fn, why) => {
  expect(await storedFor(fn)).toMatch(why);
});

test('normalising over a batch stores no tensor of its size, forward or backward', async () => {
  const shape = [20, 4, 64, 64];
  const make = (): [Tensor] => {
    manualSeed(5);
    return [rand(shape)];
  };
  const gradient = (x: Tensor) => {
    const own = x.detach().requiresGrad_();
    own.batchNorm({ training: true }).square().mean().backward();
    return own.grad;
  };
  for (const [fn, kernels] of [
    [(x: Tensor) => x.batchNorm({ training: true }), 5],
    [gradient, 9],
  ] as const) {
    const traced = await compared(fn, make, { relative: 1e-3, absolute: 1e-4 });
    const memory = onlyTrace(traced).plan?.memory.intermediateBytes ?? NaN;
    expect(kernelsOf(traced)).toHaveLength(kernels);
    expect(memory).toBeLessThan(numel(shape) / 10);
  }
});
