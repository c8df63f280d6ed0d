/** @file Functions that were traced or frozen, called in scripted code: their ops become part of the program. */
import { jit, nn, ones, tensor, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { alike, opsOf, plain } from '../support/scripts.ts';

const inputs = () => [[tensor([[1, -2]])], [tensor([[3, 0.5]])]];
const example = (): [Tensor] => [ones([1, 2])];

class Layer extends nn.Module {
  readonly inner = new nn.Linear(2, 3);
  forward(x: Tensor): Tensor {
    return this.inner.forward(x).tanh();
  }
}

class Holds extends nn.Module {
  readonly inner = new Layer();
  readonly fast = jit.trace(this.inner, example());
  forward(x: Tensor): Tensor {
    return this.fast(x).neg();
  }
}

const doubled = jit.trace((x: Tensor) => x.mul(2).exp(), example());
const layer = jit.trace(new Layer(), example());
const frozen = await jit.freeze(jit.trace(new Layer().eval(), example()));
const normed = new nn.BatchNorm1d(2);
const norm = jit.trace(normed, [ones([4, 2])]);

describe('a call in scripted code', () => {
  const programs: Record<string, (x: Tensor) => unknown> = {
    'of a traced function': (x) => doubled(x.add(1)).sub(1),
    'of a traced module': (x) => layer(x.mul(2)),
    'of a frozen one': (x) => frozen(x).mul(2),
    'in the arm of a branch': async (x) => ((await x.sum().item()) > 0 ? doubled(x) : x),
  };
  test.each(Object.entries(programs))('%s', async (_, program) => {
    await alike(program, inputs());
  });

  test('of one that a module holds', async () => {
    const module = new Holds();
    await alike((x: Tensor) => module.forward(x), inputs());
  });
});

test('its ops stand in the graph around, and are compiled with it', async () => {
  const scripted = jit.script((x: Tensor) => doubled(x.add(1)));
  await plain(scripted(...example()));
  expect(opsOf(scripted)).toEqual(['add', 'mul', 'exp']);
});

test('a gradient goes through it, and its mode is asked for at each call', async () => {
  const fn = (x: Tensor) => norm(x.mul(2)).sigmoid();
  const scripted = jit.script(fn);
  const run = async (by: typeof fn, training: boolean) => {
    normed.train(training);
    normed.zeroGrad();
    const x = tensor([
      [1, 2],
      [3, -1],
    ]).requiresGrad_();
    const y = by(x);
    if (!training) y.select(1, 0).sum().backward();
    return plain([y, x.grad, normed.weight?.grad]);
  };
  for (const training of [false, true, false]) {
    normed.runningMean?.detach().copy_(0.5);
    const wanted = await run(fn, training);
    normed.runningMean?.detach().copy_(0.5);
    expect(await run(scripted, training)).toEqual(wanted);
  }
});
