/** Every optimiser against its published formula in float64, over several steps, eager and traced; groups and saved state. */
import { describe, expect, it, test } from 'vitest';
import { jit, nn, ones, optim, tensor, zeros, type Tensor } from 'jitlens';

const numbers = async (x: Tensor | undefined) => [...((await x?.data()) ?? [])];
const START = [1, -2, 0.5];
const WANTED = [0.25, 1, -1];
const STEPS = 6;

/** One number's way: its gradient and how often steps were taken, with memory of its own. */
type Formula = (p: number, g: number, t: number, memory: Record<string, number>) => number;

const zero = (m: Record<string, number>, name: string): number => m[name] ?? 0;

const sgd =
  ({ lr = 0.1, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false }): Formula =>
  (p, gradient, t, m) => {
    const g = gradient + weightDecay * p;
    if (momentum === 0) return p - lr * g;
    m['v'] = t === 1 ? g : momentum * zero(m, 'v') + (1 - dampening) * g;
    return p - lr * (nesterov ? g + momentum * m['v'] : m['v']);
  };

const adam =
  (options: Partial<optim.AdamOptions> & { readonly decoupled?: boolean }): Formula =>
  (p, gradient, t, memory) => {
    const { lr = 0.001, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0, amsgrad, decoupled } = options;
    const g = decoupled ? gradient : gradient + weightDecay * p;
    const m = (memory['m'] = b1 * zero(memory, 'm') + (1 - b1) * g);
    const v = (memory['v'] = b2 * zero(memory, 'v') + (1 - b2) * g * g);
    const most = (memory['most'] = amsgrad ? Math.max(zero(memory, 'most'), v) : v);
    const size = m / (1 - b1 ** t) / (Math.sqrt(most / (1 - b2 ** t)) + eps);
    return (decoupled ? p - lr * weightDecay * p : p) - lr * size;
  };

const rmsprop =
  ({ lr = 0.01, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false }): Formula =>
  (p, gradient, _t, m) => {
    const g = gradient + weightDecay * p;
    const s = (m['s'] = alpha * zero(m, 's') + (1 - alpha) * g * g);
    const mean = (m['mean'] = centered ? alpha * zero(m, 'mean') + (1 - alpha) * g : 0);
    const step = (m['v'] = momentum * zero(m, 'v') + g / (Math.sqrt(s - mean * mean) + eps));
    return p - lr * step;
  };

const adagrad =
  ({ lr = 0.01, lrDecay = 0, weightDecay = 0, initialAccumulatorValue = 0, eps = 1e-10 }): Formula =>
  (p, gradient, t, m) => {
    const g = gradient + weightDecay * p;
    const s = (m['s'] = (m['s'] ?? initialAccumulatorValue) + g * g);
    return p - (lr / (1 + (t - 1) * lrDecay)) * (g / (Math.sqrt(s) + eps));
  };

type Make = (params: readonly Tensor[]) => optim.Optimizer;

function cases(): [name: string, make: Make, formula: Formula][] {
  const list: [string, Make, Formula][] = [];
  const add = <O extends object>(
    name: string,
    all: readonly O[],
    make: (p: readonly Tensor[], o: O) => unknown,
    by: (o: O) => Formula,
  ) => {
    for (const o of all) list.push([`${name} ${JSON.stringify(o)}`, (p) => make(p, o) as optim.Optimizer, by(o)]);
  };
  add(
    'SGD',
    [
      { lr: 0.1 },
      { lr: 0.1, weightDecay: 0.2 },
      { lr: 0.1, momentum: 0.9 },
      { lr: 0.1, momentum: 0.9, dampening: 0.3 },
      { lr: 0.05, momentum: 0.8, nesterov: true, weightDecay: 0.1 },
    ],
    (p, o) => new optim.SGD(p, o),
    sgd,
  );
  const adams = [
    {},
    { lr: 0.1, betas: [0.5, 0.7] as const, eps: 1e-3 },
    { lr: 0.1, weightDecay: 0.3 },
    { lr: 0.3, amsgrad: true, betas: [0.3, 0.4] as const },
  ];
  add('Adam', adams, (p, o) => new optim.Adam(p, o), adam);
  add(
    'AdamW',
    [
      { lr: 0.1, weightDecay: 0.3 },
      { lr: 0.1, weightDecay: 0 },
    ],
    (p, o) => new optim.AdamW(p, o),
    (o) => adam({ ...o, decoupled: true }),
  );
  add(
    'AdamW',
    [{ lr: 0.1 }],
    (p, o) => new optim.AdamW(p, o),
    (o) => adam({ ...o, weightDecay: 0.01, decoupled: true }),
  );
  add(
    'RMSprop',
    [
      {},
      { lr: 0.1, alpha: 0.8, eps: 1e-2, weightDecay: 0.1 },
      { lr: 0.1, momentum: 0.6 },
      { lr: 0.1, centered: true, momentum: 0.5, alpha: 0.7 },
    ],
    (p, o) => new optim.RMSprop(p, o),
    rmsprop,
  );
  add(
    'Adagrad',
    [{}, { lr: 0.5, lrDecay: 0.2, weightDecay: 0.1 }, { lr: 0.5, initialAccumulatorValue: 0.3, eps: 1e-2 }],
    (p, o) => new optim.Adagrad(p, o),
    adagrad,
  );
  return list;
}

/** The gradient of Σ (p − wanted)², by hand. */
const slope = (p: number, i: number) => 2 * (p - (WANTED[i] ?? 0));

function expected(formula: Formula, steps = STEPS): number[][] {
  const memories = START.map((): Record<string, number> => ({}));
  let at = START;
  return Array.from({ length: steps }, (_, t) => (at = at.map((p, i) => formula(p, slope(p, i), t + 1, memories[i] ?? {}))));
}

/** A parameter, and a step that moves it towards what is wanted. */
function setting(make: Make) {
  const p = new nn.Parameter(tensor(START));
  const optimizer = make([p]);
  const wanted = tensor(WANTED);
  const step = () => {
    optimizer.zeroGrad();
    const loss = p.sub(wanted).square().sum();
    loss.backward();
    optimizer.step();
    return loss.detach();
  };
  return { p, optimizer, step };
}

function near(actual: readonly number[], wanted: readonly number[], by = 2e-6) {
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((v, i) =>
    expect(Math.abs(v - (wanted[i] ?? NaN))).toBeLessThanOrEqual(by * Math.max(1, Math.abs(wanted[i] ?? 0))),
  );
}

describe.each(cases())('%s', (_name, make, formula) => {
  it('takes the steps of its formula', async () => {
    const { p, step } = setting(make);
    for (const wanted of expected(formula)) {
      step();
      near(await numbers(p), wanted);
    }
  });

  it('does so traced', async () => {
    const { p, step } = setting(make);
    const traced = jit.trace(step, []);
    const [, ...rest] = expected(formula);
    for (const wanted of rest) {
      traced();
      near(await numbers(p), wanted);
    }
    expect(traced.info.compiled).toHaveLength(1);
  });

  it('goes on from a saved state', async () => {
    const [from, to] = [setting(make), setting(make)];
    for (let i = 0; i < 3; i++) from.step();
    const saved = await Promise.all(
      from.optimizer.stateDict().paramGroups.map(async ({ lr, steps, state }) => ({
        lr,
        steps: tensor(await steps.item()),
        state: await Promise.all(
          state.map(async (slots) =>
            Object.fromEntries(
              await Promise.all(Object.entries(slots).map(async ([name, x]) => [name, x && tensor(await numbers(x))] as const)),
            ),
          ),
        ),
      })),
    );
    to.optimizer.loadStateDict({ paramGroups: saved });
    to.p.requiresGrad_(false).copy_(from.p.detach()).requiresGrad_();
    for (let i = 0; i < STEPS - 3; i++) to.step();
    near(await numbers(to.p), expected(formula).at(-1) ?? []);
  });
});

describe('a learning rate', () => {
  it('that changes is seen by a traced step, which is not traced again', async () => {
    const { p, optimizer, step } = setting((params) => new optim.SGD(params, { lr: 0 }));
    const traced = jit.trace(step, []);
    const [group] = optimizer.paramGroups;
    if (!group) throw new Error('no group');
    let at = START;
    for (const lr of [0.1, 0.25, 0.25, 0.01]) {
      group.lr = lr;
      expect(group.lr).toBe(lr);
      traced();
      at = at.map((v, i) => v - lr * slope(v, i));
      near(await numbers(p), at);
    }
    expect(traced.info.compiled).toHaveLength(1);
  });

  it('is not set by traced code', () => {
    const { optimizer, step } = setting((params) => new optim.SGD(params, { lr: 1 }));
    const schedule = new optim.ExponentialLR(optimizer, { gamma: 0.5 });
    const both = () => {
      const loss = step();
      schedule.step();
      return loss;
    };
    expect(() => jit.trace(both, [])).toThrow(/a traced function sets a learning rate/);
  });
});

describe('groups', () => {
  it('have options of their own', async () => {
    const [a, b] = [new nn.Parameter(tensor([1])), new nn.Parameter(tensor([1]))];
    const sgd_ = new optim.SGD([{ params: [a] }, { params: [b], lr: 0.5, weightDecay: 1 }], { lr: 0.1 });
    const c = new nn.Parameter(tensor([1]));
    sgd_.addParamGroup({ params: [c], momentum: 0.5 });
    for (let i = 0; i < 2; i++) {
      sgd_.zeroGrad();
      a.add(b).add(c).sum().backward();
      sgd_.step();
    }
    near(await numbers(a), [0.8]);
    near(await numbers(b), [-0.5]);
    near(await numbers(c), [1 - 0.1 - 0.15]);
    expect(sgd_.paramGroups.map(({ lr }) => lr)).toEqual([0.1, 0.5, 0.1]);
  });

  it('leave parameters without a gradient alone', async () => {
    const [a, b] = [new nn.Parameter(tensor([1])), new nn.Parameter(tensor([1]))];
    const optimizer = new optim.AdamW([a, b], { weightDecay: 0.5, lr: 0.1 });
    a.sum().backward();
    optimizer.step();
    expect(await numbers(b)).toEqual([1]);
    optimizer.zeroGrad();
    expect(a.grad).toBeUndefined();
  });

  it('are refused when they make no sense', () => {
    const p = new nn.Parameter(ones([1]));
    expect(() => new optim.SGD([], { lr: 1 })).toThrow('SGD was given no parameters');
    expect(() => new optim.Adam([p, p])).toThrow('Adam was given a parameter that comes twice');
    expect(() => new optim.Adam([{ params: [p] }, { params: [p] }])).toThrow('comes twice');
    expect(() => new optim.Adam([p.mul(2)])).toThrow('Adam was given a tensor that an op made');
  });
});

test('a state that does not fit is refused, and nothing changes', async () => {
  const adam_ = (shape: number[]) => new optim.Adam([new nn.Parameter(zeros(shape))], { lr: 0.1 });
  const [two, three] = [adam_([2]), adam_([3])];
  expect(() => two.loadStateDict(three.stateDict())).toThrow('loadStateDict: shape [3] instead of [2]');
  expect(() => two.loadStateDict(new optim.SGD([new nn.Parameter(zeros([2]))], { lr: 9 }).stateDict())).toThrow(
    'no mean for parameter 0',
  );
  expect(() => two.loadStateDict({ paramGroups: [] })).toThrow('0 groups instead of 1');
  expect(two.paramGroups[0]?.lr).toBe(0.1);
  expect(await two.paramGroups[0]?.steps.item()).toBe(0);
});

describe('clipping', () => {
  const withGradients = (...gradients: number[][]) =>
    gradients.map((g) => {
      const p = new nn.Parameter(zeros([g.length]));
      p.grad = tensor(g);
      return p;
    });
  const all = async (params: nn.Parameter[]) => (await Promise.all(params.map((p) => numbers(p.grad)))).flat();

  it('by the norm scales all gradients alike, and leaves short ones', async () => {
    const params = [...withGradients([3, 0], [4]), new nn.Parameter(zeros([1]))];
    const total = optim.clipGradNorm(params, 1);
    near([await total.item(), ...(await all(params))], [5, 0.6, 0, 0.8]);
    near([await optim.clipGradNorm(params, 7).item(), ...(await all(params))], [1, 0.6, 0, 0.8]);
    near([await optim.clipGradNorm([], 1).item()], [0]);
  });

  it('by other norms', async () => {
    const one = withGradients([3, -1], [4]);
    near([await optim.clipGradNorm(one, 4, 1).item(), ...(await all(one))], [8, 1.5, -0.5, 2]);
    const most = withGradients([3, -1], [-4]);
    near([await optim.clipGradNorm(most, 2, Infinity).item(), ...(await all(most))], [4, 1.5, -0.5, -2]);
    expect(() => optim.clipGradNorm(one, 1, 0)).toThrow('a norm of 0');
  });

  it('by value', async () => {
    const params = withGradients([3, -1, 0.5], [-4]);
    optim.clipGradValue(params, 1);
    expect(await all(params)).toEqual([1, -1, 0.5, -1]);
  });

  it('is part of a traced step', async () => {
    const p = new nn.Parameter(tensor([3, 4]));
    const optimizer = new optim.SGD([p], { lr: 1 });
    const step = () => {
      optimizer.zeroGrad();
      p.square().sum().div(2).backward();
      const norm = optim.clipGradNorm([p], 1);
      optimizer.step();
      return norm;
    };
    const traced = jit.trace(step, []);
    near([await traced().item(), ...(await numbers(p))], [4, 3 * 0.6, 4 * 0.6]);
  });
});
