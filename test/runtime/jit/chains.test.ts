/** Long chains in which each step needs the one before more than once: what takes twice as long for each would never end. */
import { expect, test } from 'vitest';
import { stack, type Tensor } from 'jitlens';
import { randomTensor } from '../support/random.ts';
import { compared, dispatches, onlyTrace } from '../support/traces.ts';

const STEPS = 48;
const repeated = (step: (x: Tensor) => Tensor) => (x: Tensor) => {
  for (let i = 0; i < STEPS; i++) x = step(x);
  return x;
};
/** Of rows, joined to them again. */
const ofRows = (first: (x: Tensor) => Tensor, step: (s: Tensor) => Tensor) => (x: Tensor) => x.sub(repeated(step)(first(x)));

const CHAINS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  'a sum with itself': repeated((x) => x.add(x)),
  'a sum with itself, halved': repeated((x) => x.add(x).mul(0.5)),
  'a product with itself': repeated((x) => x.mul(x).clamp(0.1, 2)),
  'the two numbers before': (x) => {
    let [a, b] = [x.mul(1e-6), x.mul(-1e-6)];
    for (let i = 0; i < STEPS / 2; i++) [a, b] = [b, a.add(b)];
    return b;
  },
  'two ways to the next': repeated((x) => x.tanh().add(x.sigmoid()).mul(0.5)),
  'two views': repeated((x) =>
    x
      .flip([0])
      .add(x.flip([1]))
      .mul(0.5),
  ),
  'what is cut off again': repeated((x) =>
    x
      .pad([1, 1])
      .slice(1, 1, x.size(1) + 1)
      .add(x)
      .mul(0.5),
  ),
  'a condition on itself': repeated((x) => x.gt(0).where(x.mul(0.5), x.neg())),
  'the sum of a row with itself': ofRows(
    (x) => x.sum({ dim: -1, keepdim: true }),
    (s) => s.add(s).mul(0.5),
  ),
  'the largest of a row, two ways': ofRows(
    (x) => x.amax({ dim: -1, keepdim: true }),
    (s) => s.tanh().add(s.sigmoid()),
  ),
  'long sums that are summed': (x) => repeated((s) => s.mul(s).add(0.1).clamp(-1, 1))(x.sum({ dim: -1 })).sum(),
  'products that are summed': (x) => repeated((s) => s.add(s.mul(0.1)).clamp(-1, 1))(x.matmul(x.t())).sum({ dim: -1 }),
};

test.each(Object.entries(CHAINS))('%s', async (_name, fn) => {
  const traced = await compared(fn, () => [randomTensor([6, 40], 1, 1)]);
  expect(dispatches(traced)).toBeLessThanOrEqual(2);
});

test('conditions in each other are never more than a device reads', async () => {
  const traced = await compared(
    (x) => {
      const [result, most] = [x.clone(), x.amax()];
      for (let i = 0; i < 120; i++) result.slice(0, 1 + (i % 2), 3).add_(most);
      return result;
    },
    () => [randomTensor([8], 1, 1)],
  );
  const texts = onlyTrace(traced).plan?.kernels.map((k) => k.kernel.text.wgsl) ?? [];
  const deepest = Math.max(...texts.map(levels));
  expect(deepest).toBeGreaterThan(30);
  expect(deepest).toBeLessThan(50);
});

/** Blocks in each other. */
function levels(text: string): number {
  return Math.max(...text.split('\n').map((line) => (/^ */.exec(line)?.[0].length ?? 0) / 2));
}

test('joins of equal parts, summed, in each other', async () => {
  await compared(
    (x) => {
      for (let i = 0; i < 9; i++) x = stack([x, x, x]).sum({ dim: 0 }).clamp(-8, 8);
      return x;
    },
    () => [randomTensor([3, 3], 1, 1)],
  );
});
