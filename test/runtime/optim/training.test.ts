/** @file Training: optimisers against their formulas, a small network that learns, and the same steps traced. */
import { describe, expect, it } from 'vitest';
import { grad, jit, manualSeed, nn, noGrad, optim, randn, range, tensor, type Tensor } from 'jitlens';

const values = async (x: Tensor | undefined) => Array.from((await x?.data()) ?? []);
const near = (actual: readonly number[], expected: readonly number[], by = 1e-6) => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((a, i) => expect(Math.abs(a - (expected[i] ?? NaN))).toBeLessThanOrEqual(by));
};

class Net extends nn.Module {
  readonly first = new nn.Linear(2, 16);
  readonly last = new nn.Linear(16, 1);

  forward(x: Tensor): Tensor {
    return this.last.forward(this.first.forward(x).tanh());
  }
}

/** A network, an optimiser and a step that gives the loss; the same numbers at every call. */
function setting() {
  manualSeed(1);
  const net = new Net();
  const x = randn([32, 2]);
  const y = x.select(1, 0).mul(x.select(1, 1)).view([32, 1]);
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.02 });
  const step = (inputs: Tensor, wanted: Tensor) => {
    optimizer.zeroGrad();
    const loss = net.forward(inputs).sub(wanted).square().mean();
    loss.backward();
    optimizer.step();
    return loss.detach();
  };
  return { net, x, y, step };
}

describe('optimisers', () => {
  it('SGD with momentum and decay', async () => {
    const p = new nn.Parameter(tensor([1, -2]));
    const sgd = new optim.SGD([p], { lr: 0.1, momentum: 0.5, weightDecay: 0.1 });
    let [w, v] = [
      [1, -2],
      [0, 0],
    ];
    for (const _ of range(3)) {
      sgd.zeroGrad();
      p.square().sum().backward();
      sgd.step();
      v = v.map((vi, i) => 0.5 * vi + 2 * (w[i] ?? 0) + 0.1 * (w[i] ?? 0));
      w = w.map((wi, i) => wi - 0.1 * (v[i] ?? 0));
    }
    near(await values(p), w);
  });

  it('Adam', async () => {
    const p = new nn.Parameter(tensor([1, -2]));
    const adam = new optim.Adam([p], { lr: 0.1 });
    let [w, m, v] = [
      [1, -2],
      [0, 0],
      [0, 0],
    ];
    for (let t = 1; t <= 3; t++) {
      adam.zeroGrad();
      p.square().sum().backward();
      adam.step();
      const g = w.map((wi) => 2 * wi);
      m = m.map((mi, i) => 0.9 * mi + 0.1 * (g[i] ?? 0));
      v = v.map((vi, i) => 0.999 * vi + 0.001 * (g[i] ?? 0) ** 2);
      w = w.map((wi, i) => wi - (0.1 * ((m[i] ?? 0) / (1 - 0.9 ** t))) / (Math.sqrt((v[i] ?? 0) / (1 - 0.999 ** t)) + 1e-8));
    }
    near(await values(p), w, 1e-5);
  });
});

describe('a training step', () => {
  it('learns, and traced it takes the same steps with one submit', async () => {
    const [eager, replayed] = [setting(), setting()];
    const fast = jit.trace(replayed.step, [replayed.x, replayed.y]);
    const losses = { eager: [] as number[], traced: [] as number[] };
    await eager.step(eager.x, eager.y).item();
    for (const _ of range(60)) {
      losses.eager.push(await eager.step(eager.x, eager.y).item());
      losses.traced.push(await fast(replayed.x, replayed.y).item());
    }
    near(losses.traced, losses.eager, 1e-4);
    expect(losses.traced.at(-1)).toBeLessThan((losses.traced[0] ?? 0) / 4);
    expect(fast.info.compiled.length).toBe(1);
    for (const [i, p] of eager.net.parameters().entries())
      near(await values(replayed.net.parameters()[i]), await values(p), 1e-3);
    const [p] = replayed.net.parameters();
    near(await values(p?.grad), await values(eager.net.parameters()[0]?.grad), 1e-3);
  });

  it('refuses to add to a gradient from before the trace', () => {
    const p = new nn.Parameter(tensor([1]));
    p.square().sum().backward();
    const step = () => {
      const loss = p.square().sum();
      loss.backward();
      return loss.detach();
    };
    expect(() => jit.trace(step, [])).toThrow(/from before the trace/);
  });
});

describe('a traced call', () => {
  it('lets gradients through to arguments and parameters', async () => {
    const { net, x } = setting();
    const fast = noGrad(() => jit.trace(net, [x]));
    const input = x.detach().requiresGrad_();
    const loss = (out: Tensor) => out.square().mean();
    loss(net.forward(input)).backward();
    const expected = await Promise.all([input, ...net.parameters()].map((p) => values(p.grad)));
    for (const p of [input, ...net.parameters()]) p.grad = undefined;
    for (const _ of range(2)) {
      const got = grad([loss(fast(input))], [input, ...net.parameters()]);
      for (const [i, g] of got.entries()) near(await values(g), expected[i] ?? []);
    }
  });
});
