/**
 * @file `jit.verify`: the same function run eagerly, traced and scripted, on fresh inputs like the example's and on inputs of other
 * sizes; outputs and gradients compared. Out: a report; for a difference, the first op that differs, with its place.
 */
import { grad } from '../autograd/index.ts';
import { JitLensError } from '../errors.ts';
import type { Frame } from '../frames.ts';
import { interpret } from '../jit/interpret.ts';
import { executable } from '../jit/execute.ts';
import { trace, type AnyFunction } from '../jit/trace.ts';
import { flattenTree, type Tree } from '../jit/tree.ts';
import type { Graph, Node } from '../ir/graph.ts';
import { nodeName } from '../ir/graph.ts';
import { Module } from '../nn/module.ts';
import { manualSeed } from '../ops/random.ts';
import { noGrad } from '../ops/tape.ts';
import { currentBackend } from '../tensor/backend.ts';
import { rand } from '../tensor/create.ts';
import { fresh, otherSizes } from './fresh.ts';
import { isFloat } from '../tensor/dtype.ts';
import { formatShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { eagerly, script } from './script.ts';

export interface VerifyOptions {
  /** The arguments of an example call. */
  readonly inputs: readonly unknown[];
  /** Fresh random inputs of the example's shapes; 2 when left out. */
  readonly trials?: number;
  /** Largest difference, over the largest magnitude of the eager result; 1e-4 when left out. */
  readonly tolerance?: number;
}

export interface Verified {
  /** `traced` or `scripted`. */
  readonly mode: 'traced' | 'scripted';
  /** The shapes of the inputs. */
  readonly inputs: string;
  readonly what: 'outputs' | 'gradients';
  /** Largest difference over the largest magnitude of the eager one. */
  readonly difference: number;
  readonly ok: boolean;
}

export interface VerifyReport {
  /** Whether all that could be compiled gave what the eager run gave. */
  readonly ok: boolean;
  readonly checks: readonly Verified[];
  /** Modes that could not be compiled, and why. */
  readonly refused: readonly { readonly mode: 'traced' | 'scripted'; readonly error: JitLensError }[];
  /** The first op whose compiled value differs from its eager one. */
  readonly first?: { readonly op: string; readonly place?: Frame };
}

const TOLERANCE = 1e-4;
const SEED = 20210117;

/** Runs `target` eagerly, traced and scripted, and compares. Its state and the seed of random numbers are the same for every run. */
export async function verify(target: AnyFunction | Module, options: VerifyOptions): Promise<VerifyReport> {
  const { inputs, trials = 2, tolerance = TOLERANCE } = options;
  const example = flattenTree(inputs, 'inputs');
  const subject = new Subject(target);
  const cases = [...Array.from({ length: trials }, () => example.tensors.map((x) => x.shape)), ...otherSizes(example)];
  const checks: Verified[] = [];
  const refused: { mode: 'traced' | 'scripted'; error: JitLensError }[] = [];
  let first: VerifyReport['first'];
  for (const [i, shapes] of cases.entries()) {
    const given = await fresh(example, shapes);
    const eager = await subject.run('eager', given).catch((error: unknown) => {
      // Sizes that the function itself refuses say nothing about its compiled forms.
      if (i < trials) throw error;
      return undefined;
    });
    if (!eager) continue;
    for (const mode of ['traced', 'scripted'] as const) {
      if (refused.some((r) => r.mode === mode)) continue;
      try {
        const compiled = await subject.run(mode, given);
        const parts = [
          ['outputs', compiled.outputs, eager.outputs],
          ['gradients', compiled.gradients, eager.gradients],
        ] as const;
        for (const [what, got, want] of parts) {
          const difference = largest(got, want);
          checks.push({ mode, what, inputs: shapes.map(formatShape).join(' '), difference, ok: difference <= tolerance });
          if (difference > tolerance) first ??= await subject.firstDifference(mode, given, tolerance);
        }
      } catch (error) {
        if (!(error instanceof JitLensError)) throw error;
        refused.push({ mode, error });
      }
    }
  }
  return { ok: checks.length > 0 && checks.every((c) => c.ok), checks, refused, first };
}

interface Values {
  readonly outputs: readonly ArrayLike<number>[];
  readonly gradients: readonly ArrayLike<number>[];
}

interface Gradients {
  readonly outputs: readonly Tensor[];
  readonly gradients: readonly Tensor[];
}

class Subject {
  private readonly module: Module | undefined;
  private readonly state: Record<string, Tensor>;
  private readonly eager: AnyFunction;
  private readonly traceable: AnyFunction;
  private script: ReturnType<typeof script> | undefined;

  constructor(private readonly target: AnyFunction | Module) {
    this.module = target instanceof Module ? target : undefined;
    this.state = this.saved();
    const fn = target instanceof Module ? (...args: never[]) => target.forward(...args) : target;
    this.eager = (...args: never[]) => eagerly(() => fn(...args));
    this.traceable = fn;
  }

  private saved(): Record<string, Tensor> {
    const state = this.module?.stateDict() ?? {};
    return noGrad(() => Object.fromEntries(Object.entries(state).map(([name, x]) => [name, x.clone()])));
  }

  /** One call with fresh leaves: its outputs, and the gradients of all that wants one. */
  async run(mode: 'eager' | 'traced' | 'scripted', args: Tree): Promise<Values> {
    this.reset();
    const tensors = noGrad(() => args.tensors.map((x) => x.clone().requiresGrad_(isFloat(x.dtype))));
    const given = args.rebuild(tensors) as never[];
    // A trace of something that writes its module's state has its gradients inside.
    const ran =
      mode === 'traced'
        ? this.traced(given, tensors)
        : this.gradients(await (mode === 'eager' ? this.eager : this.scripted())(...given), tensors);
    const values = { outputs: await all(ran.outputs), gradients: await all(ran.gradients) };
    this.reset();
    return values;
  }

  private scripted(): AnyFunction {
    return (this.script ??= this.target instanceof Module ? script(this.target) : script(this.target));
  }

  private traced(given: never[], tensors: readonly Tensor[]): Gradients {
    const step = (...args: never[]): Gradients =>
      this.gradients(this.traceable(...args), flattenTree(args, 'the arguments').tensors);
    const compiled: (...args: never[]) => unknown = trace(step, given);
    this.reset();
    for (const x of tensors) x.requiresGrad_(isFloat(x.dtype));
    return compiled(...given) as Gradients;
  }

  private gradients(result: unknown, tensors: readonly Tensor[]): Gradients {
    if (result instanceof Promise)
      throw new JitLensError(
        'JL610',
        'an async function cannot be traced',
        'Read tensors (item, data) outside of it, or script it.',
      );
    const { tensors: outputs } = flattenTree(result, 'the result');
    const leaves = [...tensors, ...(this.module?.parameters() ?? [])].filter((x) => x.requiresGrad);
    const ends = outputs.filter((x) => x.requiresGrad && isFloat(x.dtype));
    manualSeed(SEED + 1);
    const gradients = ends.length > 0 ? grad(ends, leaves, { gradOutputs: ends.map((x) => rand(x.shape)) }) : [];
    return { outputs, gradients: gradients.map((g, i) => g ?? zerosLike(leaves[i])) };
  }

  private reset(): void {
    manualSeed(SEED);
    if (this.module) this.module.loadStateDict(this.state, { strict: false });
  }

  /** Where the values part: each op of the graph, run by itself and as part of what was compiled. */
  async firstDifference(mode: 'traced' | 'scripted', args: Tree, tolerance: number): Promise<VerifyReport['first']> {
    const backend = args.tensors[0]?.storage.backend ?? currentBackend();
    const graphs =
      mode === 'traced'
        ? trace(this.traceable, args.rebuild(args.tensors) as never[]).info.compiled.map((c) => c.recorded)
        : [...(this.script?.info.compiled.at(-1)?.recorded() ?? [])];
    for (const graph of graphs) {
      const bound = inputsOf(graph, args.tensors);
      if (!bound) continue;
      const node = await firstWrong(graph, bound, backend, tolerance);
      if (node) return { op: nodeName(node), place: node.stack[0] };
    }
    return undefined;
  }
}

function zerosLike(x: Tensor | undefined): Tensor {
  if (!x) throw new JitLensError('JL-BUG', 'a gradient belongs to a leaf');
  return noGrad(() => x.mul(0));
}

/** Only the first graph of a program has the arguments themselves as inputs. */
function inputsOf(graph: Graph, tensors: readonly Tensor[]): readonly Tensor[] | undefined {
  const fits = graph.nodes.every(
    (n) => n.kind !== 'external' || n.position === undefined || tensors[n.position]?.shape.join() === n.meta.shape.join(),
  );
  return fits ? tensors : undefined;
}

/** By halving: the first node that a compiled prefix of the graph computes otherwise than op by op. */
async function firstWrong(
  graph: Graph,
  inputs: readonly Tensor[],
  backend: Parameters<typeof executable>[1],
  tolerance: number,
): Promise<Node | undefined> {
  const ops = graph.nodes.filter((node) => node.kind === 'op' && !node.op.inPlace && isFloat(node.meta.dtype));
  const wrong = async (count: number): Promise<boolean> => {
    const last = ops[count - 1];
    if (!last) return false;
    const nodes = graph.nodes.slice(0, graph.nodes.indexOf(last) + 1);
    const prefix: Graph = { nodes, outputs: [last], writes: [] };
    const compiled = await all(executable(prefix, backend).run(inputs));
    const single = await all(interpret(prefix, inputs));
    return largest(compiled, single) > tolerance;
  };
  if (!(await wrong(ops.length))) return undefined;
  let [right, off] = [0, ops.length];
  while (off - right > 1) {
    const middle = (right + off) >> 1;
    if (await wrong(middle)) off = middle;
    else right = middle;
  }
  return ops[off - 1];
}

async function all(tensors: readonly Tensor[]): Promise<ArrayLike<number>[]> {
  const read: ArrayLike<number>[] = [];
  for (const x of tensors) read.push(await x.data());
  return read;
}

/** Over the largest magnitude of all of them: what is zero but for rounding differs by as much as it is. */
function largest(got: readonly ArrayLike<number>[], want: readonly ArrayLike<number>[]): number {
  if (got.length !== want.length) return Infinity;
  let [worst, scale] = [0, 0];
  for (const [i, values] of want.entries()) {
    const other = got[i] ?? [];
    if (other.length !== values.length) return Infinity;
    for (let k = 0; k < values.length; k++) {
      const [a = NaN, b = NaN] = [other[k], values[k]];
      if (Number.isFinite(b)) scale = Math.max(scale, Math.abs(b));
      if (!Object.is(a, b) && a !== b) worst = Math.max(worst, Number.isNaN(a - b) ? Infinity : Math.abs(a - b));
    }
  }
  return worst === 0 ? 0 : worst / Math.max(scale, Number.MIN_VALUE);
}
