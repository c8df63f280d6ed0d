/** The graph behind tensors: what is freed, what is kept, what hooks see, and which writes are refused. */
import { describe, expect, it, test } from 'vitest';
import { enableGrad, grad, jit, noGrad, ones, tensor, zeros, type Tensor } from 'jitlens';
import { userFrames } from '../../../runtime/frames.ts';
import { whollyOnReference } from '../support/devices.ts';

const values = async (x: Tensor | undefined) => Array.from((await x?.data()) ?? []);
const leaf = (...xs: number[]) => tensor(xs).requiresGrad_();

/** The message and the line of the error that `body` throws. */
function refusal(body: () => unknown): { message: string; line: number | undefined } {
  try {
    body();
  } catch (error) {
    const { message, place } = error as { message: string; place?: { line: number } };
    return { message, line: place?.line };
  }
  throw new Error('nothing was refused');
}

/** The line of the call, as errors count lines. */
function lineHere(): number {
  return userFrames()[1]?.line ?? NaN;
}

describe('a second backward', () => {
  it('through freed history is refused, and named', () => {
    const y = leaf(1, 2).square().sum();
    y.backward();
    expect(() => y.backward()).toThrow(/a second time through (square|sum)/);
  });

  it('is refused where the two graphs meet, before any gradient changes', async () => {
    const x = leaf(1, 2);
    const shared = x.square();
    shared.sum().backward();
    expect(() => shared.mul(3).sum().backward()).toThrow(/a second time/);
    expect(await values(x.grad)).toEqual([2, 4]);
  });

  it.each([{ retainGraph: true }, { createGraph: true }])('adds up with %j', async (options) => {
    const x = leaf(1, 2);
    const y = x.square().sum();
    y.backward(undefined, options);
    y.backward();
    expect(await values(x.grad)).toEqual([4, 8]);
  });

  it('is refused after grad(), which frees too, unless told otherwise', () => {
    const x = leaf(1, 2);
    const y = x.square().sum();
    grad([y], [x], { retainGraph: true });
    grad([y], [x]);
    expect(() => grad([y], [x])).toThrow(/a second time/);
  });
});

describe('gradients that are left', () => {
  it('are in memory of their own, so that one may be written', async () => {
    const [x, y] = [leaf(1, 2), leaf(3, 4)];
    const seed = tensor([5, 6]);
    x.add(y).backward(seed);
    x.grad?.mul_(10);
    expect(await values(x.grad)).toEqual([50, 60]);
    expect(await values(y.grad)).toEqual([5, 6]);
    expect(await values(seed)).toEqual([5, 6]);
  });

  it('are whole tensors, also those of a sum', async () => {
    const x = leaf(1, 2);
    x.sum().backward();
    x.grad?.add_(tensor([0, 1]));
    expect(await values(x.grad)).toEqual([1, 2]);
  });

  it('do not change a tensor that was given as gradient when more is added', async () => {
    const x = leaf(1);
    const seed = tensor([3]);
    x.mul(1).backward(seed);
    x.mul(1).backward(seed);
    expect([await values(x.grad), await values(seed)]).toEqual([[6], [3]]);
  });

  it('of a tensor that an op made only when they are asked for', async () => {
    const x = leaf(1, 2);
    const [kept, other] = [x.mul(2), x.mul(3)];
    kept.retainGrad();
    kept.mul(other).sum().backward(undefined, { retainGraph: true });
    expect(await values(kept.grad)).toEqual([3, 6]);
    expect(other.grad).toBeUndefined();
    kept.mul(5).sum().backward();
    expect(await values(kept.grad)).toEqual([8, 11]);
  });

  it('are kept for what is there after a write in place', async () => {
    const x = leaf(1, 2);
    const y = x.mul(2);
    y.retainGrad();
    y.mul_(3);
    y.mul(5).sum().backward();
    expect(await values(y.grad)).toEqual([5, 5]);
    expect(await values(x.grad)).toEqual([30, 30]);
  });

  it('are refused where none is wanted, or of another shape', () => {
    expect(() => ones([2]).retainGrad()).toThrow(/not wanted/);
    expect(() => ones([2]).registerHook((g) => g)).toThrow(/not wanted/);
    expect(() =>
      leaf(1, 2)
        .mul(2)
        .backward(ones([3])),
    ).toThrow('backward() of a tensor of shape [2] from a gradient of shape [3]');
    expect(() => zeros([2], { dtype: 'int32' }).requiresGrad_()).toThrow(/int32 has no gradient/);
  });
});

test('grad() walks only between outputs and inputs', async () => {
  const [x, y] = [leaf(2), leaf(3)];
  const seen: string[] = [];
  const note = (name: string, at: Tensor) =>
    at.registerHook(() => {
      seen.push(name);
      return undefined;
    });
  const [a, b] = [x.mul(2), y.mul(3)];
  note('a', a);
  note('b', b);
  const [g, none] = grad([a.mul(b).sum()], [x, leaf(1)]);
  expect(await values(g)).toEqual([18]);
  expect(none).toBeUndefined();
  expect(seen).toEqual(['a']);
});

describe('hooks', () => {
  it('on a leaf see its whole gradient once, and may replace it', async () => {
    const x = leaf(1, 2);
    const seen: Tensor[] = [];
    const handle = x.registerHook((g) => {
      seen.push(g);
      return g.mul(10);
    });
    x.mul(3).add(x.mul(4)).sum().backward();
    expect(await values(x.grad)).toEqual([70, 70]);
    expect(seen).toHaveLength(1);
    expect(await values(seen[0])).toEqual([7, 7]);
    handle.remove();
    x.sum().backward();
    expect(await values(x.grad)).toEqual([71, 71]);
  });

  it('in between change what flows on; what they saw stays readable', async () => {
    const x = leaf(1, 2);
    const y = x.mul(3);
    const seen: Tensor[] = [];
    y.registerHook((g) => {
      seen.push(g);
      return undefined;
    });
    y.registerHook((g) => g.mul(2));
    y.registerHook((g) => {
      seen.push(g);
      return undefined;
    });
    y.square().sum().backward();
    expect(await values(x.grad)).toEqual([36, 72]);
    expect(await Promise.all(seen.map(values))).toEqual([
      [6, 12],
      [12, 24],
    ]);
  });

  it('see the gradient of the value before a later write in place', async () => {
    const x = leaf(1);
    const y = x.mul(2);
    const seen: Tensor[] = [];
    y.registerHook((g) => {
      seen.push(g);
      return undefined;
    });
    y.mul_(5);
    y.sum().backward();
    expect(await values(seen[0])).toEqual([5]);
  });

  it('that give another shape are refused', () => {
    const x = leaf(1, 2);
    x.registerHook((g) => g.sum());
    expect(() => x.mul(2).sum().backward()).toThrow(/a hook gave a gradient of shape \[\] for a tensor of shape \[2\]/);
  });

  it('may themselves be differentiated', async () => {
    const x = leaf(3);
    const y = x.mul(1);
    const handle = y.registerHook((g) => g.mul(x));
    const [g] = grad([y.square().sum()], [x], { createGraph: true });
    handle.remove();
    const [second] = g ? grad([g.sum()], [x]) : [];
    expect([await values(g), await values(second)]).toEqual([[18], [12]]);
  });

  it('are recorded in a trace', async () => {
    const x = leaf(1, 2);
    const step = () => {
      x.grad = undefined;
      const y = x.square();
      y.registerHook((g) => g.mul(7));
      y.sum().backward();
      return y.detach();
    };
    const traced = jit.trace(step, []);
    traced();
    expect(await values(x.grad)).toEqual([14, 28]);
  });
});

describe('leaves', () => {
  it('are what no op made', () => {
    const x = leaf(1);
    expect([x.isLeaf, x.mul(2).isLeaf, ones([1]).isLeaf, ones([1]).mul(2).isLeaf, x.detach().isLeaf]).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  it('refuse writes, through views too, and results refuse to be cut off', async () => {
    const x = leaf(1, 2);
    expect(() => x.mul_(2)).toThrow(/mul_: a tensor whose gradient is wanted/);
    expect(() => x.slice(0, 0, 1).mul_(2)).toThrow(/mul_: a view of a tensor whose gradient is wanted/);
    expect(await values(x)).toEqual([1, 2]);
    expect(() => x.mul(2).requiresGrad_(false)).toThrow(/detach\(\)|an op made/);
    expect(x.requiresGrad_(false).requiresGrad).toBe(false);
  });

  it('a view taken inside noGrad refuses values whose gradient is wanted', async () => {
    const all = zeros([2]);
    const view = noGrad(() => all.slice(0, 0, 1));
    expect(() => view.add_(leaf(1))).toThrow(/inside noGrad/);
    view.add_(4);
    all.detach().slice(0, 1, 2).add_(leaf(5));
    expect(await values(all)).toEqual([4, 5]);
  });

  it('become no part of a view that was taken before their gradient was wanted', () => {
    const x = ones([2]);
    const view = x.slice(0, 0, 1);
    x.requiresGrad_();
    expect(() => view.sum().backward()).toThrow(/depends on nothing/);
  });
});

test('enableGrad records inside noGrad', async () => {
  const x = leaf(2);
  noGrad(() => enableGrad(() => x.square().sum())).backward();
  expect(await values(x.grad)).toEqual([4]);
});

describe('an overwritten value is refused with the line that overwrote it', () => {
  const cases: readonly (readonly [name: string, body: () => { line: number; loss: Tensor }])[] = [
    [
      'an intermediate',
      () => {
        const y = leaf(1, 2).mul(2);
        const loss = y.square().sum();
        y.add_(1);
        const line = lineHere() - 1;
        y.add_(1);
        return { line, loss };
      },
    ],
    [
      'a parameter inside noGrad',
      () => {
        const [x, w] = [leaf(1, 2), leaf(3, 4)];
        const loss = x.mul(w).sum();
        noGrad(() => w.sub_(0.1));
        return { line: lineHere() - 1, loss };
      },
    ],
    [
      'through a view',
      () => {
        const y = leaf(1, 2).mul(2);
        const loss = y.square().sum();
        y.detach().slice(0, 1, 2).mul_(0);
        return { line: lineHere() - 1, loss };
      },
    ],
    [
      'its own operand',
      () => {
        const x = leaf(1, 2);
        const written = ones([2]);
        written.mul_(x);
        return { line: lineHere() - 1, loss: written.sum() };
      },
    ],
    [
      'by a traced function',
      () => {
        const y = leaf(1, 2).mul(2);
        const traced = jit.trace((x: Tensor) => x.add_(1), [zeros([2])]);
        const loss = y.square().sum();
        traced(y.detach());
        return { line: lineHere() - 1, loss };
      },
    ],
  ];
  test.each(cases)('%s', (_name, body) => {
    const { line, loss } = body();
    const { message, line: found } = refusal(() => loss.backward());
    expect(message).toMatch(/the gradient of \w+ needs a tensor that was overwritten in place since, at graph\.test\.ts:\d+/);
    expect(found).toBe(line);
  });

  it('and an op that reads nothing of what was overwritten goes on', async () => {
    const x = leaf(1, 2);
    const y = x.mul(2);
    const z = y.add(1);
    const e = z.exp();
    y.add_(1);
    z.mul_(0);
    e.sum().backward();
    const [a, b] = await values(x.grad);
    expect(a).toBeCloseTo(2 * Math.exp(3), 3);
    expect(b).toBeCloseTo(2 * Math.exp(5), 2);
  });
});

test('the reference device does the same', () =>
  whollyOnReference(async () => {
    const [x, y] = [leaf(1, 2), leaf(3, 4)];
    x.add(y).sum().backward();
    x.grad?.mul_(10);
    expect([await values(x.grad), await values(y.grad)]).toEqual([
      [10, 10],
      [1, 1],
    ]);
  }));
