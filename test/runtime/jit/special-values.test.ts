/** NaN, infinities and zeros of both signs go through a compiled function as they go through its ops one by one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jit, tensor, zerosLike, type Tensor } from 'jitlens';
import { useGpuSchedules } from '../support/gpu-schedules.ts';

const VALUES = [NaN, Infinity, -Infinity, -0, 0, 1.5, -1.5];

const PROGRAMS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  'times 0': (x) => x.mul(0),
  '0 times, where a mask says so': (x) => x.mul(0).add(x.gt(1)),
  'times what is 0 when it is computed': (x) => x.mul(tensor(2).sub(2)),
  '0 by it': (x) => zerosLike(x).div(x),
  'plus −0': (x) => x.add(-0),
  'times −1, times −1': (x) => x.mul(-1).mul(-1),
  'minus itself': (x) => x.sub(x),
  'by itself': (x) => x.div(x),
  'at least 0': (x) => x.relu(),
  'between −1 and 1': (x) => x.clamp(-1, 1),
  'where it equals itself': (x) => x.eq(x).where(x, -1),
};

describe.each(['software', 'gpu'])('with the schedules of a %s', (kind) => {
  let undo: (() => void) | undefined;
  beforeAll(async () => {
    if (kind === 'gpu') undo = await useGpuSchedules();
  });
  afterAll(() => undo?.());

  test.each(Object.entries(PROGRAMS))('%s', async (_name, fn) => {
    const x = tensor(VALUES);
    const traced = jit.trace(fn, [tensor(VALUES)]);
    const [eager, got] = [await fn(x).data(), await traced(x).data()];
    expect([...got]).toEqual([...eager]);
  });

  test('times 0 is NaN but for what is finite', async () => {
    const traced = jit.trace((x: Tensor) => x.mul(0), [tensor(VALUES)]);
    expect([...(await traced(tensor(VALUES)).data())]).toEqual([NaN, NaN, NaN, -0, 0, 0, -0]);
  });
});
