/** @file Gradients by the tape: against known formulas, golden values, in-place writes, views, second order, long chains. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cat, grad, noGrad, ones, range, tensor, zeros, jit, type Tensor } from 'jitlens';

const values = async (x: Tensor | undefined) => Array.from((await x?.data()) ?? []);
const leaf = (...xs: number[]) => tensor(xs).requiresGrad_();

interface Golden {
  readonly consts: Record<string, number>;
  readonly params: Record<string, { shape: number[]; data: number[] }>;
  readonly inputs: Record<string, { shape: number[]; data: number[] }>;
  readonly cotangents: Record<string, { shape: number[]; data: number[] }>;
  readonly grads: Record<string, { shape: number[]; data: number[] }>;
}

describe('backward', () => {
  it('follows products, sums and functions', async () => {
    const x = leaf(1, 2, 3);
    const y = leaf(4, 5, 6);
    x.mul(y).add(x.square()).sum().backward();
    expect(await values(x.grad)).toEqual([6, 9, 12]);
    expect(await values(y.grad)).toEqual([1, 2, 3]);
  });

  it('adds up over calls and over uses', async () => {
    const x = leaf(2);
    x.mul(3).sum().backward();
    x.mul(4).sum().backward();
    expect(await values(x.grad)).toEqual([7]);
  });

  it('sums what was broadcast', async () => {
    const x = leaf(1, 2);
    const m = ones([3, 2]);
    m.mul(x)
      .add(x.view([1, 2]))
      .sum()
      .backward();
    expect(await values(x.grad)).toEqual([6, 6]);
  });

  it('goes through lists', async () => {
    const [x, y] = [leaf(1, 2), leaf(3)];
    cat([x, y.mul(2), x])
      .mul(tensor([1, 10, 100, 1000, 10000]))
      .sum()
      .backward();
    expect(await values(x.grad)).toEqual([1001, 10010]);
    expect(await values(y.grad)).toEqual([200]);
  });

  it('goes through writes into slices, and stops at what they replaced', async () => {
    const x = leaf(1, 2);
    const before = leaf(5, 5, 5);
    const all = before.mul(2);
    all.slice(0, 0, 2).add_(x);
    all.slice(0, 2, 3).copy_(x.slice(0, 1, 2));
    all
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(await values(x.grad)).toEqual([1, 110]);
    expect(await values(before.grad)).toEqual([2, 20, 0]);
  });

  it('goes through an in-place op that needs its own result', async () => {
    const x = leaf(0, 1);
    const y = x.mul(2);
    y.exp_();
    y.sum().backward();
    (await values(x.grad)).forEach((g, i) => expect(g).toBeCloseTo([2, 2 * Math.exp(2)][i] ?? NaN, 4));
  });

  it('gives an earlier view the history of a later write to what it views', async () => {
    const x = leaf(3);
    const all = zeros([2]);
    const view = all.slice(0, 0, 1);
    all.add_(x);
    view.mul(5).sum().backward();
    expect(await values(x.grad)).toEqual([5]);
  });

  it('differentiates twice', async () => {
    const x = leaf(2, 3);
    const [first] = grad([x.mul(x).mul(x).sum()], [x], { createGraph: true });
    expect(await values(first)).toEqual([12, 27]);
    const [second] = first ? grad([first.sum()], [x]) : [];
    expect(await values(second)).toEqual([12, 18]);
  });

  it('differentiates views twice', async () => {
    const x = leaf(2, 3);
    const [first] = grad([x.select(0, 1).mul(x.select(0, 1)).mul(x.select(0, 0))], [x], { createGraph: true });
    expect(await values(first)).toEqual([9, 12]);
    const [second] = first ? grad([first.select(0, 1)], [x]) : [];
    expect(await values(second)).toEqual([6, 4]);
  });

  it('does not overflow the stack on 10,000 ops', async () => {
    const x = leaf(1);
    let y: Tensor = x;
    for (const _ of range(10_000)) y = y.add(1);
    y.sum().backward();
    expect(await values(x.grad)).toEqual([1]);
  });

  it('refuses a value that was overwritten, a leaf that is written, and a result that needs no gradient', () => {
    const x = leaf(1, 2);
    const y = x.mul(2);
    const z = y.mul(y).sum();
    y.add_(1);
    expect(() => z.backward()).toThrow(/overwritten/);
    const written = ones([2]);
    written.mul_(x);
    expect(() => written.sum().backward()).toThrow(/overwritten/);
    expect(() => x.add_(1)).toThrow(/written in place/);
    expect(() => ones([]).backward()).toThrow(/depends on nothing/);
    expect(() => noGrad(() => x.sum()).backward()).toThrow(/depends on nothing/);
    expect(() => x.detach().sum().backward()).toThrow(/depends on nothing/);
  });

  it('lets a leaf be updated under noGrad', async () => {
    const x = leaf(1);
    noGrad(() => x.sub_(0.25));
    expect(await values(x)).toEqual([0.75]);
  });

  it.each(['handwritten_conv2d_b1', 'handwritten_conv2d_b2_faithful', 'handwritten_conv2d_s2p1d2'])(
    'golden gradients of %s',
    async (name) => {
      const golden = JSON.parse(readFileSync(new URL(`../../goldens/${name}.json`, import.meta.url), 'utf8')) as Golden;
      const of = ({ shape, data }: { shape: number[]; data: number[] }) => tensor(Float32Array.from(data)).view(shape);
      const weights = of(Object.values(golden.params)[0] ?? { shape: [], data: [] }).requiresGrad_();
      const x = of(Object.values(golden.inputs)[0] ?? { shape: [], data: [] }).requiresGrad_();
      const cotangent = of(Object.values(golden.cotangents)[0] ?? { shape: [], data: [] });
      const { stride = 1, padding = 0, dilation = 1 } = golden.consts;
      const step = () => {
        const [outs = 1, channels = 1, cells = 1] = weights.shape;
        const kernel = Math.sqrt(cells);
        const [batch = 1, , height = 1, width = 1] = x.shape;
        const places = (size: number) => Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
        const [h, w] = [places(height), places(width)];
        const windows = x
          .unfold(kernel, { stride, padding, dilation })
          .transpose(1, 2)
          .contiguous()
          .view([-1, channels, cells])
          .transpose(0, 1);
        const result = zeros([batch * outs, h, w]);
        for (const c of range(channels)) {
          for (const o of range(outs)) {
            const xx = windows.select(0, c).matmul(weights.select(0, o).select(0, c)).view([-1, h, w]);
            const n = xx.size(0);
            result.slice(0, o * n, (o + 1) * n).add_(xx);
          }
        }
        return grad([result.view([batch, outs, h, w]).mul(cotangent).sum()], [x, weights]).flatMap((g) => g ?? []);
      };
      const [dx, dw] = Object.keys(golden.grads)
        .sort()
        .map((key) => golden.grads[key]?.data ?? []);
      for (const run of [step, jit.trace(step, [])]) {
        const [gx, gw] = run();
        close(await values(gx), dx ?? []);
        close(await values(gw), dw ?? []);
      }
    },
  );
});

function close(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  actual.forEach((a, i) => expect(Math.abs(a - (expected[i] ?? NaN))).toBeLessThanOrEqual(1e-4 * scale));
}

it('a clamp that has one end only lets gradients through on the other side', async () => {
  const slopes = async (clamped: (x: Tensor) => Tensor) => {
    const x = tensor([-2, 0, 2]).requiresGrad_();
    clamped(x).sum().backward();
    return [...((await x.grad?.data()) ?? [])];
  };
  expect(await slopes((x) => x.clamp(undefined, 1))).toEqual([1, 1, 0]);
  expect(await slopes((x) => x.clamp(-1))).toEqual([0, 1, 1]);
});
