/** Kernels that store several tensors: which become one, which may not, and what is written in place. */
import { describe, expect, test } from 'vitest';
import { cat, type Tensor } from 'jitlens';
import { compared, dispatches, onlyTrace, sectionsOf, traceOf } from '../support/traces.ts';
import { randomTensor } from '../support/random.ts';

const two = (): [Tensor, Tensor] => [randomTensor([12, 20], 1), randomTensor([12, 20], 2)];
const inPlace = (traced: Parameters<typeof onlyTrace>[0]) => onlyTrace(traced).plan?.inPlace.size;

describe('results of one shape', () => {
  test.each<[string, (a: Tensor, b: Tensor) => unknown, number]>([
    ['that read the same', (a, b) => [a.add(b), a.mul(b)], 1],
    [
      'of which one reads the other in its own place',
      (a, b) => {
        const c = a.mul(b).add(a);
        return [c, c.tanh().mul(b)];
      },
      1,
    ],
    [
      'and a join of parts of that shape',
      (a, b) => {
        const c = a.mul(b);
        return [cat([c.tanh(), c.sigmoid()], 0), c.exp()];
      },
      1,
    ],
    ['that read nothing in common', (a, b) => [a.exp(), b.exp()], 2],
    [
      'of which one reads the other elsewhere',
      (a, b) => {
        const c = a.mul(b);
        return [c, c.flip([0]).tanh()];
      },
      2,
    ],
    [
      'with something between that reads the first',
      (a, b) => {
        const c = a.add(b).exp();
        const total = c.sum({ dim: 0, keepdim: true }).add(1);
        return [c, total, c.div(total.sum({ dim: 1, keepdim: true })).mul(a)];
      },
      3,
    ],
  ])('%s: kernels', async (_name, fn, kernels) => {
    expect(sectionsOf(await compared(fn, two))).toHaveLength(kernels);
  });
});

describe('tensors from outside', () => {
  test('are replaced where they lie, with all that one step needs', async () => {
    const step = (p: Tensor, g: Tensor, m: Tensor, v: Tensor) => {
      m.mul_(0.9).add_(g.mul(0.1));
      v.mul_(0.99).add_(g.square().mul(0.01));
      p.sub_(m.div(v.sqrt().add(1e-3)).mul(0.1));
      return p.sum();
    };
    const traced = await compared(step, () => [
      randomTensor([33], 1),
      randomTensor([33], 2),
      randomTensor([33], 3),
      randomTensor([33], 4).abs(),
    ]);
    expect(inPlace(traced)).toBe(3);
    expect(dispatches(traced)).toBe(2);
  });

  test('that take each other’s place are read before they are written', async () => {
    const swap = (a: Tensor, b: Tensor) => {
      const [x, y] = [b.add(1), a.mul(2)];
      a.copy_(x);
      b.copy_(y);
      return a.sub(b);
    };
    await compared(swap, two);
  });

  test.each<[string, (a: Tensor) => unknown]>([
    ['read in another place', (a) => a.copy_(a.flip([0]).add(1)).sum()],
    [
      'read by a later kernel',
      (a) => {
        const before = a.clone();
        a.mul_(2);
        return before.sum({ dim: 0 });
      },
    ],
    ['less the sum of a row', (a) => a.sub_(a.sum({ dim: 1, keepdim: true })).mul(2)],
  ])('%s', async (_name, fn) => {
    await compared(fn, () => [randomTensor([12, 20], 5)] as [Tensor]);
  });
});

describe('sums of one tensor', () => {
  const stored = (traced: Parameters<typeof onlyTrace>[0]) =>
    onlyTrace(traced).plan?.fusion.groups.map((g) => g.roots.map((r) => r.op.name)) ?? [];

  test('of which one needs the other, whatever ops they are', async () => {
    const gradients = (x: Tensor, w: Tensor, slopes: Tensor) => {
      const [y, weight] = [x.detach().requiresGrad_(), w.detach().requiresGrad_()];
      y.layerNorm(1024, weight).mul(slopes).sum().backward();
      return [y.grad, weight.grad];
    };
    const make = (): [Tensor, Tensor, Tensor] => [
      randomTensor([256, 1024], 1),
      randomTensor([1024], 2),
      randomTensor([256, 1024], 3),
    ];
    expect(stored(await compared(gradients, make))).toEqual([['div', 'sum of squares'], ['sum'], ['add']]);
  });

  test('in parts', async () => {
    const traced = await compared(
      (x: Tensor) => [x.sum({ keepdim: true }), x.square().sum({ keepdim: true })],
      () => [randomTensor([70_000], 1)] as [Tensor],
      { relative: 1e-4, absolute: 1e-4 },
    );
    expect(stored(traced)).toEqual([['parts_of_sum', 'parts_of_sum'], ['clone'], ['clone']]);
  });

  test('of products stay apart', async () => {
    const traced = await compared(
      (x: Tensor, w: Tensor) => [x.matmul(w), x.matmul(w.exp())],
      () => [randomTensor([64, 600], 1), randomTensor([600, 64], 2)],
    );
    expect(stored(traced)).toHaveLength(3);
  });
});

test('slices of one tensor are read by one pipeline', () => {
  const fn = (x: Tensor, w: Tensor) => {
    let h = w;
    for (let t = 0; t < 4; t++) h = x.select(0, t).add(h).matmul(w).tanh();
    return h;
  };
  const { plan } = onlyTrace(traceOf(fn, [randomTensor([4, 64, 64], 1), randomTensor([64, 64], 2)]));
  const pipelines = new Set(plan?.kernels.map((k) => k.pipeline));
  expect(pipelines.size).toBeLessThan(plan?.kernels.length ?? 0);
  expect(plan?.kernels.some((k) => k.kernel.offsets.some((bytes) => bytes > 0))).toBe(true);
});
