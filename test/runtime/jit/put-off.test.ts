/** Recording puts ops off: that they run later, or never, can be told by what was launched, and by nothing else. */
import { describe, expect, test } from 'vitest';
import { jit, keep, manualSeed, memory, noGrad, rand, scope, tensor, type Tensor } from 'jitlens';
import type { TraceInfo } from '../../../runtime/jit/trace.ts';
import { EXACT, expectSame, read } from '../support/compare.ts';
import { launched } from '../support/dispatches.ts';

const live = () => memory()?.liveBytes ?? NaN;

/** A function that keeps what it computed on the way. */
function keeping() {
  const kept: Tensor[] = [];
  const fn = (x: Tensor): Tensor => {
    const double = x.mul(2);
    kept.push(double, double.slice(0, 1, 3));
    return double.add(1).sum();
  };
  return { fn, kept: () => kept.splice(0) };
}

const CASES: [string, (x: Tensor) => void][] = [
  ['nothing happens', () => undefined],
  ['the input is written in place', (x) => void x.add_(100)],
  ['a view of the input is written', (x) => void x.slice(0, 0, 2).copy_(tensor([7, 7]))],
  ['the input is disposed of', (x) => x.dispose()],
  ['another trace writes to the input', (x) => void jit.trace((y: Tensor) => y.add_(100), [x])],
];

describe('a tensor that the code keeps', () => {
  test.each(CASES)('has its elements although %s before it is read', async (_, change) => {
    const { fn, kept } = keeping();
    const x = tensor([1, 2, 3, 4]);
    jit.trace(fn, [x]);
    change(x);
    const [double, part] = await read(kept());
    expect(double?.values).toEqual([2, 4, 6, 8]);
    expect(part?.values).toEqual([4, 6]);
  });

  test('has them although a replay writes to what it was computed from', async () => {
    const { fn, kept } = keeping();
    const x = tensor([1, 2, 3, 4]);
    const write = jit.trace((y: Tensor) => y.add_(100), [tensor([0, 0, 0, 0])]);
    jit.trace(fn, [x]);
    write(x);
    expect(await read(kept())).toMatchObject([{ values: [2, 4, 6, 8] }, { values: [4, 6] }]);
  });

  test('is read, written and traced like any other', async () => {
    const { fn, kept } = keeping();
    jit.trace(fn, [tensor([1, 2, 3, 4])]);
    const [double, part] = kept();
    part?.add_(10);
    const traced = jit.trace((y: Tensor) => y.add(double ?? y), [tensor([0, 0, 0, 1])]);
    expect(await read(traced(tensor([0, 0, 0, 1])))).toMatchObject([{ values: [2, 14, 16, 9] }]);
  });

  test('is gone when it is disposed of, and the others are not', async () => {
    const { fn, kept } = keeping();
    jit.trace(fn, [tensor([1, 2, 3, 4])]);
    const [double, part] = kept();
    double?.dispose();
    await expect(part?.data()).rejects.toThrow(/this tensor was disposed of/);
  });
});

test('what was disposed of before it was run takes no memory after it', async () => {
  const before = live();
  const kept: Tensor[] = [];
  const x = tensor([1, 2, 3, 4]);
  const fn = (y: Tensor) => {
    const double = y.mul(2);
    kept.push(double, double.add(1));
    return double.sum();
  };
  noGrad(() => scope(() => jit.trace(fn, [x]).info.compiled.map(() => kept.map(keep))));
  kept[0]?.dispose();
  expect(await read(kept[1])).toMatchObject([{ values: [3, 5, 7, 9] }]);
  for (const y of [x, ...kept]) y.dispose();
  expect(live()).toBe(before);
});

test('an op refuses a tensor that the code disposed of', () => {
  const fn = (x: Tensor) => {
    const y = x.mul(2);
    y.dispose();
    return y.add(1);
  };
  expect(() => jit.trace(fn, [tensor([1, 2])])).toThrow(expect.objectContaining({ code: 'JLT-DISPOSED' }));
});

test('a trace launches nothing and takes no memory, its first call what each call launches', () => {
  const x = rand([64, 64]);
  const before = live();
  const made: { readonly traced?: (x: Tensor) => Tensor; readonly info?: TraceInfo } = {};
  const trace = () => {
    const traced = jit.trace((y: Tensor) => y.exp().sum({ dim: 1, keepdim: true }).log().mul(y.matmul(y)), [x]);
    Object.assign(made, { traced, info: traced.info });
  };
  expect(launched(trace)).toBe(0);
  expect(live()).toBe(before);
  const kernels = () => made.info?.compiled.at(-1)?.plan?.kernels.length;
  expect(launched(() => made.traced?.(x))).toBe(kernels());
  // One more signature: what is called for it is recorded, compiled and run.
  const y = rand([32, 32]);
  expect(launched(() => made.traced?.(y))).toBe(kernels());
});

test('what is let go of is never run', async () => {
  const { fn, kept } = keeping();
  const x = tensor([1, 2, 3, 4]);
  scope(() => {
    const result = jit.trace(fn, [x]);
    kept();
    return result.info.compiled.length;
  });
  expect(launched(() => x.add_(1))).toBe(1);
  expect(await read(x)).toMatchObject([{ values: [2, 3, 4, 5] }]);
});

describe('code that writes to what is outside', () => {
  test('has written once when it is traced, and once more with each call', async () => {
    const count = tensor([0, 0]);
    const fn = (x: Tensor) => {
      const y = x.mul(3);
      count.add_(y);
      return y.add(count);
    };
    const x = tensor([1, 2]);
    const traced = jit.trace(fn, [x]);
    expect(await read(count)).toMatchObject([{ values: [3, 6] }]);
    expect(await read([traced(x), count])).toMatchObject([{ values: [9, 18] }, { values: [6, 12] }]);
    // Recorded for this call: it is the one that writes.
    const y = tensor([1]);
    expect(await read([traced(y), count])).toMatchObject([{ values: [12, 18] }, { values: [9, 15] }]);
  });

  test('draws in its first calls what it would draw uncompiled', async () => {
    const fn = (x: Tensor) => rand([3]).add(x);
    const drawn = async (by: (x: Tensor) => Tensor) => {
      manualSeed(5);
      return read([by(tensor([1, 1, 1])), by(tensor([2, 2, 2])), by(tensor([[1, 2, 3]]))]);
    };
    const traced = jit.trace(fn, [tensor([0, 0, 0])]);
    expectSame(await drawn(traced), await drawn(fn), EXACT, 'traced for each shape against eager');
  });
});

test('gradients that the code leaves are there after tracing, and are those of the last call then', async () => {
  const w = tensor([1, 2]).requiresGrad_();
  const fn = (x: Tensor) => {
    const loss = x.mul(w).square().sum();
    loss.backward();
    return loss;
  };
  const traced = jit.trace(fn, [tensor([1, 1])]);
  expect(await read(w.grad)).toMatchObject([{ values: [2, 4] }]);
  w.grad = undefined;
  traced(tensor([2, 1]));
  expect(await read(w.grad)).toMatchObject([{ values: [8, 4] }]);
});
