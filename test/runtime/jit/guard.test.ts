/** Guards: what a trace took for granted. A call that differs is traced anew, and the record says what differed. */
import { describe, expect, test } from 'vitest';
import { jit, nn, noGrad, ones, tensor, zeros, type Tensor } from 'jitlens';

const numbers = async (x: Tensor) => [...(await x.data())];

describe('a call that differs is traced anew, and recorded', () => {
  const sum = (x: Tensor, y: Tensor) => x.mul(2).add(y);
  const base = (): [Tensor, Tensor] => [ones([2, 3]), ones([2, 3])];
  const shared = (): [Tensor, Tensor] => {
    const x = ones([4, 3]);
    return [x.slice(0, 0, 2), x.slice(0, 2, 4)];
  };
  const twice = (): [Tensor, Tensor] => {
    const x = ones([2, 3]);
    return [x, x];
  };
  test.each([
    ['shape', (): [Tensor, Tensor] => [ones([3, 3]), ones([3, 3])], 'shape of tensor 0', '[2, 3]', '[3, 3]'],
    ['shape of the second', (): [Tensor, Tensor] => [ones([2, 3]), ones([3])], 'shape of tensor 1', '[2, 3]', '[3]'],
    ['dtype', (): [Tensor, Tensor] => [ones([2, 3], { dtype: 'int32' }), ones([2, 3])], 'dtype of tensor 0', 'float32', 'int32'],
    [
      'strides',
      (): [Tensor, Tensor] => [ones([3, 2]).t(), ones([2, 3])],
      'strides of tensor 0',
      '[3, 1] from 0',
      '[1, 2] from 0',
    ],
    ['offset', shared, 'strides of tensor 1', '[3, 1] from 0', '[3, 1] from 6'],
    ['one tensor twice', twice, 'memory of tensor 1', 'shared with tensor 1', 'shared with tensor 0'],
  ])('%s', async (_name, other, guard, was, now) => {
    const traced = jit.trace(sum, base());
    expect(await numbers(traced(...base()))).toEqual(new Array(6).fill(3));
    expect(traced.info.recompiles).toEqual([]);
    const args = other();
    expect(await numbers(traced(...args))).toEqual(await numbers(sum(...args)));
    expect(traced.info.recompiles).toEqual([{ guard, was, now }]);
    expect(traced.info.compiled).toHaveLength(2);
    // Both are kept.
    traced(...base());
    traced(...other());
    expect(traced.info.compiled).toHaveLength(2);
    expect(traced.info.recompiles).toHaveLength(1);
  });

  test.each([
    [{ scale: 2, bias: true }, { scale: 3, bias: true }, 9],
    [{ scale: 2, bias: true }, { scale: 2, bias: false }, 4],
  ])('plain values %j and %j', async (first, second, expected) => {
    const affine = (x: Tensor, { scale, bias }: { scale: number; bias: boolean }) => (bias ? x.mul(scale).add(3) : x.mul(scale));
    const traced = jit.trace(affine, [tensor([2]), first]);
    traced(tensor([2]), first);
    expect(await numbers(traced(tensor([2]), second))).toEqual([expected]);
    expect(traced.info.recompiles.map((r) => r.guard)).toEqual(['structure and plain values of the arguments']);
  });

  test('0 and −0 are two values', async () => {
    const traced = jit.trace((x: Tensor, by: number) => x.div(by), [tensor([1]), 0]);
    expect(await numbers(traced(tensor([1]), 0))).toEqual([Infinity]);
    expect(await numbers(traced(tensor([1]), -0))).toEqual([-Infinity]);
  });

  test('the number of tensors in a list', async () => {
    const total = (xs: Tensor[]) => xs.reduce((a, b) => a.add(b));
    const traced = jit.trace(total, [[ones([2]), ones([2])]]);
    expect(await numbers(traced([ones([2]), ones([2]), ones([2])]))).toEqual([3, 3]);
    expect(traced.info.recompiles).toHaveLength(1);
  });
});

class Moody extends nn.Module {
  readonly inner = new nn.Linear(2, 2, { bias: false });
  forward(x: Tensor): Tensor {
    return this.inner.training ? x.mul(10) : x.add(1);
  }
}

test('training mode, also that of a module inside, is guarded', async () => {
  const module = new Moody();
  const traced = jit.trace(module, [tensor([1])]);
  expect(await numbers(traced(tensor([1])))).toEqual([10]);
  module.inner.eval();
  expect(await numbers(traced(tensor([1])))).toEqual([2]);
  expect(traced.info.recompiles).toEqual([{ guard: 'training mode', was: 'train train', now: 'train eval' }]);
  module.train();
  expect(await numbers(traced(tensor([1])))).toEqual([10]);
  expect(traced.info.compiled).toHaveLength(2);
});

test('the ninth signature runs eagerly', async () => {
  let calls = 0;
  const traced = jit.trace(
    (x: Tensor, by: number) => {
      calls++;
      return x.add(by);
    },
    [zeros([1]), 1],
  );
  for (let n = 2; n <= 8; n++) traced(zeros([1]), n);
  expect([calls, traced.info.compiled.length, traced.info.eagerCalls]).toEqual([8, 8, 0]);
  expect(await numbers(traced(zeros([1]), 9))).toEqual([9]);
  expect(await numbers(traced(zeros([1]), 9))).toEqual([9]);
  expect([calls, traced.info.compiled.length, traced.info.eagerCalls]).toEqual([10, 8, 2]);
  traced(zeros([1]), 3);
  expect(calls).toBe(10);
  const guard = 'structure and plain values of the arguments';
  expect(traced.info.recompiles.at(-1)).toEqual({ guard, was: '[ T 8 ]', now: '[ T 9 ]' });
});

describe('a tensor that the code holds', () => {
  test('may be the example argument too', async () => {
    const held = tensor([1, 2]);
    const traced = jit.trace((x: Tensor) => x.mul(10).add(held), [held]);
    expect(await numbers(traced(held))).toEqual([11, 22]);
    expect(await numbers(traced(tensor([3, 4])))).toEqual([31, 42]);
    expect(traced.info.recompiles).toEqual([
      { guard: 'memory shared with what the code holds', was: 'tensor 0 with captured2', now: 'none' },
    ]);
  });

  test('may share memory with the example argument', async () => {
    const held = tensor([1, 2, 3, 4]);
    const traced = jit.trace((x: Tensor) => x.mul(10).add(held.slice(0, 2)), [held.slice(0, 0, 2)]);
    expect(await numbers(traced(held.slice(0, 0, 2)))).toEqual([13, 24]);
    expect(await numbers(traced(tensor([5, 6])))).toEqual([53, 64]);
  });

  test('may come as an argument later, and is refused when it is written there', async () => {
    const held = tensor([1, 2]);
    const fn = (x: Tensor) => {
      x.add_(10);
      return held.mul(2);
    };
    const traced = jit.trace(fn, [tensor([0, 0])]);
    expect(await numbers(traced(tensor([5, 5])))).toEqual([2, 4]);
    expect(() => traced(held)).toThrow(expect.objectContaining({ code: 'JL609' }));
  });
});

describe('writes', () => {
  test('to an argument happen once in a call, also in one that is traced', async () => {
    const traced = jit.trace((x: Tensor) => x.add_(1).mul(2), [zeros([1])]);
    for (const size of [1, 2, 3, 2]) {
      const x = zeros([size]);
      expect(await numbers(traced(x))).toEqual(new Array(size).fill(2));
      expect(await numbers(x)).toEqual(new Array(size).fill(1));
    }
  });

  test('to a parameter are seen after the call, and by the next one', async () => {
    class Counter extends nn.Module {
      readonly count = new nn.Parameter(zeros([1]));
      forward(x: Tensor): Tensor {
        noGrad(() => this.count.add_(1));
        return x.mul(this.count);
      }
    }
    const module = new Counter();
    const traced = jit.trace(module, [ones([1])]);
    noGrad(() => module.count.copy_(0));
    for (const n of [1, 2, 3]) {
      expect(await numbers(traced(ones([1])))).toEqual([n]);
      expect(await numbers(module.count)).toEqual([n]);
    }
  });

  test('by others between calls are seen', async () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    const traced = jit.trace(layer, [ones([1, 2])]);
    noGrad(() => layer.weight.copy_(3));
    expect(await numbers(traced(ones([1, 2])))).toEqual([6]);
    noGrad(() => layer.weight.copy_(4));
    expect(await numbers(traced(ones([1, 2])))).toEqual([8]);
  });

  test('count as versions of the memory', () => {
    const traced = jit.trace((x: Tensor) => x.add_(1), [zeros([1])]);
    const x = zeros([1]);
    traced(x);
    expect(x.storage.version).toBe(1);
  });
});

test('a parameter that is replaced is seen', async () => {
  class Scale extends nn.Module {
    by = new nn.Parameter(tensor([2]));
    forward(x: Tensor): Tensor {
      return x.mul(this.by);
    }
  }
  const module = new Scale();
  const traced = jit.trace(module, [tensor([1])]);
  expect(await numbers(traced(tensor([1])))).toEqual([2]);
  module.by = new nn.Parameter(tensor([5]));
  expect(await numbers(traced(tensor([1])))).toEqual([5]);
  expect(traced.info.compiled).toHaveLength(2);
  expect(traced.info.recompiles).toEqual([{ guard: 'parameters of the module', was: 'as traced', now: 'another by' }]);
});

test('a module that a traced function only uses is asked anew whether it trains', async () => {
  const drop = new nn.Dropout(0.5);
  const traced = jit.trace((x: Tensor) => drop.forward(x).add(0), [ones([64])]);
  const zeros = async () => [...(await traced(ones([64])).data())].filter((v) => v === 0).length;
  expect(await zeros()).toBeGreaterThan(0);
  drop.eval();
  expect(await zeros()).toBe(0);
  expect(traced.info.recompiles).toEqual([{ guard: 'training mode of a Dropout', was: 'train', now: 'eval' }]);
  drop.train();
  expect(await zeros()).toBeGreaterThan(0);
  expect(traced.info.compiled).toHaveLength(2);
});
