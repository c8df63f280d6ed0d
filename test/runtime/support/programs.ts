/**
 * @file Random programs over tensors. In: a seed. Out: input shapes and a list of instructions, each of which works on the
 * tensors made so far; they were chosen by running them on the reference device, so that all of them are valid.
 */
import { cat, stack, type Tensor } from 'jitlens';
import { JitLensError } from '../../../runtime/errors.ts';
import { Random } from './random.ts';

/** Makes a tensor of those before it, or changes one of them and gives that. */
export interface Instruction {
  readonly text: string;
  readonly run: (pool: readonly Tensor[]) => Tensor;
}

const LARGEST = 400;
const UNARY = ['neg', 'abs', 'tanh', 'sigmoid', 'relu', 'sin', 'square', 'contiguous', 'clone', 't'] as const;
const BINARY = ['add', 'sub', 'mul', 'maximum', 'minimum'] as const;
const IN_PLACE = ['add_', 'sub_', 'mul_', 'copy_'] as const;
const REDUCE = ['sum', 'mean', 'amax', 'amin'] as const;

const at = (pool: readonly Tensor[], i: number): Tensor => {
  const x = pool[i];
  if (!x) throw new Error(`no tensor %${i}`);
  return x;
};

type Choice = (random: Random, pool: readonly Tensor[]) => Instruction;

const any = (random: Random, pool: readonly Tensor[]) => random.whole(0, pool.length - 1);
const dimOf = (random: Random, x: Tensor) => random.whole(0, Math.max(0, x.rank - 1));

const unary: Choice = (random, pool) => {
  const [op, i] = [random.pick(UNARY), any(random, pool)];
  return { text: `%${i}.${op}()`, run: (p) => (op === 't' && at(p, i).rank > 2 ? at(p, i).transpose(0, 2) : at(p, i)[op]()) };
};

const binary: Choice = (random, pool) => {
  const [op, i, j] = [random.pick(BINARY), any(random, pool), any(random, pool)];
  const n = random.pick([0, 1, -1, 0.5, 2]);
  if (random.whole(0, 3) === 0) return { text: `%${i}.${op}(${n})`, run: (p) => at(p, i)[op](n) };
  return { text: `%${i}.${op}(%${j})`, run: (p) => at(p, i)[op](at(p, j)) };
};

const reduce: Choice = (random, pool) => {
  const [op, i] = [random.pick(REDUCE), any(random, pool)];
  const options = { dim: random.whole(0, 4) === 0 ? undefined : dimOf(random, at(pool, i)), keepdim: random.whole(0, 1) === 1 };
  return { text: `%${i}.${op}(${JSON.stringify(options)})`, run: (p) => at(p, i)[op](options) };
};

const product: Choice = (random, pool) => {
  const [i, j] = [any(random, pool), any(random, pool)];
  if (random.whole(0, 1) === 0) return { text: `%${i}.matmul(%${j})`, run: (p) => at(p, i).matmul(at(p, j)) };
  return { text: `%${i}.matmul(%${i}.transpose(-1, -2))`, run: (p) => at(p, i).matmul(at(p, i).transpose(-1, -2)) };
};

/** One view of `x`, as text and as a function. */
function viewOf(random: Random, x: Tensor): { text: string; run: (x: Tensor) => Tensor } {
  const dim = dimOf(random, x);
  const size = x.shape[dim] ?? 1;
  switch (random.whole(0, 4)) {
    case 0: {
      const from = random.whole(0, Math.max(0, size - 1));
      const [to, step] = [random.whole(from + 1, size), random.whole(1, 2)];
      return { text: `.slice(${dim}, ${from}, ${to}, ${step})`, run: (y) => y.slice(dim, from, to, step) };
    }
    case 1: {
      const index = random.whole(0, Math.max(0, size - 1));
      return { text: `.select(${dim}, ${index})`, run: (y) => y.select(dim, index) };
    }
    case 2: {
      const order = random.shuffled(x.shape.map((_, d) => d));
      return { text: `.permute([${order.join()}])`, run: (y) => y.permute(order) };
    }
    case 3:
      return random.whole(0, 1) === 0
        ? { text: '.view([-1])', run: (y) => y.view([-1]) }
        : { text: `.view([${x.shape.slice(0, dim).join()}, -1])`, run: (y) => y.view([...y.shape.slice(0, dim), -1]) };
    default:
      return { text: `.unsqueeze(${dim})`, run: (y) => y.unsqueeze(dim) };
  }
}

const view: Choice = (random, pool) => {
  const i = any(random, pool);
  const { text, run } = viewOf(random, at(pool, i));
  return { text: `%${i}${text}`, run: (p) => run(at(p, i)) };
};

const move: Choice = (random, pool) => {
  const [i, j] = [any(random, pool), any(random, pool)];
  const dim = dimOf(random, at(pool, i));
  switch (random.whole(0, 5)) {
    case 0:
      return { text: `%${i}.flip([${dim}])`, run: (p) => at(p, i).flip([dim]) };
    case 1: {
      const amounts = [random.whole(0, 2), random.whole(0, 2)];
      return { text: `%${i}.pad([${amounts.join()}], 0.5)`, run: (p) => at(p, i).pad(amounts, 0.5) };
    }
    case 2:
      return { text: `cat([%${i}, %${j}], ${dim})`, run: (p) => cat([at(p, i), at(p, j)], dim) };
    case 3:
      return { text: `stack([%${i}, %${j}, %${i}], ${dim})`, run: (p) => stack([at(p, i), at(p, j), at(p, i)], dim) };
    case 4: {
      const shape = [2, ...at(pool, i).shape];
      return { text: `%${i}.expand([${shape.join()}])`, run: (p) => at(p, i).expand(shape) };
    }
    default:
      return { text: `%${i}.reshape([-1])`, run: (p) => at(p, i).reshape([-1]) };
  }
};

const write: Choice = (random, pool) => {
  const [op, i, j] = [random.pick(IN_PLACE), any(random, pool), any(random, pool)];
  const first = viewOf(random, at(pool, i));
  const target = random.whole(0, 3) === 0 ? { text: '', run: (x: Tensor) => x } : first;
  const n = random.pick([0, 1, -1, 0.5]);
  if (random.whole(0, 2) === 0) return { text: `%${i}${target.text}.${op}(${n})`, run: (p) => target.run(at(p, i))[op](n) };
  return { text: `%${i}${target.text}.${op}(%${j})`, run: (p) => target.run(at(p, i))[op](at(p, j)) };
};

const CHOICES: readonly Choice[] = [unary, unary, binary, binary, binary, reduce, product, view, view, move, write, write];

export interface Program {
  readonly inputs: readonly (readonly number[])[];
  readonly instructions: readonly Instruction[];
  /** Which tensors are returned. */
  readonly results: readonly number[];
}

/** A program whose `make` gives a pool of inputs on the reference device. */
export function randomProgram(seed: number, make: (shapes: readonly (readonly number[])[]) => Tensor[]): Program {
  const random = new Random(seed);
  const inputs = Array.from({ length: random.whole(1, 3) }, () =>
    Array.from({ length: random.whole(0, 3) }, () => random.whole(1, 4)),
  );
  const pool = make(inputs);
  const instructions: Instruction[] = [];
  const wanted = random.whole(3, 14);
  for (let attempt = 0; attempt < 200 && instructions.length < wanted; attempt++) {
    const instruction = random.pick(CHOICES)(random, pool);
    try {
      const result = instruction.run(pool);
      if (result.numel > LARGEST || result.numel === 0) {
        if (!/_\(/.test(instruction.text)) continue;
      }
      pool.push(result);
      instructions.push(instruction);
    } catch (error) {
      if (!(error instanceof JitLensError)) throw error;
    }
  }
  const results = [pool.length - 1, ...Array.from({ length: random.whole(0, 2) }, () => random.whole(0, pool.length - 1))];
  return { inputs, instructions, results };
}

export function run({ instructions, results }: Program, inputs: readonly Tensor[]): Tensor[] {
  const pool = [...inputs];
  for (const instruction of instructions) pool.push(instruction.run(pool));
  return results.map((i) => at(pool, i));
}

export function textOf({ inputs, instructions, results }: Program): string {
  const lines = inputs.map((shape, i) => `%${i} = input [${shape.join()}]`);
  instructions.forEach(({ text }, i) => lines.push(`%${inputs.length + i} = ${text}`));
  return [...lines, `return ${results.map((i) => `%${i}`).join(', ')}`].join('\n');
}
