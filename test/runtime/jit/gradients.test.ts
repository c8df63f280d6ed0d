/** Gradients through traced calls that write in place to what is outside, as normalising over a batch does while it trains. */
import { describe, expect, test } from 'vitest';
import { jit, manualSeed, nn, noGrad, tensor, type Tensor } from 'jitlens';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { randomTensor } from '../support/random.ts';

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

  test('what is trained is not copied at each call: its gradients are refused', () => {
    const w = tensor([1, 2]).requiresGrad_();
    const fn = (x: Tensor) => {
      const y = x.mul(w);
      noGrad(() => w.add_(1));
      return y;
    };
    const fast = jit.trace(fn, [tensor([1, 1])]);
    const y = fast(tensor([1, 1]));
    expect(() => y.sum().backward()).toThrow(expect.objectContaining({ code: 'JLT-GRAD' }));
  });
});
