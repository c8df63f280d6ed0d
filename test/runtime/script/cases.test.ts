/** @file Behaviour that PyTorch's own tests of its compiler fix, with their values: each case eager, scripted, and with every pass left out. */
import { jit, manualSeed, nn, ones, randn, range, tensor, zeros, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { everyWay, opsOf, plain, steps } from '../support/scripts.ts';

const scalar = (x: number) => tensor(x);
const thrown = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
};

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

describe('P16–P20 what passes make of it', () => {
  const cubes = (x: Tensor, y: Tensor) => {
    const a = x.add(y).mul(x.add(y)).mul(x.add(y));
    const b = x.add(y).mul(x.add(y)).mul(x.add(y)).tanh();
    const c = x.add(y).mul(x.add(y)).mul(x.add(y)).tanh();
    return a.add(b).add(c);
  };
  test('P16 equal expressions are computed once', () => {
    const scripted = jit.script(cubes);
    scripted(randn([3]), randn([3]));
    const ops = opsOf(scripted);
    expect(['add', 'mul', 'tanh'].map((name) => ops.filter((op) => op === name).length)).toEqual([3, 2, 1]);
  });

  test('P17 but two that are returned stay two', () => {
    const twice = (x: Tensor) => [x.add(x), x.add(x)] as const;
    const [a, b] = jit.script(twice)(ones([2]));
    expect(a).not.toBe(b);
    expect(a.storage).not.toBe(b.storage);
  });

  test('P18 constants are computed', async () => {
    const constants = (n: number) => 2 * 3 + 2 - n;
    await everyWay(constants, () => [3], 5);
  });

  test('P19 an arm that is never taken may be wrong', async () => {
    const dead = (x: Tensor) => {
      const always = x.rank === 0;
      if (always) return x.add(1);
      throw new Error('never');
    };
    await everyWay(dead, () => [scalar(1)], 2);
  });

  test('P20 random numbers are not constants', async () => {
    const noise = () => randn([4]).add(2);
    const scripted = jit.script(noise);
    const [a, b] = [await plain(scripted()), await plain(scripted())];
    expect(a).not.toEqual(b);
  });
});

describe('P21–P26 writes and merges', () => {
  test('P21 a write that nothing sees goes', async () => {
    const fn = () => {
      const a = ones([2]);
      const b = ones([2]);
      a.add_(1);
      b.add_(1);
      return a;
    };
    await everyWay(fn, () => [], [2, 2]);
  });

  test('P22–P24 sums of products', async () => {
    const tree = (a: Tensor, b: Tensor) =>
      a
        .matmul(b)
        .add(a.matmul(b.mul(2)))
        .add(a.mul(3).matmul(b))
        .add(b.matmul(a));
    const written = (a: Tensor, b: Tensor) => {
      const c = a.clone();
      c.add_(1);
      return a.matmul(b).add(c.matmul(b)).add(b.matmul(a)).add(b.matmul(c));
    };
    const side = (a: Tensor, ...others: Tensor[]) => others.map((t) => a.matmul(t));
    const square = (offset: number) =>
      tensor([
        [1 + offset, 2],
        [3, 4 - offset],
      ]);
    for (const fn of [tree, written]) {
      const expected = await plain(fn(square(0), square(1)));
      await everyWay(fn, () => [square(0), square(1)], expected);
    }
    const operands = () => [0, 1, 2, 3, 4, 5, 6, 7, 8].map(square) as [Tensor, ...Tensor[]];
    await everyWay(side, operands, await plain(side(...operands())));
  });

  test('P25 gates of an LSTM in any order', async () => {
    const cell = (x: Tensor, c: Tensor) => {
      const [i, f, z, o] = x.chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
      const next = f.sigmoid().mul(c).add(i.sigmoid().mul(z.tanh()));
      return [o.sigmoid().mul(next.tanh()), next] as const;
    };
    const scripted = jit.script(cell);
    const traced = jit.trace(cell, [ones([2, 8]), ones([2, 2])]);
    expect(await plain(scripted(ones([2, 8]), ones([2, 2])))).toEqual(await plain(traced(ones([2, 8]), ones([2, 2]))));
  });

  test('P26 writes into what is fresh, and after a read', async () => {
    const fresh = (x: Tensor) => {
      const y = x.mul(2);
      y.add_(1);
      y.add_(1);
      return y;
    };
    const afterRead = (x: Tensor) => {
      const y = x.mul(2);
      const z = y.add(1);
      y.add_(10);
      return [y, z];
    };
    await everyWay(fresh, () => [ones([2])], [4, 4]);
    await everyWay(afterRead, () => [ones([2])], [
      [12, 12],
      [3, 3],
    ]);
    const scripted = jit.script(fresh);
    scripted(ones([2]));
    expect(opsOf(scripted).filter((name) => name.endsWith('_'))).toEqual([]);
  });
});

describe('P28–P29 tracing', () => {
  class Two extends nn.Module {
    readonly weight = new nn.Parameter(tensor([2, 3]));

    forward(x: Tensor): Tensor {
      return this.weight.mul(x);
    }

    twice(x: Tensor): { readonly y: Tensor; readonly n: number } {
      return { y: this.forward(x).mul(2), n: 2 };
    }
  }

  test('P28 dropout draws anew in a trace, the same numbers as eagerly', async () => {
    const fn = (x: Tensor) => x.dropout(0.5, true);
    const runs = async (f: (x: Tensor) => Tensor) => {
      manualSeed(7);
      return [await plain(f(ones([64]))), await plain(f(ones([64])))];
    };
    const traced = jit.trace(fn, [ones([64])]);
    const scripted = jit.script(fn);
    const [first, second] = await runs(fn);
    expect(first).not.toEqual(second);
    expect(await runs(traced)).toEqual([first, second]);
    expect(await runs(scripted)).toEqual([first, second]);
  });

  test('P29 several methods of a module share its parameters; records come back as records', async () => {
    const two = new Two();
    const traced = jit.traceModule(two, { forward: [ones([2])], twice: [ones([2])] });
    two.weight.requiresGrad_(false).mul_(10);
    expect(await plain(traced['forward']?.(...([ones([2])] as never[])))).toEqual([20, 30]);
    expect(await plain(traced['twice']?.(...([ones([2])] as never[])))).toEqual({ y: [40, 60], n: 2 });
    expect(() => jit.traceModule(two, { missing: [] } as never)).toThrow(expect.objectContaining({ code: 'JL610' }));
  });
});

test('P30 an error four calls deep names the line and the chain', async () => {
  const c = (x: Tensor) => x.matmul(x);
  const b = (x: Tensor) => c(x);
  const a = (x: Tensor) => b(x);
  const error = await thrown(() => jit.script(a)(ones([2, 3])));
  expect(error).toMatchObject({ code: 'JL410', place: { function: 'c' } });
  expect(String((error as Error).stack)).toMatch(/at c .*\n.*at b .*\n.*at a /);
});
