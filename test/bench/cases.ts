/**
 * @file The benchmark's cases, named as in the tables of results. In: nothing. Out: for each case a function and its
 * inputs, the same as the PyTorch baseline's. A case's values are checked before it is timed.
 */
import { nn, noGrad, optim, rand, randint, randn, type Tensor } from 'jitlens';
import { Conv2d } from '../../extension/samples/conv2d.ts';
import { GptBlock } from '../../extension/samples/gpt.ts';
import { LSTMCell, RecurrentLayer } from '../../extension/samples/lstm.ts';
import { Spade } from '../../extension/samples/spade.ts';

interface Made {
  readonly fn: (...inputs: Tensor[]) => Tensor;
  readonly inputs: Tensor[];
}

export interface Case {
  readonly name: string;
  readonly make: () => Made;
  /** What the case is about; both when left out. */
  readonly only?: 'eager' | 'traced';
  /** What the device must have. */
  readonly needs?: GPUFeatureName;
}

const pointwise = (a: Tensor): Tensor => {
  const c = a.mul(1.5).add(0.25).tanh();
  const g = c.mul(a).sigmoid().sub(0.5).exp();
  return g.mul(c).relu().add(a);
};

/** A case for the result alone and one for all gradients of its sum; the latter gives back the gradient of the last parameter. */
function layer(name: string, make: () => { module: nn.Module; forward: (...xs: Tensor[]) => Tensor; inputs: Tensor[] }): Case[] {
  const forwards = (): Made => {
    const { forward, inputs } = make();
    return { fn: (...xs) => noGrad(() => forward(...xs)), inputs };
  };
  const trains = (): Made => {
    const { module, forward, inputs } = make();
    const fn = (...xs: Tensor[]) => {
      module.zeroGrad();
      forward(...xs)
        .sum()
        .backward();
      const grad = [...module.parameters()].at(-1)?.grad;
      if (!grad) throw new Error(`${name}: no gradient`);
      return grad;
    };
    return { fn, inputs };
  };
  return [
    { name, make: forwards },
    { name: `${name}-train`, make: trains },
  ];
}

export const cases: readonly Case[] = [
  ...layer('conv2d-handwritten', () => {
    const module = new Conv2d(3, 16, 3);
    return { module, forward: (x) => module.forward(x), inputs: [rand([1, 3, 512, 512])] };
  }),
  ...layer('lstm', () => {
    const module = new RecurrentLayer(new LSTMCell(512, 512));
    const inputs = [randn([100, 64, 512]), randn([64, 512]), randn([64, 512])];
    return { module, forward: (x, h, c) => module.forward(x, [h, c])[0], inputs };
  }),
  ...[22, 26].map((n) => ({ name: `pointwise-2^${n}`, make: () => ({ fn: pointwise, inputs: [randn([2 ** n])] }) })),
  ...[1024, 4096].map((n) => ({
    name: `matmul-f32-${n}`,
    make: () => ({ fn: (a: Tensor, b: Tensor) => a.matmul(b), inputs: [randn([n, n]), randn([n, n])] }),
  })),
  ...[1024, 4096].map((n): Case => {
    const half = () => randn([n, n]).to('float16');
    return {
      name: `matmul-f16-${n}`,
      needs: 'shader-f16',
      make: () => ({ fn: (a, b) => a.matmul(b), inputs: [half(), half()] }),
    };
  }),
  { name: 'softmax', make: () => ({ fn: (x) => x.softmax(-1), inputs: [randn([4096, 1024])] }) },
  {
    name: 'layernorm-gelu',
    make: () => ({
      fn: (x, g, b) => x.layerNorm([1024], g, b).gelu('tanh'),
      inputs: [randn([4096, 1024]), randn([1024]), randn([1024])],
    }),
  },
  ...layer('spade', () => {
    const module = new Spade(64, 8, { norm: 'instance' });
    return { module, forward: (x, m) => module.forward(x, m), inputs: [randn([1, 64, 256, 256]), randn([1, 8, 256, 256])] };
  }),
  ...layer('gpt-block', () => {
    const module = new GptBlock(512, 8);
    return { module, forward: (x) => module.forward(x), inputs: [randn([8, 256, 512])] };
  }),
  ...[1024, 4096].map((n): Case => {
    // As many products: of 64 heads, and of 4.
    const heads = () => randn([(1024 / n) ** 2 * 64, n, 64]);
    return {
      name: `attention-${n}`,
      make: () => ({ fn: (q, k, v) => q.scaledDotProductAttention(k, v), inputs: [heads(), heads(), heads()] }),
    };
  }),
  {
    name: 'mlp-train-step',
    // 784-512-512-10, batch 128, cross entropy, Adam.
    make: () => {
      const net = new nn.Sequential(
        new nn.Linear(784, 512),
        new nn.ReLU(),
        new nn.Linear(512, 512),
        new nn.ReLU(),
        new nn.Linear(512, 10),
      );
      const adam = new optim.Adam(net.parameters(), { lr: 1e-3 });
      const step = (x: Tensor, y: Tensor) => {
        adam.zeroGrad();
        const loss = net.forward(x).crossEntropy(y);
        loss.backward();
        adam.step();
        return loss.detach();
      };
      return { fn: step, inputs: [rand([128, 784]), randint(0, 10, [128])] };
    },
  },
  // What is left when there is nothing to compute: the cost of a call, a submit and a wait.
  { name: 'one-element', make: () => ({ fn: (x) => x.add(1), inputs: [randn([1])] }) },
  {
    name: 'eager-1000-adds',
    only: 'eager',
    make: () => ({
      fn: (s) => {
        let t = s;
        for (let i = 0; i < 1000; i++) t = t.add(s);
        return t;
      },
      inputs: [randn([64, 64])],
    }),
  },
];
