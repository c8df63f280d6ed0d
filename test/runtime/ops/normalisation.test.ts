/** Normalisation against its definition in float64, large means, running statistics, how many kernels run. */
import { expect, test } from 'vitest';
import { jit, ones, tensor, zeros, type Tensor } from 'jitlens';
import { firstOff } from '../support/compare.ts';
import { launched } from '../support/dispatches.ts';
import { Random } from '../support/random.ts';

const random = new Random(31);
const [N, C, H, W] = [3, 4, 5, 2];
const SHAPE = [N, C, H, W];
const data = random.values(N * C * H * W, 'float32', [-2, 3]);
const weight = random.values(C, 'float32', [0.5, 2]);
const bias = random.values(C, 'float32', [-1, 1]);
const onDevice = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  tensor(Float32Array.from(values)).view(shape);
const numbers = async (x: Tensor) => [...(await x.data())];
const CLOSE = { relative: 2e-5, absolute: 2e-5 };

const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
const spread = (list: readonly number[]) => mean(list.map((x) => (x - mean(list)) ** 2));

/** Elements normalised with those that `key` puts together, then scaled by channel. */
function expected(key: (n: number, c: number, i: number) => string, eps: number, affine = true, values = data): number[] {
  const places = values.map(
    (_, flat) => [Math.floor(flat / (C * H * W)), Math.floor(flat / (H * W)) % C, flat % (H * W)] as const,
  );
  const groups = new Map<string, number[]>();
  places.forEach((at, flat) => groups.set(key(...at), [...(groups.get(key(...at)) ?? []), values[flat] ?? NaN]));
  return places.map((at, flat) => {
    const group = groups.get(key(...at)) ?? [];
    const y = ((values[flat] ?? NaN) - mean(group)) / Math.sqrt(spread(group) + eps);
    return affine ? y * (weight[at[1]] ?? NaN) + (bias[at[1]] ?? NaN) : y;
  });
}

const CASES: readonly [name: string, run: (x: Tensor, w: Tensor, b: Tensor) => Tensor, want: number[]][] = [
  ['batch', (x, w, b) => x.batchNorm({ weight: w, bias: b, training: true }), expected((_n, c) => `${c}`, 1e-5)],
  ['instance', (x, w, b) => x.instanceNorm({ weight: w, bias: b, eps: 1e-3 }), expected((n, c) => `${n} ${c}`, 1e-3)],
  ['group', (x, w, b) => x.groupNorm(2, w, b), expected((n, c) => `${n} ${Math.floor(c / 2)}`, 1e-5)],
  ['layer', (x) => x.layerNorm([C, H, W]), expected((n) => `${n}`, 1e-5, false)],
  ['layer of one dim', (x) => x.layerNorm(W), expected((n, c, i) => `${n} ${c} ${Math.floor(i / W)}`, 1e-5, false)],
];

test.each(CASES)('%s', async (_name, run, want) => {
  const inputs = () => [onDevice(data, SHAPE), onDevice(weight), onDevice(bias)] as [Tensor, Tensor, Tensor];
  for (const got of [run(...inputs()), jit.trace(run, inputs())(...inputs())]) {
    expect(got.shape).toEqual(SHAPE);
    expect(firstOff(await numbers(got), want, CLOSE)).toBeUndefined();
  }
});

test('root mean square', async () => {
  const x = [3, -4, 12, 0, 0, 0];
  const got = onDevice(x, [2, 3]).rmsNorm(3, onDevice([1, 2, -1]), 0.5);
  const root = Math.sqrt(169 / 3 + 0.5);
  expect(firstOff(await numbers(got), [3 / root, -8 / root, -12 / root, 0, 0, 0], CLOSE)).toBeUndefined();
});

test('a mean that is 10,000 times the spread costs no more digits than the inputs have lost', async () => {
  const far = data.map((x) => Math.fround(x + 20000));
  const want = expected((_n, c) => `${c}`, 1e-5, false, far);
  const got = await numbers(onDevice(far, SHAPE).batchNorm({ training: true }));
  expect(firstOff(got, want, { relative: 0, absolute: 3e-3 })).toBeUndefined();
});

test('running statistics move towards the batch, the variance without bias; then they are what is normalised by', async () => {
  const step = (x: Tensor, runningMean: Tensor, runningVar: Tensor) => {
    x.batchNorm({ runningMean, runningVar, training: true, momentum: 0.25 });
    return x.batchNorm({ runningMean, runningVar, weight: onDevice(weight), bias: onDevice(bias), eps: 0.1 });
  };
  const channels = weight.map((_, c) => data.filter((_x, flat) => Math.floor(flat / (H * W)) % C === c));
  const count = N * H * W;
  const means = channels.map((list) => 0.25 * mean(list));
  const variances = channels.map((list) => 0.75 + (0.25 * spread(list) * count) / (count - 1));
  const want = data.map((x, flat) => {
    const c = Math.floor(flat / (H * W)) % C;
    return ((x - (means[c] ?? NaN)) / Math.sqrt((variances[c] ?? NaN) + 0.1)) * (weight[c] ?? NaN) + (bias[c] ?? NaN);
  });
  const inputs = () => [onDevice(data, SHAPE), zeros([C]), ones([C])] as [Tensor, Tensor, Tensor];
  const traced = jit.trace(step, inputs());
  for (const run of [step, traced]) {
    const [x, runningMean, runningVar] = inputs();
    const out = run(x, runningMean, runningVar);
    expect(firstOff(await numbers(out), want, CLOSE)).toBeUndefined();
    expect(firstOff(await numbers(runningMean), means, CLOSE)).toBeUndefined();
    expect(firstOff(await numbers(runningVar), variances, CLOSE)).toBeUndefined();
  }
});

test('few kernels', () => {
  const [x, w, b] = [onDevice(data, SHAPE), onDevice(weight), onDevice(bias)];
  const [wide, narrow] = [ones([W]), zeros([W])];
  expect(launched(() => x.layerNorm(W, wide, narrow))).toBe(6);
  expect(launched(() => x.batchNorm({ weight: w, bias: b, training: true }))).toBe(6);
  expect(launched(() => x.batchNorm({ weight: w, bias: b, runningMean: w, runningVar: w }))).toBe(3);
  expect(launched(() => x.rmsNorm(W, wide))).toBe(3);
});

test.each([
  ['another shape', () => onDevice(data, SHAPE).layerNorm(3)],
  ['groups that do not divide', () => onDevice(data, SHAPE).groupNorm(3)],
  ['channels', () => onDevice(data, SHAPE).batchNorm({ training: true, weight: ones([3]) })],
  ['no statistics', () => onDevice(data, SHAPE).batchNorm()],
  ['one value', () => ones([1, 4]).batchNorm({ training: true })],
  ['no places', () => ones([3, 4]).instanceNorm()],
])('refused: %s', (_name, run) => {
  expect(run).toThrow(expect.objectContaining({ code: 'JL410' }));
});
