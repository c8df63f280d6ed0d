/** Handwritten layers, loops of small ops, come out as one or two kernels, and give what they give eagerly. */
import { expect, test } from 'vitest';
import { manualSeed, rand, randn, range, stack, zeros, type Tensor } from 'jitlens';
import { positions } from '../support/arrange.ts';
import { read } from '../support/compare.ts';
import { compared, dispatches, onlyTrace } from '../support/traces.ts';

type Read = (input: number, ...index: number[]) => number;

const sum = (count: number, term: (i: number) => number) => {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
};

/** `at` is the layer's definition, element by element; the traced layer must give that, in two kernels at most. */
function layer<A extends [Tensor, ...Tensor[]]>(
  name: string,
  forward: (...inputs: A) => Tensor,
  make: () => A,
  shape: readonly number[],
  at: (x: Read, ...index: number[]) => number,
): void {
  test(name, async () => {
    const inputs = () => {
      manualSeed(5);
      return make();
    };
    const traced = await compared(forward, inputs);
    const given = await read(inputs());
    const element: Read = (input, ...index) => {
      const { shape: sizes = [], values = [] } = given[input] ?? {};
      return values[index.reduce((place, n, d) => place * (sizes[d] ?? 1) + n, 0)] ?? NaN;
    };
    const [result] = await read(traced(...inputs()));
    expect(result?.shape).toEqual(shape);
    positions(shape).forEach((index, i) => expect(result?.values[i]).toBeCloseTo(at(element, ...index), 4));
    expect(dispatches(traced)).toBeLessThanOrEqual(2);
  });
}

layer(
  'an average pool that adds up shifted slices',
  (x: Tensor) => {
    let total = zeros([2, 4, 5]);
    for (const dy of range(2)) for (const dx of range(2)) total = total.add(x.slice(1, dy, 8, 2).slice(2, dx, 10, 2));
    return total.div(4);
  },
  () => [rand([2, 8, 10])],
  [2, 4, 5],
  (x, c = 0, i = 0, j = 0) => sum(4, (n) => x(0, c, 2 * i + (n >> 1), 2 * j + (n & 1))) / 4,
);

layer(
  'an average pool that writes each row of its result',
  (x: Tensor) => {
    const result = zeros([6, 4]);
    for (const i of range(6)) {
      const rows = x.slice(0, 2 * i, 2 * i + 2).view([2, 4, 2]);
      result.select(0, i).copy_(rows.mean({ dim: [0, 2] }));
    }
    return result;
  },
  () => [rand([12, 8])],
  [6, 4],
  (x, i = 0, j = 0) => sum(4, (n) => x(0, 2 * i + (n >> 1), 2 * j + (n & 1))) / 4,
);

layer(
  'an average pool that writes each element of its result',
  (x: Tensor) => {
    const result = zeros([3, 4]);
    for (const i of range(3)) {
      for (const j of range(4)) {
        const window = x.slice(0, 2 * i, 2 * i + 2).slice(1, 2 * j, 2 * j + 2);
        result.select(0, i).select(0, j).copy_(window.mean());
      }
    }
    return result;
  },
  () => [rand([6, 8])],
  [3, 4],
  (x, i = 0, j = 0) => sum(4, (n) => x(0, 2 * i + (n >> 1), 2 * j + (n & 1))) / 4,
);

layer(
  'a depthwise convolution that adds to slices in place',
  (x: Tensor, w: Tensor) => {
    const result = zeros([3, 6, 7]);
    for (const c of range(3)) {
      const out = result.select(0, c);
      for (const dy of range(3)) {
        for (const dx of range(3)) {
          const weight = w.select(0, c).select(0, dy).select(0, dx);
          out.add_(
            x
              .select(0, c)
              .slice(0, dy, dy + 6)
              .slice(1, dx, dx + 7)
              .mul(weight),
          );
        }
      }
    }
    return result;
  },
  () => [randn([3, 8, 9]), randn([3, 3, 3])],
  [3, 6, 7],
  (x, c = 0, i = 0, j = 0) => sum(9, (n) => x(0, c, i + Math.floor(n / 3), j + (n % 3)) * x(1, c, Math.floor(n / 3), n % 3)),
);

layer(
  'a depthwise convolution by windows',
  (x: Tensor, w: Tensor) => {
    const result = zeros([3, 6, 7]);
    const windows = x.unfold(3).view([3, 9, 42]);
    for (const c of range(3)) result.select(0, c).add_(w.select(0, c).matmul(windows.select(0, c)).view([6, 7]));
    return result;
  },
  () => [randn([1, 3, 8, 9]), randn([3, 9])],
  [3, 6, 7],
  (x, c = 0, i = 0, j = 0) => sum(9, (n) => x(0, 0, c, i + Math.floor(n / 3), j + (n % 3)) * x(1, c, n)),
);

layer(
  'a loop of 20 dot products, summed',
  (a: Tensor, b: Tensor) => {
    let total = zeros([]);
    for (const i of range(20)) total = total.add(a.select(0, i).dot(b.select(0, i)));
    return total;
  },
  () => [randn([20, 6]), randn([20, 6])],
  [],
  (x) => sum(120, (n) => x(0, Math.floor(n / 6), n % 6) * x(1, Math.floor(n / 6), n % 6)),
);

layer(
  'a loop of 20 dot products, stacked',
  (a: Tensor, b: Tensor) => stack([...range(20)].map((i) => a.select(0, i).dot(b.select(0, i)))),
  () => [randn([20, 6]), randn([20, 6])],
  [20],
  (x, i = 0) => sum(6, (k) => x(0, i, k) * x(1, i, k)),
);

const negated = (count: number) => (x: Tensor) => {
  let y = x;
  for (const i of range(count)) y = i % 2 === 0 ? y.neg() : y.cos();
  return y;
};
const seeded = (): [Tensor] => {
  manualSeed(3);
  return [rand([10])];
};

test('a chain of ops that each read the one before, longer than brackets can stand in each other', async () => {
  expect(dispatches(await compared(negated(128), seeded))).toBe(1);
});

test('a chain of a thousand ops is a few kernels that are quick to compile, not one that is not', async () => {
  const { plan } = onlyTrace(await compared(negated(1000), seeded));
  const groups = plan?.kernels.flatMap((k) => k.sections.map((s) => s.group)) ?? [];
  const sizes = groups.map((g) => g.inside.size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(192);
  expect(sizes).toHaveLength(8);
  expect(groups[0]?.boundary).toMatch(/is long enough/);
});
