/** Recurrent layers against golden values and against their cells, step by step. */
import { describe, expect, it, test } from 'vitest';
import { cat, gradcheck, grad, jit, manualSeed, nn, noGrad, randn, stack, tensor, zeros, type Tensor } from 'jitlens';
import { expectGolden, golden, tensorsOf } from '../support/goldens.ts';

const numbers = async (x: Tensor) => [...(await x.data())];

async function close(actual: Tensor, expected: Tensor, by = 1e-5) {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [await numbers(actual), await numbers(expected)];
  a.forEach((v, i) => expect(Math.abs(v - (b[i] ?? NaN))).toBeLessThanOrEqual(by));
}

/** `l0.w_ih` as the golden says, `weightIhL0` as a layer says. */
function named(name: string, layer = true): string {
  const [, at = '0', kind = '', which = ''] = /^(?:l(\d)\.)?([wb])_(ih|hh)$/.exec(name) ?? [];
  return `${kind === 'w' ? 'weight' : 'bias'}${which === 'ih' ? 'Ih' : 'Hh'}${layer ? `L${at}` : ''}`;
}

function loaded(module: nn.Module, params: Record<string, Tensor>, layer = true) {
  module.loadStateDict(Object.fromEntries(Object.entries(params).map(([name, x]) => [named(name, layer), x])));
  const own = new Map(module.namedParameters());
  return Object.fromEntries(Object.keys(params).map((name) => [name, own.get(named(name, layer)) ?? zeros([])]));
}

const need = (x: Tensor | undefined): Tensor => {
  if (!x) throw new Error('no such tensor');
  return x;
};

describe('golden values', () => {
  test('lstm_cell', async () => {
    const wanted = golden('lstm_cell');
    const cell = new nn.LSTMCell(3, 4);
    const { x, h, c } = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [h1, c1] = cell.forward(need(x), [need(h), need(c)]);
      return { h: h1, c: c1 };
    };
    await expectGolden(wanted, {
      params: loaded(cell, tensorsOf(wanted.params), false),
      inputs: { x: need(x), h: need(h), c: need(c) },
      outputs,
      modules: [cell],
    });
  });

  test('lstm_layer_T5', async () => {
    const wanted = golden('lstm_layer_T5');
    const lstm = new nn.LSTM(3, 4);
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [y, [h, c]] = lstm.forward(need(inputs['x']), [need(inputs['h']).unsqueeze(0), need(inputs['c']).unsqueeze(0)]);
      return { y, h: h.squeeze(0), c: c.squeeze(0) };
    };
    await expectGolden(wanted, { params: loaded(lstm, tensorsOf(wanted.params)), inputs, outputs, modules: [lstm] });
  });

  test('lstm_stacked2_T4', async () => {
    const wanted = golden('lstm_stacked2_T4');
    const lstm = new nn.LSTM(3, 4, { numLayers: 2 });
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [y, [h, c]] = lstm.forward(need(inputs['x']), [
        stack([need(inputs['h0']), need(inputs['h1'])]),
        stack([need(inputs['c0']), need(inputs['c1'])]),
      ]);
      return { y, h0: h.select(0, 0), h1: h.select(0, 1), c0: c.select(0, 0), c1: c.select(0, 1) };
    };
    await expectGolden(wanted, { params: loaded(lstm, tensorsOf(wanted.params)), inputs, outputs, modules: [lstm] });
  });

  test('gru_layer_T4', async () => {
    const wanted = golden('gru_layer_T4');
    const gru = new nn.GRU(3, 4);
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [y, h] = gru.forward(need(inputs['x']), need(inputs['h']).unsqueeze(0));
      return { y, h: h.squeeze(0) };
    };
    await expectGolden(wanted, { params: loaded(gru, tensorsOf(wanted.params)), inputs, outputs, modules: [gru] });
  });
});

const layers = {
  RNN: { layer: nn.RNN, cell: nn.RNNCell },
  GRU: { layer: nn.GRU, cell: nn.GRUCell },
} as const;

/** What a layer computes, by its cell, one time after another. */
function byCells(
  module: nn.RNN | nn.GRU,
  cellOf: (inputs: number) => nn.RNNCell | nn.GRUCell,
  x: Tensor,
  h0: Tensor,
  directions: number,
) {
  const state = module.stateDict();
  const last: Tensor[] = [];
  let sequence = x.unbind(0);
  for (let layer = 0; layer < module.numLayers; layer++) {
    const read = Array.from({ length: directions }, (_, d) => {
      const cell = cellOf(sequence[0]?.size(-1) ?? 0);
      const suffix = `L${layer}${d === 1 ? 'Reverse' : ''}`;
      const keys = ['weightIh', 'weightHh', 'biasIh', 'biasHh'].filter((key) => `${key}${suffix}` in state);
      cell.loadStateDict(Object.fromEntries(keys.map((key) => [key, need(state[`${key}${suffix}`])])));
      let h = h0.select(0, layer * directions + d);
      const ordered = d === 1 ? [...sequence].reverse() : sequence;
      const outs = ordered.map((step) => (h = cell.forward(step, h)));
      last.push(h);
      return d === 1 ? outs.reverse() : outs;
    });
    sequence = sequence.map((_, t) =>
      cat(
        read.map((outs) => need(outs[t])),
        -1,
      ),
    );
  }
  return [stack(sequence), stack(last)] as const;
}

describe.each(['RNN', 'GRU'] as const)('%s', (name) => {
  const { layer: Layer, cell: CellOf } = layers[name];

  it.each([
    [1, false, true],
    [2, false, false],
    [2, true, true],
  ])('of %d layers, bidirectional %s, bias %s, is its cell step by step', async (numLayers, bidirectional, bias) => {
    const directions = bidirectional ? 2 : 1;
    const module = new Layer(3, 4, { numLayers, bidirectional, bias });
    const [x, h0] = [randn([5, 2, 3]), randn([numLayers * directions, 2, 4])];
    const [y, h] = byCells(module, (inputs) => new CellOf(inputs, 4, { bias }), x, h0, directions);
    const [given, end] = module.forward(x, h0);
    await close(given, y);
    await close(end, h);
    const first = new Layer(3, 4, { numLayers, bidirectional, bias, batchFirst: true });
    first.loadStateDict(module.stateDict());
    await close(first.forward(x.transpose(0, 1), h0)[0], y.transpose(0, 1));
    const [single, singleEnd] = module.forward(x.select(1, 0), h0.select(1, 0));
    await close(single, y.select(1, 0));
    await close(singleEnd, h.select(1, 0));
    await close(module.forward(x)[0], byCells(module, (inputs) => new CellOf(inputs, 4, { bias }), x, h0.mul(0), directions)[0]);
  });

  it('has gradients that agree with differences', async () => {
    const run = (x: Tensor, h: Tensor) => {
      manualSeed(2);
      return new Layer(2, 2, { bidirectional: true }).forward(x, h);
    };
    await gradcheck(run, [randn([3, 2, 2]), randn([2, 2, 2])]);
  });
});

test('a bidirectional LSTM reads both ways, and traced it gives the same', async () => {
  const lstm = new nn.LSTM(3, 4, { bidirectional: true });
  const state = lstm.stateDict();
  const half = (suffix: string) => {
    const one = new nn.LSTM(3, 4);
    one.loadStateDict(
      Object.fromEntries(['weightIh', 'weightHh', 'biasIh', 'biasHh'].map((k) => [`${k}L0`, need(state[`${k}L0${suffix}`])])),
    );
    return one;
  };
  const x = randn([5, 2, 3]);
  const [y, [h, c]] = lstm.forward(x);
  const [ahead, [h1, c1]] = half('').forward(x);
  const [back, [h2, c2]] = half('Reverse').forward(x.flip([0]));
  await close(y, cat([ahead, back.flip([0])], -1));
  await close(h, cat([h1, h2]));
  await close(c, cat([c1, c2]));
  const traced = noGrad(() => jit.trace(lstm, [x]));
  const [ty, [th, tc]] = traced(x);
  await close(ty, y);
  await close(th, h);
  await close(tc, c);
});

test('relu, dropout between layers, and a training step through a traced layer', async () => {
  const relu = new nn.RNNCell(2, 3, { nonlinearity: 'relu' });
  expect(Math.min(...(await numbers(relu.forward(randn([50, 2])))))).toBe(0);
  const lstm = new nn.LSTM(3, 4, { numLayers: 2, dropout: 0.5 });
  const x = randn([4, 2, 3]);
  const [once, again] = [await numbers(lstm.forward(x)[0]), await numbers(lstm.forward(x)[0])];
  expect(once).not.toEqual(again);
  lstm.eval();
  await close(lstm.forward(x)[0], lstm.forward(x)[0], 0);
  const traced = jit.trace(lstm, [x]);
  const loss = ([y, [h, c]]: ReturnType<nn.LSTM['forward']>) => y.square().sum().add(h.sum()).add(c.mul(3).sum());
  const wanted = grad([loss(lstm.forward(x))], lstm.parameters());
  const given = grad([loss(traced(x))], lstm.parameters());
  for (const [i, g] of given.entries()) await close(need(g), need(wanted[i]), 1e-4);
});

test('wrong shapes are refused', () => {
  const lstm = new nn.LSTM(3, 4);
  expect(() => lstm.forward(zeros([5, 2, 4]))).toThrow('LSTM: an input of shape [5, 2, 4]');
  expect(() => lstm.forward(zeros([5, 2, 3]), [zeros([1, 3, 4]), zeros([1, 2, 4])])).toThrow('LSTM: a state of shape [1, 3, 4]');
  expect(() => new nn.GRUCell(3, 4).forward(zeros([2, 2]))).toThrow('GRUCell: an input of shape [2, 2]');
  expect(() => new nn.GRUCell(3, 4).forward(zeros([2, 3]), tensor([1]))).toThrow('GRUCell: a state of shape [1]');
});
