/** Elements added up by place, where sources and places are so many that the places are sorted: the same as looking at each. */
import { afterEach, describe, expect, test } from 'vitest';
import { jit, manualSeed, rand, tensor, zeros, type Tensor } from 'jitlens';
import { kernelsOf } from '../support/traces.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';

let leave = () => {};
afterEach(() => {
  leave();
  leave = () => {};
});

const [ENTRIES, FEATURES, COUNT] = [3000, 100, 2000];
/** Some places are named often, some not at all, some are not there. */
const named = (i: number) => (i % 7 === 0 ? 5 : i % 211 === 0 ? -1 - i : i % 223 === 0 ? ENTRIES + i : (i * 7919) % ENTRIES);
const places = (count = COUNT) => tensor(Int32Array.from({ length: count }, (_, i) => named(i)));
const value = (i: number, d: number) => Math.fround(((i * 31 + d * 17) % 64) / 8 - 3);
const sources = (rows: number, columns: number) =>
  tensor(Float32Array.from({ length: rows * columns }, (_, k) => value(Math.floor(k / columns), k % columns))).view([
    rows,
    columns,
  ]);

/** By place and column, in float64. */
function wanted(count = COUNT, columns = FEATURES, at: (i: number, d: number) => number = named): Float64Array {
  const sums = new Float64Array(ENTRIES * columns);
  for (let i = 0; i < count; i++)
    for (let d = 0; d < columns; d++) {
      const place = at(i, d);
      if (place >= 0 && place < ENTRIES) sums[place * columns + d] = (sums[place * columns + d] ?? 0) + value(i, d);
    }
  return sums;
}

const off = (got: ArrayLike<number>, want: Float64Array) =>
  want.findIndex((x, i) => !(Math.abs((got[i] ?? NaN) - x) <= 1e-4 * (1 + Math.abs(x))));

const added = (at: Tensor, x: Tensor) => zeros([ENTRIES, FEATURES]).indexAdd(0, at, x);
const inMiddle = (at: Tensor, x: Tensor) =>
  zeros([4, ENTRIES, FEATURES / 4])
    .indexAdd(1, at, x.view([COUNT, 4, FEATURES / 4]).permute([1, 0, 2]))
    .permute([1, 0, 2])
    .contiguous();
const ofTable = (at: Tensor, x: Tensor) => {
  const table = zeros([ENTRIES, FEATURES]).requiresGrad_();
  const there = at.ge(0).logicalAnd(at.lt(ENTRIES)).unsqueeze(1);
  there
    .where(at.clamp(0, ENTRIES - 1).embedding(table), 0)
    .mul(x)
    .sum()
    .backward();
  return table.grad;
};

describe.each(['as it is', 'made for a GPU'])('%s', (device) => {
  test.each([
    ['rows', added],
    ['a dim in the middle', inMiddle],
    ['the gradient of a table', ofTable],
  ])('%s', async (_what, fn) => {
    if (device !== 'as it is') leave = await useGpuSchedules();
    const inputs = () => [places(), sources(COUNT, FEATURES)] as const;
    const eager = fn(...inputs());
    expect(off((await eager?.data()) ?? [], wanted())).toBe(-1);
    const traced = jit.trace((at: Tensor, x: Tensor) => fn(at, x) ?? x, [...inputs()]);
    expect(off(await traced(...inputs()).data(), wanted())).toBe(-1);
    // Several positions of a thread would be as many loops.
    const adding = kernelsOf(traced).filter((k) => k.name.includes('segment_sum'));
    expect(adding.map((k) => k.kernel.schedule)).toEqual(['thread per element, 256 threads']);
  });
});

test('a place for each element', async () => {
  const columns = 120;
  const at = (i: number, d: number) => (named(i) < 0 ? -1 : (named(i) + 13 * d) % (ENTRIES + 5));
  const index = () =>
    tensor(Int32Array.from({ length: COUNT * columns }, (_, k) => at(Math.floor(k / columns), k % columns))).view([
      COUNT,
      columns,
    ]);
  const got = zeros([ENTRIES, columns]).scatterAdd(0, index(), sources(COUNT, columns));
  expect(off(await got.data(), wanted(COUNT, columns, at))).toBe(-1);
});

test('whole numbers stay exact, and where nothing is named there is 0', async () => {
  const ones = zeros([COUNT, FEATURES])
    .to('int32')
    .add(1 << 20);
  const got = await zeros([ENTRIES, FEATURES]).to('int32').indexAdd(0, places(), ones).data();
  const counts = new Float64Array(ENTRIES);
  for (let i = 0; i < COUNT; i++) if (named(i) >= 0 && named(i) < ENTRIES) counts[named(i)] = (counts[named(i)] ?? 0) + 1;
  expect(Array.from({ length: ENTRIES }, (_, v) => got[v * FEATURES + 7])).toEqual([...counts].map((n) => n * (1 << 20)));
});

test('gradients flow back to the sources, and those that name no place get none', async () => {
  manualSeed(0);
  const x = rand([COUNT, FEATURES]).requiresGrad_();
  const weights = rand([ENTRIES, FEATURES]);
  added(places(), x).mul(weights).sum().backward();
  const [grad, w] = [(await x.grad?.data()) ?? [], await weights.data()];
  const there = (i: number) => named(i) >= 0 && named(i) < ENTRIES;
  const bad = Array.from(grad).findIndex((g, k) => {
    const i = Math.floor(k / FEATURES);
    return g !== (there(i) ? w[named(i) * FEATURES + (k % FEATURES)] : 0);
  });
  expect(bad).toBe(-1);
});

test('of another number of sources, and of none that is there', async () => {
  const traced = jit.trace(added, [places(), sources(COUNT, FEATURES)]);
  for (const count of [COUNT + 1, COUNT + 500, COUNT + 777])
    expect(off(await traced(places(count), sources(count, FEATURES)).data(), wanted(count))).toBe(-1);
  const none = await added(places().mul(0).sub(1), sources(COUNT, FEATURES)).data();
  expect(none.every((x) => x === 0)).toBe(true);
});
