/** @file Control flow that PyTorch's own tests of its compiler fix, with their values (P01–P14): each case eager, scripted, and with every pass left out. */
import { jit, ones, range, tensor, zeros, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { everyWay, plain, steps, thrown } from '../support/scripts.ts';

const scalar = (x: number) => tensor(x);
describe('P01 the three loops of the article', () => {
  const overRange = (x: Tensor) => {
    for (const n of range(0, 5)) x = x.add(n);
    return x;
  };
  const overTuple = (x: Tensor) => {
    for (const n of [0, 1, 2, 3, 4] as const) x = x.add(n);
    return x;
  };
  test('a range and a tuple give 11, and no loop is left', async () => {
    for (const fn of [overRange, overTuple]) {
      await everyWay(fn, () => [ones([3])], [11, 11, 11]);
      const scripted = jit.script(fn);
      scripted(ones([3]));
      expect(steps(scripted)).toEqual({ segment: 1 });
    }
  });
});

describe('P02–P05 counted loops', () => {
  const constant = () => {
    let y = 0;
    for (let i = 0; i < 10; i++) y -= i;
    return y;
  };
  const dynamic = async (count: Tensor) => {
    let y = 0;
    for (const i of range(await count.item())) y -= i;
    return y;
  };
  const onTensors = async (count: Tensor) => {
    let y = tensor(0);
    for (const i of range(await count.item())) y = y.sub(i);
    return y;
  };
  const between = async (ends: Tensor) => {
    const [from, to, step] = await Promise.all([ends.select(0, 0).item(), ends.select(0, 1).item(), ends.select(0, 2).item()]);
    let sum = 0;
    for (const i of range(from, to, step)) sum += i;
    return sum;
  };

  test('P02 a constant count is computed', async () => {
    await everyWay(constant, () => [], -45);
    const scripted = jit.script(constant);
    scripted();
    expect(steps(scripted)).toEqual({});
  });

  test('P03 a count that is read: blocks of eight and the rest', async () => {
    for (const fn of [dynamic, onTensors]) {
      await everyWay(fn, () => [tensor(10, { dtype: 'int32' })], -45);
      const scripted = jit.script(fn);
      for (const count of [0, 1, 7, 8, 9, 16, 100]) {
        const sum = count === 0 ? 0 : (-count * (count - 1)) / 2;
        expect(await plain(scripted(tensor(count, { dtype: 'int32' })))).toBeCloseTo(sum, 6);
      }
      expect(steps(scripted)['loop']).toBe(2);
      const copies = scripted.info.compiled[0]?.explain();
      expect(copies).toContain('8 turns in one');
    }
  });

  test('P04 counts below zero are none', async () => {
    const results = [];
    const scripted = jit.script(dynamic);
    for (const count of [-20, -2, -1, 0, 1, 2]) results.push(-(await scripted(tensor(count, { dtype: 'int32' }))));
    expect(results.map((x) => x + 0)).toEqual([0, 0, 0, 0, 0, 1]);
  });

  test('P05 start, end and step', async () => {
    const cases = [
      [7, 100, 7, 735],
      [7, 100, -7, 0],
      [2, -11, -3, -20],
      [2, -11, 3, 0],
      [2, 10, 3, 15],
      [-2, -10, -10, -2],
    ];
    for (const [from = 0, to = 0, step = 0, sum] of cases)
      await everyWay(between, () => [tensor([from, to, step], { dtype: 'int32' })], sum);
    const ends = () => tensor([1, 5, 0], { dtype: 'int32' });
    for (const fn of [between, jit.script(between)]) expect(await thrown(() => fn(ends()))).toMatchObject({ code: 'JLT-RANGE' });
  });

  test.each([
    [63, 0],
    [64, 1],
    [100, 2],
  ])('%i constant turns leave %i loops', async (count, loops) => {
    const fn = (x: Tensor) => {
      for (const n of range(count)) x = x.add(n);
      return x;
    };
    await everyWay(fn, () => [zeros([2])], Array(2).fill((count * (count - 1)) / 2));
    const scripted = jit.script(fn);
    scripted(zeros([2]));
    expect(steps(scripted)['loop'] ?? 0).toBe(loops);
  });
});

describe('P06–P08 variables that arms set', () => {
  const both = async (a: Tensor, b: Tensor) => {
    let c;
    if ((await a.item()) > 0) c = a.add(b);
    else c = b.add(10);
    return c;
  };
  const preset = async (a: Tensor, b: Tensor) => {
    let c = b.add(2);
    if ((await a.item()) > 5) c = a.add(b);
    return c;
  };
  const oneArm = async (a: Tensor) => {
    let c;
    if ((await a.item()) > 0) c = a.add(1);
    return (c as Tensor).mul(2);
  };
  const types = async (a: Tensor) => {
    let c: number | Tensor;
    if ((await a.item()) > 0) c = 1;
    else c = a;
    return (c as Tensor).add(1);
  };
  const unusedTypes = async (a: Tensor) => {
    let c: number | Tensor = 2;
    if (a.rank > 5) return c;
    if ((await a.item()) > 0) c = 1;
    else c = a;
    return a;
  };

  test('P06 set in both, or before', async () => {
    await everyWay(both, () => [scalar(1), scalar(0)], 1);
    await everyWay(both, () => [scalar(-1), scalar(0)], 10);
    await everyWay(preset, () => [scalar(1), scalar(0)], 2);
    await everyWay(preset, () => [scalar(6), scalar(0)], 6);
  });

  test('P07 set in one arm and used', async () => {
    const error = await thrown(() => jit.script(oneArm)(scalar(1)));
    expect(error).toMatchObject({ code: 'JL105' });
    expect(String(error)).toContain('‘c’');
  });

  test('P08 of another type in each arm: an error only when it is used', async () => {
    expect(await thrown(() => jit.script(types)(scalar(1)))).toMatchObject({ code: 'JL104' });
    await everyWay(unusedTypes, () => [scalar(1)], 1);
  });
});

describe('P09–P11 returns', () => {
  const early = async (x: Tensor) => {
    x = x.add(1);
    if ((await x.item()) > 3) return x.add(1);
    x = x.add(1);
    return x.add(2);
  };
  const nestedWhile = async (x: Tensor) => {
    let i = 0;
    while (i < 10) {
      while ((await x.item()) < 100) {
        if ((await x.item()) > 3) return x.add(1);
        x = x.mul(2);
        if (i > 100) return x;
      }
      i += 1;
    }
    return x;
  };
  const loopReturn = async (a: Tensor, b: Tensor) => {
    let i = 0;
    const n = await a.item();
    while (i < n) {
      if ((await b.item()) === 3) return b.add(a);
      i += 1;
    }
    return b.mul(i);
  };

  test('P09 an early return', async () => {
    for (const [x = 0, y] of [
      [1.5, 5.5],
      [2.5, 4.5],
      [3.5, 5.5],
      [4.5, 6.5],
    ])
      await everyWay(early, () => [scalar(x)], y);
  });

  test('P10 returns out of loops', async () => {
    for (const [x = 0, y] of [
      [2, 5],
      [3, 7],
      [4, 5],
    ])
      await everyWay(nestedWhile, () => [scalar(x)], y);
    for (const [a = 0, b = 0, y] of [
      [3, 3, 6],
      [2, 3, 5],
      [3, 1, 3],
      [0, 1, 0],
    ])
      await everyWay(loopReturn, () => [scalar(a), scalar(b)], y);
  });

  test('P11 a path without a return', async () => {
    const partial = async (x: Tensor): Promise<Tensor | undefined> => {
      if ((await x.item()) > 0) return x;
      return undefined;
    };
    expect(await thrown(() => jit.script(partial)(scalar(1)))).toMatchObject({ code: 'JL105' });
  });
});

describe('P12–P14 break and continue', () => {
  const breaks = async (at: Tensor) => {
    let count = 0;
    const stop = await at.item();
    for (const i of range(5)) {
      count += 1;
      if (i + 1 === stop) break;
    }
    return count;
  };
  const continues = async (at: Tensor) => {
    let count = 0;
    const skip = await at.item();
    for (const i of range(5)) {
      if (i === skip) continue;
      count += 1;
    }
    return count;
  };
  const nested = async (n: Tensor) => {
    const end = await n.item();
    let i = 0;
    let sum = 0;
    let turns = 0;
    while (i < end) {
      i += 1;
      if (i === 3) continue;
      let j = 0;
      for (;;) {
        j += 1;
        turns += 1;
        if (j > i) break;
        if (j === 2) continue;
        sum += j;
      }
      if (i === 7) break;
    }
    return [sum, turns];
  };
  const inTuple = async (x: Tensor) => {
    let sum = zeros([]);
    for (const n of [1, 2, 3, 4] as const) {
      sum = sum.add(n);
      if ((await sum.item()) > (await x.item())) break;
    }
    return sum;
  };
  test('P12 in a counted loop', async () => {
    for (const at of [1, 2, 3]) {
      await everyWay(breaks, () => [scalar(at)], at);
      await everyWay(continues, () => [scalar(at)], 4);
    }
  });

  test('P13 in loops inside loops', async () => {
    const expected = await nested(scalar(10));
    await everyWay(nested, () => [scalar(10)], expected);
    expect(expected).toEqual([68, 31]);
  });

  test('P14 in a loop over a tuple', async () => {
    for (const [limit = 0, sum] of [
      [0, 1],
      [2, 3],
      [5, 6],
      [100, 10],
    ])
      await everyWay(inTuple, () => [scalar(limit)], sum);
  });
});
