/** The samples that ship, against golden values: outputs and all gradients, eager and traced; and that each says what to run. */
import { describe, expect, test } from 'vitest';
import { fromArray, grad, jit, nn, noGrad, randn, type Tensor } from 'jitlens';
import { readdirSync } from 'node:fs';
import * as conv2d from '../../extension/samples/conv2d.ts';
import * as equilibrium from '../../extension/samples/equilibrium.ts';
import * as gpt from '../../extension/samples/gpt.ts';
import * as lstm from '../../extension/samples/lstm.ts';
import * as resnet from '../../extension/samples/resnet.ts';
import * as spade from '../../extension/samples/spade.ts';
import * as unet from '../../extension/samples/unet.ts';
import { SAMPLES } from '../../extension/samples.ts';
import { isExample } from '../../runtime/jit/example.ts';
import { expectSame, read } from '../runtime/support/compare.ts';
import { infoOf } from '../../runtime/script/module.ts';
import { stepsIn } from '../../runtime/ir/program.ts';
import { eagerly } from '../../runtime/script/script.ts';
import { onReference } from '../runtime/support/devices.ts';
import { CLOSE } from '../runtime/support/traces.ts';
import { expectGolden, golden, tensorsOf } from '../runtime/support/goldens.ts';

const need = (x: Tensor | undefined): Tensor => {
  if (!x) throw new Error('no such tensor');
  return x;
};

/** Loads the golden's parameters under the names that the module has for them. */
function loaded(module: nn.Module, params: Record<string, Tensor>, names: Readonly<Record<string, string>>) {
  module.loadStateDict(Object.fromEntries(Object.entries(params).map(([name, x]) => [names[name] ?? name, x])), {
    strict: false,
  });
  const own = new Map(module.namedParameters());
  expect(own.size).toBe(Object.keys(params).length);
  return Object.fromEntries(Object.keys(params).map((name) => [name, need(own.get(names[name] ?? name))]));
}

describe('the handwritten convolution', () => {
  test.each(['b1', 'b2_faithful', 's2p1d2'])('handwritten_conv2d_%s', async (name) => {
    const wanted = golden(`handwritten_conv2d_${name}`);
    const params = tensorsOf(wanted.params);
    const [outChannels = 1, inChannels = 1, cells = 1] = need(params['weights']).shape;
    const { padding, dilation, stride } = wanted.consts ?? {};
    const layer = new conv2d.Conv2d(inChannels, outChannels, Math.sqrt(cells), { padding, dilation, stride });
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => ({ out: layer.forward(need(inputs['x'])) });
    await expectGolden(wanted, { params: loaded(layer, params, {}), inputs, outputs, modules: [layer] });
  });
});

describe('SPADE', () => {
  const names = Object.fromEntries(
    ['shared', 'gamma', 'beta'].flatMap((part) => [
      [`${part}_w`, `${part}.weight`],
      [`${part}_b`, `${part}.bias`],
    ]),
  );
  test.each([
    ['spade_batch_train', 'batch'],
    ['spade_instance', 'instance'],
  ] as const)('%s', async (name, norm) => {
    const wanted = golden(name);
    const module = new spade.Spade(4, 3, { hidden: 6, norm });
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => ({ out: module.forward(need(inputs['x']), need(inputs['segmap'])) });
    await expectGolden(wanted, { params: loaded(module, tensorsOf(wanted.params), names), inputs, outputs, modules: [module] });
  });
});

describe('ResNet', () => {
  const norms = { bn1: 'bn1', bn2: 'bn2', bnd: 'around.1' };
  const names = {
    c1: 'conv1.weight',
    c2: 'conv2.weight',
    cd: 'around.0.weight',
    ...Object.fromEntries(
      Object.entries(norms).flatMap(([short, long]) => [
        [`${short}.w`, `${long}.weight`],
        [`${short}.b`, `${long}.bias`],
        [`${short}.m`, `${long}.runningMean`],
        [`${short}.v`, `${long}.runningVar`],
      ]),
    ),
  };
  test.each(['train', 'eval'])('resnet_basicblock_%s', async (mode) => {
    const wanted = golden(`resnet_basicblock_${mode}`);
    const block = new resnet.BasicBlock(3, 4, 2).train(mode === 'train');
    const params = loaded(block, tensorsOf(wanted.params), names);
    const statistics = Object.entries(tensorsOf(wanted.extra)).map(([name, x]) => [
      new Map(Object.entries(names)).get(name) ?? name,
      x,
    ]);
    expect(block.loadStateDict(Object.fromEntries(statistics) as Record<string, Tensor>, { strict: false }).unexpected).toEqual(
      [],
    );
    const inputs = tensorsOf(wanted.inputs);
    await expectGolden(wanted, { params, inputs, outputs: () => ({ out: block.forward(need(inputs['x'])) }), modules: [block] });
  });

  test('without a change of size, the way around is the input itself', async () => {
    const block = new resnet.BasicBlock(4, 4).eval();
    noGrad(() => block.bn2.parameters().forEach((p) => p.copy_(0)));
    const x = randn([1, 4, 3, 3]);
    expect([...(await block.forward(x).data())]).toEqual([...(await x.relu().data())]);
  });
});

test('gpt_block', async () => {
  const names = {
    'ln1.w': 'norm1.weight',
    'ln1.b': 'norm1.bias',
    wqkv: 'qkv.weight',
    bqkv: 'qkv.bias',
    wo: 'out.weight',
    bo: 'out.bias',
    'ln2.w': 'norm2.weight',
    'ln2.b': 'norm2.bias',
    w1: 'up.weight',
    b1: 'up.bias',
    w2: 'down.weight',
    b2: 'down.bias',
  };
  const wanted = golden('gpt_block');
  const block = new gpt.GptBlock(8, 2, 16);
  const inputs = tensorsOf(wanted.inputs);
  await expectGolden(wanted, {
    params: loaded(block, tensorsOf(wanted.params), names),
    inputs,
    outputs: () => ({ out: block.forward(need(inputs['x'])) }),
    modules: [block],
  });
});

describe('LSTM', () => {
  const weights = { w_ih: 'weightIh', w_hh: 'weightHh', b_ih: 'biasIh', b_hh: 'biasHh' };

  test('lstm_cell', async () => {
    const wanted = golden('lstm_cell');
    const cell = new lstm.LSTMCell(3, 4);
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [h, c] = cell.forward(need(inputs['x']), [need(inputs['h']), need(inputs['c'])]);
      return { h, c };
    };
    await expectGolden(wanted, { params: loaded(cell, tensorsOf(wanted.params), weights), inputs, outputs, modules: [cell] });
  });

  test('lstm_layer_T5', async () => {
    const wanted = golden('lstm_layer_T5');
    const layer = new lstm.RecurrentLayer(new lstm.LSTMCell(3, 4));
    const names = Object.fromEntries(Object.entries(weights).map(([short, long]) => [short, `cell.${long}`]));
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [y, [h, c]] = layer.forward(need(inputs['x']), [need(inputs['h']), need(inputs['c'])]);
      return { y, h, c };
    };
    await expectGolden(wanted, { params: loaded(layer, tensorsOf(wanted.params), names), inputs, outputs, modules: [layer] });
  });

  test('lstm_stacked2_T4', async () => {
    const wanted = golden('lstm_stacked2_T4');
    const stacked = new nn.ModuleList([3, 4].map((size) => new lstm.RecurrentLayer(new lstm.LSTMCell(size, 4))));
    const names = Object.fromEntries(
      [0, 1].flatMap((i) => Object.entries(weights).map(([short, long]) => [`l${i}.${short}`, `${i}.cell.${long}`])),
    );
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [y0, [h0, c0]] = stacked.at(0).forward(need(inputs['x']), [need(inputs['h0']), need(inputs['c0'])]);
      const [y, [h1, c1]] = stacked.at(1).forward(y0, [need(inputs['h1']), need(inputs['c1'])]);
      return { h0, c0, h1, c1, y };
    };
    await expectGolden(wanted, {
      params: loaded(stacked, tensorsOf(wanted.params), names),
      inputs,
      outputs,
      modules: [...stacked],
    });
  });

  test('lnlstm_layer_T4', async () => {
    const wanted = golden('lnlstm_layer_T4');
    const layer = new lstm.RecurrentLayer(new lstm.LayerNormLSTMCell(3, 4));
    const names = {
      w_ih: 'cell.weightIh',
      w_hh: 'cell.weightHh',
      ...Object.fromEntries(
        ['i', 'h', 'c'].flatMap((part) => [
          [`ln_${part}.w`, `cell.norm${part.toUpperCase()}.weight`],
          [`ln_${part}.b`, `cell.norm${part.toUpperCase()}.bias`],
        ]),
      ),
    };
    const inputs = tensorsOf(wanted.inputs);
    const outputs = () => {
      const [y, [h, c]] = layer.forward(need(inputs['x']), [need(inputs['h']), need(inputs['c'])]);
      return { y, h, c };
    };
    await expectGolden(wanted, { params: loaded(layer, tensorsOf(wanted.params), names), inputs, outputs, modules: [layer] });
  });
});

test('the U-Net keeps the size, and traced and on the reference device it gives the same, gradients too', async () => {
  const net = new unet.UNet(1, 2, [2, 3]);
  const [shape, cotangent] = [[1, 1, 4, 6], randn([1, 2, 4, 6])];
  const x = randn(shape);
  const values = async (t: Tensor) => fromArray([...(await t.data())], t.shape);
  const results = (of: unet.UNet, at: Tensor, g: Tensor) => {
    const y = of.forward(at);
    return [y.detach(), ...grad([y], of.parameters(), { gradOutputs: [g] })];
  };
  const host = await Promise.all(
    [...Object.values(net.stateDict()), x, cotangent].map(async (t) => ({ shape: t.shape, data: [...(await t.data())] })),
  );
  const wanted = onReference(() => {
    const twin = new unet.UNet(1, 2, [2, 3]);
    const made = host.map((t) => fromArray(t.data, t.shape));
    twin.loadStateDict(Object.fromEntries(Object.keys(twin.stateDict()).map((key, i) => [key, need(made[i])])));
    return results(twin, need(made.at(-2)), need(made.at(-1)));
  });
  const traced = jit.trace((at: Tensor) => results(net, at, cotangent), [x]);
  expect(net.forward(x).shape).toEqual([1, 2, 4, 6]);
  expectSame(await read(results(net, x, cotangent)), await read(wanted), CLOSE, 'eager');
  expectSame(await read(traced(await values(x))), await read(wanted), CLOSE, 'traced');
});

describe('the layer that finds its depth', () => {
  const layer = new equilibrium.Equilibrium(4, 1e-6);

  test('ends where one step more changes nothing, scripted as eagerly', async () => {
    const x = randn([3, 4]);
    const z = await layer.forward(x);
    const again = z.linear(layer.weight).add(layer.inject.forward(x)).tanh();
    expectSame(await read([again]), await read([z]), CLOSE, 'one step more');
    expectSame(await read([z]), await read([await eagerly(() => layer.forward(x))]), CLOSE, 'eager');
  });

  test('looks at the values to know when to end, in one program with a loop', async () => {
    const x = randn([3, 4]);
    const hasty = new equilibrium.Equilibrium(4, 10);
    hasty.loadStateDict(layer.stateDict());
    const input = layer.inject.forward(x);
    let z = input.tanh();
    for (let i = 0; i < 8; i++) z = z.linear(layer.weight).add(input).tanh();
    expectSame(await read([await hasty.forward(x)]), await read([z]), CLOSE, 'one round');
    expect(await (await layer.forward(x)).sub(z).abs().amax().item()).toBeGreaterThan(0);
    const { compiled } = infoOf(hasty, 'forward') ?? { compiled: [] };
    expect(compiled.map(({ program }) => [...stepsIn(program.body)].filter(({ kind }) => kind === 'loop').length)).toEqual([1]);
  });
});

test('all samples are offered, each in one line', () => {
  const files = readdirSync(new URL('../../extension/samples/', import.meta.url));
  expect(SAMPLES.map(({ file }) => file).sort()).toEqual(files.sort());
  for (const { description } of SAMPLES) expect(description.length).toBeLessThan(80);
});

test.each(Object.entries({ conv2d, equilibrium, gpt, lstm, resnet, spade, unet }))('%s says what to run', (_name, module) => {
  const examples = Object.values<unknown>(module).filter(isExample);
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(example.softwareInputs().length).toBeGreaterThan(0);
});
