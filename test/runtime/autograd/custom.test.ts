/** Functions with a gradient of their own: eager, traced, differentiated twice, and what they refuse. */
import { describe, expect, it } from 'vitest';
import { autograd, grad, gradcheck, gradgradcheck, jit, ones, tensor, zeros, type Tensor } from 'jitlens';

const values = async (x: Tensor | undefined) => Array.from((await x?.data()) ?? []);
const leaf = (...xs: number[]) => tensor(xs).requiresGrad_();

const cube = autograd.customFunction({
  name: 'cube',
  forward: (x: Tensor) => ({ result: x.mul(x).mul(x), saved: { x } }),
  backward: ({ x }, g) => [g.mul(x.square()).mul(3)],
});

/** x · sⁿ and x + s; says how often its gradient ran. */
function scaled(counts: { backward: number }) {
  return autograd.customFunction({
    forward: (x: Tensor, n: number, s: Tensor) => ({ result: [x.mul(s.pow(n)), x.add(s)] as const, saved: { x, n, s } }),
    backward: ({ x, n, s }, g: Tensor, h: Tensor) => {
      counts.backward++;
      return [
        g.mul(s.pow(n)).add(h),
        undefined,
        g
          .mul(x)
          .mul(s.pow(n - 1))
          .mul(n)
          .add(h),
      ];
    },
  });
}

describe('a custom function', () => {
  it('uses the gradient that it was given', async () => {
    const straightThrough = autograd.customFunction({
      forward: (x: Tensor) => ({ result: x.round() }),
      backward: (_saved, g) => [g.mul(2)],
    });
    const x = leaf(0.4, 1.6);
    const y = straightThrough(x);
    y.mul(tensor([3, 5]))
      .sum()
      .backward();
    expect([await values(y), await values(x.grad)]).toEqual([
      [0, 2],
      [6, 10],
    ]);
  });

  it('with several results runs its gradient once, with zeros for what nothing was made of', async () => {
    const counts = { backward: 0 };
    const f = scaled(counts);
    const [x, s] = [leaf(2, 3), leaf(4, 5)];
    const [a, b] = f(x, 2, s);
    a.sum().add(b.mul(10).sum()).backward();
    expect([await values(x.grad), await values(s.grad), counts.backward]).toEqual([[26, 35], [26, 40], 1]);
    for (const t of [x, s]) t.grad = undefined;
    f(x, 2, s)[1].sum().backward();
    expect([await values(x.grad), await values(s.grad)]).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('gets the gradient of each place of an argument that is given twice', async () => {
    const product = autograd.customFunction({
      forward: (a: Tensor, b: Tensor) => ({ result: a.mul(b), saved: [a, b] as const }),
      backward: ([a, b], g) => [g.mul(b), g.mul(a).mul(100)],
    });
    const x = leaf(3);
    product(x, x).sum().backward();
    expect(await values(x.grad)).toEqual([303]);
  });

  it('agrees with differences, and can be differentiated twice', async () => {
    await gradcheck(cube, [tensor([0.5, -1.5])]);
    await gradgradcheck(cube, [tensor([0.5, -1.5])]);
    await gradcheck((x, s) => [...scaled({ backward: 0 })(x, 3, s)], [tensor([0.5, -1]), tensor([2, 1.5])]);
  });

  it('does the same in a trace', async () => {
    const x = leaf(1, 2);
    const step = (by: Tensor) => {
      x.grad = undefined;
      const y = cube(x.mul(by));
      y.sum().backward();
      return y.detach();
    };
    const traced = jit.trace(step, [ones([2])]);
    expect(await values(traced(tensor([2, 3])))).toEqual([8, 216]);
    expect(await values(x.grad)).toEqual([3 * 4 * 2, 3 * 36 * 3]);
    const through = jit.trace((y: Tensor) => cube(y), [leaf(1)]);
    const [g] = grad([through(leaf(2)).sum()], [leaf(1)]);
    expect(g).toBeUndefined();
    const y = leaf(2);
    through(y).sum().backward();
    expect(await values(y.grad)).toEqual([12]);
  });

  it('is not recorded where no gradient is wanted', () => {
    expect(cube(ones([2])).requiresGrad).toBe(false);
    expect(cube(leaf(1)).requiresGrad).toBe(true);
  });

  it('refuses a saved tensor that was overwritten', () => {
    const x = leaf(1, 2).mul(2);
    const y = cube(x);
    x.add_(1);
    expect(() => y.sum().backward()).toThrow(
      /the gradient of cube needs a tensor that was overwritten in place since, at custom/,
    );
  });

  it('refuses to write or give its inputs, and gradients that do not fit', () => {
    const f = (forward: (x: Tensor) => Tensor, backward = (g: Tensor): (Tensor | undefined)[] => [g]) =>
      autograd.customFunction({
        name: 'f',
        forward: (x: Tensor) => ({ result: forward(x) }),
        backward: (_saved, g) => backward(g),
      });
    expect(() => f((x) => x.add_(1))(leaf(1).mul(1))).toThrow('f writes into its inputs');
    expect(() => f((x) => x)(leaf(1))).toThrow('f gives one of its inputs');
    expect(() =>
      f(
        (x) => x.view([1]),
        (g) => [g, g],
      )(leaf(1))
        .sum()
        .backward(),
    ).toThrow('f has 1 inputs, and 2 gradients');
    expect(() =>
      f(
        (x) => x.mul(2),
        () => [zeros([3])],
      )(leaf(1, 2))
        .sum()
        .backward(),
    ).toThrow('the gradient of f gave a gradient of shape [3] for a tensor of shape [2]');
    expect(() => f((x) => x.view([1]))(leaf(1)).add_(leaf(2))).toThrow(/inside noGrad/);
  });
});
