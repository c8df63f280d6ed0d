/** Random numbers inside traces: drawn anew at every call, the same as eagerly, and the same again where code runs twice. */
import { describe, expect, test } from 'vitest';
import { grad, jit, manualSeed, nn, ones, rand, randint, randn, tensor, type Tensor } from 'jitlens';
import { CLOSE, kernelsOf, sectionsOf } from '../support/traces.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';

const noisy = (x: Tensor): Tensor => {
  const mask = x.dropout(0.5).add(x.dropout2d(0.25));
  return mask
    .mul(rand([4, 6]))
    .add(randn([4, 6]))
    .sub(randint(-2, 3, [6]));
};

/** The results of `calls` calls after one seed; the first of a trace is the one that is recorded. */
async function after(seed: number, fn: (x: Tensor) => Tensor, calls: number) {
  manualSeed(seed);
  const results: Tensor[] = [];
  for (let i = 0; i < calls; i++) results.push(fn(ones([4, 6])));
  return read(results);
}

describe('random numbers in a trace', () => {
  test('are those of the eager run, call by call, on every device', async () => {
    const eager = await after(5, noisy, 4);
    manualSeed(5);
    const traced = jit.trace(noisy, [ones([4, 6])]);
    const replayed = await read([traced(ones([4, 6])), traced(ones([4, 6])), traced(ones([4, 6]))]);
    expectSame(replayed, eager.slice(1), CLOSE, 'traced');
    expectSame(await onReference(() => after(5, noisy, 4)), eager, CLOSE, 'reference');
    expect(eager[1]?.values).not.toEqual(eager[2]?.values);
  });

  test('are drawn in the kernel that uses them, and counted once a call', () => {
    const traced = jit.trace(noisy, [ones([4, 6])]);
    expect(sectionsOf(traced)).toHaveLength(2);
  });

  const twice = (shape: readonly number[]) => {
    const first = rand(shape);
    manualSeed(8);
    return first.add(rand(shape).mul(4));
  };
  test.each([
    ['side by side, of two generators', [512, 512], twice],
    ['far apart, of one', [515, 517], rand],
  ] as const)('are the same where a thread draws several, %s', async (_what, shape, draw) => {
    const drawn = () => draw(shape);
    const wanted = await onReference(() => {
      manualSeed(7);
      return read(drawn());
    });
    const leave = await useGpuSchedules();
    try {
      const traced = jit.trace(drawn, []);
      manualSeed(7);
      expectSame(await read(traced()), wanted, CLOSE, 'in one thread');
      expect(kernelsOf(traced).map((k) => k.kernel.schedule)).toContainEqual(expect.stringContaining('4 positions a thread'));
    } finally {
      leave();
    }
  });

  test('follow a seed that is set between calls, and inside', async () => {
    const traced = jit.trace((x: Tensor) => x.add(rand([3])), [ones([3])]);
    manualSeed(11);
    const first = await read(traced(ones([3])));
    manualSeed(11);
    expect(await read(traced(ones([3])))).toEqual(first);
    const seeded = jit.trace(
      (x: Tensor) => {
        manualSeed(11);
        return x.add(rand([3]));
      },
      [ones([3])],
    );
    expect(await read(seeded(ones([3])))).toEqual(first);
  });

  test('leave a trace and its eager form with the same generator', async () => {
    const traced = jit.trace((x: Tensor) => x.dropout(0.5), [ones([8])]);
    manualSeed(2);
    ones([8]).dropout(0.5);
    const next = await read(rand([4]));
    manualSeed(2);
    traced(ones([8]));
    expect(await read(rand([4]))).toEqual(next);
  });

  test('gradients through a traced call belong to the numbers that the call drew', async () => {
    const weight = new nn.Parameter(tensor([1, 2, 3, 4, 5, 6]));
    const fn = (x: Tensor) => x.mul(weight).dropout(0.5).mul(2);
    const traced = jit.trace(fn, [ones([4, 6])]);
    for (let call = 0; call < 2; call++) {
      const out = traced(ones([4, 6]));
      rand([3]);
      const [slope] = grad([out], [weight], { gradOutputs: [ones([4, 6])] });
      if (!slope) throw new Error('the weight takes part');
      // Each element of the result is 0 or 4 · weight, so its sum over rows tells which were kept.
      expectSame(await read(slope.mul(weight)), await read(out.sum({ dim: 0 })), CLOSE, `call ${call}`);
    }
  });
});
