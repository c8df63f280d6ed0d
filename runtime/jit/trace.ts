/**
 * @file Tracing: a function runs once on example inputs while every op is recorded; from then on the recorded graph runs,
 * compiled. In: a function or module, example inputs. Out: a function of the same type. What the recording took for
 * granted (shapes, dtypes, device, plain values, training mode) is guarded: a call that differs is traced anew.
 */
import { JitLensError } from '../errors.ts';
import '../autograd/index.ts';
import { leafFor } from '../autograd/tape.ts';
import { GpuBackend } from '../kernels/eager.ts';
import { Module, Parameter } from '../nn/module.ts';
import { activeRecorder, withRecorder } from '../ops/recorder.ts';
import { gradMode } from '../ops/tape.ts';
import { currentBackend, type Backend, type Later } from '../tensor/backend.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Plan } from './compile.ts';
import { executable } from './execute.ts';
import { beforeCall, flowOf, letGradientsThrough, runAgain, sourcesOf, type Again, type Flow } from './differentiate.ts';
import type { Family } from './family.ts';
import type { Signature } from './guard.ts';
import { heldBy, Held } from './held.ts';
import { Signatures, type FamilyOf } from './signatures.ts';
import { TraceRecorder, type LeftGradient } from './record.ts';
import { flattenTree, type Tree } from './tree.ts';
import type { Graph } from '../ir/graph.ts';

/** A call that no earlier trace fitted. */
export interface Recompile {
  /** What differed from the trace before, e.g. `shape of argument 0`. */
  readonly guard: string;
  readonly was: string;
  readonly now: string;
  /** What follows from it for further calls, e.g. that a dim is dynamic. */
  readonly note?: string;
}

/** One trace: valid for calls of one signature. */
export interface Compiled {
  readonly signature: Signature;
  /** What the code called, as it called it. */
  readonly recorded: Graph;
  /** Absent on the reference device, which runs graphs op by op. */
  readonly plan?: Plan;
  readonly plans: () => readonly Plan[];
  readonly run: (inputs: readonly Tensor[]) => Tensor[];
  /** Results as the function gives them, around other tensors. */
  readonly outputs: Pick<Tree, 'form' | 'rebuild'>;
  /** Where the gradients go that the code leaves behind: they are the last results of a run, in this order. */
  readonly left: readonly LeftGradient[];
  readonly flow: Flow;
  /** Tensors that the code holds: the module's parameters as they were, and all that it used. */
  readonly held: Held;
  /** Modules that the code asked whether they are training. */
  readonly modes: TraceRecorder['modes'];
}

export interface TraceInfo {
  readonly compiled: readonly Compiled[];
  readonly recompiles: readonly Recompile[];
  /** Calls that ran eagerly because there were too many different signatures. */
  readonly eagerCalls: number;
}

export type AnyFunction = (...args: never[]) => unknown;
export type Traced<F extends AnyFunction> = ((...args: Parameters<F>) => ReturnType<F>) & { readonly info: TraceInfo };

/**
 * Runs `fn` (or `module.forward`) on `inputs`, records it, and gives a function that runs the compiled graph. Random numbers
 * are drawn anew at every call, the same as eagerly. Errors: JL608 for values that a trace cannot follow, JL609 for writes it
 * cannot express, JL610 for a function that gives no tensor.
 */
export function trace<F extends AnyFunction>(fn: F, inputs: Parameters<F>): Traced<F>;
export function trace<M extends Module>(module: M, inputs: Parameters<M['forward']>): Traced<M['forward']>;
export function trace(target: AnyFunction | Module, inputs: readonly unknown[]): Traced<AnyFunction> {
  refuseUntraceable(target, inputs);
  const fn = target instanceof Module ? (...args: never[]) => target.forward(...args) : target;
  const state = new TraceCache(fn, target instanceof Module ? target : undefined);
  state.add(flattenTree(inputs, 'arguments'), inputs);
  return Object.assign((...args: never[]) => state.call(args), { info: state });
}

/** What no type checker has seen. */
function refuseUntraceable(target: unknown, inputs: unknown): void {
  const isCode = typeof target === 'function' || (target instanceof Module && 'forward' in target);
  if (isCode && Array.isArray(inputs)) return;
  throw new JitLensError(
    'JL608',
    isCode
      ? 'jit.trace: the example inputs are not an array'
      : 'jit.trace: what is traced is a function, or a module with a forward method',
    'Write jit.trace(fn, [x, y]).',
  );
}

/** Traces several methods of a module, each with inputs of its own; they share its parameters. */
export function traceModule<M extends Module>(
  module: M,
  inputs: Partial<Record<keyof M & string, readonly unknown[]>>,
): Record<string, Traced<AnyFunction>> {
  return Object.fromEntries(
    Object.entries<readonly unknown[] | undefined>(inputs).map(([name, args]) => {
      const method: unknown = Reflect.get(module, name);
      if (typeof method !== 'function') {
        throw new JitLensError(
          'JL610',
          `traceModule: ${module.constructor.name} has no method ‘${name}’`,
          'Name the methods to trace as they are written.',
        );
      }
      const state = new TraceCache((...rest: never[]): unknown => Reflect.apply(method, module, rest), module);
      state.add(flattenTree(args ?? [], 'arguments'), args ?? []);
      return [name, Object.assign((...rest: never[]) => state.call(rest), { info: state })];
    }),
  );
}

/** What is behind a traced function. */
export class TraceCache implements TraceInfo {
  private readonly signatures: Signatures<Compiled>;

  constructor(
    readonly fn: AnyFunction,
    readonly module: Module | undefined,
  ) {
    this.signatures = new Signatures<Compiled>(module, ({ held }, { tensors }) => held.difference(tensors));
  }

  get compiled(): readonly Compiled[] {
    return this.signatures.compiled;
  }

  get recompiles(): readonly Recompile[] {
    return this.signatures.recompiles;
  }

  get eagerCalls(): number {
    return this.signatures.eagerCalls;
  }

  call(args: readonly unknown[]): unknown {
    // Inside another trace the ops themselves are what is wanted.
    if (activeRecorder()) return this.fn(...(args as never[]));
    const tree = flattenTree(args, 'arguments');
    const known = this.signatures.find(tree);
    if (!known) return this.add(tree, args, true);
    const before = beforeCall(known.flow, tree);
    return this.given(tree, known, known.run(tree.tensors), runAgain(this.fn, tree, known.flow, before));
  }

  /** Runs such a call, recorded where there is room for one more, and gives its result, which is `wanted` or only might be. */
  add(tree: Tree, args: readonly unknown[], wanted = false): unknown {
    let first: RecordedRun = { inputs: [], results: [], link: () => undefined, isPutOff: false };
    const compiled = this.signatures.add(tree, (signature, family) => {
      const made = this.trace(tree, signature, family);
      first = made.first;
      return made.compiled;
    });
    if (!compiled) return this.fn(...(args as never[]));
    const { flow } = compiled;
    if (wanted && first.isPutOff) {
      return this.given(tree, compiled, compiled.run(tree.tensors), runAgain(this.fn, tree, flow, {}));
    }
    // It wrote in place, or drew, so it is this call's run: another one would do so a second time. Its own history leads back.
    first.link();
    const outputs = first.results.slice(0, flow.outputs.length);
    const again = { run: () => outputs, sources: sourcesOf({ tensors: first.inputs }, flow) };
    return this.given(tree, compiled, first.results.map(cutOff), again);
  }

  /** The outputs as the function gives them, with `again` for gradients that reach them. */
  private given(call: Tree, compiled: Compiled, all: readonly Tensor[], again: Again): unknown {
    const results = all.slice(0, compiled.flow.outputs.length);
    compiled.left.forEach(({ position, tensor }, i) => {
      const target = position === undefined ? tensor : call.tensors[position];
      target?.leaveGrad(all[results.length + i]);
    });
    if (gradMode()) letGradientsThrough(call, compiled.flow, results, again);
    return compiled.outputs.rebuild(results);
  }

  private trace(call: Tree, signature: Signature, family?: FamilyOf): { first: RecordedRun; compiled: Compiled } {
    const backend = call.tensors[0]?.storage.backend ?? currentBackend();
    const kernels = family?.(0);
    const run = () => record(this.fn, this.module, call, undefined, backend.putOff?.());
    const { recorder, outputs, left, recorded, inputs, link } = inFamily(kernels, backend, run);
    const { form, rebuild } = outputs;
    const places = left.map(({ position, tensor }) => ({ position, tensor }));
    const compiled = {
      signature,
      recorded,
      outputs: { form, rebuild },
      left: places,
      flow: flowOf(recorded, { inputs, outputs: outputs.tensors, left: places }),
      held: new Held(this.module, heldBy(recorded), inputs, recorder.modes),
      modes: recorder.modes,
      ...runnable(recorded, backend, kernels),
    };
    const results = [...outputs.tensors, ...left.map((l) => l.gradient)];
    return { compiled, first: { inputs, results, link, isPutOff: recorder.later?.isOpen ?? false } };
  }
}

/** What a recorded run gave; its history leads through each op, which that of a replay does not. */
interface RecordedRun {
  readonly inputs: readonly Tensor[];
  readonly results: readonly Tensor[];
  /** Lets gradients of its gradients, too, reach what the call was given. */
  readonly link: () => void;
  /** Whether it is still to run, if anybody asks for what it gave. */
  readonly isPutOff: boolean;
}

/** Ops that do run are those of other sizes, too. */
function inFamily<T>(kernels: Family | undefined, backend: Backend, run: () => T): T {
  return kernels && backend instanceof GpuBackend ? backend.forAllSizes(kernels.eager, run) : run();
}

/** Apart from what a recorded run gave, which no closure here must hold. */
function runnable(recorded: Graph, backend: Backend, kernels: Family | undefined): Pick<Compiled, 'plan' | 'plans' | 'run'> {
  const { plan, run } = executable(recorded, backend, undefined, kernels);
  return { plan, run, plans: () => (plan ? [plan] : []) };
}

/** Runs the code and writes down its ops; on a `device` without elements it is only looked at, and `later` may run them later. */
export function record(fn: AnyFunction, module: Module | undefined, call: Tree, device?: Backend, later?: Later) {
  // The code may hold an argument under another name; objects of its own tell the two apart.
  const own = renewed(call.tensors);
  const tree = flattenTree(call.rebuild(own), 'arguments');
  const links = call.tensors.map((x, i) => leafFor(own[i] ?? x, x));
  const named = module ? [...module.namedParameters(), ...module.namedBuffers()] : [];
  const names = new Map<Tensor, string>(named.map(([name, x]) => [x, name]));
  const recorder = new TraceRecorder(tree, names, device, later);
  const result = withRecorder(recorder, () => fn(...(tree.rebuild(tree.tensors) as never[])));
  if (result instanceof Promise) {
    // What becomes of it is nobody's business any more.
    result.catch(() => undefined);
    throw new JitLensError(
      'JL610',
      'an async function cannot be traced',
      'Read tensors (item, data) outside the traced function, or script it.',
    );
  }
  const outputs = flattenTree(result, 'the result');
  if (outputs.tensors.length === 0)
    throw new JitLensError('JL610', 'the traced function gives no tensor', 'Return the tensors that it computes.');
  const left = recorder.gradients();
  const recorded = recorder.finish([...outputs.tensors, ...left.map((l) => l.gradient)]);
  return { recorder, outputs, left, recorded, inputs: tree.tensors, link: () => links.forEach((l) => l()) };
}

/** The same tensors as new objects; one that appears twice does so again. */
function renewed(tensors: readonly Tensor[]): Tensor[] {
  const made = new Map(
    tensors.map((x) => [x, (x instanceof Parameter ? new Parameter(x) : cutOff(x)).requiresGrad_(x.requiresGrad)]),
  );
  return tensors.map((x) => made.get(x) ?? x);
}

/** The same elements without the history of how they were made. */
function cutOff(x: Tensor): Tensor {
  return new Tensor(x.storage, x.layout);
}
