/** More tensors than a kernel can bind: the work is cut into several kernels, and nothing else changes. */
import { expect, test } from 'vitest';
import { jit, stack, tensor, zeros, type Tensor } from 'jitlens';
import { expectSame, read } from '../support/compare.ts';

const many = (count: number) => Array.from({ length: count }, (_, i) => tensor([i, 2 * i]));

const functions: Readonly<Record<string, (xs: Tensor[]) => Tensor>> = {
  added: (xs) => xs.reduce((a, b) => a.add(b)),
  stacked: (xs) => stack(xs),
  'stacked, then summed': (xs) => stack(xs).mul(2).sum({ dim: 0 }),
  'stacked after an op': (xs) => stack(xs.map((x) => x.sigmoid())),
  'stacked after softmax': (xs) => stack(xs.map((x) => x.softmax(0))),
  'each with the next': (xs) => stack(xs.map((x, i) => x.mul(xs[(i + 1) % xs.length] ?? x))),
  'selected in turn': (xs) => xs.reduce((a, b) => a.lt(b).where(b, a)),
  'written side by side': (xs) => {
    const out = zeros([xs.length, 2]);
    xs.forEach((x, i) => out.select(0, i).copy_(x));
    return out;
  },
  'written over each other': (xs) => {
    const out = zeros([xs.length + 1, 2]);
    xs.forEach((x, i) => out.slice(0, i, i + 2).add_(x));
    return out;
  },
};

test.each(Object.entries(functions))('%s', async (_name, fn) => {
  for (const count of [13, 150]) {
    const expected = await read(fn(many(count)));
    const traced = jit.trace(fn, [many(count)]);
    expectSame(await read(traced(many(count))), expected, { relative: 1e-6, absolute: 0 }, `${count} tensors`);
    expect(traced.info.compiled).toHaveLength(1);
  }
});
