/** @file TensorScript's constructs, each as JavaScript runs it and as it is compiled. */
import { noGrad, stack, tensor, zeros, type Tensor } from 'jitlens';
import { describe, test } from 'vitest';
import { everyWay, plain } from '../support/scripts.ts';

const t = (...values: number[]) => tensor(values);
const K = 3;
const SIZES = [1, 2, 3] as const;
const nothing = (): number | undefined => undefined;

interface Options {
  readonly scale?: number;
  readonly shift?: Tensor;
}

function affine(x: Tensor, { scale = 2, shift }: Options = {}): Tensor {
  const y = x.mul(scale);
  return shift === undefined ? y : y.add(shift);
}

const scaled = (k: number) => (x: Tensor) => x.mul(k);

function twice<T>(x: T, f: (x: T) => T): T {
  return f(f(x));
}

const cases: Record<string, { fn: (x: Tensor) => unknown }> = {
  'constants from outside': { fn: (x) => x.mul(K) },
  'defaults and records': {
    fn: (x) =>
      affine(x)
        .add(affine(x, { scale: 3 }))
        .add(affine(x, { shift: x })),
  },
  'generic functions and closures': { fn: (x) => twice(x, (y) => y.mul(2).add(x)) },
  'a function that another one makes, and ends with': { fn: scaled(3) },
  'variables of old, each in its own block': {
    fn: (x) => {
      const o = { y: 3 };
      /* eslint-disable no-var -- what is tried */
      for (var i = 0; i < 3; i++) {
        var y = i * 2;
        x = x.add(y);
      }
      for (var i = 0; i < 2; i++) x = x.mul(2);
      /* eslint-enable */
      return x.add(o.y);
    },
  },
  destructuring: {
    fn: (x) => {
      const [a, b, ...rest] = x.unbind(0) as [Tensor, Tensor, ...Tensor[]];
      const {
        p,
        q: [first],
      } = { p: a, q: [b] };
      return [p, first, rest.length];
    },
  },
  'swapping variables': {
    fn: (x) => {
      let [a, b] = [x, x.mul(2)];
      [a, b] = [b, a];
      return [a, b.sub(a)];
    },
  },
  'lists that are pushed to and stacked': {
    fn: (x) => {
      const outs: Tensor[] = [];
      for (const n of SIZES) outs.push(x.mul(n));
      return stack(outs.map((y, i) => y.add(i)));
    },
  },
  'array methods': {
    fn: (x) => {
      const scales = [3, 1, 2].sort((a, b) => a - b).filter((n) => n > 1);
      return [scales.reduce((y, n) => y.mul(n), x), scales.includes(3), scales.join('-')];
    },
  },
  spread: { fn: (x) => [...[x, x.neg()], ...SIZES.map((n) => n * 2)] },
  'optional chaining and ??': {
    fn: (x) => {
      const options: Options | undefined = x.rank > 5 ? { scale: 4 } : undefined;
      return x.mul(options?.scale ?? 5).add(nothing() ?? 1);
    },
  },
  'a switch': {
    fn: (x) => {
      switch (x.rank) {
        case 0:
          return x;
        case 1:
        case 2:
          x = x.add(10);
          break;
        default:
          x = x.add(100);
      }
      return x.mul(2);
    },
  },
  'do…while': {
    fn: (x) => {
      let n = 0;
      do {
        x = x.add(n);
        n += 1;
      } while (n < 4);
      return x;
    },
  },
  'for of several forms': {
    fn: (x) => {
      for (let i = 0, j = 10; i < j; i += 3, j--) x = x.add(i * j);
      for (let i = 3; i >= 0; i--) x = x.mul(i + 1);
      let k = 0;
      for (; ; k++) if (k === 4) break;
      return x.add(k);
    },
  },
  'arithmetic of numbers': {
    fn: (x) => x.mul(((7 % 4) ** 2 / 3) | 0).add(-(5 >> 1) + Math.floor(2.7) + Math.max(1, 4, 2) + (~3 & 7)),
  },
  'ternaries and &&, ||': {
    fn: (x) => {
      const big = x.shape[0] !== undefined && x.shape[0] > 2;
      return [big ? x.mul(2) : x, (!big && x.rank > 0) || x.rank === 1];
    },
  },
  'functions inside, used before they stand': {
    fn: (x) => {
      return helper(x, 2);
      function helper(y: Tensor, n: number): Tensor {
        return y.mul(n);
      }
    },
  },
  'text in results': { fn: (x) => `${x.rank} of ${x.shape.join('×')}` },
  'in place on what is fresh': {
    fn: (x) => {
      const y = x.clone();
      y.mul_(2).add_(1);
      y.slice(0, 0, 2).mul_(3);
      return [y, x];
    },
  },
  'library modules and functions': {
    fn: (x) =>
      noGrad(() =>
        x
          .softmax(0)
          .add(zeros([4]))
          .gelu(),
      ),
  },
};

describe('the same eagerly, scripted, and without each pass', () => {
  test.each(Object.entries(cases))('%s', async (_, { fn }) => {
    const x = () => t(1, -2, 3, 0.5);
    await everyWay(fn, () => [x()], await plain(fn(x())));
  });
});
