/** Data sets and their batches: what is in them, in which order, and that the next ones are made while one is worked on. */
import { describe, expect, expectTypeOf, it, test } from 'vitest';
import { arange, data, manualSeed, tensor, type Tensor } from 'jitlens';

const { DataLoader, TensorDataset, collate, randomSplit } = data;
const numbers = async (x: Tensor | undefined) => [...((await x?.data()) ?? [])];

/** The numbers from 0, as samples. */
const counting = (length: number): data.Dataset<number> => ({ length, get: (i) => i });

async function batches(loader: AsyncIterable<Tensor>): Promise<number[][]> {
  const list: number[][] = [];
  for await (const batch of loader) list.push(await numbers(batch));
  return list;
}

describe('DataLoader', () => {
  it('gives batches in order; the last may be short, or be left out', async () => {
    const loader = new DataLoader(counting(5), { batchSize: 2 });
    expect(loader.length).toBe(3);
    expect(await batches(loader)).toEqual([[0, 1], [2, 3], [4]]);
    const full = new DataLoader(counting(5), { batchSize: 2, dropLast: true });
    expect([full.length, await batches(full)]).toEqual([
      2,
      [
        [0, 1],
        [2, 3],
      ],
    ]);
    expect(await batches(new DataLoader(counting(0), { batchSize: 2 }))).toEqual([]);
  });

  it('shuffles anew in each loop, and the same way from the same seed', async () => {
    const make = () => new DataLoader(counting(20), { batchSize: 6, shuffle: true, seed: 5 });
    const [one, other] = [make(), make()];
    const [first, second] = [await batches(one), await batches(one)];
    expect(first).not.toEqual(second);
    for (const epoch of [first, second]) expect(epoch.flat().sort((a, b) => a - b)).toEqual([...counting20()]);
    expect([await batches(other), await batches(other)]).toEqual([first, second]);
    manualSeed(5);
    expect(await batches(new DataLoader(counting(20), { batchSize: 6, shuffle: true }))).toEqual(first);
    manualSeed(6);
    expect(await batches(new DataLoader(counting(20), { batchSize: 6, shuffle: true }))).not.toEqual(first);
  });

  it.each([0, 1, 3])('makes %d batches ahead', async (prefetch) => {
    const asked: number[] = [];
    const slow: data.Dataset<number> = {
      length: 6,
      get: async (i) => {
        asked.push(i);
        await new Promise((resolve) => setTimeout(resolve, 2));
        return i;
      },
    };
    const most: number[] = [];
    let taken = 0;
    for await (const _ of new DataLoader(slow, { prefetch })) {
      taken++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      most.push(asked.length - taken);
    }
    expect(Math.max(...most)).toBe(prefetch);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('passes an error on when its batch is due, and lets a loop end early', async () => {
    const failing: data.Dataset<number> = { length: 4, get: (i) => (i === 2 ? Promise.reject(new Error('no sample 2')) : i) };
    const seen: number[] = [];
    await expect(async () => {
      for await (const x of new DataLoader(failing)) seen.push(...(await numbers(x)));
    }).rejects.toThrow('no sample 2');
    expect(seen).toEqual([0, 1]);
    for await (const _ of new DataLoader(failing, { prefetch: 3 })) break;
  });

  it('uses a collate function, and the batches of a data set that gives some', async () => {
    const own = new DataLoader(counting(3), { batchSize: 2, collate: (xs) => xs.map((x) => x * 10) });
    const list: number[][] = [];
    for await (const batch of own) list.push(batch);
    expect(list).toEqual([[0, 10], [20]]);
    const set = new TensorDataset(arange(5), arange(10).view([5, 2]));
    for await (const [x, y] of new DataLoader(set, { batchSize: 3 })) {
      expect(await numbers(x)).toEqual([0, 1, 2]);
      expect(y.shape).toEqual([3, 2]);
      break;
    }
  });

  it('refuses sizes that make no sense', () => {
    expect(() => new DataLoader(counting(3), { batchSize: 0 })).toThrow('batches of 0');
    expect(() => new DataLoader(counting(3), { prefetch: -1 })).toThrow('-1 of them ahead');
  });
});

function counting20(): Iterable<number> {
  return Array.from({ length: 20 }, (_, i) => i);
}

test('samples of any form become batches', async () => {
  const samples = [
    { image: tensor([1, 2]), label: 3, name: 'a', box: [new Int32Array([1, 2]), true] as const },
    { image: tensor([3, 4]), label: 0.5, name: 'b', box: [new Int32Array([3, 4]), false] as const },
  ];
  const batch = collate(samples);
  expectTypeOf(batch.image).toEqualTypeOf<Tensor>();
  expectTypeOf(batch.name).toEqualTypeOf<string[]>();
  expectTypeOf(batch.box).toEqualTypeOf<[Tensor, Tensor]>();
  const [boxes, flags] = batch.box;
  expect([batch.image.shape, batch.label.dtype, boxes.dtype, flags.dtype, batch.name]).toEqual([
    [2, 2],
    'float32',
    'int32',
    'bool',
    ['a', 'b'],
  ]);
  expect([await numbers(batch.image), await numbers(batch.label), await numbers(boxes), await numbers(flags)]).toEqual([
    [1, 2, 3, 4],
    [3, 0.5],
    [1, 2, 3, 4],
    [1, 0],
  ]);
  expect(() => collate([new Float32Array(2), new Float32Array(3)])).toThrow('a Float32Array of 2 and a Float32Array of 3 values');
  expect(() => collate([[1], [1, 2]])).toThrow('lists of 1 and 2 values');
});

describe('TensorDataset', () => {
  it('has the rows of its tensors', async () => {
    const set = new TensorDataset(arange(3), arange(6).view([3, 2]));
    expect(set.length).toBe(3);
    expect(await Promise.all(set.get(1).map(numbers))).toEqual([[1], [2, 3]]);
    expect(await Promise.all(set.getBatch(Uint32Array.of(2, 0)).map(numbers))).toEqual([
      [2, 0],
      [4, 5, 0, 1],
    ]);
    expect(() => new TensorDataset(arange(3), arange(4))).toThrow('tensors of shapes [3], [4]');
  });
});

describe('randomSplit', () => {
  it('gives each sample to one part', async () => {
    const parts = randomSplit(counting(10), [7, 3], { seed: 1 });
    const all = parts.map((p) => Array.from({ length: p.length }, (_, i) => p.get(i) as number));
    expect(all.map((p) => p.length)).toEqual([7, 3]);
    expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect(all[0]).not.toEqual([0, 1, 2, 3, 4, 5, 6]);
    const [tensors] = randomSplit(new TensorDataset(arange(10)), [7, 3], { seed: 1 });
    if (!tensors) throw new Error('no part');
    for await (const [x] of new DataLoader(tensors, { batchSize: 7 })) expect(await numbers(x)).toEqual(all[0]);
  });

  it('takes shares, and refuses what does not add up', () => {
    expect(randomSplit(counting(11), [0.5, 0.25, 0.25]).map((p) => p.length)).toEqual([6, 3, 2]);
    expect(() => randomSplit(counting(10), [7, 4])).toThrow('7 + 4 is not 10');
    expect(() => randomSplit(counting(10), [0.5, 0.4])).toThrow('0.5 + 0.4 is not 10');
    expect(() => randomSplit(counting(2), [1, 1])[0]?.get(1)).toThrow('sample 1 of 1');
  });
});
