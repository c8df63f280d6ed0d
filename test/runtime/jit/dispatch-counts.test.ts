/**
 * How many kernels and submits a replay costs, on the device's own schedules and on those for a GPU. Bars are exact; where a
 * case is still above what it should be, what it takes today is the limit, so that it does not grow.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jit, manualSeed, nn, noGrad, optim, rand, randint, randn, type Tensor } from 'jitlens';
import { Conv2d } from '../../../extension/samples/conv2d.ts';
import { LSTMCell, RecurrentLayer } from '../../../extension/samples/lstm.ts';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';

type Fn = (...inputs: Tensor[]) => unknown;

/** What the second call of the trace costs: all that is put on the queue until its results are there. */
async function replayed(fn: Fn, inputs: Tensor[]) {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  const { count } = backend.gpu;
  const traced = jit.trace(fn, inputs);
  traced(...inputs);
  await backend.sync();
  const before = { ...count };
  traced(...inputs);
  await backend.sync();
  expect(traced.info.compiled).toHaveLength(1);
  return { dispatches: count.dispatches - before.dispatches, submits: count.submits - before.submits };
}

/** All gradients of the sum of what it gives, from the parameters of `module`. */
const trained =
  (module: nn.Module, forward: (...inputs: Tensor[]) => Tensor): Fn =>
  (...inputs) => {
    module.zeroGrad();
    forward(...inputs)
      .sum()
      .backward();
    return [...module.parameters()].map(({ grad }) => grad);
  };

function convolution() {
  const module = new Conv2d(3, 16, 3);
  return { module, forward: (x: Tensor) => module.forward(x), inputs: [rand([1, 3, 12, 12])] };
}

function recurrent(steps: number, batch: number, size: number) {
  const module = new RecurrentLayer(new LSTMCell(size, size));
  const inputs = [randn([steps, batch, size]), randn([batch, size]), randn([batch, size])];
  return { module, forward: (x: Tensor, h: Tensor, c: Tensor) => module.forward(x, [h, c])[0], inputs };
}

const pointwise = (a: Tensor): Tensor => {
  const c = a.mul(1.5).add(0.25).tanh();
  const g = c.mul(a).sigmoid().sub(0.5).exp();
  return g.mul(c).relu().add(a);
};

describe.each(['software', 'gpu'] as const)('schedules for %s', (kind) => {
  let undo: (() => void) | undefined;
  beforeAll(async () => {
    if (kind === 'gpu') undo = await useGpuSchedules();
    manualSeed(1);
  });
  afterAll(() => undo?.());

  test.each<[string, Fn, () => Tensor[]]>([
    ['a pointwise chain', pointwise, () => [randn([4096])]],
    ['softmax', (x) => x.softmax(-1), () => [randn([64, 128])]],
    [
      'attention of several heads',
      (q, k, v) => {
        const heads = (x: Tensor) => x.unflatten(2, [2, -1]).transpose(1, 2);
        return heads(q).scaledDotProductAttention(heads(k), heads(v), { isCausal: true }).transpose(1, 2).flatten(2);
      },
      () => [randn([2, 33, 16]), randn([2, 33, 16]), randn([2, 33, 16])],
    ],
    [
      'layernorm and gelu',
      (x, g, b) => x.layerNorm([128], g, b).gelu('tanh'),
      () => [randn([64, 128]), randn([128]), randn([128])],
    ],
  ])('%s is one kernel', async (_name, fn, inputs) => {
    expect(await replayed(fn, inputs())).toEqual({ dispatches: 1, submits: 1 });
  });

  test('the handwritten convolution is one or two, and so are all its gradients', async () => {
    const { module, forward, inputs } = convolution();
    for (const fn of [(x: Tensor) => noGrad(() => forward(x)), trained(module, forward)]) {
      const { dispatches, submits } = await replayed(fn, inputs);
      expect(dispatches).toBeLessThanOrEqual(2);
      expect(submits).toBe(1);
    }
  });

  test('LSTM: three steps are a kernel each', async () => {
    const { forward, inputs } = recurrent(3, 4, 32);
    const { dispatches, submits } = await replayed((x, h, c) => noGrad(() => forward(x, h, c)), inputs);
    expect(dispatches).toBe(3);
    expect(submits).toBe(1);
  });

  test('LSTM with its gradients: four for each of three steps, but for two that run beside others', async () => {
    const { module, forward, inputs } = recurrent(3, 4, 32);
    const { dispatches, submits } = await replayed(trained(module, forward), inputs);
    expect(dispatches).toBeLessThanOrEqual(10);
    expect(submits).toBe(1);
  });

  test('an optimiser’s update of parameters of all sizes is one kernel', async () => {
    const parameters = [[40, 30], [30], [1]].map((shape) => new nn.Parameter(rand(shape)));
    const sgd = new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 });
    const step: Fn = (...gradients) => {
      parameters.forEach((p, i) => (p.grad = gradients[i]));
      sgd.step();
      return gradients[0];
    };
    const gradients = parameters.map((p) => rand(p.shape));
    expect(await replayed(step, gradients)).toEqual({ dispatches: 1, submits: 1 });
  });

  test('a training step of three layers with Adam is one submit, of 12 kernels where one can bind 12 tensors', async () => {
    const net = new nn.Sequential(
      new nn.Linear(12, 16),
      new nn.ReLU(),
      new nn.Linear(16, 16),
      new nn.ReLU(),
      new nn.Linear(16, 4),
    );
    const adam = new optim.Adam(net.parameters(), { lr: 1e-3 });
    const step: Fn = (x, y) => {
      adam.zeroGrad();
      const loss = net.forward(x).crossEntropy(y);
      loss.backward();
      adam.step();
      return loss.detach();
    };
    const { dispatches, submits } = await replayed(step, [rand([8, 12]), randint(0, 4, [8])]);
    expect(submits).toBe(1);
    expect(dispatches).toBeLessThanOrEqual(12);
  });
});
