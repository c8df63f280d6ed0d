/**
 * @file Random products with scales and shifts before and after. In: a seed. Out: a function of one tensor that holds others: some
 * of them the pass may move, and some it must leave. All shapes fit, and values stay near 1.
 */
import { tensor, type Tensor } from 'jitlens';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';
import { onReference } from './devices.ts';
import { Random } from './random.ts';

export interface FrozenProgram {
  readonly text: string;
  readonly input: Shape;
  /** Makes what the function holds, on the current device. */
  readonly make: () => (x: Tensor) => Tensor[];
}

type Make = (shape: Shape, from?: number) => Tensor;
interface Form {
  readonly name: string;
  readonly input: Shape;
  readonly product: (hold: Make) => (x: Tensor) => Tensor;
}

const FORMS: readonly Form[] = [
  {
    name: 'x · w',
    input: [4, 6],
    product: (hold) =>
      (
        (w) => (x) =>
          x.matmul(w)
      )(hold([6, 5])),
  },
  {
    name: 'linear',
    input: [2, 3, 6],
    product: (hold) =>
      (
        (w, b) => (x) =>
          x.linear(w, b)
      )(hold([5, 6]), hold([5])),
  },
  {
    name: 'w · x',
    input: [2, 6, 3],
    product: (hold) =>
      (
        (w) => (x) =>
          w.matmul(x)
      )(hold([4, 6])),
  },
  {
    name: 'batches',
    input: [3, 4, 6],
    product: (hold) =>
      (
        (w) => (x) =>
          x.matmul(w)
      )(hold([3, 6, 5])),
  },
  {
    name: 'conv2d',
    input: [2, 4, 5, 5],
    product: (hold) =>
      (
        (w, b) => (x) =>
          x.conv2d(w, b, { padding: 1 })
      )(hold([6, 4, 3, 3]), hold([6])),
  },
  {
    name: 'grouped conv1d',
    input: [2, 4, 9],
    product: (hold) =>
      (
        (w) => (x) =>
          x.conv1d(w, undefined, { groups: 2, stride: 2 })
      )(hold([6, 2, 3])),
  },
  {
    name: 'transposed',
    input: [2, 4, 3, 3],
    product: (hold) =>
      (
        (w, b) => (x) =>
          x.convTranspose2d(w, b, { stride: 2 })
      )(hold([4, 3, 2, 2]), hold([3])),
  },
  {
    name: 'grouped and transposed',
    input: [2, 4, 5],
    product: (hold) =>
      (
        (w) => (x) =>
          x.convTranspose1d(w, undefined, { groups: 2 })
      )(hold([4, 3, 2])),
  },
  { name: 'x · x', input: [2, 4, 3], product: () => (x) => x.matmul(x.transpose(-1, -2)) },
];

/** A constant that broadcasts against `shape`: it varies along some of its dims. */
function constantShape(random: Random, shape: Shape): Shape {
  const varies = shape.map(() => random.whole(0, 2) === 0);
  const skipped = random.whole(0, shape.length - 1);
  return shape.map((size, d) => (varies[d] ? size : 1)).slice(varies.slice(0, skipped).includes(true) ? 0 : skipped);
}

type Apply = (y: Tensor, x: Tensor) => Tensor;

function step(random: Random, shape: Shape, hold: Make): { text: string; run: Apply } {
  const own =
    random.whole(0, 1) === 0 && shape.length > 1 ? [shape[1] ?? 1, ...shape.slice(2).map(() => 1)] : constantShape(random, shape);
  const n = random.pick([2, -0.5, 1, 0]);
  const channels = [shape[1] ?? 1];
  switch (random.whole(0, 9)) {
    case 0:
      return ((c) => ({ text: `· [${own.join()}]`, run: (y: Tensor) => y.mul(c) }))(hold(own));
    case 1:
      return ((c) => ({ text: `[${own.join()}] ·`, run: (y: Tensor) => c.mul(y) }))(hold(own));
    case 2:
      return ((c) => ({ text: `/ [${own.join()}]`, run: (y: Tensor) => y.div(c) }))(hold(own, 1));
    case 3:
      return ((c) => ({ text: `+ [${own.join()}]`, run: (y: Tensor) => y.add(c) }))(hold(own));
    case 4:
      return ((c) => ({ text: `− [${own.join()}]`, run: (y: Tensor) => y.sub(c) }))(hold(own));
    case 5:
      return ((c) => ({ text: `[${own.join()}] −`, run: (y: Tensor) => c.sub(y) }))(hold(own));
    case 6:
      return { text: `· ${n} + ${n}`, run: (y) => y.mul(n).add(n).neg() };
    case 7: {
      const [runningMean, runningVar, weight, bias] = [hold(channels), hold(channels, 1), hold(channels), hold(channels)];
      return { text: 'batch norm', run: (y) => y.batchNorm({ runningMean, runningVar, weight, bias }) };
    }
    case 8:
      return ((a, b) => ({ text: 'addcmul', run: (y: Tensor) => a.addcmul(y, b, 0.5) }))(hold(own), hold(own));
    default:
      return random.pick([
        { text: 'tanh', run: (y: Tensor) => y.tanh() },
        { text: 'twice', run: (y: Tensor) => y.mul(2).add(y.square()) },
        { text: '· itself', run: (y: Tensor) => y.mul(y) },
        { text: '· mean of x', run: (y: Tensor, x: Tensor) => y.mul(x.mean()).add(1) },
      ]);
  }
}

export function frozenProgram(seed: number): FrozenProgram {
  const form = new Random(seed).pick(FORMS);
  const build = () => {
    const random = new Random(seed);
    random.pick(FORMS);
    const hold: Make = (shape, from = -1) => tensor(random.values(numel(shape), 'float32', [from, from + 2])).view(shape);
    const product = form.product(hold);
    const { shape } = product(tensor(new Float32Array(numel(form.input))).view(form.input));
    const steps = Array.from({ length: random.whole(1, 6) }, () => step(random, shape, hold));
    const run = (x: Tensor) => {
      const values = [product(x)];
      for (const s of steps) values.push(s.run(values.at(-1) ?? x, x));
      // Now and then a value on the way is given back too.
      return seed % 4 === 0 ? [values.at(-1) ?? x, values.at(-2) ?? x] : [values.at(-1) ?? x];
    };
    return { run, text: [form.name, ...steps.map((s) => s.text)].join(', ') };
  };
  return { text: onReference(build).text, input: form.input, make: () => build().run };
}
