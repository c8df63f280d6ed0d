/** Layers: what each computes, how its parameters start, and how training changes it. */
import { describe, expect, it, test } from 'vitest';
import { fromArray, manualSeed, nn, noGrad, ones, randn, tensor, zeros, type Tensor } from 'jitlens';

const numbers = async (x: Tensor | undefined) => [...((await x?.data()) ?? [])];
const close = (actual: readonly number[], expected: readonly number[], by = 1e-5) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((v, i) => expect(Math.abs(v - (expected[i] ?? NaN))).toBeLessThanOrEqual(by));
};

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const softplus = (v: number) => Math.log1p(Math.exp(v));
const XS = [-4, -1, -0.25, 0, 0.5, 1.5, 7];

/** Each activation by its definition. */
const activations: readonly (readonly [name: string, module: nn.Layer, f: (v: number) => number])[] = [
  ['Identity', new nn.Identity(), (v) => v],
  ['ReLU', new nn.ReLU(), (v) => Math.max(0, v)],
  ['ReLU6', new nn.ReLU6(), (v) => Math.min(6, Math.max(0, v))],
  ['LeakyReLU', new nn.LeakyReLU(), (v) => (v > 0 ? v : 0.01 * v)],
  ['LeakyReLU 0.3', new nn.LeakyReLU(0.3), (v) => (v > 0 ? v : 0.3 * v)],
  ['ELU 2', new nn.ELU(2), (v) => (v > 0 ? v : 2 * Math.expm1(v))],
  ['CELU 2', new nn.CELU(2), (v) => (v > 0 ? v : 2 * Math.expm1(v / 2))],
  ['SELU', new nn.SELU(), (v) => 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * Math.expm1(v))],
  ['GELU tanh', new nn.GELU('tanh'), (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))],
  ['SiLU', new nn.SiLU(), (v) => v * sigmoid(v)],
  ['Mish', new nn.Mish(), (v) => v * Math.tanh(softplus(v))],
  ['Softplus 2', new nn.Softplus(2), (v) => softplus(2 * v) / 2],
  ['Softsign', new nn.Softsign(), (v) => v / (1 + Math.abs(v))],
  ['Sigmoid', new nn.Sigmoid(), sigmoid],
  ['LogSigmoid', new nn.LogSigmoid(), (v) => -softplus(-v)],
  ['Tanh', new nn.Tanh(), Math.tanh],
  ['Tanhshrink', new nn.Tanhshrink(), (v) => v - Math.tanh(v)],
  ['Hardtanh', new nn.Hardtanh(-2, 0.25), (v) => Math.min(0.25, Math.max(-2, v))],
  ['Hardswish', new nn.Hardswish(), (v) => (v * Math.min(6, Math.max(0, v + 3))) / 6],
  ['Hardsigmoid', new nn.Hardsigmoid(), (v) => Math.min(6, Math.max(0, v + 3)) / 6],
  ['PReLU', new nn.PReLU(), (v) => (v > 0 ? v : 0.25 * v)],
];

test.each(activations)('%s', async (_name, module, f) => {
  close(await numbers(module.forward(tensor(XS))), XS.map(f));
});

test('activations along a dim', async () => {
  const x = tensor([
    [1, 2, -1, 0.5],
    [0, 0, 3, -2],
  ]);
  const soft = (row: number[]) => row.map((v) => Math.exp(v) / row.reduce((sum, u) => sum + Math.exp(u), 0));
  const rows = [
    [1, 2, -1, 0.5],
    [0, 0, 3, -2],
  ];
  close(await numbers(new nn.Softmax(1).forward(x)), rows.flatMap(soft));
  close(
    await numbers(new nn.Softmin(-1).forward(x)),
    rows.flatMap((row) => soft(row.map((v) => -v))),
  );
  close(await numbers(new nn.LogSoftmax(1).forward(x)), rows.flatMap(soft).map(Math.log));
  close(
    await numbers(new nn.GLU().forward(x)),
    rows.flatMap(([a = 0, b = 0, c = 0, d = 0]) => [a * sigmoid(c), b * sigmoid(d)]),
  );
  close(
    await numbers(new nn.GLU(0).forward(x)),
    [0, 1, 2, 3].map((i) => (rows[0]?.[i] ?? 0) * sigmoid(rows[1]?.[i] ?? 0)),
  );
  const channels = new nn.PReLU(2);
  noGrad(() => channels.weight.copy_(tensor([2, 3])));
  close(await numbers(channels.forward(ones([1, 2, 1, 2]).neg())), [-2, -2, -3, -3]);
});

test('Flatten and Unflatten', () => {
  expect(new nn.Flatten().forward(zeros([2, 3, 4, 5])).shape).toEqual([2, 60]);
  expect(new nn.Flatten(0, 1).forward(zeros([2, 3, 4])).shape).toEqual([6, 4]);
  expect(new nn.Unflatten(1, [2, -1]).forward(zeros([3, 6])).shape).toEqual([3, 2, 3]);
});

describe('Linear', () => {
  it('multiplies by its weight and adds its bias', async () => {
    const linear = new nn.Linear(2, 3);
    linear.loadStateDict({ weight: fromArray([1, 2, 3, 4, 5, 6], [3, 2]), bias: tensor([10, 20, 30]) });
    expect(await numbers(linear.forward(tensor([[1, -1]])))).toEqual([9, 19, 29]);
    expect(new nn.Linear(2, 3, { bias: false }).namedParameters().map(([name]) => name)).toEqual(['weight']);
  });

  it('starts uniform on ±1/√in', async () => {
    const linear = new nn.Linear(25, 400);
    const values = await numbers(linear.weight);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.2);
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.199);
    close([mean(values), deviation(values)], [0, 0.2 / Math.sqrt(3)], 0.004);
  });
});

describe('Embedding', () => {
  it('looks up rows', async () => {
    const table = new nn.Embedding(5, 2);
    const rows = await numbers(table.weight);
    const got = await numbers(table.forward(tensor([[3, 0]], { dtype: 'int32' })));
    expect(got).toEqual([...rows.slice(6, 8), ...rows.slice(0, 2)]);
  });

  it('keeps its padding row at 0 and without a gradient', async () => {
    const table = new nn.Embedding(4, 2, { paddingIdx: 1 });
    const places = tensor([1, 2, 1, 3], { dtype: 'int32' });
    expect((await numbers(table.forward(places))).slice(0, 2)).toEqual([0, 0]);
    table.forward(places).sum().backward();
    expect(await numbers(table.weight.grad)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });
});

describe('Dropout', () => {
  it('drops a share in training, and nothing in use', async () => {
    manualSeed(1);
    const layer = new nn.Dropout(0.25);
    const values = await numbers(layer.forward(ones([10_000])));
    expect(new Set(values)).toEqual(new Set([0, Math.fround(4 / 3)]));
    expect(values.filter((v) => v === 0).length / 10_000).toBeCloseTo(0.25, 1);
    expect(await numbers(layer.eval().forward(tensor([1, 2])))).toEqual([1, 2]);
  });

  it('of channels drops whole ones', async () => {
    const values = await numbers(new nn.Dropout2d(0.5).forward(ones([8, 8, 3])));
    for (let i = 0; i < values.length; i += 3) expect(new Set(values.slice(i, i + 3)).size).toBe(1);
    expect(new Set(values)).toEqual(new Set([0, 2]));
  });
});

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const deviation = (values: readonly number[]) => {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((v) => (v - centre) ** 2)));
};

describe('init', () => {
  const filled = (fill: (x: Tensor) => Tensor) => {
    manualSeed(3);
    const x = zeros([100, 20, 3, 3]);
    expect(fill(x)).toBe(x);
    return numbers(x);
  };
  const { init } = nn;
  const [fanIn, fanOut] = [180, 900];

  it.each<[string, (x: Tensor) => Tensor, number, number]>([
    ['uniform_', (x) => init.uniform_(x, 1, 4), 2.5, 3 / Math.sqrt(12)],
    ['normal_', (x) => init.normal_(x, -1, 0.5), -1, 0.5],
    ['kaimingUniform_', (x) => init.kaimingUniform_(x, { a: Math.sqrt(5) }), 0, 1 / Math.sqrt(3 * fanIn)],
    ['kaimingUniform_ for relu', (x) => init.kaimingUniform_(x, { nonlinearity: 'relu' }), 0, Math.sqrt(2 / fanIn)],
    [
      'kaimingNormal_ of gradients',
      (x) => init.kaimingNormal_(x, { mode: 'fanOut', nonlinearity: 'relu' }),
      0,
      Math.sqrt(2 / fanOut),
    ],
    ['xavierUniform_', (x) => init.xavierUniform_(x, 5 / 3), 0, (5 / 3) * Math.sqrt(2 / (fanIn + fanOut))],
    ['xavierNormal_', (x) => init.xavierNormal_(x), 0, Math.sqrt(2 / (fanIn + fanOut))],
    // A normal distribution cut at two standard deviations has 0.8796 of them.
    ['truncNormal_', (x) => init.truncNormal_(x, 1, 0.5, 0, 2), 1, 0.8796 * 0.5],
  ])('%s has the mean and the spread that it should', async (_name, fill, wantedMean, wantedDeviation) => {
    const values = await filled(fill);
    expect(Math.abs(mean(values) - wantedMean)).toBeLessThan(0.03 * wantedDeviation);
    expect(Math.abs(deviation(values) / wantedDeviation - 1)).toBeLessThan(0.02);
  });

  it('uniform ones stay within their bounds, and truncated ones within theirs', async () => {
    const bounds = (values: number[]) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    close(
      bounds(await filled((x) => init.xavierUniform_(x))),
      [-1, 1].map((s) => s * Math.sqrt(6 / 1080)),
      1e-4,
    );
    const [low = 0, high = 0] = bounds(await filled((x) => init.truncNormal_(x, 0, 1, -0.5, 3)));
    close([low, high], [-0.5, 3], 0.02);
    expect([low >= -0.5, high <= 3]).toEqual([true, true]);
  });

  it('truncNormal_ follows the normal distribution between its bounds', async () => {
    const values = await filled((x) => init.truncNormal_(x, 0, 1, -3, 3));
    // Shares of a normal distribution below −1, 0 and 2.
    for (const [at, share] of [
      [-1, 0.15731],
      [0, 0.5],
      [2, 0.97858],
    ] as const)
      expect(Math.abs(values.filter((v) => v < at).length / values.length - share)).toBeLessThan(0.01);
  });

  it('constants, gains, and what has no fans', async () => {
    expect(new Set(await filled((x) => init.constant_(x, 0.5)))).toEqual(new Set([0.5]));
    expect(new Set(await filled((x) => init.zeros_(init.ones_(x))))).toEqual(new Set([0]));
    close(
      [init.calculateGain('tanh'), init.calculateGain('relu'), init.calculateGain('leakyRelu', 0.2), init.calculateGain('selu')],
      [5 / 3, Math.sqrt(2), Math.sqrt(2 / 1.04), 0.75],
    );
    expect(() => init.kaimingNormal_(zeros([3]))).toThrow('[3] has no inputs and outputs');
  });

  it('fills parameters without a gradient', () => {
    const { weight } = new nn.Linear(2, 2);
    expect(init.kaimingNormal_(weight)).toBe(weight);
    expect([weight.requiresGrad, weight.isLeaf]).toEqual([true, true]);
    expect(() => weight.copy_(randn([2, 2]))).toThrow(/written in place/);
  });
});
test('dropout of more than all is refused where it is made', () => {
  expect(() => new nn.Dropout(2)).toThrow(/^Dropout: a share of 2/);
  expect(() => new nn.Dropout2d(-1)).toThrow(expect.objectContaining({ code: 'JLT-RANGE' }));
});
