/** Whole numbers wrap around in the same way eagerly, in a trace, where a pass computes them, and on the reference device. */
import { expect, test } from 'vitest';
import { full, jit, tensor, type Tensor } from 'jitlens';
import { onReference } from '../support/devices.ts';

/** The low 32 bits of a whole number, by integers of any size. */
const low = (x: bigint, dtype: 'int32' | 'uint32') => Number(dtype === 'int32' ? BigInt.asIntN(32, x) : BigInt.asUintN(32, x));

const LARGE = { int32: [2147483647, -2147483648, 1103515245, -7], uint32: [4294967295, 2147483648, 1103515245, 7] } as const;

test.each(['int32', 'uint32'] as const)('products and powers of %s', async (dtype) => {
  const values = LARGE[dtype].map(BigInt);
  const make = () => tensor([...LARGE[dtype]], { dtype });
  const cases: readonly [(x: Tensor) => Tensor, (x: bigint) => bigint][] = [
    [(x) => x.mul(x), (x) => x * x],
    [(x) => x.mul(1103515245).add(12345), (x) => x * 1103515245n + 12345n],
    [(x) => x.pow(5), (x) => x ** 5n],
    // Nothing of it depends on the argument's elements.
    [(x) => full(x.shape, 1103515245, { dtype }).mul(1103515247).add(x.mul(0)), () => 1103515245n * 1103515247n],
  ];
  for (const [fn, exact] of cases) {
    const want = values.map((x) => low(exact(x), dtype));
    const runs = [fn(make()), jit.trace(fn, [make()])(make()), onReference(() => fn(make()))];
    for (const run of runs) expect([...(await run.data())]).toEqual(want);
  }
});

test('a float beyond a whole type is the nearest of its numbers', async () => {
  const make = () => tensor([3e9, -3e9, 1e20, -1, 2.9]);
  const to = (dtype: 'int32' | 'uint32') => (x: Tensor) => x.to(dtype).to('float32');
  const near = { int32: [2 ** 31, -(2 ** 31), 2 ** 31, -1, 2], uint32: [3e9, 0, 2 ** 32, 0, 2] };
  for (const dtype of ['int32', 'uint32'] as const) {
    const fn = to(dtype);
    for (const run of [fn(make()), jit.trace(fn, [make()])(make()), onReference(() => fn(make()))]) {
      const got = [...(await run.data())];
      // The largest float below is one that a device may take.
      got.forEach((x, i) => expect(Math.abs(x - (near[dtype][i] ?? NaN))).toBeLessThanOrEqual(256));
    }
  }
});
