/** @file What passes, tracing and errors do by PyTorch's own tests (P16–P30): counts of ops, and values with every pass left out. */
import { jit, manualSeed, nn, ones, randn, tensor, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { everyWay, opsOf, plain, thrown } from '../support/scripts.ts';

const scalar = (x: number) => tensor(x);

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
