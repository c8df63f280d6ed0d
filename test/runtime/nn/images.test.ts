/** Layers for images: convolutions and their start, normalisation with its running statistics, pooling, losses as modules. */
import { describe, expect, it, test } from 'vitest';
import { jit, nn, noGrad, ones, randn, tensor, zeros, type Tensor } from 'jitlens';

const numbers = async (x: Tensor | undefined) => [...((await x?.data()) ?? [])];

async function close(actual: Tensor, expected: Tensor, by = 1e-5) {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [await numbers(actual), await numbers(expected)];
  a.forEach((v, i) => expect(Math.abs(v - (b[i] ?? NaN))).toBeLessThanOrEqual(by));
}

describe('convolutions', () => {
  const grouped = { stride: 2, padding: 1, groups: 2 } as const;
  it.each<
    [
      name: string,
      layer: nn.Layer & { weight: nn.Parameter },
      x: Tensor,
      weight: number[],
      by: (w: Tensor, b?: Tensor) => (x: Tensor) => Tensor,
    ]
  >([
    ['Conv1d', new nn.Conv1d(2, 3, 4), randn([2, 2, 9]), [3, 2, 4], (w, b) => (x) => x.conv1d(w, b)],
    ['Conv2d', new nn.Conv2d(4, 6, [2, 3], grouped), randn([2, 4, 6, 5]), [6, 2, 2, 3], (w, b) => (x) => x.conv2d(w, b, grouped)],
    ['Conv3d', new nn.Conv3d(1, 2, 2), randn([1, 1, 3, 4, 3]), [2, 1, 2, 2, 2], (w, b) => (x) => x.conv3d(w, b)],
    ['ConvTranspose1d', new nn.ConvTranspose1d(2, 3, 3), randn([2, 2, 5]), [2, 3, 3], (w, b) => (x) => x.convTranspose1d(w, b)],
    [
      'ConvTranspose2d',
      new nn.ConvTranspose2d(4, 6, 3, { ...grouped, outputPadding: 1 }),
      randn([1, 4, 4, 3]),
      [4, 3, 3, 3],
      (w, b) => (x) => x.convTranspose2d(w, b, { ...grouped, outputPadding: 1 }),
    ],
    [
      'ConvTranspose3d',
      new nn.ConvTranspose3d(1, 2, 2),
      randn([1, 1, 2, 2, 2]),
      [1, 2, 2, 2, 2],
      (w, b) => (x) => x.convTranspose3d(w, b),
    ],
  ])('%s is its op with its weight and bias', async (_name, layer, x, weight, by) => {
    const [w, b] = layer.parameters();
    expect([layer.weight.shape, layer.namedParameters().map(([name]) => name)]).toEqual([weight, ['weight', 'bias']]);
    await close(layer.forward(x), by(w ?? x, b)(x));
    const bound = 1 / Math.sqrt(weight.slice(1).reduce((p, n) => p * n, 1));
    for (const p of layer.parameters()) {
      const largest = Math.max(...(await numbers(p)).map(Math.abs));
      expect(largest).toBeLessThanOrEqual(bound);
    }
  });

  it('start as wide as they may, and may do without a bias', async () => {
    const { weight, bias } = new nn.Conv2d(4, 50, 5, { bias: false });
    expect(bias).toBeUndefined();
    expect(Math.max(...(await numbers(weight)).map(Math.abs))).toBeGreaterThan(0.0995);
    expect(() => new nn.Conv2d(1, 1, [2])).toThrow(/kernelSize of Conv2d/);
    // @ts-expect-error it has no usual size
    expect(() => new nn.Conv2d(1, 1)).toThrow(/kernelSize of Conv2d/);
  });
});

describe('batch norm', () => {
  const values = [
    [1, 2, 4, 9],
    [-3, 0, 0, 5],
  ];

  it('uses the statistics of the batch, which the running ones follow', async () => {
    const norm = new nn.BatchNorm1d(2, { momentum: 0.25 });
    const x = tensor(values).t();
    const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
    const variance = (v: number[], less = 0) => v.reduce((sum, u) => sum + (u - mean(v)) ** 2, 0) / (v.length - less);
    const wanted = values.map((v) => v.map((u) => (u - mean(v)) / Math.sqrt(variance(v) + 1e-5)));
    await close(norm.forward(x), tensor(wanted).t());
    await close(norm.runningMean ?? x, tensor(values.map((v) => 0.25 * mean(v))));
    await close(norm.runningVar ?? x, tensor(values.map((v) => 0.75 + 0.25 * variance(v, 1))));
    const used = norm.eval().forward(x);
    await close(
      used,
      tensor(values.map((v) => v.map((u) => (u - 0.25 * mean(v)) / Math.sqrt(0.75 + 0.25 * variance(v, 1) + 1e-5)))).t(),
    );
    await close(norm.forward(x), used);
  });

  it('traced, the statistics follow at every call', async () => {
    const [eager, fast] = [new nn.BatchNorm2d(3), new nn.BatchNorm2d(3)];
    const xs = [randn([2, 3, 4, 4]), randn([2, 3, 4, 4]).add(2), randn([2, 3, 4, 4]).mul(3)];
    const [first] = xs;
    if (!first) throw new Error('no input');
    eager.forward(first);
    const traced = jit.trace(fast, [first]);
    for (const x of xs) await close(traced(x), eager.forward(x), 1e-4);
    await close(fast.runningMean ?? first, eager.runningMean ?? first);
    await close(fast.runningVar ?? first, eager.runningVar ?? first, 1e-4);
    expect(Object.keys(fast.stateDict())).toEqual(['weight', 'bias', 'runningMean', 'runningVar']);
  });

  it('may do without weights or running statistics, and refuses other ranks', async () => {
    const bare = new nn.BatchNorm1d(2, { affine: false, trackRunningStats: false }).eval();
    expect(Object.keys(bare.stateDict())).toEqual([]);
    const [mean] = await numbers(bare.forward(tensor(values).t()).mean());
    expect(mean).toBeCloseTo(0, 5);
    expect(() => new nn.BatchNorm2d(2).forward(zeros([2, 2]))).toThrow('BatchNorm2d: a tensor of shape [2, 2]');
    expect(() => new nn.BatchNorm1d(2).forward(zeros([2, 2, 2, 2]))).toThrow('BatchNorm1d: a tensor');
  });
});

test('other norms are their ops with weight and bias', async () => {
  const set = (m: nn.Module) => noGrad(() => m.parameters().forEach((p, i) => p.copy_(randn(p.shape).add(i))));
  const x = randn([2, 4, 3, 5]);
  const layer = new nn.LayerNorm([3, 5], { eps: 0.1 });
  set(layer);
  await close(layer.forward(x), x.layerNorm([3, 5], layer.weight, layer.bias, 0.1));
  expect(new nn.LayerNorm(5, { bias: false }).namedParameters().map(([name]) => name)).toEqual(['weight']);
  expect(new nn.LayerNorm(5, { elementwiseAffine: false }).parameters()).toEqual([]);
  const group = new nn.GroupNorm(2, 4);
  set(group);
  await close(group.forward(x), x.groupNorm(2, group.weight, group.bias));
  const instance = new nn.InstanceNorm2d(4, { affine: true });
  set(instance);
  await close(instance.forward(x), x.instanceNorm({ weight: instance.weight, bias: instance.bias }));
  expect(new nn.InstanceNorm2d(4).parameters()).toEqual([]);
  const rms = new nn.RMSNorm(5, { eps: 0.1 });
  set(rms);
  await close(rms.forward(x), x.rmsNorm(5, rms.weight, 0.1));
});

test('pooling and resampling are their ops', async () => {
  const x = randn([2, 4, 6, 8]);
  const line = randn([2, 4, 9]);
  await close(new nn.MaxPool1d(3, { stride: 2 }).forward(line), line.maxPool1d(3, { stride: 2 }));
  await close(new nn.MaxPool2d(2).forward(x), x.maxPool2d(2));
  await close(new nn.AvgPool1d(2).forward(line), line.avgPool1d(2));
  await close(
    new nn.AvgPool2d([2, 3], { padding: 1, countIncludePad: false }).forward(x),
    x.avgPool2d([2, 3], { padding: 1, countIncludePad: false }),
  );
  await close(new nn.AdaptiveAvgPool2d([3, 2]).forward(x), x.adaptiveAvgPool2d([3, 2]));
  await close(new nn.AdaptiveMaxPool2d(2).forward(x), x.adaptiveMaxPool2d(2));
  await close(
    new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }).forward(x),
    x.interpolate({ scaleFactor: 2, mode: 'bilinear' }),
  );
  await close(new nn.PixelUnshuffle(2).forward(new nn.PixelShuffle(2).forward(x)), x);
});

test('losses are their ops with the options that they were given', async () => {
  const [x, t] = [randn([4, 3]), randn([4, 3])];
  const classes = tensor([0, 2, 1, 2], { dtype: 'int32' });
  const shares = t.sigmoid();
  await close(new nn.MSELoss().forward(x, t), x.mseLoss(t));
  await close(new nn.L1Loss({ reduction: 'none' }).forward(x, t), x.l1Loss(t, { reduction: 'none' }));
  await close(new nn.SmoothL1Loss({ beta: 0.3 }).forward(x, t), x.smoothL1Loss(t, { beta: 0.3 }));
  await close(new nn.HuberLoss({ delta: 0.3 }).forward(x, t), x.huberLoss(t, { delta: 0.3 }));
  const weight = tensor([1, 2, 3]);
  await close(
    new nn.CrossEntropyLoss({ weight, labelSmoothing: 0.1 }).forward(x, classes),
    x.crossEntropy(classes, { weight, labelSmoothing: 0.1 }),
  );
  await close(
    new nn.NLLLoss({ reduction: 'sum' }).forward(x.logSoftmax(1), classes),
    x.crossEntropy(classes, { reduction: 'sum' }),
  );
  await close(new nn.BCELoss().forward(x.sigmoid(), shares), x.sigmoid().binaryCrossEntropy(shares));
  await close(
    new nn.BCEWithLogitsLoss({ posWeight: weight }).forward(x, shares),
    x.binaryCrossEntropyWithLogits(shares, { posWeight: weight }),
  );
  await close(
    new nn.KLDivLoss({ reduction: 'batchmean' }).forward(x.logSoftmax(1), shares),
    x.logSoftmax(1).klDiv(shares, { reduction: 'batchmean' }),
  );
  await close(new nn.CosineSimilarity({ dim: 0 }).forward(x, t), x.cosineSimilarity(t, { dim: 0 }));
});

test('Bilinear', async () => {
  const layer = new nn.Bilinear(2, 3, 4);
  const [a, b] = [randn([5, 2]), randn([5, 3])];
  await close(layer.forward(a, b), a.bilinear(b, layer.weight, layer.bias));
  const [w, bias] = [await numbers(layer.weight), await numbers(layer.bias)];
  expect(Math.max(...w.map(Math.abs), ...bias.map(Math.abs))).toBeLessThanOrEqual(Math.SQRT1_2);
  // One output by hand: the sum of all of its weights, plus its bias.
  const [first = NaN] = await numbers(layer.forward(ones([1, 2]), ones([1, 3])));
  expect(first).toBeCloseTo(
    w.slice(0, 6).reduce((sum, v) => sum + v, bias[0] ?? NaN),
    5,
  );
});
