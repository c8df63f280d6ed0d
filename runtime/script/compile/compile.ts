/**
 * @file From a function to a program. In: its code, the arguments of a call. Out: the program, how its result is put together, and
 * what it took for granted about everything that is not an argument.
 */
import { JitLensError } from '../../errors.ts';
import { Module } from '../../nn/module.ts';
import { withRecorder, type Moded } from '../../ops/recorder.ts';
import type { Argument, Program, Value } from '../../ir/program.ts';
import { contiguous, isContiguous } from '../../tensor/layout.ts';
import type { Storage } from '../../tensor/storage.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Tree } from '../../jit/tree.ts';
import { Builder } from './builder.ts';
import type { Assumed, Keeps, World } from './context.ts';
import { scalarType } from './flow.ts';
import { Interpreter } from './interpreter.ts';
import { partsOf } from './loop.ts';
import { join } from './join.ts';
import { prune } from './prune.ts';
import { select } from './select.ts';
import { Closure, isRecord, Pending, Raised, Unknown } from './values.ts';

/** A field that the module keeps from call to call, as a run finds it. */
export interface StateInput {
  readonly of: object;
  readonly key: PropertyKey;
  readonly value: Value;
}

export interface Compilation {
  readonly program: Program;
  /** The result from what the program yields. */
  readonly rebuild: (yields: readonly unknown[]) => unknown;
  /** The tensors among what it yields, as they looked to the compiler: whether a gradient leads out of them. */
  readonly leads: readonly boolean[];
  readonly isAsync: boolean;
  readonly states: readonly StateInput[];
  readonly assumed: readonly Assumed[];
  readonly held: ReadonlySet<Tensor>;
  readonly modes: ReadonlyMap<Moded, { readonly training: boolean }>;
}

export interface Target {
  readonly closure: Closure;
  readonly self: unknown;
}

/**
 * Errors: those of TensorScript, each with its place. A loop that cannot be kept is unrolled, all of them when one
 * cannot. `without` names what is left out: `unroll`, `select`.
 */
export function compileFunction(target: Target, args: Tree, without: readonly string[] = []): Compilation {
  try {
    return attempt(target, args, without.includes('unroll') ? 'all' : 'long', without);
  } catch (error) {
    if (!(error instanceof JitLensError) || error.code === 'JL-BUG') throw error;
    try {
      return attempt(target, args, 'none', without);
    } catch {
      throw error;
    }
  }
}

function attempt({ closure, self }: Target, args: Tree, keeps: Keeps, without: readonly string[]): Compilation {
  const names = new Map<Tensor, string>(self instanceof Module ? self.namedTensors().map(([name, x]) => [x, name]) : []);
  const builder: Builder = new Builder(() => looking.frames(), names);
  const states: StateInput[] = [];
  const world: World = {
    read: (x) => {
      if (x.numel !== 1)
        throw new JitLensError(
          'JLT-ITEM',
          `item() of a tensor of ${x.numel} elements`,
          'Reduce it to one element first.',
          looking.frames()[0],
        );
      const output = builder.scalar('number');
      const input = builder.argument(x);
      builder.step({ kind: 'read', input, output, stack: looking.frames() });
      return new Unknown(output, !x.dtype.startsWith('float'));
    },
    effect: (name, values, run) => {
      // What was assigned before an error stays, and host code sees it.
      if (name !== 'print') store(builder, looking);
      const inputs = values.map((x) => argumentOf(builder, x));
      builder.step({ kind: 'effect', name, inputs, run, stack: looking.frames() });
    },
  };
  const state = (of: object, key: PropertyKey, now: unknown): unknown => {
    const made = stateValue(builder, String(key), now);
    if (made) states.push({ of, key, value: made.value });
    else looking.assume(of, key, now);
    return made ? made.inside : now;
  };
  const looking = new Interpreter(world, keeps, state, builder);
  const inputs = abstractInputs(builder, args);
  const given = args.rebuild(inputs) as readonly unknown[];
  const result = withRecorder(builder, () => {
    try {
      return looking.invoke(closure, self, given, closure.node);
    } catch (error) {
      if (error instanceof Raised) return undefined;
      throw error;
    }
  });
  store(builder, looking);
  const value = result instanceof Pending ? result.result : result;
  const { leaves, rebuild } = partsOf(value);
  leaves.forEach(checkResult);
  const yields = withRecorder(builder, () => leaves.map((x) => argumentOf(builder, x)));
  const leads = leaves.map((x) => x instanceof Tensor && x.requiresGrad);
  const pruned = prune(builder.finish(yields));
  // A run that is followed for its gradient reads what it decides by.
  const selects = !without.includes('select') && !leads.some(Boolean);
  const program = join(selects ? prune(select(pruned)) : pruned);
  return {
    program,
    rebuild,
    leads,
    isAsync: result instanceof Pending,
    states,
    assumed: [...looking.assumed.values()].flatMap((keys) => [...keys.values()]),
    held: builder.held,
    modes: builder.modes,
  };
}

/** Tensors without elements in the place of the arguments; those that share memory do so again. */
function abstractInputs(builder: Builder, { tensors, path }: Tree): Tensor[] {
  const storages = new Map<Storage, Storage>();
  const made = new Map<Tensor, { own: Tensor; value: Value }>();
  return tensors.map((x, i) => {
    const known = made.get(x);
    if (known) {
      builder.inputs.push(known.value);
      return known.own;
    }
    const { value, tensor } = builder.tensor({ shape: x.shape, dtype: x.dtype }, x.layout, {
      name: `input${i}`,
      title: `‘${path(i)}’`,
    });
    const shared = storages.get(x.storage);
    const own = shared ? new Tensor(shared, x.layout) : tensor;
    storages.set(x.storage, own.storage);
    builder.adopt(own, value);
    if (x.requiresGrad) own.requiresGrad = true;
    builder.inputs.push(value);
    made.set(x, { own, value });
    return own;
  });
}

function stateValue(builder: Builder, name: string, now: unknown): { value: Value; inside: unknown } | undefined {
  if (now instanceof Tensor) {
    if (!isContiguous(now.layout) || now.layout.offset !== 0) return undefined;
    const { value, tensor } = builder.tensor({ shape: now.shape, dtype: now.dtype }, contiguous(now.shape), { name });
    return { value, inside: tensor };
  }
  const type = scalarType(now);
  if (!type) return undefined;
  const value = builder.scalar(type, name);
  return { value, inside: new Unknown(value) };
}

/** What the code assigned to the module's fields is put there: when the run is over or fails, and before host code runs. */
function store(builder: Builder, looking: Interpreter): void {
  for (const { of, key, cell } of looking.memory.standIns()) {
    const { leaves, rebuild } = partsOf(cell.value);
    const inputs = withRecorder(builder, () => leaves.map((x) => argumentOf(builder, x)));
    builder.step({ kind: 'effect', name: 'store', inputs, run: (...values) => Reflect.set(of, key, rebuild(values)), stack: [] });
  }
}

function argumentOf(builder: Builder, x: unknown): Argument {
  if (x instanceof Tensor) return builder.argument(x);
  return x instanceof Unknown ? x.value : { constant: x };
}

function checkResult(x: unknown): void {
  if (x instanceof Closure)
    throw new JitLensError('JL304', 'a function is returned from compiled code', 'Return what it computes.');
  const plain = x === null || ['undefined', 'number', 'boolean', 'string'].includes(typeof x);
  if (plain || x instanceof Tensor || x instanceof Unknown || isRecord(x)) return;
  throw new JitLensError(
    'JL608',
    'compiled code returns an object that is not a tensor',
    'Return tensors, numbers, arrays and records.',
  );
}
