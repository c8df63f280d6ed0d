/** @file What scripted code decides at run time: branches, switches, lengths of loops, and what is seen outside, in its order. */
import { jit, range, stack, tensor, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { everyWay, plain, steps } from '../support/scripts.ts';

const t = (...values: number[]) => tensor(values);

describe('decided at run time', () => {
  const sign = async (x: Tensor) => ((await x.sum().item()) > 0 ? x.mul(2) : x.neg());
  const classify = async (x: Tensor) => {
    const n = Math.round(await x.max().item());
    switch (n) {
      case 1:
        return x.mul(10);
      case 2:
        x = x.add(1);
        break;
      default:
        x = x.sub(5);
    }
    return x;
  };
  const record = async (x: Tensor) => {
    let state = { h: x, count: 0 };
    while ((await state.h.max().item()) < 20) state = { h: state.h.mul(2), count: state.count + 1 };
    return state;
  };
  const pushed = async (x: Tensor) => {
    const outs = [x, x];
    if ((await x.sum().item()) > 0) outs[1] = x.mul(3);
    return stack(outs);
  };
  const raised = async (x: Tensor) => {
    const n = await x.max().item();
    if (n > 100) throw new RangeError(`${n} is too much`);
    return x.div(n);
  };
  const indexed = async (x: Tensor, at: Tensor) => x.select(0, Math.trunc(await at.item()));
  const both = async (x: Tensor) => {
    const [low, high] = await Promise.all([x.min().item(), x.max().item()]);
    return x.sub(low).div(high - low);
  };

  test('choices, switches, records, lists', async () => {
    for (const values of [
      [1, 2],
      [-1, 0.5],
      [0.6, 0.4],
    ] as const) {
      for (const fn of [sign, classify, record, pushed, both]) {
        const x = () => tensor([...values, 0.75]);
        await everyWay(fn, () => [x()], await plain(fn(x())));
      }
    }
    for (const at of [0, 2, -1])
      await everyWay(indexed, () => [t(5, 6, 7), tensor(at, { dtype: 'int32' })], await plain(indexed(t(5, 6, 7), tensor(at))));
  });

  test('an error is thrown as the code throws it, with the line', async () => {
    const scripted = jit.script(raised);
    expect(await plain(scripted(t(2, 4)))).toEqual([0.5, 1]);
    const error: unknown = await scripted(t(200)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: '200 is too much' });
    expect((error as Error).stack).toContain('decided.test.ts');
  });

  test('two cheap arms are a choice on the device, without a read', async () => {
    const scripted = jit.script(sign);
    await scripted(t(1, 2));
    expect(steps(scripted)).toEqual({ segment: 1 });
    const waits = jit.script(sign, { without: ['select'] });
    await waits(t(1, 2));
    expect(waits.info.compiled[0]?.explain()).toContain('waits for the device at decided.test.ts:');
  });
});

describe('effects', () => {
  test('console.log prints in order, with what is known at run time', async () => {
    const { log } = console;
    const printed: unknown[][] = [];
    const fn = async (x: Tensor) => {
      console.log('start', x.rank);
      const n = await x.sum().item();
      if (n > 2) console.log('large', n);
      return x;
    };
    const scripted = jit.script(fn);
    console.log = (...values: unknown[]) => void printed.push(values);
    try {
      await scripted(t(1, 2));
      await scripted(t(1, 0));
    } finally {
      console.log = log;
    }
    expect(printed).toEqual([
      ['start', 1],
      ['large', 3],
      ['start', 1],
    ]);
  });
});

describe('loops whose length is known only at run time', () => {
  const unrolled = async (x: Tensor, n: Tensor) => {
    let h = x;
    const count = await n.item();
    for (let i = 0; i < count; i++) h = h.mul(2).add(i);
    return h;
  };
  test.each([-3, 0, 1, 7, 8, 9, 16, 17])('%i turns', async (count) => {
    await everyWay(unrolled, () => [t(1, 2), tensor(count, { dtype: 'int32' })], await plain(unrolled(t(1, 2), tensor(count))));
  });

  test('what a loop carries keeps its shape', async () => {
    const grows = async (x: Tensor, n: Tensor) => {
      for (const _ of range(await n.item())) x = stack([x, x]);
      return x;
    };
    await expect(async () => jit.script(grows)(t(1), tensor(2))).rejects.toMatchObject({ code: 'JL106' });
    const collects = async (x: Tensor, n: Tensor) => {
      const outs: Tensor[] = [];
      for (const _ of range(await n.item())) outs.push(x);
      return stack(outs);
    };
    await expect(async () => jit.script(collects)(t(1), tensor(2))).rejects.toMatchObject({ code: 'JL106' });
  });
});
