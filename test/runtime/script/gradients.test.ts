/** @file Gradients through scripted code: over branches and loops, once and twice, with state and random numbers. */
import { grad, jit, manualSeed, nn, randn, range, tensor, zeros, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { expectClose, plain } from '../support/scripts.ts';

const leaf = (values: number[]) => tensor(values).requiresGrad_();

const branches = async (x: Tensor) => {
  if ((await x.sum().item()) > 0) return x.mul(x).mul(x);
  return x.exp();
};

const loops = async (x: Tensor) => {
  let y = x.mul(x);
  while ((await y.sum().item()) < 50) y = y.mul(x);
  return y;
};

const counted = async (x: Tensor, count: Tensor) => {
  let y = x;
  for (const i of range(await count.item())) y = y.mul(x).add(i);
  return y;
};

const breaks = async (x: Tensor) => {
  let y = x.mul(1);
  for (const i of range(20)) {
    y = y.mul(x);
    if ((await y.max().item()) > 10) break;
    y = y.add(i);
  }
  return y;
};

/** The value, its gradient, and the gradient of that one's square. */
async function derivatives(fn: (x: Tensor) => unknown, x: Tensor): Promise<unknown> {
  const y = (await fn(x)) as Tensor;
  const [first] = grad([y.sum()], [x], { createGraph: true });
  if (!first) throw new Error('no gradient');
  const [second] = grad([first.mul(first).sum()], [x]);
  return plain([y, first, second]);
}

describe('the same as eagerly, first and second order', () => {
  test.each([
    ['a branch taken', branches, [1, 2]],
    ['a branch not taken', branches, [-1, -2]],
    ['a while loop', loops, [1.5, 2]],
    ['a while loop of no turns', loops, [50, 60]],
    ['a counted loop that is read', (x: Tensor) => counted(x, tensor(9)), [0.5, 1.1]],
    ['a loop that is left', breaks, [1.5, 2]],
  ])('%s', async (_, fn, values) => {
    const scripted = fn === branches || fn === loops || fn === breaks ? jit.script(fn) : scriptedCount(values);
    expectClose(await derivatives(scripted, leaf(values)), await derivatives(fn, leaf(values)));
    expectClose(await derivatives(scripted, leaf(values)), await derivatives(fn, leaf(values)));
  });

  const scriptedCount = (_: unknown) => {
    const scripted = jit.script(counted);
    return (x: Tensor) => scripted(x, tensor(9));
  };
});

class Gated extends nn.Module {
  readonly a = new nn.Linear(3, 3);
  readonly b = new nn.Linear(3, 3);
  readonly norm = new nn.BatchNorm1d(3);
  readonly drop = new nn.Dropout(0.5);

  async forward(x: Tensor): Promise<Tensor> {
    let y = this.norm.forward(this.a.forward(x));
    for (const _ of range(3)) {
      if ((await y.sum().item()) > 1e6) break;
      y = this.drop.forward(this.b.forward(y).relu());
    }
    return y;
  }
}

async function step(module: Gated, forward: (x: Tensor) => Promise<Tensor>): Promise<unknown> {
  manualSeed(3);
  const x = randn([4, 3]).requiresGrad_();
  module.zeroGrad();
  const y = await forward(x);
  y.mul(y).sum().backward();
  return plain([y, x.grad, ...module.parameters().map((p) => p.grad), ...module.buffers()]);
}

test('modules with state and random numbers: parameters get their gradients, buffers change once', async () => {
  manualSeed(1);
  const [eager, compiled] = [new Gated(), new Gated()];
  compiled.loadStateDict(eager.stateDict());
  const scripted = jit.script(compiled);
  for (let i = 0; i < 2; i++) expectClose(await step(compiled, scripted), await step(eager, (x) => eager.forward(x)));
  eager.eval();
  compiled.eval();
  expectClose(await step(compiled, scripted), await step(eager, (x) => eager.forward(x)));
  expect(scripted.info.recompiles.map((r) => r.guard)).toEqual(['training mode']);
});

test('what does not depend on a leaf has no gradient', async () => {
  const fn = async (x: Tensor) => {
    const free = zeros([2]).add(await x.sum().item());
    return [x.mul(2), free, x.detach().mul(3)] as const;
  };
  const [a, b, c] = await jit.script(fn)(leaf([1, 2]));
  expect([a, b, c].map((x) => x.requiresGrad)).toEqual([true, false, false]);
});

test('a gradient needs a buffer as the run wrote it; both calls see what is there then', async () => {
  class Scaled extends nn.Module {
    readonly scale = new nn.Buffer(tensor([1, 2]));
    forward(x: Tensor): Tensor {
      this.scale.mul_(2);
      return x.mul(this.scale);
    }
  }
  const run = async (make: (module: Scaled) => (x: Tensor) => Tensor) => {
    const module = new Scaled();
    const [fn, x] = [make(module), leaf([1, 1])];
    for (const _ of range(2)) fn(x).sum().backward();
    return plain([x.grad, module.scale]);
  };
  const wanted = [
    [6, 12],
    [4, 8],
  ];
  expect(await run((module) => (x) => module.forward(x))).toEqual(wanted);
  expect(await run((module) => jit.script(module))).toEqual(wanted);
});
