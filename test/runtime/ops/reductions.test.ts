/** What reductions promise beyond their formulas: which of equal elements, NaN, no elements, PyTorch's defaults. */
import { describe, expect, test } from 'vitest';
import { cat, jit, tensor, zeros, type Tensor } from 'jitlens';

const numbers = async (x: Tensor) => [...(await x.data())];

describe('the first of equal elements, and NaN before all', () => {
  const ties = () => tensor([2, 5, 1, 5, 1]);
  const withNaN = () => cat([tensor([2, 9]), tensor([0, 0]).div(0), tensor([1])]);
  const cases: readonly [name: string, run: (x: Tensor) => Tensor, make: () => Tensor, expected: number][] = [
    ['argmax of ties', (x) => x.argmax(), ties, 1],
    ['argmin of ties', (x) => x.argmin(), ties, 2],
    ['argmax with NaN', (x) => x.argmax(0), withNaN, 2],
    ['argmin with NaN', (x) => x.argmin(0), withNaN, 2],
    ['max with NaN', (x) => x.max(0).values, withNaN, NaN],
    ['amin with NaN', (x) => x.amin(), withNaN, NaN],
    ['indices of max', (x) => x.max(0).indices, ties, 1],
    ['values of min', (x) => x.min(0).values, ties, 1],
    ['max of all', (x) => x.max(), ties, 5],
  ];
  test.each(cases)('%s', async (_name, run, make, expected) => {
    expect(await numbers(run(make()))).toEqual([expected]);
    expect(await numbers(jit.trace(run, [make()])(make()))).toEqual([expected]);
  });
});

test('a mean of no elements, a variance of one', async () => {
  expect(await numbers(zeros([0]).mean())).toEqual([NaN]);
  expect(await numbers(tensor([3]).var())).toEqual([NaN]);
  expect(await numbers(tensor([3]).var({ correction: 0 }))).toEqual([0]);
});

test('the variance is divided by n − 1', async () => {
  // A device's quotient may be off by 2.5 units in the last place.
  expect((await numbers(tensor([1, 2, 3, 4]).var()))[0]).toBeCloseTo(5 / 3, 6);
  expect(await numbers(tensor([1, 2, 3, 4]).var({ correction: 0 }))).toEqual([1.25]);
});

test('scans', async () => {
  expect(await numbers(tensor([1, 2, 3, 4]).cumsum(0))).toEqual([1, 3, 6, 10]);
  expect(await numbers(tensor([1, 2, 3, 4]).cumprod(0))).toEqual([1, 2, 6, 24]);
  const both = (x: Tensor) => x.cumsum(0).mul(2).cumsum(1).sum();
  const x = () =>
    tensor([
      [1, 2],
      [3, 4],
    ]);
  expect(await numbers(jit.trace(both, [x()])(x()))).toEqual(await numbers(both(x())));
});

test('logsumexp of infinities', async () => {
  expect(await numbers(tensor([-1, -1]).div(0).logsumexp(0))).toEqual([-Infinity]);
  expect(
    await numbers(
      tensor([1, 0])
        .div(tensor([0, 1]))
        .logsumexp(0),
    ),
  ).toEqual([Infinity]);
});

test.each([
  [
    [2, 3, 4],
    [12, 8, 6],
  ],
  [
    [2, 0, 4],
    [0, 8, 0],
  ],
  [
    [0, 0, 4],
    [0, 0, 0],
  ],
])('the gradient of the product of %j', async (values, expected) => {
  const x = tensor(values);
  const out = x.prod();
  const [gradient] = (await import('../../../runtime/ops/reduce.ts')).prod.entry.grad?.(tensor(1), out, x) ?? [];
  expect(gradient && (await numbers(gradient))).toEqual(expected);
});

test.each(['amax', 'amin', 'max', 'min', 'argmax', 'argmin'] as const)('%s of nothing is refused', (name) => {
  expect(() => zeros([0])[name]()).toThrow(expect.objectContaining({ code: 'JLT-EMPTY' }));
});

test.each([2, 1, 3, 0.5, Infinity])('the gradient of the %d-norm at 0 is 0', async (p) => {
  const x = tensor([[0, 0], [3, 0]]).requiresGrad_(); // prettier-ignore
  x.norm(p, { dim: 1 }).sum().backward();
  const rounded = x.grad && (await numbers(x.grad)).map((g) => Math.round(g * 1e6) / 1e6);
  expect(rounded).toEqual([0, 0, 1, 0]);
});

test.each([[257], [1000], [4096 + 64], [70_001]])('long scans are those of their parts: %i', async (n) => {
  const x = Int32Array.from({ length: n }, (_, i) => (i * 7919) % 13);
  let total = 0;
  expect(await numbers(tensor(x).cumsum(0))).toEqual([...x].map((v) => (total += v)));
  const signs = Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 3 === 0 ? -1 : 1));
  let sign = 1;
  const out = tensor(signs).view([1, n, 1]).cumprod(1);
  expect(out.isContiguous()).toBe(true);
  expect(await numbers(out)).toEqual([...signs].map((v) => (sign *= v)));
});

test('the gradient of a running product', async () => {
  const cases = [[2, 3, 4], [2, 0, 4], [0, 3, 0, 5], [2, 0, 3, 0]]; // prettier-ignore
  for (const values of cases) {
    const x = tensor(values).requiresGrad_();
    x.cumprod(0).sum().backward();
    // d(Σᵢ x₀…xᵢ) / dxₖ, each product without xₖ.
    const want = values.map((_, k) =>
      values.reduce(
        (sum, __, i) => (i < k ? sum : sum + values.slice(0, i + 1).reduce((p, v, j) => (j === k ? p : p * v), 1)),
        0,
      ),
    );
    expect(x.grad && (await numbers(x.grad))).toEqual(want);
  }
});
