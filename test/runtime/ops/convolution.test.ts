/** Convolutions against brute force: every window written out from the definition, on channels-last plain arrays. */
import { describe, expect, test } from 'vitest';
import { jit, tensor, type Tensor } from 'jitlens';
import { nodeInputs } from '../../../runtime/ir/graph.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { firstOff } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { launched } from '../support/dispatches.ts';
import { recordedOf } from '../support/passes.ts';
import { Random } from '../support/random.ts';

interface Case {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly more?: readonly number[];
}

/** A tensor of two lists of leading indices and up to three dims, looked up by index; 0 outside. */
class Grid {
  constructor(
    readonly shape: readonly number[],
    readonly values: number[],
  ) {}
  place(index: readonly number[]): number {
    if (index.some((i, d) => i < 0 || i >= (this.shape[d] ?? 0))) return -1;
    return index.reduce((sum, i, d) => sum * (this.shape[d] ?? 0) + i, 0);
  }
  at(...index: number[]): number {
    return this.values[this.place(index)] ?? 0;
  }
}

function* every(sizes: readonly number[]): Generator<number[]> {
  const [first, ...rest] = sizes;
  if (first === undefined) {
    yield [];
    return;
  }
  for (let i = 0; i < first; i++) for (const tail of every(rest)) yield [i, ...tail];
}

/** PyTorch's formula, term by term. */
function convolved(x: Grid, weight: Grid, { stride, padding, dilation, groups }: Case): Grid {
  const [batch = 0, , ...sizes] = x.shape;
  const [outputs = 0, inputs = 0, ...kernel] = weight.shape;
  const room = sizes.map((n, d) => n + 2 * (padding[d] ?? 0) - (dilation[d] ?? 1) * ((kernel[d] ?? 1) - 1) - 1);
  const shape = [batch, outputs, ...room.map((n, d) => Math.floor(n / (stride[d] ?? 1)) + 1)];
  const out = new Grid(shape, new Array<number>(numel(shape)).fill(0));
  for (const index of every(shape)) {
    const [n = 0, o = 0, ...window] = index;
    let sum = 0;
    for (let c = 0; c < inputs; c++) {
      for (const cell of every(kernel)) {
        const pixel = window.map((p, d) => p * (stride[d] ?? 1) + (cell[d] ?? 0) * (dilation[d] ?? 1) - (padding[d] ?? 0));
        sum += x.at(n, Math.floor(o / (outputs / groups)) * inputs + c, ...pixel) * weight.at(o, c, ...cell);
      }
    }
    out.values[out.place(index)] = sum;
  }
  return out;
}

/** Each element of x spreads the kernel over the result. */
function transposed(x: Grid, weight: Grid, { stride, padding, dilation, groups, more = [] }: Case): Grid {
  const [batch = 0, inputs = 0, ...sizes] = x.shape;
  const [, outputs = 0, ...kernel] = weight.shape;
  const reach = kernel.map((k, d) => (dilation[d] ?? 1) * (k - 1) + (more[d] ?? 0) + 1 - 2 * (padding[d] ?? 0));
  const shape = [batch, outputs * groups, ...sizes.map((n, d) => (n - 1) * (stride[d] ?? 1) + (reach[d] ?? 0))];
  const out = new Grid(shape, new Array<number>(numel(shape)).fill(0));
  for (const [n = 0, c = 0, ...from] of every(x.shape)) {
    for (const [o = 0, ...cell] of every([outputs, ...kernel])) {
      const to = from.map((p, d) => p * (stride[d] ?? 1) + (cell[d] ?? 0) * (dilation[d] ?? 1) - (padding[d] ?? 0));
      const place = out.place([n, Math.floor(c / (inputs / groups)) * outputs + o, ...to]);
      if (place >= 0) out.values[place] = (out.values[place] ?? 0) + x.at(n, c, ...from) * weight.at(c, o, ...cell);
    }
  }
  return out;
}

const random = new Random(11);
const made = (shape: readonly number[]) => new Grid(shape, random.values(numel(shape), 'float32', [-1, 1]));
const onDevice = ({ shape, values }: Grid) => tensor(Float32Array.from(values)).view(shape);
const CLOSE = { relative: 1e-5, absolute: 1e-5 };

async function same(got: Tensor, want: Grid): Promise<void> {
  expect(got.shape).toEqual(want.shape);
  expect(firstOff([...(await got.data())], want.values, CLOSE)).toBeUndefined();
}

const CASES: readonly Case[] = [
  { x: [2, 3, 11], weight: [4, 3, 3], stride: [2], padding: [1], dilation: [1], groups: 1 },
  { x: [1, 4, 13], weight: [6, 2, 3], stride: [3], padding: [2], dilation: [2], groups: 2 },
  { x: [2, 3, 9, 8], weight: [5, 3, 3, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 },
  { x: [1, 4, 9, 10], weight: [8, 1, 3, 3], stride: [2, 3], padding: [2, 1], dilation: [1, 2], groups: 4 },
  { x: [1, 3, 40, 44], weight: [16, 3, 3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 },
  { x: [3, 8, 24, 24], weight: [32, 4, 5, 5], stride: [2, 2], padding: [2, 2], dilation: [1, 1], groups: 2 },
  { x: [1, 2, 5, 6, 4], weight: [4, 1, 2, 3, 2], stride: [2, 1, 1], padding: [1, 0, 1], dilation: [1, 2, 1], groups: 2 },
];
const named = (cases: readonly Case[]) =>
  cases.map((c) => [`${c.x.join('×')} by ${c.weight.join('×')}, groups ${c.groups}, stride ${c.stride.join()}`, c] as const);

test.each(named(CASES))('convolution of %s', async (_name, c) => {
  const [x, weight] = [made(c.x), made(c.weight)];
  const { stride, padding, dilation, groups } = c;
  const run = (a: Tensor, w: Tensor) => {
    const options = { stride, padding, dilation, groups };
    if (stride.length === 1) return a.conv1d(w, undefined, options);
    return stride.length === 2 ? a.conv2d(w, undefined, options) : a.conv3d(w, undefined, options);
  };
  const want = convolved(x, weight, c);
  await same(run(onDevice(x), onDevice(weight)), want);
  await same(jit.trace(run, [onDevice(made(c.x)), onDevice(made(c.weight))])(onDevice(x), onDevice(weight)), want);
});

const TRANSPOSED: readonly Case[] = [
  { x: [2, 4, 5], weight: [4, 3, 3], stride: [2], padding: [1], dilation: [1], groups: 1, more: [1] },
  { x: [2, 4, 5, 6], weight: [4, 3, 3, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 },
  { x: [1, 6, 5, 4], weight: [6, 2, 3, 3], stride: [2, 3], padding: [1, 0], dilation: [1, 2], groups: 3, more: [1, 2] },
  { x: [1, 16, 16, 16], weight: [16, 8, 4, 4], stride: [2, 2], padding: [1, 1], dilation: [1, 1], groups: 1 },
  { x: [1, 2, 3, 2, 3], weight: [2, 2, 2, 2, 3], stride: [2, 1, 2], padding: [0, 1, 1], dilation: [1, 1, 1], groups: 1 },
];

test.each(named(TRANSPOSED))('transposed convolution of %s', async (_name, c) => {
  const [x, weight] = [made(c.x), made(c.weight)];
  const { stride, padding, dilation, groups, more } = c;
  const run = (a: Tensor, w: Tensor) => {
    const options = { stride, padding, dilation, groups, outputPadding: more };
    if (stride.length === 1) return a.convTranspose1d(w, undefined, options);
    return stride.length === 2 ? a.convTranspose2d(w, undefined, options) : a.convTranspose3d(w, undefined, options);
  };
  const want = transposed(x, weight, c);
  await same(run(onDevice(x), onDevice(weight)), want);
  await same(jit.trace(run, [onDevice(made(c.x)), onDevice(made(c.weight))])(onDevice(x), onDevice(weight)), want);
});

describe('a stride leaves out cells', () => {
  const plain = { dilation: [1], groups: 1 };
  const cases = [1, 2, 3, 4, 5, 7].flatMap((cells) =>
    [2, 3, 4].flatMap((stride) =>
      Array.from({ length: Math.min(4, cells) }, (_, padding): Case => {
        const more = (cells + padding) % stride;
        return { ...plain, x: [1, 2, 6], weight: [2, 2, cells], stride: [stride], padding: [padding], more: [more] };
      }),
    ),
  );

  test.each(named(cases))('%s', async (_name, c) => {
    const [x, weight] = [made(c.x), made(c.weight)];
    // What is not finite meets only the cells that it belongs to, and nothing that lies beside the weight is one of them.
    x.values[3] = Infinity;
    const { stride, padding, more } = c;
    const [outputs = 0, ...rest] = c.weight;
    const beside = new Array<number>(numel(rest)).fill(NaN);
    const around = new Grid([outputs + 2, ...rest], [...beside, ...weight.values, ...beside]);
    const part = onDevice(around).slice(0, 1, 1 + outputs);
    const got = onDevice(x).convTranspose1d(part, undefined, { stride, padding, outputPadding: more });
    await same(got, transposed(x, weight, c));
  });

  test.each([
    ['two of four', [8, 4, 4, 4], 2, 1, [8, 2, 2]],
    ['two of three at most', [8, 4, 3, 3], 2, 1, [8, 2, 2]],
    ['four of seven', [8, 4, 7, 7], 2, 3, [8, 4, 4]],
    ['all of a small one', [8, 4, 1, 1], 2, 0, [8, 1, 1]],
    ['all without one', [8, 4, 3, 3], 1, 1, [8, 3, 3]],
  ])('%s are added up', (_name, weight, stride, padding, terms) => {
    const run = (x: Tensor, w: Tensor) => x.convTranspose2d(w, undefined, { stride, padding });
    const [node] = onReference(() => recordedOf(run, [[1, 8, 5, 5], weight])).nodes.filter((n) => n.kind === 'op');
    if (node?.op.kind !== 'contract') throw new Error('a transposed convolution is a sum of products');
    const shapes = nodeInputs(node).map((x) => x.meta.shape);
    expect(node.op.extents(shapes, node.attributes)).toEqual(terms);
  });
});

describe('how it is called', () => {
  const x = () =>
    onDevice(
      new Grid(
        [1, 2, 4, 5],
        Array.from({ length: 40 }, (_, i) => i % 7),
      ),
    );
  const weight = () =>
    onDevice(
      new Grid(
        [2, 2, 2, 2],
        Array.from({ length: 16 }, (_, i) => i - 8),
      ),
    );

  test("padding 'same' keeps the size, the larger half behind", async () => {
    const by = { ...{ stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }, x: [1, 2, 5, 6], weight: [2, 2, 2, 2] };
    const padded = new Grid([1, 2, 5, 6], [...(await x().pad([0, 1, 0, 1]).data())]);
    const want = convolved(padded, new Grid([2, 2, 2, 2], [...(await weight().data())]), by);
    await same(x().conv2d(weight(), undefined, { padding: 'same' }), want);
  });

  test('without a batch dim, with a bias', async () => {
    const bias = tensor([100, -100]);
    const whole = x().conv2d(weight(), bias);
    const single = x().squeeze(0).conv2d(weight(), bias);
    expect(single.shape).toEqual([2, 3, 4]);
    expect([...(await single.data())]).toEqual([...(await whole.data())]);
    const plain = await x().conv2d(weight()).data();
    expect([...(await whole.data())]).toEqual([...plain].map((v, i) => v + (i < 12 ? 100 : -100)));
  });

  test('no images', () => {
    expect(x().slice(0, 0, 0).conv2d(weight()).shape).toEqual([0, 2, 3, 4]);
  });

  test('one kernel, and one for the bias', () => {
    const [a, w, b] = [x(), weight(), tensor([1, 2])];
    expect(launched(() => a.conv2d(w))).toBe(1);
    expect(launched(() => a.convTranspose2d(w, b, { stride: 2 }))).toBe(2);
  });

  test.each([
    ['channels', () => x().conv2d(weight().slice(1, 0, 1))],
    ['groups', () => x().conv2d(weight().slice(0, 0, 1).slice(1, 0, 1), undefined, { groups: 2 })],
    ['rank', () => x().conv1d(weight())],
    ['same with a stride', () => x().conv2d(weight(), undefined, { padding: 'same', stride: 2 })],
    ['larger than the image', () => x().conv2d(weight(), undefined, { dilation: 4 })],
    ['a fraction', () => x().conv2d(weight(), undefined, { stride: 1.5 })],
    ['outputPadding', () => x().convTranspose2d(weight(), undefined, { outputPadding: 1 })],
  ])('refused: %s', (_name, run) => {
    expect(run).toThrow(expect.objectContaining({ code: 'JL410' }));
  });
});
