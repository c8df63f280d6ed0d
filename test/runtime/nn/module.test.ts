/** Modules: what is found in them and under which names, their state, hooks, and the table of what is inside. */
import { describe, expect, it, test } from 'vitest';
import { grad, jit, nn, noGrad, ones, tensor, zeros, type Tensor } from 'jitlens';

const numbers = async (x: Tensor | undefined) => [...((await x?.data()) ?? [])];

class Part extends nn.Module {
  readonly scale = new nn.Parameter(tensor([2]));
  readonly seen = new nn.Buffer(tensor([0]));
  readonly scratch = new nn.Buffer(tensor([9]), { persistent: false });

  forward(x: Tensor): Tensor {
    return x.mul(this.scale);
  }
}

class Whole extends nn.Module {
  readonly first = new Part();
  readonly rest = [new Part(), new nn.Sequential(new nn.Linear(1, 1), new nn.Tanh())];
  readonly tied = this.first;
  readonly loose = [new nn.Parameter(tensor([1])), new nn.Parameter(tensor([3]))];
  readonly parts = new nn.ModuleDict({ a: new nn.ModuleList([new nn.ReLU(), new Part()]) });
  readonly list = new nn.ParameterList([new nn.Parameter(tensor([5]))]);
  readonly plain = ones([1]);

  forward(x: Tensor): Tensor {
    return this.first.forward(x);
  }
}

const PARAMETERS = [
  'loose.0',
  'loose.1',
  'first.scale',
  'rest.0.scale',
  'rest.1.0.weight',
  'rest.1.0.bias',
  'parts.a.1.scale',
  'list.0',
];

describe('what is inside', () => {
  const whole = new Whole();

  it('has the names of its fields, each thing once', () => {
    expect(whole.namedParameters().map(([name]) => name)).toEqual(PARAMETERS);
    expect(whole.namedBuffers().map(([name]) => name)).toEqual([
      'first.seen',
      'first.scratch',
      'rest.0.seen',
      'rest.0.scratch',
      'parts.a.1.seen',
      'parts.a.1.scratch',
    ]);
    expect(whole.namedModules().map(([name, m]) => `${name}: ${m.constructor.name}`)).toEqual([
      ': Whole',
      'first: Part',
      'rest.0: Part',
      'rest.1: Sequential',
      'rest.1.0: Linear',
      'rest.1.1: Tanh',
      'parts: ModuleDict',
      'parts.a: ModuleList',
      'parts.a.0: ReLU',
      'parts.a.1: Part',
      'list: ParameterList',
    ]);
    expect(whole.children()).toHaveLength(6);
    expect(whole.modules()).toHaveLength(11);
  });

  it('changes mode, wish for gradients and gradients together', () => {
    whole.eval();
    expect(whole.modules().some((m) => m.training)).toBe(false);
    whole.train();
    expect(whole.modules().every((m) => m.training)).toBe(true);
    whole
      .forward(ones([1]))
      .sum()
      .backward();
    expect(whole.first.scale.grad).toBeDefined();
    whole.zeroGrad();
    expect(whole.first.scale.grad).toBeUndefined();
    whole.requiresGrad_(false);
    expect(whole.forward(ones([1])).requiresGrad).toBe(false);
  });

  it('is visited from the inside out by apply', () => {
    const names: string[] = [];
    const model = new nn.Sequential(new nn.Sequential(new nn.ReLU()), new nn.Tanh());
    expect(model.apply((m) => void names.push(m.constructor.name))).toBe(model);
    expect(names).toEqual(['ReLU', 'Sequential', 'Tanh', 'Sequential']);
  });
});

describe('state', () => {
  it('has parameters and persistent buffers, and goes from one module to another', async () => {
    const [from, to] = [new Part(), new Part()];
    noGrad(() => {
      from.scale.copy_(7);
      from.seen.copy_(4);
    });
    expect(Object.keys(from.stateDict())).toEqual(['scale', 'seen']);
    expect(to.loadStateDict(from.stateDict())).toEqual({ missing: [], unexpected: [] });
    expect([await numbers(to.scale), await numbers(to.seen), to.scale.requiresGrad]).toEqual([[7], [4], true]);
    noGrad(() => from.scale.copy_(1));
    expect(await numbers(to.scale)).toEqual([7]);
  });

  it('names a shared module under each of its names', () => {
    expect(Object.keys(new Whole().stateDict())).toContain('tied.scale');
  });

  it('is refused with all that is wrong, and then nothing changes', async () => {
    const net = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
    const before = await numbers(net.stateDict()['0.weight']);
    const state = {
      '0.weight': zeros([3, 2]),
      '0.bias': zeros([4]),
      '1.weight': zeros([1, 3]),
      extra: zeros([]),
      more: zeros([]),
    };
    expect(() => net.loadStateDict(state)).toThrow(
      'loadStateDict of Sequential: missing: 1.bias; unexpected: extra, more; 0.bias has shape [4] instead of [3]',
    );
    expect(() => net.loadStateDict(state, { strict: false })).toThrow(
      'loadStateDict of Sequential: 0.bias has shape [4] instead of [3]',
    );
    expect(await numbers(net.stateDict()['0.weight'])).toEqual(before);
    const { '0.bias': _wrong, ...rest } = state;
    expect(net.loadStateDict(rest, { strict: false })).toEqual({ missing: ['0.bias', '1.bias'], unexpected: ['extra', 'more'] });
    expect(await numbers(net.stateDict()['0.weight'])).toEqual(new Array(6).fill(0));
  });
});

describe('containers', () => {
  it('give what they hold', async () => {
    const list = new nn.ModuleList([new nn.Linear(1, 2)]).append(new nn.Linear(2, 3));
    expect([list.length, list.at(-1).weight.shape, [...list].length]).toEqual([2, [3, 2], 2]);
    expect(() => list.at(2)).toThrow('ModuleList of 2 has no item 2');
    const dict = new nn.ModuleDict<nn.Layer>({ up: new nn.Linear(1, 2) }).set('act', new nn.ReLU());
    expect([...dict].map(([name]) => name)).toEqual(['up', 'act']);
    expect(() => dict.get('down')).toThrow('no module is called ‘down’');
    const params = new nn.ParameterList([new nn.Parameter(ones([2]))]).append(new nn.Parameter(ones([3])));
    expect([params.length, params.at(1).shape]).toEqual([2, [3]]);
    const halve = new nn.Sequential(new nn.ReLU(), new nn.Flatten()).append(new nn.Identity());
    expect(await numbers(halve.forward(tensor([[[-1, 2]]])))).toEqual([0, 2]);
    expect(() => list.forward()).toThrow('has no forward');
  });
});

describe('hooks', () => {
  it('before and after change inputs and outputs, until they are removed', async () => {
    const part = new Part();
    const seen: unknown[] = [];
    const before = part.registerForwardPreHook((module, [x]) => {
      seen.push(module);
      return [(x as Tensor).add(1)];
    });
    const after = part.registerForwardHook((_module, [x], y) => {
      seen.push(x, y);
      return (y as Tensor).neg();
    });
    expect(await numbers(part.forward(tensor([3])))).toEqual([-8]);
    expect(seen[0]).toBe(part);
    expect(await numbers(seen[1] as Tensor)).toEqual([4]);
    expect(await numbers(seen[2] as Tensor)).toEqual([8]);
    before.remove();
    expect(await numbers(part.forward(tensor([3])))).toEqual([-6]);
    after.remove();
    after.remove();
    expect(await numbers(part.forward(tensor([3])))).toEqual([6]);
    expect(Object.keys(part)).not.toContain('forward');
  });

  it('of the gradients see those of inputs and outputs, and may replace the former', async () => {
    const part = new Part();
    const calls: (readonly (Tensor | undefined)[])[] = [];
    part.registerFullBackwardHook((_module, gradInput, gradOutput) => {
      calls.push(gradInput, gradOutput);
      return gradInput.map((g) => g?.mul(10));
    });
    const x = tensor([3]).requiresGrad_();
    part.forward(x.mul(1)).mul(5).sum().backward();
    expect(await Promise.all(calls.flat().map(numbers))).toEqual([[10], [5]]);
    expect([await numbers(x.grad), await numbers(part.scale.grad)]).toEqual([[100], [15]]);
  });

  it('of the gradients are called without inputs where those want none', async () => {
    const part = new Part();
    const calls: (readonly (Tensor | undefined)[])[] = [];
    part.registerFullBackwardHook((_module, gradInput, gradOutput) => {
      calls.push(gradInput, gradOutput);
      return undefined;
    });
    part
      .forward(tensor([3]))
      .mul(5)
      .sum()
      .backward();
    expect(calls[0]).toEqual([]);
    expect(await numbers(calls[1]?.[0])).toEqual([5]);
    expect(noGrad(() => part.forward(tensor([3]))).requiresGrad).toBe(false);
  });

  it('are part of a trace', async () => {
    const net = new nn.Sequential(new Part(), new Part());
    net.children()[0]?.registerForwardHook((_module, _inputs, y) => (y as Tensor).add(1));
    const scale = net.parameters()[0];
    const traced = jit.trace(net, [ones([1])]);
    expect(await numbers(traced(tensor([3])))).toEqual([14]);
    const [g] = grad([traced(tensor([3])).sum()], scale ? [scale] : []);
    expect(await numbers(g)).toEqual([6]);
  });
});

test('the table of what is inside', () => {
  class Net extends nn.Module {
    readonly body = new nn.Sequential(new nn.Linear(20, 100), new nn.ReLU(), new nn.Dropout(0.5));
    readonly rnn = new nn.LSTM(100, 3);
    readonly unused = new nn.Linear(1, 1, { bias: false });
    forward(x: Tensor) {
      return this.rnn.forward(this.body.forward(x));
    }
  }
  const net = new Net();
  net.rnn.eval();
  const lines = net.summary(zeros([5, 2, 20])).split('\n');
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['Layer', 'Output shape', 'Parameters'],
    ['Net', '[5, 2, 3] [1, 2, 3] [1, 2, 3]', '3,361'],
    ['body: Sequential', '[5, 2, 100]', '2,100'],
    ['0: Linear', '[5, 2, 100]', '2,100'],
    ['1: ReLU', '[5, 2, 100]', '0'],
    ['2: Dropout', '[5, 2, 100]', '0'],
    ['rnn: LSTM', '[5, 2, 3] [1, 2, 3] [1, 2, 3]', '1,260'],
    ['unused: Linear', '–', '1'],
    ['Trained: 3,361'],
  ]);
  expect(new Set(lines.slice(0, -1).map((line) => line.length)).size).toBe(1);
  expect([net.training, net.body.training, net.rnn.training]).toEqual([true, true, false]);
});

test('a buffer in a trace has its name, and one that is replaced is seen', async () => {
  class Shift extends nn.Module {
    by = new nn.Buffer(tensor([2]));
    forward(x: Tensor): Tensor {
      return x.add(this.by);
    }
  }
  const module = new Shift();
  const traced = jit.trace(module, [tensor([1])]);
  expect(traced.info.compiled[0]?.recorded.nodes.map((n) => n.kind === 'external' && n.name)).toContain('by');
  module.by = new nn.Buffer(tensor([5]));
  expect(await numbers(traced(tensor([1])))).toEqual([6]);
});
