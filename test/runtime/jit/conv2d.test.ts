/** The handwritten convolution of the samples, against golden values, eagerly, traced and on the reference device. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jit, manualSeed, noGrad, rand, tensor } from 'jitlens';
import { Conv2d } from '../../../extension/samples/conv2d.ts';
import type { HostArray } from '../../../runtime/tensor/dtype.ts';
import { firstOff } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Golden {
  readonly consts: { readonly padding?: number; readonly dilation?: number; readonly stride?: number };
  readonly params: { readonly weights: Values };
  readonly inputs: { readonly x: Values };
  readonly outputs: { readonly out: Values };
}

const load = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../goldens/handwritten_conv2d_${name}.json`, import.meta.url), 'utf8')) as Golden;
const made = ({ shape, data }: Values) => tensor(Float32Array.from(data)).view(shape);

function setUp({ consts, params, inputs }: Golden) {
  const [outputs = 1, channels = 1, cells = 1] = params.weights.shape;
  const { padding, dilation, stride } = consts;
  const layer = new Conv2d(channels, outputs, Math.sqrt(cells), { padding, dilation, stride });
  noGrad(() => layer.weights.copy_(made(params.weights)));
  return { layer, x: made(inputs.x) };
}

/** Sums of 27 products of about 1, in float32. */
const TOLERANCE = { relative: 1e-5, absolute: 1e-5 };
const same = (got: HostArray, want: readonly number[]) => expect(firstOff([...got], want, TOLERANCE)).toBeUndefined();

describe.each(['b1', 'b2_faithful', 's2p1d2'])('golden %s', (name) => {
  const golden = load(name);
  const { shape, data } = golden.outputs.out;

  test('eagerly', async () => {
    const { layer, x } = setUp(golden);
    const out = layer.forward(x);
    expect(out.shape).toEqual(shape);
    same(await out.data(), data);
  });

  test('traced, in at most two kernels', async () => {
    const { layer, x } = setUp(golden);
    const traced = jit.trace(layer, [x.mul(0.5)]);
    const out = traced(x);
    expect(out.shape).toEqual(shape);
    same(await out.data(), data);
    expect(traced.info.compiled).toHaveLength(1);
    expect(traced.info.compiled[0]?.plan?.kernels.length).toBeLessThanOrEqual(2);
  });

  test('on the reference device, eagerly and traced', async () => {
    const { layer, x } = onReference(() => setUp(golden));
    same(await onReference(() => layer.forward(x)).data(), data);
    same(await onReference(() => jit.trace(layer, [x])(x)).data(), data);
  });
});

test('a few hundred ops eagerly, one or two kernels traced, at any size', () => {
  manualSeed(1);
  for (const [channels, outputs, batch] of [
    [3, 16, 1],
    [2, 5, 3],
    [1, 1, 1],
    [4, 8, 2],
  ] as const) {
    const layer = new Conv2d(channels, outputs, 3, { padding: 1 });
    const { compiled } = jit.trace(layer, [rand([batch, channels, 10, 12])]).info;
    const [first] = compiled;
    expect(first?.recorded.nodes.filter((n) => n.kind === 'op' && n.op.name === 'matmul')).toHaveLength(channels * outputs);
    expect(first?.plan?.kernels.length, `${channels} to ${outputs}, batch ${batch}`).toBeLessThanOrEqual(2);
  }
});
