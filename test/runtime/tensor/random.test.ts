/** Random numbers: the generator's published answers, and what users may rely on. */
import { describe, expect, test } from 'vitest';
import { full, manualSeed, ones, rand, randint, randintLike, randn, randperm, tensor, type Tensor } from 'jitlens';
import { philox } from '../../../runtime/ops/functions/philox.ts';
import { onReference } from '../support/devices.ts';

const hex = (words: Uint32Array) => [...words].map((w) => w.toString(16).padStart(8, '0'));
const numbers = async (x: Tensor) => [...(await x.data())];

test('Philox 4×32-10 gives the known answer for counter 0 and key 0', () => {
  const out = new Uint32Array(4);
  philox(0, 0, 0, out, 0);
  expect(hex(out)).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']);
});

/** The definition in arithmetic of 64 bits, for keys and counters that the published answers do not have. */
function byDefinition(low: number, high: number, key: number): string[] {
  const mask = 0xffffffffn;
  let c = [BigInt(low), BigInt(high), 0n, 0n];
  let k = [BigInt(key), 0n];
  for (let round = 0; round < 10; round++) {
    const [c0 = 0n, c1 = 0n, c2 = 0n, c3 = 0n] = c;
    const [k0 = 0n, k1 = 0n] = k;
    const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    c = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
  }
  return c.map((x) => x.toString(16).padStart(8, '0'));
}

test.each([
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0xffffffff, 0xffffffff, 0xffffffff],
  [0x243f6a88, 0x85a308d3, 0xa4093822],
])('Philox of counter %d, %d and key %d is its definition', (low, high, key) => {
  const out = new Uint32Array(6);
  philox(low, high, key, out, 1);
  expect(hex(out.subarray(1, 5))).toEqual(byDefinition(low, high, key));
  expect([out[0], out[5]]).toEqual([0, 0]);
});

describe('tensors of random numbers', () => {
  test('follow the seed, on every device', async () => {
    const draw = async () => {
      manualSeed(42);
      return [await numbers(rand([7])), await numbers(randn([3, 3]))];
    };
    const first = await draw();
    expect(await draw()).toEqual(first);
    manualSeed(42);
    expect(await numbers(onReference(() => rand([7])))).toEqual(first[0]);
    manualSeed(43);
    expect(await numbers(rand([7]))).not.toEqual(first[0]);
  });

  test('go on: two draws are two draws', async () => {
    manualSeed(1);
    const [a, b] = [await numbers(rand([8])), await numbers(rand([8]))];
    expect(a).not.toEqual(b);
    expect(new Set([...a, ...b]).size).toBe(16);
  });

  test('are spread as they say', async () => {
    manualSeed(9);
    const uniform = await numbers(rand([100, 100]));
    const mean = (xs: number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    // Five standard errors: 5 · √(1/12 / 10⁴) and 5 · √(1 / 10⁴).
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.0145);
    const normal = await numbers(randn([10001]));
    expect(normal).toHaveLength(10001);
    expect(Math.abs(mean(normal))).toBeLessThan(0.05);
    expect(Math.abs(mean(normal.map((x) => x * x)) - 1)).toBeLessThan(0.0708);
    expect(normal.every(Number.isFinite)).toBe(true);
  });

  test('whole numbers are spread evenly from the lowest to below the highest', async () => {
    manualSeed(4);
    const drawn = await numbers(randint(-2, 5, [7000]));
    const counts = [-2, -1, 0, 1, 2, 3, 4].map((n) => drawn.filter((x) => x === n).length);
    expect(counts.reduce((sum, n) => sum + n)).toBe(7000);
    // Five standard errors of a count: 5 · √(7000 · 1/7 · 6/7).
    for (const n of counts) expect(Math.abs(n - 1000)).toBeLessThan(146);
    expect(randintLike(ones([2]), 0, 3).dtype).toBe('float32');
    expect(() => randint(3, 3, [1])).toThrow(/no whole numbers from 3 to below 3/);
  });

  test('dropout keeps the share it is told, scaled, and nothing changes in use', async () => {
    manualSeed(6);
    const kept = await numbers(ones([10000]).dropout(0.2));
    expect(new Set(kept.map((x) => x.toFixed(4)))).toEqual(new Set(['0.0000', '1.2500']));
    expect(Math.abs(kept.filter((x) => x > 0).length - 8000)).toBeLessThan(200);
    const x = ones([3]);
    expect(x.dropout(0.2, false)).toBe(x);
    expect(() => x.dropout(1.5)).toThrow(/a share of 1.5/);
    const channels = await numbers(ones([50, 4, 3, 3]).dropout2d(0.5));
    for (let c = 0; c < 200; c++) expect(new Set(channels.slice(9 * c, 9 * c + 9)).size).toBe(1);
  });

  test('bernoulli gives ones as often as it is told', async () => {
    manualSeed(8);
    const hits = await numbers(full([10000], 0.3).bernoulli());
    expect(Math.abs(hits.reduce((sum, x) => sum + x) - 3000)).toBeLessThan(230);
  });

  test('a permutation has every number once, in an order of its own', async () => {
    manualSeed(3);
    const [a, b] = [await numbers(randperm(300)), await numbers(randperm(300))];
    const whole = Array.from({ length: 300 }, (_, i) => i);
    expect([...a].sort((x, y) => x - y)).toEqual(whole);
    expect([...b].sort((x, y) => x - y)).toEqual(whole);
    expect(a).not.toEqual(b);
    expect(a.filter((x, i) => x === i).length).toBeLessThan(10);
  });

  test('multinomial draws in proportion to weights', async () => {
    manualSeed(10);
    const weights = tensor([
      [1, 2, 0, 5],
      [0, 0, 3, 0],
    ]);
    const drawn = await numbers(weights.multinomial(4000, true));
    const share = (row: number, place: number) =>
      drawn.slice(4000 * row, 4000 * (row + 1)).filter((x) => x === place).length / 4000;
    // Five standard errors of a share: 5 · √(1/4 / 4000).
    for (const [place, wanted] of [1 / 8, 1 / 4, 0, 5 / 8].entries())
      expect(Math.abs(share(0, place) - wanted)).toBeLessThan(0.04);
    expect(share(0, 2)).toBe(0);
    expect(share(1, 2)).toBe(1);
    const firsts = await numbers(weights.select(0, 0).expand([3000, 4]).multinomial(3));
    const rows = Array.from({ length: 3000 }, (_, i) => firsts.slice(3 * i, 3 * i + 3));
    expect(rows.every((row) => new Set(row).size === 3 && !row.includes(2))).toBe(true);
    expect(Math.abs(rows.filter(([x]) => x === 3).length / 3000 - 5 / 8)).toBeLessThan(0.045);
    expect(() => weights.multinomial(5)).toThrow(/5 of 4 categories/);
  });

  test('the same after the same seed on the reference, normal ones within rounding', async () => {
    manualSeed(12);
    const [a, b] = [await numbers(randn([1000])), await numbers(randint(0, 1000, [100]))];
    manualSeed(12);
    const [c, d] = onReference(() => [numbers(randn([1000])), numbers(randint(0, 1000, [100]))]);
    expect(await d).toEqual(b);
    for (const [i, x] of (await c).entries()) expect(Math.abs((a[i] ?? NaN) - x)).toBeLessThan(1e-6);
  });

  test('of no elements are none', async () => {
    expect(await numbers(rand([0]))).toEqual([]);
    expect(await numbers(randn([3, 0]))).toEqual([]);
  });
});
