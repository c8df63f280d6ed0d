/**
 * @file Eager and scripted runs of one function, with every optimisation pass on and off. In: the function, and what makes its
 * arguments. Out: whether all of them give the same; tensors come back as numbers.
 */
import { jit, noGrad, Tensor } from 'jitlens';
import { expect } from 'vitest';
import { stepsIn } from '../../../runtime/ir/program.ts';
import { pipeline } from '../../../runtime/passes/pipeline.ts';
import { SIDE_BY_SIDE } from '../../../runtime/passes/side-by-side.ts';
import { WALKS } from '../../../runtime/passes/walking.ts';

/** What can be left out of a compilation, besides what makes a graph functional: without that none would run. */
export const SWITCHES: readonly string[] = [
  'unroll',
  'select',
  ...pipeline.map((p) => p.name).filter((name) => name !== 'functionalise'),
  SIDE_BY_SIDE,
  WALKS,
];

/** Values with plain numbers in the places of tensors. */
export async function plain(value: unknown): Promise<unknown> {
  const given = await value;
  if (given instanceof Tensor) return given.rank === 0 ? unsigned(await given.item()) : [...(await given.data())].map(unsigned);
  if (Array.isArray(given)) return Promise.all(given.map(plain));
  if (typeof given === 'object' && given !== null)
    return Object.fromEntries(await Promise.all(Object.entries(given).map(async ([k, v]) => [k, await plain(v)] as const)));
  return given;
}

/** Drivers differ in the sign of a zero. */
function unsigned(x: number): number {
  return x === 0 ? 0 : x;
}

/** The same but for rounding: a kernel that does several ops rounds otherwise than these one by one. */
export function expectClose(actual: unknown, expected: unknown): void {
  if (typeof expected === 'number' && Number.isFinite(expected)) {
    expect(Math.abs((actual as number) - expected)).toBeLessThanOrEqual(1e-6 + 2e-5 * Math.abs(expected));
  } else if (Array.isArray(expected)) {
    expect(actual).toHaveLength(expected.length);
    expected.forEach((item, i) => expectClose((actual as unknown[])[i], item));
  } else expect(actual).toEqual(expected);
}

/** Runs it eagerly, scripted, scripted again, and without each pass; every run must give `expected`. */
export async function everyWay<A extends unknown[] | []>(
  fn: (...args: A) => unknown,
  args: () => A,
  expected: unknown,
): Promise<void> {
  expect(await plain(fn(...args())), 'eager').toEqual(expected);
  const scripted = jit.script(fn);
  expect(await plain(scripted(...args())), 'scripted').toEqual(expected);
  expect(await plain(scripted(...args())), 'scripted, again').toEqual(expected);
  expect(scripted.info.eagerCalls).toBe(0);
  for (const name of SWITCHES)
    expect(await plain(jit.script(fn, { without: [name] })(...args())), `scripted without ${name}`).toEqual(expected);
  expect(await plain(jit.script(fn, { without: SWITCHES })(...args())), 'scripted without any pass').toEqual(expected);
}

/** What it throws, or gives a promise that is rejected with. */
export async function thrown(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** How often each kind of step stands in what was compiled last. */
export function steps({ info }: { readonly info: jit.ScriptInfo }): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const step of stepsIn(info.compiled.at(-1)?.program.body ?? { steps: [], yields: [] }))
    counts[step.kind] = (counts[step.kind] ?? 0) + 1;
  return counts;
}

/** The names of the ops in all graphs of what was compiled last, after optimisation. */
export function opsOf(scripted: { readonly info: jit.ScriptInfo }): string[] {
  return [...(scripted.info.compiled.at(-1)?.graphs() ?? [])].flatMap((graph) =>
    graph.nodes.flatMap((node) => (node.kind === 'op' ? [node.op.name] : [])),
  );
}

type Program = (...xs: Tensor[]) => unknown;

/** Runs it twice on each of the inputs, eagerly and scripted: results, errors and what is written into arguments are the same. */
export async function alike(program: Program, inputs: readonly Tensor[][]): Promise<void> {
  const scripted = jit.script(program);
  const fresh = (args: readonly Tensor[]) => noGrad(() => args.map((x) => x.clone()));
  for (const args of [...inputs, ...inputs]) {
    const [eager, compiled] = [fresh(args), fresh(args)];
    expect(await outcome(() => scripted(...compiled))).toEqual(await outcome(() => program(...eager)));
    expect(await plain(compiled)).toEqual(await plain(eager));
  }
  expect(scripted.info.eagerCalls).toBe(0);
}

async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return await plain(run());
  } catch (error) {
    return `throws ${(error as Error).message}`;
  }
}
