/** Checkpoints: the same gradients with less kept, the same random numbers, and refusals where a second run would differ. */
import { describe, expect, it } from 'vitest';
import { autograd, grad, jit, manualSeed, nn, noGrad, ones, randn, tensor, zeros, type Tensor } from 'jitlens';
import { targetOf } from '../../../runtime/autograd/tape.ts';

const { checkpoint } = autograd;
const values = async (x: Tensor | undefined) => Array.from((await x?.data()) ?? []);
const leaf = (...xs: number[]) => tensor(xs).requiresGrad_();

async function same(actual: readonly (Tensor | undefined)[], expected: readonly (Tensor | undefined)[]) {
  for (const [i, x] of expected.entries()) {
    const [a, b] = [await values(actual[i]), await values(x)];
    expect(a).toHaveLength(b.length);
    a.forEach((v, j) => expect(v).toBeCloseTo(b[j] ?? NaN, 4));
  }
}

describe('a checkpoint', () => {
  it('gives the gradients of inputs and of all that the function holds', async () => {
    const layer = new nn.Linear(3, 3);
    const x = randn([2, 3]).requiresGrad_();
    const body = (y: Tensor) => layer.forward(layer.forward(y).tanh()).square().sum();
    const wanted = grad([body(x.mul(2))], [x, ...layer.parameters()]);
    let runs = 0;
    const counted = (y: Tensor) => {
      runs++;
      return body(y);
    };
    const loss = checkpoint(counted, x.mul(2));
    expect(runs).toBe(1);
    loss.backward();
    expect(runs).toBe(2);
    await same([x.grad, ...layer.parameters().map((p) => p.grad)], wanted);
  });

  it('counts a tensor once that comes in and is held too, and one that an input was made of', async () => {
    const [x, w] = [leaf(2), leaf(3)];
    const h = x.mul(w);
    checkpoint((y: Tensor) => y.mul(h).mul(w).sum(), h).backward();
    // x² w³
    expect([await values(x.grad), await values(w.grad)]).toEqual([[2 * 2 * 27], [3 * 4 * 9]]);
  });

  it('keeps nothing of how the result was made, runs once for all results, and passes on what it was given', async () => {
    const x = leaf(1, 2);
    const held = ones([1]);
    let runs = 0;
    const [a, b, same_, other] = checkpoint((y: Tensor) => {
      runs++;
      return [y.exp().mul(2), y.mul(5), y, held] as const;
    }, x);
    expect(targetOf(a)?.history?.name).toBe('checkpoint');
    expect([same_, other]).toEqual([x, held]);
    expect(held.requiresGrad).toBe(false);
    a.mul(0).add(b).sum().backward();
    expect([await values(x.grad), runs]).toEqual([[5, 5], 2]);
  });

  it('may be inside another one, around a custom function, and differentiated twice', async () => {
    const square = autograd.customFunction({
      forward: (x: Tensor) => ({ result: x.mul(x), saved: { x } }),
      backward: ({ x }, g) => [g.mul(x).mul(2)],
    });
    const x = leaf(2, 3);
    const fourth = () => checkpoint((y: Tensor) => checkpoint((z: Tensor) => square(z.mul(1)), square(y)).mul(1), x);
    const [first] = grad([fourth().sum()], [x], { createGraph: true });
    expect(await values(first)).toEqual([32, 108]);
    const [second] = first ? grad([first.sum()], [x]) : [];
    expect(await values(second)).toEqual([48, 108]);
    fourth().sum().backward();
    expect(await values(x.grad)).toEqual([32, 108]);
  });

  it('around a traced function lets its gradients through', async () => {
    const layer = new nn.Linear(2, 2);
    const x = ones([1, 2]).requiresGrad_();
    const traced = jit.trace(layer, [x]);
    const wanted = grad([layer.forward(x).square().sum()], [x, ...layer.parameters()]);
    checkpoint((y: Tensor) => traced(y).square().sum(), x).backward();
    await same([x.grad, ...layer.parameters().map((p) => p.grad)], wanted);
  });

  it.each(['eager', 'traced'])('draws the same random numbers again, and leaves later ones alone: %s', async (mode) => {
    const x = leaf(1, 1, 1, 1, 1, 1, 1, 1);
    const step = (by: Tensor) => {
      x.grad = undefined;
      const y = checkpoint((z: Tensor) => z.mul(by).dropout(0.5, true), x);
      y.sum().backward();
      return [y.detach(), randn([3])] as const;
    };
    manualSeed(7);
    const run = mode === 'eager' ? step : jit.trace(step, [ones([8])]);
    const seen = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const [y, after] = run(ones([8]));
      expect(await values(x.grad)).toEqual(await values(y));
      seen.add(`${(await values(y)).join()} ${(await values(after)).join()}`);
    }
    expect(seen.size).toBe(3);
    manualSeed(3);
    const plain = [x.mul(ones([8])).dropout(0.5, true), randn([3])] as const;
    manualSeed(3);
    const [y, after] = step(ones([8]));
    await same([y, after], plain);
  });

  it('refuses inputs that were overwritten, writes to the outside, and a function that changes', () => {
    const x = leaf(1, 2).mul(1);
    const y = checkpoint((z: Tensor) => z.square(), x);
    x.add_(1);
    expect(() => y.sum().backward()).toThrow(/the gradient of checkpoint needs a tensor that was overwritten/);
    expect(() => checkpoint((z: Tensor) => z.add_(1), leaf(1).mul(1))).toThrow(
      /add_ in a checkpoint writes into a tensor from outside/,
    );
    const all = zeros([2]);
    expect(() => checkpoint((z: Tensor) => all.add_(z), leaf(1, 2))).toThrow(/from outside/);
    let more = false;
    const changing = checkpoint((z: Tensor) => (more ? [z.mul(2), z.mul(3)] : [z.mul(2)]), leaf(1));
    more = true;
    expect(() => changing[0]?.sum().backward()).toThrow('gave 1 tensors, and 2 when it ran again');
  });

  it('lets the function write what it made', async () => {
    const x = leaf(1, 2);
    const y = checkpoint((z: Tensor) => {
      const all = zeros([3]);
      all.slice(0, 1, 3).add_(z.square());
      return all;
    }, x);
    y.mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect([await values(y), await values(x.grad)]).toEqual([
      [0, 1, 4],
      [20, 400],
    ]);
  });

  it('does nothing where nothing is recorded', () => {
    expect(noGrad(() => checkpoint((y: Tensor) => y.mul(2), leaf(1))).requiresGrad).toBe(false);
  });
});
