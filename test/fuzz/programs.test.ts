/** Random programs: eager, traced and reference give the same values and the same memory. */
import { describe, expect, test } from 'vitest';
import { jit, tensor, type Tensor } from 'jitlens';
import { numel } from '../../runtime/tensor/shape.ts';
import { read, type Result } from '../runtime/support/compare.ts';
import { onReference } from '../runtime/support/devices.ts';
import { randomProgram, run, textOf, type Program } from '../runtime/support/programs.ts';
import { Random } from '../runtime/support/random.ts';

const PROGRAMS = Number(process.env['JITLENS_FUZZ'] ?? 150);
const FIRST = Number(process.env['JITLENS_FUZZ_SEED'] ?? 1);
/** Relative to the largest magnitude around: up to fourteen float32 ops, products among them, amplify rounding. */
const TOLERANCE = 2e-4;

function make(shapes: readonly (readonly number[])[], seed: number): Tensor[] {
  const random = new Random(seed);
  return shapes.map((shape) => tensor(Float32Array.from(random.values(numel(shape), 'float32', [-2, 2]))).view(shape));
}

interface Outcome {
  readonly results: readonly Result[];
  /** For each result and input, the first one that shares its memory. */
  readonly storages: readonly number[];
}

async function outcome(by: (...inputs: Tensor[]) => Tensor[], inputs: Tensor[]): Promise<Outcome> {
  const all = [...by(...inputs), ...inputs];
  const storages = all.map((x) => all.findIndex((y) => y.storage === x.storage));
  return { results: await read(all), storages };
}

function difference(got: Outcome, want: Outcome): string | undefined {
  if (got.storages.join() !== want.storages.join()) return `memory ${got.storages.join()} instead of ${want.storages.join()}`;
  for (const [i, { shape, values }] of want.results.entries()) {
    const other = got.results[i];
    if (other?.shape.join() !== shape.join())
      return `result ${i} has shape [${other?.shape.join() ?? ''}], not [${shape.join()}]`;
    const scale = Math.max(1, ...values.map(Math.abs));
    const at = values.findIndex((v, j) => !(Math.abs((other.values[j] ?? NaN) - v) <= TOLERANCE * scale));
    if (at >= 0) return `result ${i}, element ${at} is ${other.values[at]} instead of ${values[at]}`;
  }
  return undefined;
}

/** Programs whose values run away say nothing about rounding. */
const tame = ({ results }: Outcome) => results.every(({ values }) => values.every((v) => Math.abs(v) < 1e4));

async function check(program: Program, seed: number): Promise<string | undefined> {
  const fn = (...inputs: Tensor[]) => run(program, inputs);
  const fresh = () => make(program.inputs, seed);
  const want = await onReference(() => outcome(fn, fresh()));
  if (!tame(want)) return undefined;
  const eager = difference(await outcome(fn, fresh()), want);
  if (eager) return `eager: ${eager}`;
  const traced = jit.trace(fn, make(program.inputs, seed + 1));
  for (const call of ['first', 'second']) {
    const off = difference(await outcome(traced, fresh()), want);
    if (off) return `traced, ${call} call: ${off}`;
  }
  return undefined;
}

describe('random programs', () => {
  test.each(Array.from({ length: PROGRAMS }, (_, i) => FIRST + i))('seed %d', async (seed) => {
    const program = onReference(() => randomProgram(seed, (shapes) => make(shapes, seed)));
    const off = await check(program, seed).catch((error: unknown) => String(error));
    expect(off, `seed ${seed}\n${textOf(program)}`).toBeUndefined();
  });
});
