/** What is chosen by value: against plain JavaScript, on both devices; refused while a trace records. */
import { expect, test } from 'vitest';
import { jit, tensor, zeros, type Tensor } from 'jitlens';
import { whollyOnReference } from '../support/devices.ts';
import { Random } from '../support/random.ts';

const numbers = async (x: Tensor) => [...(await x.data())];
const random = new Random(61);
const values = Array.from({ length: 2000 }, () => random.whole(-3, 3));
const everywhere = async (body: () => Promise<void>): Promise<void> => {
  await body();
  await whollyOnReference(body);
};

test('places of what is not 0', () =>
  everywhere(async () => {
    const x = tensor(Int32Array.from(values)).view([10, 20, 10]);
    const want = values.flatMap((v, i) => (v === 0 ? [] : [Math.floor(i / 200), Math.floor(i / 10) % 20, i % 10]));
    const got = await x.nonzero();
    expect([got.shape, got.dtype]).toEqual([[want.length / 3, 3], 'int32']);
    expect(await numbers(got)).toEqual(want);
    expect((await zeros([4, 5]).nonzero()).shape).toEqual([0, 2]);
    expect((await zeros([0, 5]).nonzero()).shape).toEqual([0, 2]);
    expect((await tensor(3).nonzero()).shape).toEqual([1, 0]);
  }));

test('elements where a mask is true; both broadcast', () =>
  everywhere(async () => {
    const x = tensor(Float32Array.from(values)).view([50, 40]);
    expect(await numbers(await x.maskedSelect(x.gt(1)))).toEqual(values.filter((v) => v > 1));
    const columns = tensor([true, false, true]);
    expect(await numbers(await tensor([[1], [2]]).maskedSelect(columns))).toEqual([1, 1, 2, 2]);
    expect((await x.maskedSelect(x.gt(9))).shape).toEqual([0]);
    await expect(x.maskedSelect(x)).rejects.toMatchObject({ code: 'JLT-DTYPE' });
  }));

test('the gradient of what was chosen', async () => {
  const x = tensor([5, -1, 6, -2]).requiresGrad_();
  const chosen = await x.maskedSelect(x.gt(0));
  chosen
    .mul(tensor([10, 20]))
    .sum()
    .backward();
  expect(x.grad && (await numbers(x.grad))).toEqual([10, 0, 20, 0]);
});

test('values once each, where they are, how often', () =>
  everywhere(async () => {
    const x = tensor(Int32Array.from(values)).view([40, 50]);
    const want = [...new Set(values)].sort((a, b) => a - b);
    expect(await numbers(await x.unique())).toEqual(want);
    const { values: got, inverse, counts } = await x.unique({ returnInverse: true, returnCounts: true });
    expect(await numbers(got)).toEqual(want);
    expect(inverse?.shape).toEqual([40, 50]);
    expect(inverse && (await numbers(inverse))).toEqual(values.map((v) => want.indexOf(v)));
    expect(counts && (await numbers(counts))).toEqual(want.map((w) => values.filter((v) => v === w).length));
    expect(await numbers(await tensor([NaN, 1, NaN, 1]).unique())).toEqual([1, NaN, NaN]);
    expect(await numbers(await zeros([0]).unique())).toEqual([]);
  }));

test.each(['nonzero', 'unique', 'maskedSelect'] as const)('%s is refused while a trace records', async (name) => {
  const x = () => tensor([1, 0, 2]);
  let asked: Promise<unknown> | undefined;
  const run = (t: Tensor) => {
    asked = t[name](t.gt(0));
    asked.catch(() => undefined);
    return t.mul(2);
  };
  jit.trace(run, [x()]);
  await expect(asked).rejects.toMatchObject({ code: 'JL411' });
});
