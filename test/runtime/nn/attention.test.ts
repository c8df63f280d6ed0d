/** Attention with several heads against sums written out, its masks, and the encoder layer against its parts. */
import { describe, expect, it, test } from 'vitest';
import { grad, jit, nn, noGrad, randn, tensor, zeros, type Tensor } from 'jitlens';

const numbers = async (x: Tensor | undefined) => [...((await x?.data()) ?? [])];

async function close(actual: Tensor | undefined, expected: Tensor, by = 2e-5) {
  expect(actual?.shape).toEqual(expected.shape);
  const [a, b] = [await numbers(actual), await numbers(expected)];
  a.forEach((v, i) => expect(Math.abs(v - (b[i] ?? NaN))).toBeLessThanOrEqual(by));
}

type Matrix = number[][];

async function matrix(x: Tensor | undefined): Promise<Matrix> {
  const [values, columns] = [await numbers(x), x?.size(-1) ?? 1];
  return Array.from({ length: values.length / columns }, (_, i) => values.slice(i * columns, (i + 1) * columns));
}

const project = (x: Matrix, w: Matrix, b: number[]) =>
  x.map((row) => w.map((weights, o) => weights.reduce((sum, f, i) => sum + f * (row[i] ?? NaN), b[o] ?? NaN)));

/** One batch of attention with `heads` heads; `sees(head, query, key)` says what is looked at. */
async function byHand(
  module: nn.MultiheadAttention,
  q: Matrix,
  k: Matrix,
  v: Matrix,
  sees: (h: number, i: number, j: number) => boolean,
) {
  const { embedDim: size, numHeads: heads } = module;
  const [w, b] = [await matrix(module.inProjWeight), await numbers(module.inProjBias)];
  const [pq, pk, pv] = [q, k, v].map((x, n) =>
    project(x, w.slice(n * size, (n + 1) * size), b.slice(n * size, (n + 1) * size)),
  ) as [Matrix, Matrix, Matrix];
  const width = size / heads;
  const means = q.map(() => k.map(() => 0));
  const mixed = pq.map((row, i) => {
    const out: number[] = [];
    for (let h = 0; h < heads; h++) {
      const part = (x: number[]) => x.slice(h * width, (h + 1) * width);
      const scores = pk.map((key, j) =>
        sees(h, i, j) ? Math.exp(part(row).reduce((sum, f, d) => sum + f * (part(key)[d] ?? 0), 0) / Math.sqrt(width)) : 0,
      );
      const total = scores.reduce((x, y) => x + y, 0);
      scores.forEach((s, j) => ((means[i] ?? [])[j] = (means[i]?.[j] ?? 0) + s / total / heads));
      for (let d = 0; d < width; d++)
        out.push(pv.reduce((sum, value, j) => sum + ((scores[j] ?? 0) / total) * (part(value)[d] ?? 0), 0));
    }
    return out;
  });
  return { output: project(mixed, await matrix(module.outProj.weight), await numbers(module.outProj.bias)), means };
}

function randomised(module: nn.MultiheadAttention): nn.MultiheadAttention {
  noGrad(() => module.parameters().forEach((p) => p.copy_(randn(p.shape).mul(0.5))));
  return module;
}

describe('MultiheadAttention', () => {
  const module = randomised(new nn.MultiheadAttention(4, 2));
  const [q, k, v] = [randn([3, 1, 4]), randn([5, 1, 4]), randn([5, 1, 4])];
  const bools = (rows: boolean[][]) => tensor(rows);
  const blocked = [
    [false, true, false, false, true],
    [true, true, true, true, false],
    [false, false, false, false, false],
  ];
  const absent = [false, false, true, false, false];
  const both = blocked.map((row) => row.map((x, j) => x || (absent[j] ?? false)));

  it.each<[string, nn.MaskOptions, (h: number, i: number, j: number) => boolean]>([
    ['no mask', {}, () => true],
    ['a mask', { attnMask: bools(blocked) }, (_h, i, j) => !blocked[i]?.[j]],
    ['a mask of numbers', { attnMask: bools(blocked).where(-1e30, 0) }, (_h, i, j) => !blocked[i]?.[j]],
    ['keys that are padding', { keyPaddingMask: bools([absent]) }, (_h, _i, j) => !absent[j]],
    ['both', { attnMask: bools(blocked), keyPaddingMask: bools([absent]) }, (_h, i, j) => !both[i]?.[j]],
    [
      'numbers and padding',
      { attnMask: bools(blocked).where(-1e30, 0), keyPaddingMask: bools([absent]) },
      (_h, i, j) => !both[i]?.[j],
    ],
    ['causal', { isCausal: true }, (_h, i, j) => j <= i],
    ['causal with padding', { isCausal: true, keyPaddingMask: bools([absent]) }, (_h, i, j) => j <= i && !absent[j]],
    [
      'a mask for each head',
      { attnMask: zeros([2, 3, 5], { dtype: 'bool' }).logicalXor(tensor([[[true]], [[false]]]).logicalAnd(bools(blocked))) },
      (h, i, j) => h === 1 || !blocked[i]?.[j],
    ],
  ])('with %s', async (_name, masks, sees) => {
    const wanted = await byHand(module, await matrix(q), await matrix(k), await matrix(v), sees);
    const [output, weights] = module.forward(q, k, v, masks);
    await close(output, tensor(wanted.output).unsqueeze(1));
    await close(weights, tensor(wanted.means).unsqueeze(0));
    const [fast, none] = module.forward(q, k, v, { ...masks, needWeights: false });
    await close(fast, output);
    expect(none).toBeUndefined();
  });

  it('takes batches first, and no batch', async () => {
    const first = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    first.loadStateDict(module.stateDict());
    const [many, more] = [randn([3, 2, 4]), randn([5, 2, 4])];
    const [wanted, weights] = module.forward(many, more, more);
    const [given, same] = first.forward(many.transpose(0, 1), more.transpose(0, 1), more.transpose(0, 1));
    await close(given.transpose(0, 1), wanted);
    await close(same, weights ?? wanted);
    const [single, of] = module.forward(many.select(1, 1), more.select(1, 1), more.select(1, 1));
    await close(single, wanted.select(1, 1));
    await close(of, weights?.select(0, 1) ?? wanted);
  });

  it('starts as in PyTorch', async () => {
    const fresh = new nn.MultiheadAttention(32, 4);
    const bound = Math.sqrt(6 / (32 + 96));
    const largest = Math.max(...(await numbers(fresh.inProjWeight)).map(Math.abs));
    expect([largest <= bound, largest > 0.98 * bound]).toEqual([true, true]);
    expect(new Set([...(await numbers(fresh.inProjBias)), ...(await numbers(fresh.outProj.bias))])).toEqual(new Set([0]));
    expect(new nn.MultiheadAttention(4, 2, { bias: false }).namedParameters().map(([n]) => n)).toEqual([
      'inProjWeight',
      'outProj.weight',
    ]);
  });

  it('refuses what does not fit', () => {
    expect(() => new nn.MultiheadAttention(5, 2)).toThrow('5 features in 2 heads');
    expect(() => module.forward(q, k, zeros([5, 1, 3]))).toThrow('MultiheadAttention of [3, 1, 4], [5, 1, 4], [5, 1, 3]');
    expect(() => module.forward(q, k, v, { isCausal: true, attnMask: bools(blocked) })).toThrow('attnMask and isCausal');
  });
});

describe('TransformerEncoderLayer', () => {
  const x = randn([3, 2, 8]);

  it.each([
    [false, 'relu'],
    [true, 'gelu'],
  ] as const)('normalises first: %s, with %s', async (normFirst, activation) => {
    const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, normFirst, activation, layerNormEps: 1e-3 }).eval();
    const attended = (y: Tensor) => layer.selfAttn.forward(y, y, y, { isCausal: true })[0];
    const fed = (y: Tensor) => layer.linear2.forward(layer.linear1.forward(y)[activation]());
    const normal = (y: Tensor) => y.layerNorm(8, undefined, undefined, 1e-3);
    const middle = normFirst ? x.add(attended(normal(x))) : normal(x.add(attended(x)));
    const wanted = normFirst ? middle.add(fed(normal(middle))) : normal(middle.add(fed(middle)));
    await close(layer.forward(x, { isCausal: true }), wanted);
    await close(noGrad(() => jit.trace(layer, [x, { isCausal: true }]))(x, { isCausal: true }), wanted);
  });

  it('drops in training only, and has the names of PyTorch', async () => {
    const layer = new nn.TransformerEncoderLayer(8, 2, { dropout: 0.5 });
    expect(await numbers(layer.forward(x))).not.toEqual(await numbers(layer.forward(x)));
    layer.eval();
    await close(layer.forward(x), layer.forward(x), 0);
    expect(layer.linear1.weight.shape).toEqual([2048, 8]);
    expect(Object.keys(layer.stateDict())).toEqual([
      'selfAttn.inProjWeight',
      'selfAttn.inProjBias',
      'selfAttn.outProj.weight',
      'selfAttn.outProj.bias',
      'linear1.weight',
      'linear1.bias',
      'linear2.weight',
      'linear2.bias',
      'norm1.weight',
      'norm1.bias',
      'norm2.weight',
      'norm2.bias',
    ]);
  });
});

test('training an encoder layer traced takes the steps that it takes eagerly', async () => {
  const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, dropout: 0 });
  const x = randn([3, 2, 4]);
  const wanted = grad([layer.forward(x).square().sum()], layer.parameters());
  const traced = jit.trace((y: Tensor) => grad([layer.forward(y).square().sum()], layer.parameters()), [x]);
  for (const [i, g] of traced(x).entries()) await close(g, wanted[i] ?? x, 1e-4);
});
