/**
 * @file Freezing: a traced function with the tensors that it holds as they are now. In: a traced function in use (not training).
 * Out: a function of the same type that computes with copies of its parameters and buffers, whatever becomes of these; what depends
 * on them alone is computed here, once. It serves calls like those that were traced. Waits, for it looks at the values that it makes.
 */
import { JitLensError } from '../errors.ts';
import { formatShape } from '../tensor/shape.ts';
import { frozen } from './frozen-graph.ts';
import { FrozenTrace } from './frozen-trace.ts';
import type { Module } from '../nn/module.ts';
import { signatureKey, valuesKey } from './guard.ts';
import { TraceCache, type Compiled, type Traced, type TraceInfo } from './trace.ts';
import { flattenTree } from './tree.ts';

/**
 * The traced function with its parameters and buffers as constants: their values are those of now. For calls like those that were
 * traced (and not changed since), with or without gradients of the arguments, unless the code asks for these and was traced one way
 * only; parameters get none. Errors: JLT-FREEZE for code that
 * trains, or changes or gives away what would be frozen, and for calls that were not traced.
 */
export async function freeze<A extends unknown[], R>(
  traced: ((...args: A) => R) & { readonly info: TraceInfo },
): Promise<Traced<(...args: A) => R>> {
  const { info } = traced;
  if (!(info instanceof TraceCache)) {
    throw new JitLensError('JLT-FREEZE', 'only a traced function can be frozen', 'Trace it first: jit.freeze(jit.trace(…)).');
  }
  refuseTraining(info);
  const current = info.compiled.filter((c) => !c.held.change());
  if (current.length === 0) {
    throw new JitLensError(
      'JLT-FREEZE',
      'no trace is of the function as it is now: its mode, or what it holds, has changed since it was traced',
      'Call the traced function once more, then freeze it.',
    );
  }
  // All copies are made before anything is waited for.
  const copies = current.map((c) => new FrozenTrace(c, frozen(c.recorded), info.fn));
  for (const copy of copies) await copy.prepare();
  const state = new FrozenTraces(copies, info.module);
  return Object.assign((...args: A) => state.call(args) as R, { info: state });
}

/** Whether it is a function that `trace` or `freeze` made. */
export function isTraced(fn: object): boolean {
  const info: unknown = Reflect.get(fn, 'info');
  return info instanceof TraceCache || info instanceof FrozenTraces;
}

function refuseTraining({ module, compiled }: TraceCache): void {
  const asked = [...(module ? [module] : []), ...compiled.flatMap(({ modes }) => [...modes.keys()])];
  const training = asked.find((m) => m.training);
  const left = compiled.some((c) => c.left.length > 0);
  if (!training && !left) return;
  throw new JitLensError(
    'JLT-FREEZE',
    training ? `a ${training.constructor.name} is training` : 'the traced function leaves gradients on tensors',
    training ? 'Call eval() on the module, then trace and freeze it.' : 'Freeze the forward pass alone.',
  );
}

class FrozenTraces implements TraceInfo {
  readonly recompiles = [];
  readonly eagerCalls = 0;
  private readonly exact: ReadonlyMap<string, FrozenTrace>;
  /** Of calls that want gradients otherwise than the traced ones did. */
  private readonly alike: ReadonlyMap<string, FrozenTrace>;

  constructor(
    private readonly all: readonly FrozenTrace[],
    private readonly module: Module | undefined,
  ) {
    this.exact = new Map(all.map((t) => [t.signature.key, t]));
    this.alike = new Map(all.map((t) => [t.signature.values, t]));
  }

  get compiled(): readonly Compiled[] {
    return this.all.map((t) => t.compiled);
  }

  call(args: readonly unknown[]): unknown {
    const tree = flattenTree(args, 'arguments');
    const trace = this.exact.get(signatureKey(tree, this.module)) ?? this.alike.get(valuesKey(tree));
    if (trace) return trace.call(tree);
    const given = tree.tensors.map((x) => `${x.dtype}${formatShape(x.shape)}`).join(', ');
    throw new JitLensError(
      'JLT-FREEZE',
      `a frozen function is called with ${given}, as the traced one was not`,
      'Call the traced function with arguments of these shapes, strides, dtypes and plain values before it is frozen.',
    );
  }
}
