/**
 * @file Scripting: a function is compiled by looking at its source, with its control flow. In: a function or a module. Out: a function
 * of the same type that runs the compiled program. What was known when it was compiled (shapes, dtypes, plain values, fields that
 * it reads) is guarded: a call that differs compiles anew, and says which guard failed.
 */
import '../autograd/index.ts';
import { save } from '../autograd/history.ts';
import { attachAll } from '../autograd/tape.ts';
import { byRunningAgain } from '../autograd/again.ts';
import { asBefore, copiesOf, type Was } from '../autograd/before.ts';
import { JitLensError } from '../errors.ts';
import type { Plan } from '../jit/compile.ts';
import { Held } from '../jit/held.ts';
import type { Signature } from '../jit/guard.ts';
import { Signatures, type FamilyOf } from '../jit/signatures.ts';
import type { AnyFunction, Recompile } from '../jit/trace.ts';
import { flattenTree, type Tree } from '../jit/tree.ts';
import { Module } from '../nn/module.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { generatorState, isGenerator, withGenerator } from '../ops/random.ts';
import { gradMode, noGrad } from '../ops/tape.ts';
import { currentBackend } from '../tensor/backend.ts';
import { isFloat } from '../tensor/dtype.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../ir/graph.ts';
import { stepsIn, type Program, type Value } from '../ir/program.ts';
import { printProgram } from '../ir/print-program.ts';
import { callOf, closureOfFunction, closureOfMethod } from './compile/code.ts';
import { compileFunction, type Compilation, type Target } from './compile/compile.ts';
import { follow } from './compile/follow.ts';
import { changesOutside } from './compile/prune.ts';
import { isLibraryMethod } from './library.ts';
import { originalOf, standsFor } from './marks.ts';
import { Runner, type Ran } from './run.ts';

/** A program for calls of one signature. */
export interface Scripted {
  readonly signature: Signature;
  readonly program: Program;
  /** The program as text, with the places where a run waits for the device. */
  explain(): string;
  /** Its graphs of tensor ops, after all passes. */
  graphs(): readonly Graph[];
  /** The same before all passes. */
  recorded(): readonly Graph[];
  /** What runs on a GPU: a plan for each graph. */
  plans(): readonly Plan[];
}

export interface ScriptInfo {
  readonly compiled: readonly Scripted[];
  readonly recompiles: readonly Recompile[];
  /** Calls that ran eagerly because there were too many different signatures. */
  readonly eagerCalls: number;
}

export type ScriptFunction<F extends AnyFunction> = ((...args: Parameters<F>) => ReturnType<F>) & { readonly info: ScriptInfo };

export interface ScriptOptions {
  /** Optimisation passes to leave out, by name; `unroll` and `select` are among them. */
  readonly without?: readonly string[];
}

interface Entry extends Scripted {
  readonly compilation: Compilation;
  readonly runner: Runner;
  readonly held: Held;
  /** Tensors of the code's own, and those among them that a run writes. */
  readonly own: readonly Tensor[];
  readonly written: readonly Tensor[];
  readonly draws: boolean;
}

/** Runs of code that is not to be compiled, for comparison. */
let plainly = 0;

/** Runs `body` with everything scripted running eagerly until it is done. */
export async function eagerly<T>(body: () => T | Promise<T>): Promise<T> {
  plainly++;
  try {
    return await body();
  } finally {
    plainly--;
  }
}

export class ScriptCache implements ScriptInfo {
  private readonly signatures: Signatures<Entry>;

  constructor(
    private readonly fn: AnyFunction,
    private readonly self: unknown,
    private readonly target: Target,
    private readonly options: ScriptOptions = {},
  ) {
    this.signatures = new Signatures<Entry>(this.module, difference);
  }

  get compiled(): readonly Entry[] {
    return this.signatures.compiled;
  }

  get recompiles(): readonly Recompile[] {
    return this.signatures.recompiles;
  }

  get eagerCalls(): number {
    return this.signatures.eagerCalls;
  }

  private get module(): Module | undefined {
    return this.self instanceof Module ? this.self : undefined;
  }

  /** Whether it runs in the place of this function. */
  stands(fn: unknown): boolean {
    return fn === this.fn || (typeof fn === 'function' && originalOf(fn) === this.fn);
  }

  call(args: readonly unknown[]): unknown {
    // Where ops are recorded already, the ops themselves are what is wanted.
    if (activeRecorder() || plainly > 0) return this.eagerly(args);
    const tree = flattenTree(args, 'arguments');
    const add = () => this.signatures.add(tree, (signature, family) => this.entry(tree, signature, family));
    const entry = this.signatures.find(tree) ?? add();
    return entry ? this.run(entry, tree) : this.eagerly(args);
  }

  private eagerly(args: readonly unknown[]): unknown {
    return Reflect.apply(this.fn, this.self, args) as unknown;
  }

  private entry(tree: Tree, signature: Signature, family: FamilyOf | undefined): Entry {
    const compilation = compileFunction(this.target, tree, this.options.without);
    const { program, held, modes } = compilation;
    const backend = tree.tensors[0]?.storage.backend ?? currentBackend();
    const written = changesOutside(program, [...held]);
    const storages = new Map([...held].map((x, i) => [x.storage, `captured tensor ${i}`]));
    const runner = new Runner(program, backend, this.options.without, family);
    return {
      signature,
      program,
      compilation,
      runner,
      plans: () => runner.executables.flatMap((e) => e.plan ?? []),
      graphs: () => runner.executables.map((e) => e.graph),
      recorded: () => [...stepsIn(program.body)].flatMap((step) => (step.kind === 'segment' ? [step.graph] : [])),
      held: new Held(this.module, storages, tree.tensors, modes),
      own: [...held].filter((x) => !isGenerator(x)),
      written: written.filter((x) => !isGenerator(x)),
      draws: [...held].some(isGenerator),
      explain: () => printProgram(program),
    };
  }

  private run(entry: Entry, tree: Tree): unknown {
    const { compilation, runner } = entry;
    const states = new Map<Value, unknown>(
      compilation.states.map(({ of, key, value }) => [value, Reflect.get(of, key) as unknown]),
    );
    const wanted = gradMode() && compilation.leads.some(Boolean);
    const before = wanted ? this.before(entry, states) : undefined;
    const finish = ({ yields, reads }: Ran) => {
      const results = before ? this.differentiable(entry, tree, yields, reads, before) : yields;
      return compilation.rebuild(results);
    };
    if (compilation.isAsync) return runner.waiting(tree.tensors, states).then(finish);
    return finish(runner.now(tree.tensors, states));
  }

  /** What following the run again needs to find as it was. */
  private before({ written, draws }: Entry, states: ReadonlyMap<Value, unknown>): Before {
    return noGrad(() => ({
      written: copiesOf(written),
      generator: draws ? generatorState() : undefined,
      states,
    }));
  }

  private differentiable(
    entry: Entry,
    tree: Tree,
    yields: readonly unknown[],
    reads: readonly number[],
    before: Before,
  ): unknown[] {
    const { compilation, own } = entry;
    const given = new Set([...tree.tensors, ...compilation.held]);
    const results = yields.map((x, i) =>
      x instanceof Tensor && !given.has(x) && (compilation.leads[i] ?? false) && isFloat(x.dtype)
        ? new Tensor(x.storage, x.layout)
        : x,
    );
    const places = results.flatMap((x, i) => (x instanceof Tensor && x !== yields[i] ? [i] : []));
    const kept = [...before.states.values()].filter((x) => x instanceof Tensor);
    const sources = [...tree.tensors, ...own, ...kept];
    const run = () => this.again(tree, reads, before);
    attachAll(
      places.map((i) => results[i] as Tensor),
      'a scripted function',
      sources,
      () => ({
        saved: sources.filter((x) => !entry.written.includes(x)).map(save),
        backward: byRunningAgain({
          name: 'a scripted function',
          run,
          // The gradients, too, need what the run makes of it.
          asBefore: (body) => asBefore(before.written, body),
          count: yields.filter((x) => x instanceof Tensor).length,
          places: places.map((i) => yields.slice(0, i).filter((x) => x instanceof Tensor).length),
          sources,
        }),
      }),
    );
    return results;
  }

  /** Follows the same run op by op. */
  private again(tree: Tree, reads: readonly number[], { generator, states }: Before): unknown {
    const body = () => follow(this.target, tree.rebuild(tree.tensors) as readonly unknown[], reads, this.statesByName(states));
    return generator ? withGenerator(generator, body) : body();
  }

  private statesByName(states: ReadonlyMap<Value, unknown>): (of: object, key: PropertyKey) => unknown {
    const all = this.compiled.flatMap((c) => c.compilation.states);
    return (of, key) => {
      const known = all.find((s) => s.of === of && s.key === key && states.has(s.value));
      return known ? states.get(known.value) : (Reflect.get(of, key) as unknown);
    };
  }
}

interface Before {
  readonly written: readonly Was[];
  readonly generator: Tensor | undefined;
  readonly states: ReadonlyMap<Value, unknown>;
}

/** What is not as it was when the program was made, for a call of the same signature. */
function difference({ compilation, held }: Entry, { tensors }: Tree): Recompile | undefined {
  for (const { of, key, value, read } of compilation.assumed) {
    const now: unknown = read ? read() : Reflect.get(of, key);
    if (!Object.is(now, value)) return { guard: `‘${String(key)}’, which the code reads`, was: shown(value), now: shown(now) };
  }
  for (const { of, key, value } of compilation.states) {
    const now: unknown = Reflect.get(of, key);
    const fits =
      now instanceof Tensor
        ? now.dtype === value.meta?.dtype && now.shape.join() === value.meta.shape.join() && now.isContiguous()
        : typeof now === value.type;
    if (!fits)
      return {
        guard: `state ‘${String(key)}’`,
        was: value.meta ? `${value.meta.dtype}[${value.meta.shape.join()}]` : value.type,
        now: shown(now),
      };
  }
  return held.difference(tensors);
}

function shown(x: unknown): string {
  if (x instanceof Tensor) return x.toString();
  return typeof x === 'object' && x !== null ? x.constructor.name : typeof x === 'function' ? `function ${x.name}` : String(x);
}

/**
 * Compiles `fn` (or `module.forward`) by looking at its source, with its control flow; what cannot be compiled is an error with the
 * rule's code and the place (JL1xx–JL5xx). The result is called like the function, and compiles once for each signature.
 */
export function script<F extends AnyFunction>(fn: F, options?: ScriptOptions): ScriptFunction<F>;
export function script<M extends Module>(module: M, options?: ScriptOptions): ScriptFunction<M['forward']>;
export function script(what: AnyFunction | Module, options: ScriptOptions = {}): ScriptFunction<AnyFunction> {
  const fn = what instanceof Module ? (originalOf(what.forward) ?? what.forward) : (originalOf(what) ?? what);
  const self = what instanceof Module ? what : undefined;
  const cache = new ScriptCache(fn, self, targetOf(fn, self), options);
  const scripted = Object.assign((...args: never[]) => cache.call(args), { info: cache });
  standsFor(scripted, fn);
  return scripted;
}

export function targetOf(fn: AnyFunction, self: unknown): Target {
  if (self !== undefined && isLibraryMethod(self, fn)) return { closure: callOf(fn), self };
  const closure = (self === undefined ? undefined : closureOfMethod(self, fn)) ?? closureOfFunction(fn);
  if (closure) return { closure, self };
  throw new JitLensError(
    'JL307',
    `‘${fn.name}’ has no source that can be looked at`,
    'Script functions that are written in TypeScript.',
  );
}
