/** Gradients through traced calls that write in place to what is outside, as normalising over a batch does while it trains. */
import { describe, expect, test } from 'vitest';
import { grad, jit, manualSeed, nn, noGrad, optim, tensor, type Tensor } from 'jitlens';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { launched } from '../support/dispatches.ts';
import { randomTensor } from '../support/random.ts';
import { dispatches, traceOf } from '../support/traces.ts';

class Net extends nn.Module {
  first = new nn.Linear(6, 8);
  norm = new nn.BatchNorm1d(8);
  drop = new nn.Dropout(0.25);
  last = new nn.Linear(8, 2);
  forward(x: Tensor): Tensor {
    return this.last.forward(this.drop.forward(this.norm.forward(this.first.forward(x)).relu()));
  }
}

/** Several calls, then their gradients; gives all that comes of it. */
async function trained(made: (net: Net) => (x: Tensor) => Tensor, rows: readonly number[], first = 0) {
  manualSeed(3);
  const net = new Net();
  const forward = made(net);
  // Tracing is a run, too, which counts.
  noGrad(() => net.norm.runningMean?.copy_(0));
  noGrad(() => net.norm.runningVar?.copy_(1));
  manualSeed(4);
  const inputs = rows.map((n, i) => randomTensor([n, 6], i + 1, 1).requiresGrad_());
  const results = inputs.map((x) => forward(x));
  const losses = results.map((y, i) =>
    y
      .mul(i + 1)
      .square()
      .sum(),
  );
  losses.slice(first).forEach((loss) => loss.backward());
  const trainedOn = [...inputs.slice(first), ...net.parameters()];
  return read([...results, ...net.buffers(), ...trainedOn.map((x) => x.grad ?? tensor([NaN]))]);
}

/** A bias before a norm has the gradient 0: what is left of terms that cancel. */
const CANCELLED = { relative: 1e-4, absolute: 2e-4 };
const traced = (net: Net) => jit.trace(net, [randomTensor([5, 6], 9, 1).requiresGrad_()]);
const eager = (net: Net) => (x: Tensor) => net.forward(x);

describe('a net that normalises over its batch while it trains', () => {
  test.each([
    ['calls as it was traced', [5, 5, 5], 0],
    ['calls of other shapes, recorded as they are made', [5, 7, 7, 6, 6, 6, 8, 8], 0],
    ['a call without gradients before', [5, 7], 1],
  ])('%s', async (_, rows, first) => {
    const want = await onReference(() => trained(eager, rows, first));
    expectSame(await trained(eager, rows, first), want, CANCELLED, 'eager against reference');
    expectSame(await trained(traced, rows, first), want, CANCELLED, 'traced against reference');
    expectSame(await onReference(() => trained(traced, rows, first)), want, CANCELLED, 'traced on the reference device');
  });
});

describe('a buffer that is written, and then computed with', () => {
  const made = () => {
    const buffer = tensor([1, 2, 3]);
    const fn = (x: Tensor) => {
      const y = x.mul(buffer.clone());
      buffer.mul_(2).add_(1);
      return y.add(x.square().mul(buffer));
    };
    return { buffer, fn };
  };

  test('has gradients as eagerly, whoever writes it in between', async () => {
    const run = (by: (x: Tensor) => Tensor, buffer: Tensor) => {
      noGrad(() => buffer.copy_(tensor([1, 2, 3])));
      const [x, z] = [tensor([1, -1, 2]).requiresGrad_(), tensor([3, 1, 1]).requiresGrad_()];
      const [y] = [by(x), by(z)];
      noGrad(() => buffer.copy_(tensor([9, 9, 9])));
      y.sum().backward();
      return read([y, buffer, x.grad ?? y]);
    };
    const { buffer, fn } = made();
    const fast = jit.trace(fn, [tensor([0, 0, 0]).requiresGrad_()]);
    // d/dx of x b + x² (2 b + 1).
    const want = [{ values: [1 + 3, -2 + 5, 6 + 28] }, { values: [9, 9, 9] }, { values: [1 + 6, 2 - 10, 3 + 28] }];
    expect(await run(fast, buffer)).toMatchObject(want);
  });
});

describe('gradients of gradients', () => {
  /** Of y = x³ b and z = x² b, where b is counted up before, which have nothing in common but x. */
  const run = async (how: 'eager' | 'recorded' | 'replayed') => {
    const buffer = tensor([0, 1]);
    const fn = (x: Tensor): [Tensor, Tensor] => {
      noGrad(() => buffer.add_(1));
      return [x.mul(x).mul(x).mul(buffer.clone()), x.mul(x).mul(buffer.clone())];
    };
    const x = tensor([3, 2]).requiresGrad_();
    const example = tensor([1, 1]).requiresGrad_(how === 'replayed');
    const by = how === 'eager' ? fn : jit.trace(fn, [example]);
    noGrad(() => buffer.copy_(tensor([0, 1])));
    const penalties = by(x).map((y) => {
      const [g] = grad([y.sum()], [x], { createGraph: true });
      return (g ?? y).square().sum();
    });
    for (const penalty of penalties) penalty.backward();
    return read([x.grad ?? tensor([NaN, NaN])]);
  };

  test.each(['eager', 'recorded', 'replayed'] as const)('reach the arguments of a call that is %s', async (how) => {
    // 2 · 3 x² b · 6 x b + 2 · 2 x b · 2 b = (36 x³ + 8 x) b², with b of [1, 2].
    const want = [{ values: [36 * 27 + 24, (36 * 8 + 16) * 4] }];
    expect(await run(how)).toMatchObject(want);
  });
});

describe('a call that writes what is trained', () => {
  const trainedBy = async (fn: (w: Tensor, x: Tensor) => Tensor, how: 'eager' | 'traced') => {
    const w = tensor([5, 2]).requiresGrad_();
    const by = (x: Tensor) => fn(w, x);
    const forward = how === 'eager' ? by : jit.trace(by, [tensor([1, 1]).requiresGrad_()]);
    noGrad(() => w.copy_(tensor([5, 2])));
    const runs: Tensor[] = [];
    for (const factor of [1, 2]) {
      const x = tensor([3, 4]).requiresGrad_();
      const y = forward(x);
      y.mul(factor).backward();
      runs.push(...[y, w, w.grad ?? y, x.grad ?? y].map((t) => t.detach().clone()));
    }
    return read(runs);
  };

  test('before it is used has its gradients as it was then', async () => {
    // Weights that are clipped to ±3, as in a critic: dy/dw = 2 w x², dy/dx = 2 w² x.
    const clipped = (w: Tensor, x: Tensor) => {
      noGrad(() => w.clamp_(-3, 3));
      return x.mul(w).square().sum();
    };
    const want = [[145], [3, 2], [54, 64], [54, 32], [145], [3, 2], [54 * 3, 64 * 3], [54 * 2, 32 * 2]];
    for (const how of ['eager', 'traced'] as const) {
      expect(await trainedBy(clipped, how), how).toMatchObject(want.map((values) => ({ values })));
      const there = await onReference(() => trainedBy(clipped, how));
      expect(there, `${how} on the reference device`).toMatchObject(want.map((values) => ({ values })));
    }
  });

  test('after it was used is refused as eagerly', async () => {
    const late = (w: Tensor, x: Tensor) => {
      const y = x.mul(w).square().sum();
      noGrad(() => w.add_(1));
      return y;
    };
    for (const how of ['eager', 'traced'] as const)
      await expect(trainedBy(late, how), how).rejects.toThrow(expect.objectContaining({ code: 'JL407' }));
  });

  test('by a step of its own leaves the gradients that are there', async () => {
    const run = async (how: 'eager' | 'traced') => {
      const w = tensor([1, 2]).requiresGrad_();
      const step = (x: Tensor) => {
        w.grad = undefined;
        x.mul(w).sum().backward();
        noGrad(() => w.sub_(x.mul(0.5)));
        return x.square().mul(w).sum();
      };
      const by = how === 'eager' ? step : jit.trace(step, [tensor([1, 1])]);
      noGrad(() => w.copy_(tensor([1, 2])));
      by(tensor([2, 4]));
      const y = by(tensor([3, 4]));
      w.grad = tensor([100, 100]);
      y.backward();
      return read([w, w.grad]);
    };
    // 1 − (2 + 3) / 2, 2 − (4 + 4) / 2, and 100 + x².
    const want = [{ values: [-1.5, -2] }, { values: [109, 116] }];
    expect(await run('eager')).toMatchObject(want);
    expect(await run('traced')).toMatchObject(want);
  });

  test('and has walked back itself copies nothing for a gradient that nobody can ask for', () => {
    const net = new nn.Linear(3, 2);
    const optimizer = new optim.Adam(net.parameters());
    const step = traceOf(
      (x: Tensor) => {
        optimizer.zeroGrad();
        const y = net.forward(x);
        const loss = y.square().mean();
        loss.backward();
        optimizer.step();
        return { loss, y };
      },
      [randomTensor([4, 3], 1, 1)],
    );
    const x = randomTensor([4, 3], 2, 1);
    step(x);
    expect(launched(() => step(x))).toBe(dispatches(step));
  });

  test('and has walked back itself does not do so again', () => {
    const w = tensor([1, 2]).requiresGrad_();
    const step = (x: Tensor) => {
      w.grad = undefined;
      const loss = x.mul(w).sum();
      loss.backward();
      return loss;
    };
    const fast = jit.trace(step, [tensor([1, 1])]);
    for (const by of [step, fast])
      expect(() => by(tensor([1, 1])).backward()).toThrow(
        expect.objectContaining({ code: 'JLT-GRAD', message: expect.stringContaining('a second time') as string }),
      );
  });
});

describe('a value whose gradient is wanted', () => {
  const state = tensor([0, 0]);
  const w = tensor([2, 3]).requiresGrad_();
  const carried = (x: Tensor) => state.mul_(0.5).add_(x.mul(w));

  test.each([
    [
      'a tensor that the code holds',
      carried,
      /^add_ at gradients.test.ts:\d+ writes .* into a tensor that the code holds, used at/,
    ],
    ['an argument', (x: Tensor, { out }: { out: Tensor }) => out.copy_(x.mul(w)).sum(), /‘arguments\[1\].out’/],
    [
      'a view of an argument',
      (x: Tensor, { out }: { out: Tensor }) => out.select(0, 0).copy_(x.mul(w).sum()),
      /‘arguments\[1\].out’/,
    ],
  ])('is not written into %s, where it would be lost', (_, fn, message) => {
    const args = [tensor([1, 1]), { out: tensor([0, 0]) }] as const;
    expect(() => jit.trace(fn, [...args])).toThrow(
      expect.objectContaining({ code: 'JLT-GRAD', message: expect.stringMatching(message) as string }),
    );
    expect(() => noGrad(() => jit.trace(fn, [...args]))).not.toThrow();
  });

  test('may be written into what the code makes', async () => {
    const fn = (x: Tensor) => x.mul(0).add_(x.mul(w)).sum();
    const x = tensor([1, 4]).requiresGrad_();
    jit
      .trace(fn, [tensor([1, 1]).requiresGrad_()])(x)
      .backward();
    expect(await read([x.grad ?? x])).toMatchObject([{ values: [2, 3] }]);
  });
});
