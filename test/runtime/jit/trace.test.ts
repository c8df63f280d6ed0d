/** Recording: structure and values of results, origins of kernels, what is refused. Spans are tested through the command line. */
import { describe, expect, test } from 'vitest';
import { arange, full, jit, manualSeed, nn, noGrad, ones, rand, tensor, zeros, type Tensor } from 'jitlens';
import { activeRecorder } from '../../../runtime/ops/recorder.ts';
import { EXACT, expectSame, read } from '../support/compare.ts';
import { compared, dispatches, onlyTrace, traceOf } from '../support/traces.ts';

const numbers = async (x: Tensor) => [...(await x.data())];

describe('kernels know their lines', () => {
  test('every line of WGSL that computes something names a recorded node', () => {
    const traced = traceOf((x: Tensor, y: Tensor) => x.matmul(y).add(1).tanh().sum({ dim: 0 }), [ones([4, 5]), ones([5, 6])]);
    const { plan, recorded } = onlyTrace(traced);
    const ids = new Set(recorded.nodes.map((n) => n.id));
    for (const { kernel } of plan?.kernels ?? []) {
      const { wgsl, origins } = kernel.text;
      expect(origins).toHaveLength(wgsl.trimEnd().split('\n').length);
      expect(origins.filter((id) => ids.has(id)).length).toBeGreaterThan(0);
      expect(origins.filter((id) => id !== -1 && !ids.has(id))).toEqual([]);
    }
  });
});

describe('what a trace refuses', () => {
  const x = () => ones([2]);
  class Odd {
    readonly value = 1;
  }
  test.each([
    ['no result', () => undefined, 'JL610'],
    ['a result without tensors', () => [1, 'two', { three: null }], 'JL610'],
    ['an async function', (a: Tensor) => Promise.resolve(a), 'JL610'],
    ['a result of a class', (a: Tensor) => ({ a, odd: new Odd() }), 'JL608'],
    ['a function in the result', (a: Tensor) => [a, () => a], 'JL608'],
  ])('%s', (_name, fn: (a: Tensor) => unknown, code) => {
    expect(() => jit.trace(fn, [x()])).toThrow(expect.objectContaining({ code }));
    expect(activeRecorder()).toBeUndefined();
  });

  test('an argument of a class', () => {
    const fn = (a: Tensor, odd: Odd) => a.mul(odd.value);
    expect(() => jit.trace(fn, [x(), new Odd()])).toThrow(expect.objectContaining({ code: 'JL608' }));
  });

  describe('what is written while something else shares its memory', () => {
    class Scaled extends nn.Module {
      weight = new nn.Parameter(ones([4]));
      forward(a: Tensor, { b }: { b: Tensor }): Tensor {
        const y = a.mul(this.weight).mul(b);
        noGrad(() => b.add_(1));
        return y;
      }
    }
    const written = (a: Tensor, b: Tensor) => a.add_(b);
    const other = (a: Tensor, b: Tensor) => b.add_(10).sum().add(a);
    test.each([
      ['a slice', written, (x: Tensor) => [x.slice(0, 0, 2), x.slice(0, 2)], /‘arguments\[0\]’ at .*, and ‘arguments\[1\]’/],
      ['a view of all', written, (x: Tensor) => [x, x.view([4])], /‘arguments\[0\]’ at .*, and ‘arguments\[1\]’/],
      ['a view, written', other, (x: Tensor) => [x, x.view([4])], /‘arguments\[1\]’ at .*, and ‘arguments\[0\]’/],
      ['the same, detached', written, (x: Tensor) => [x, x.detach()], /‘arguments\[0\]’ at .*, and ‘arguments\[1\]’/],
      ['part of another', written, (x: Tensor) => [x.slice(0, 1), ones([3])], /‘arguments\[0\]’ at .*, and that is a view/],
    ])('%s', (_name, fn, args, message) => {
      const error = expect.objectContaining({ code: 'JL609', message: expect.stringMatching(message) as string }) as Error;
      expect(() => jit.trace(fn, args(zeros([4])) as [Tensor, Tensor])).toThrow(error);
      const traced = jit.trace(fn, [zeros([2]), ones([2])]);
      expect(() => traced(...(args(zeros([4])) as [Tensor, Tensor]))).toThrow(error);
    });

    test('has its name in the module, and the place of the write', () => {
      const net = new Scaled();
      const traced = jit.trace(net, [ones([4]), { b: ones([4]) }]);
      expect(() => traced(ones([4]), { b: net.weight.detach() })).toThrow(
        expect.objectContaining({
          code: 'JL609',
          message: expect.stringMatching(
            /^add_ writes into ‘arguments\[1\]\.b’ at trace\.test\.ts:\d+, and ‘weight’ shares its memory$/,
          ) as string,
        }),
      );
    });
  });

  test('an error of the code itself goes through, and leaves no recorder', () => {
    const fails = () => {
      throw new RangeError('mine');
    };
    expect(() => jit.trace(fails, [])).toThrow(RangeError);
    expect(activeRecorder()).toBeUndefined();
  });
});

describe('values', () => {
  test('nested results come back in their places, plain values too', async () => {
    const fn = (x: Tensor) => ({ sum: x.sum(), parts: [x.add(1), { n: 3, name: 'x', none: null }], flag: true });
    const traced = jit.trace(fn, [ones([2])]);
    const result = traced(tensor([1, 2]));
    expect(result.flag).toBe(true);
    expect(result.parts[1]).toEqual({ n: 3, name: 'x', none: null });
    expectSame(await read(result), await read(fn(tensor([1, 2]))), EXACT, 'tensors');
  });

  test('host data, filled and counted tensors made inside are the same at every call', () =>
    compared(
      (x: Tensor) => [tensor([1, 2, 3]).mul(x), full([3], 2.5).add(x), arange(3).to('float32').sub(x), arange(0, 3, 0.5)],
      () => [tensor([1, 2, 3])],
    ));

  test('a traced function inside another is recorded op by op', async () => {
    const inner = jit.trace((x: Tensor) => x.add(1).mul(2), [ones([3])]);
    const outer = traceOf((x: Tensor) => inner(x).sub(inner(x.neg())), [ones([3])]);
    expect(await numbers(outer(tensor([1, 2, 3])) as Tensor)).toEqual([4, 8, 12]);
    expect(dispatches(outer)).toBe(1);
  });

  test('a module with several methods', async () => {
    class Coder extends nn.Module {
      readonly scale = new nn.Parameter(tensor([4]));
      forward(x: Tensor): Tensor {
        return this.decode(this.encode(x));
      }
      encode(x: Tensor): Tensor {
        return x.mul(this.scale);
      }
      decode(x: Tensor): Tensor {
        return x.div(this.scale).add(1);
      }
    }
    const module = new Coder();
    const { encode, decode } = jit.traceModule(module, { encode: [ones([1])], decode: [ones([1])] });
    const call = (f: typeof encode, x: Tensor) => numbers((f as unknown as (x: Tensor) => Tensor)(x));
    expect(await call(encode, tensor([3]))).toEqual([12]);
    expect(await call(decode, tensor([12]))).toEqual([4]);
    noGrad(() => module.scale.copy_(2));
    expect(await call(encode, tensor([3]))).toEqual([6]);
    expect(() => jit.traceModule(module, { missing: [] } as never)).toThrow(expect.objectContaining({ code: 'JL610' }));
  });

  test('random numbers drawn outside follow the seed', async () => {
    const draw = () => {
      manualSeed(3);
      return rand([5]);
    };
    expect(await numbers(jit.trace((x: Tensor) => x.clone(), [draw()])(draw()))).toEqual(await numbers(draw()));
  });

  test('results that live on are not written by later calls, whose buffers take turns', async () => {
    const step = jit.trace((x: Tensor, y: Tensor) => ({ next: x.add(y), twice: x.mul(2) }), [zeros([3]), ones([3])]);
    const kept: Tensor[] = [];
    const one = ones([3]);
    let x = zeros([3]);
    for (let i = 0; i < 9; i++) {
      const { next, twice } = step(x, one);
      if (i % 3 === 0) kept.push(twice);
      else twice.dispose();
      x = next;
    }
    expect(await numbers(x)).toEqual([9, 9, 9]);
    expect(await Promise.all(kept.map(numbers))).toEqual([0, 6, 12].map((n) => [n, n, n]));
  });

  test('an argument that no kernel reads may be gone', async () => {
    const traced = jit.trace((x: Tensor, _unread: Tensor) => x.neg(), [ones([2]), ones([2])]);
    const gone = ones([2]);
    gone.dispose();
    expect(await numbers(traced(tensor([1, 2]), gone))).toEqual([-1, -2]);
    expect(() => traced(gone, ones([2]))).toThrow(expect.objectContaining({ code: 'JLT-DISPOSED' }));
  });

  test('a hole in an array is an element that is undefined', async () => {
    const fn = (xs: readonly (Tensor | undefined)[]) => {
      const [x, y] = xs;
      return x && y ? x.mul(y) : (x ?? ones([1])).mul(2);
    };
    const a = tensor([3, 4]);
    const traced = jit.trace(fn, [[a, a]]);
    const holed: Tensor[] = [];
    holed[0] = a;
    holed[2] = a;
    expect(await numbers(traced(holed))).toEqual([6, 8]);
    expect(await numbers(traced([a, a]))).toEqual([9, 16]);
  });
});
