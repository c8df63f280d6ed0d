/** Kernels at the sizes where schedules change: several positions a thread, many workgroups, sums that threads share. */
import { describe, expect, test } from 'vitest';
import { arange, full, jit, range, stack, type Tensor } from 'jitlens';
import { gridOf } from '../../../runtime/device/grid.ts';
import { CLOSE, onlyTrace, traceOf } from '../support/traces.ts';

const numbers = async (x: unknown) => [...(await (x as Tensor).data())];
/** Small whole numbers, so that sums are exact in float32: element i is (7i mod 11) − 5. */
const pattern = (count: number) => Array.from({ length: count }, (_, i) => ((7 * i) % 11) - 5);
const patterned = (shape: readonly [number, number]) =>
  arange(shape[0] * shape[1])
    .mul(7)
    .sub(
      arange(shape[0] * shape[1])
        .mul(7)
        .div(11)
        .floor()
        .mul(11)
        .to('int32'),
    )
    .sub(5)
    .to('float32')
    .view(shape);

function product(rows: number, inner: number, columns: number): number[] {
  const [a, b] = [pattern(rows * inner), pattern(inner * columns)];
  const out: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += (a[i * inner + k] ?? 0) * (b[k * columns + j] ?? 0);
      out.push(sum);
    }
  }
  return out;
}

describe('products large enough for several positions a thread', () => {
  test.each([
    [259, 5, 257, 'no multiple of anything'],
    [1024, 3, 512, 'powers of two'],
    [811, 40, 163, 'a sum that is looped over'],
    [3, 2, 40001, 'few rows'],
    [40001, 2, 3, 'few columns'],
  ])('%d×%d · %d columns: %s', async (rows, inner, columns) => {
    const fn = (a: Tensor, b: Tensor) => a.matmul(b);
    const inputs = (): [Tensor, Tensor] => [patterned([rows, inner]), patterned([inner, columns])];
    const wanted = product(rows, inner, columns);
    const off = (got: readonly number[]) => got.findIndex((x, i) => x !== wanted[i]);
    const traced = traceOf(fn, inputs());
    expect(onlyTrace(traced).plan?.kernels[0]?.kernel.schedule).toMatch(/positions a thread/);
    expect(off(await numbers(traced(...inputs())))).toBe(-1);
    expect(off(await numbers(fn(...inputs())))).toBe(-1);
  });
});

test('positions of a thread that would lie behind the end of a side are not stored into the next matrix', async () => {
  const [batch, rows, inner, columns] = [3, 5, 8, 300] as const;
  const fn = (a: Tensor, b: Tensor) => a.matmul(b);
  const inputs = (): [Tensor, Tensor] => [
    patterned([rows, inner]),
    patterned([batch * inner, columns]).view([batch, inner, columns]),
  ];
  const [a, b] = [pattern(rows * inner), pattern(batch * inner * columns)];
  const wanted = Array.from({ length: batch * rows * columns }, (_, flat) => {
    const [p, i, j] = [Math.floor(flat / (rows * columns)), Math.floor(flat / columns) % rows, flat % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += (a[i * inner + k] ?? 0) * (b[(p * inner + k) * columns + j] ?? 0);
    return sum;
  });
  const traced = traceOf(fn, inputs());
  expect(onlyTrace(traced).plan?.kernels[0]?.kernel.schedule).toMatch(/positions a thread/);
  for (const run of [fn, traced]) {
    const got = await numbers(run(...inputs()));
    expect(got.findIndex((x, i) => x !== wanted[i])).toBe(-1);
  }
});

describe('sums that the threads of a workgroup share', () => {
  test.each([127, 128, 129, 255, 256, 257, 1000, 4099])('of %d terms', async (terms) => {
    const fn = (x: Tensor) => [x.sum({ dim: 1 }), x.amax({ dim: 1 }), x.mul(2).add(1).sum({ dim: 1 }).mul(3)];
    const x = (): [Tensor] => [patterned([3, terms])];
    const rows = [0, 1, 2].map((r) => pattern(3 * terms).slice(r * terms, (r + 1) * terms));
    const sum = (row: readonly number[]) => row.reduce((a, b) => a + b, 0);
    const wanted = [rows.map(sum), rows.map((row) => Math.max(...row)), rows.map((row) => 3 * (2 * sum(row) + terms))];
    const traced = traceOf(fn, x());
    expect(await Promise.all(fn(...x()).map(numbers))).toEqual(wanted);
    expect(await Promise.all((traced(...x()) as Tensor[]).map(numbers))).toEqual(wanted);
  });
});

describe('more workgroups than go in one dim', () => {
  test('are folded into two, which cover them all', () => {
    for (const count of [1, 65535, 65536, 100_000, 131_071, 1_000_003, 65535 * 65535]) {
      const [x, y] = gridOf(count);
      expect(Math.max(x, y)).toBeLessThanOrEqual(65535);
      expect(x * y).toBeGreaterThanOrEqual(count);
      expect(x * y - count).toBeLessThan(65535);
    }
    expect(() => gridOf(65535 * 65535 + 1)).toThrow(expect.objectContaining({ code: 'JLT-SIZE' }));
  });

  test('reach the last element', async () => {
    const count = 65535 * 256 + 1000;
    const traced = jit.trace((x: Tensor) => x.add(1), [full([count], 1)]);
    for (const out of [full([count], 1).add(1), traced(full([count], 1))]) {
      expect(await numbers(out.slice(0, count - 3))).toEqual([2, 2, 2]);
      expect(await numbers(out.slice(0, 0, count, 65535 * 64))).toEqual([2, 2, 2, 2, 2]);
      out.dispose();
    }
  });
});

describe('the text of a kernel does not grow with the turns of a loop', () => {
  const loops: Readonly<Record<string, (turns: number) => (a: Tensor, b: Tensor) => Tensor>> = {
    'products, summed': (turns) => (a, b) =>
      [...range(turns)].map((i) => a.select(0, i).dot(b.select(0, i))).reduce((x, y) => x.add(y)),
    'products, stacked': (turns) => (a, b) => stack([...range(turns)].map((i) => a.select(0, i).dot(b.select(0, i)))),
    'rows, stacked': (turns) => (a, b) => stack([...range(turns)].map((i) => a.select(0, i).mul(2).add(b.select(0, i)))),
  };
  test.each(Object.entries(loops))('%s', (_name, loop) => {
    const lines = (turns: number) => {
      const traced = traceOf(loop(turns), [full([turns, 40], 1), full([turns, 40], 1)]);
      return onlyTrace(traced).plan?.kernels.map((k) => k.kernel.text.wgsl.split('\n').length);
    };
    expect(lines(60)).toEqual(lines(20));
  });
});

test('what is computed does not depend on how it is cut', async () => {
  const fn = (a: Tensor, b: Tensor) => a.matmul(b).tanh().sum({ dim: 0 });
  const inputs = (): [Tensor, Tensor] => [patterned([300, 4]).mul(0.01), patterned([4, 301])];
  const [eager, traced] = [await numbers(fn(...inputs())), await numbers(traceOf(fn, inputs())(...inputs()))];
  const scale = Math.max(...eager.map(Math.abs));
  expect(Math.max(...eager.map((x, i) => Math.abs(x - (traced[i] ?? NaN))))).toBeLessThan(CLOSE.relative * scale);
});
