/**
 * The functions that WGSL leaves imprecise, over the whole range of float32: within 4 units in the last place of float64.
 * Results and arguments below the smallest normal number are left out: WGSL lets a device take them for 0.
 */
import { describe, expect, test } from 'vitest';
import { full, tensor, type Tensor } from 'jitlens';
import { erf, floorDivide, remainder } from '../../../runtime/ops/functions/reference.ts';
import { Random } from '../support/random.ts';

const LEAST = 2 ** -126;
const COUNT = 60_000;

/** A third of all magnitudes, a third up to some power of two, a third near 1. */
function spread(seed: number): number[] {
  const random = new Random(seed);
  const any = () => (random.next() < 0.5 ? -1 : 1) * (1 + random.next()) * 2 ** random.whole(-126, 127);
  const draw = [any, () => (random.next() - 0.5) * 2 ** random.whole(-12, 12), () => random.next() * 4 - 2];
  return Array.from({ length: COUNT }, (_, i) => Math.fround(draw[i % 3]?.() ?? 0)).filter(Number.isFinite);
}

/** The spacing of float32 numbers about x. */
const unit = (x: number) => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23);

function worst(got: ArrayLike<number>, want: readonly number[], at: (i: number) => string): { units: number; at: string } {
  let result = { units: 0, at: 'nowhere' };
  want.forEach((w, i) => {
    const [g, rounded] = [got[i] ?? 12345, Math.fround(w)];
    if (g === rounded || (Number.isNaN(g) && Number.isNaN(w)) || (Math.abs(w) < LEAST && Math.abs(g) <= LEAST)) return;
    const units = Math.abs(g - w) / unit(Number.isFinite(rounded) ? w : 2 ** 127);
    if (!(units <= result.units)) result = { units, at: `${at(i)}: ${g} instead of ${w}` };
  });
  return result;
}

/** The limit is in units in the last place. */
const FUNCTIONS: readonly [name: string, of: (x: Tensor) => Tensor, wanted: (x: number) => number, limit: number][] = [
  ['exp', (x) => x.exp(), Math.exp, 4],
  ['expm1', (x) => x.expm1(), Math.expm1, 4],
  ['log', (x) => x.log(), Math.log, 4],
  ['log1p', (x) => x.log1p(), Math.log1p, 4],
  ['log2', (x) => x.log2(), Math.log2, 4],
  ['log10', (x) => x.log10(), Math.log10, 4],
  ['sin', (x) => x.sin(), Math.sin, 4],
  ['cos', (x) => x.cos(), Math.cos, 4],
  ['tan', (x) => x.tan(), Math.tan, 6],
  ['asin', (x) => x.asin(), Math.asin, 4],
  ['acos', (x) => x.acos(), Math.acos, 4],
  ['atan', (x) => x.atan(), Math.atan, 4],
  ['sinh', (x) => x.sinh(), Math.sinh, 4],
  ['cosh', (x) => x.cosh(), Math.cosh, 4],
  ['tanh', (x) => x.tanh(), Math.tanh, 4],
  ['sigmoid', (x) => x.sigmoid(), (x) => 1 / (1 + Math.exp(-x)), 4],
  ['erf', (x) => x.erf(), erf, 4],
];

describe('within a few units in the last place', () => {
  const values = spread(1).filter((x) => Math.abs(x) >= LEAST);
  test.each(FUNCTIONS)('%s', async (_name, of, wanted, limit) => {
    const found = worst(await of(tensor(values)).data(), values.map(wanted), (i) => `${values[i]}`);
    expect(found.units, found.at).toBeLessThanOrEqual(limit);
  });

  test('pow', async () => {
    const random = new Random(2);
    const bases = values.map(Math.abs);
    const exponents = bases.map((a, i) =>
      Math.fround((random.next() - 0.5) * (i % 2 ? 20 : 2 * Math.min(126 / Math.abs(Math.log2(a) || 1), 1e6))),
    );
    const got = await tensor(bases).pow(tensor(exponents)).data();
    const at = (i: number) => `${bases[i]} to the ${exponents[i]}`;
    const found = worst(
      got,
      bases.map((a, i) => a ** (exponents[i] ?? 0)),
      at,
    );
    expect(found.units, found.at).toBeLessThanOrEqual(4);
  });

  test.each([
    ['remainder', (a: Tensor, b: Tensor) => a.remainder(b), remainder, 0.5],
    ['floorDivide', (a: Tensor, b: Tensor) => a.floorDivide(b), floorDivide, 3],
    ['atan2', (a: Tensor, b: Tensor) => a.atan2(b), Math.atan2, 4],
  ] as const)('%s', async (_name, of, wanted, limit) => {
    const others = spread(3);
    const pairs = values.map((a, i) => [a, others[i] ?? 1] as const).filter(([, b]) => Math.abs(b) >= 2 ** -100);
    const got = await of(tensor(pairs.map(([a]) => a)), tensor(pairs.map(([, b]) => b))).data();
    const found = worst(
      got,
      pairs.map(([a, b]) => wanted(a, b)),
      (i) => String(pairs[i]),
    );
    expect(found.units, found.at).toBeLessThanOrEqual(limit);
  });
});

describe('not a number', () => {
  const nan = () => tensor([0, 1]).div(tensor([0, 1]));
  const cases: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    relu: (x) => x.relu(),
    clamp: (x) => x.clamp(0, 2),
    'maximum on the left': (x) => x.maximum(-1),
    'maximum on the right': (x) => tensor([-1, 0]).maximum(x),
    'minimum on the left': (x) => x.minimum(5),
    'minimum on the right': (x) => tensor([5, 5]).minimum(x),
    exp: (x) => x.exp(),
    log: (x) => x.log(),
    sin: (x) => x.sin(),
    erf: (x) => x.erf(),
    pow: (x) => x.pow(2),
  };
  test.each(Object.entries(cases))('%s keeps it', async (_name, run) => {
    const [first, second] = await run(nan()).data();
    expect(first).toBeNaN();
    expect(second).not.toBeNaN();
  });
  test('is told apart', async () => {
    const x = tensor([0, 1, -1, 2]).div(tensor([0, 0, 0, 1]));
    expect([...(await x.isnan().data())]).toEqual([1, 0, 0, 0]);
    expect([...(await x.isinf().data())]).toEqual([0, 1, 1, 0]);
    expect([...(await x.isfinite().data())]).toEqual([0, 0, 0, 1]);
  });
});

test.each([
  [[2 ** 20], 0],
  [[64, 2 ** 14], 1],
  [[2 ** 18, 32], 0],
  [[4, 2 ** 18], 1],
] as const)('a sum of many equal numbers: %j over dim %i', async (shape, dim) => {
  const count = shape[dim] ?? 1;
  const [got = NaN] = await full([...shape], 0.1)
    .sum({ dim })
    .data();
  expect(Math.abs(got / (Math.fround(0.1) * count) - 1)).toBeLessThan(1e-5);
});

test('a product of long rows', async () => {
  const [got = NaN] = await full([17, 2 ** 16], 0.1).matmul(full([2 ** 16, 3], 1)).data(); // prettier-ignore
  expect(Math.abs(got / (Math.fround(0.1) * 2 ** 16) - 1)).toBeLessThan(1e-5);
});
