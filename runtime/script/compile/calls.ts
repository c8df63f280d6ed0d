/**
 * @file Calls. In: a function and its arguments. Out: its result. The code's own functions are looked at in place; JitLens's are run
 * with their ops recorded; a few of JavaScript's are known; nothing else is called.
 */
import { JitLensError } from '../../errors.ts';
import { isTraced } from '../../jit/freeze.ts';
import { Sequential } from '../../nn/containers.ts';
import { dtypes, isFloat } from '../../tensor/dtype.ts';
import { full, tensor } from '../../tensor/create.ts';
import { stack } from '../../ops/join.ts';
import { methods } from '../../ops/table.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { isLibraryFunction, isLibraryMethod } from '../library.ts';
import { markOf, originalOf } from '../marks.ts';
import { ts, type TS } from '../typescript.ts';
import { closureOfFunction, closureOfMethod } from './code.ts';
import { bare } from '../facts/functions.ts';
import { asFunction, refuse, textOf, type Context } from './context.ts';
import { isWhole } from './flow.ts';
import { intrinsics, printing, templateOf } from './intrinsics.ts';
import { callNative, isNative } from './natives.ts';
import { Closure, hasUnknown, isRecord, Pending, Raised, typeName, Unknown } from './values.ts';

export function call(context: Context, called: unknown, self: unknown, args: readonly unknown[], at: TS.CallExpression): unknown {
  // What is compiled when it is called is looked at like all other code.
  const fn: unknown = typeof called === 'function' ? (originalOf(called) ?? called) : called;
  if (fn instanceof Closure) return context.invoke(fn, fn.self ?? self, args, at);
  if (typeof fn !== 'function') {
    const text = textOf(context, at.expression);
    throw refuse(context, at.expression, 'JL307', `‘${text}’ is ${typeName(fn)}, not a function`, 'Check its name.');
  }
  const known = self === console ? printing(at) : intrinsics().get(fn);
  if (known) return known(context, args, at, self);
  if (self instanceof Tensor) return onTensor(context, fn, self, args, at);
  const mark = markOf(fn);
  if (mark === 'unused') return unused(context, at);
  if (self instanceof Sequential && fn === Sequential.prototype.forward) return inARow(context, self, args, at);
  if (isLibraryFunction(fn) || isLibraryMethod(self, fn)) return onLibrary(context, fn, self, args, at);
  if (isNative(fn)) return callNative(context, fn, self, args, at);
  if (mark === 'ignore') {
    ignored(context, fn, self, args, at);
    return undefined;
  }
  // Where ops are recorded, it gives its own.
  if (isTraced(fn)) return onLibrary(context, fn, self, args, at);
  const closure = (self === undefined ? undefined : closureOfMethod(self, fn)) ?? closureOfFunction(fn);
  if (closure) return context.invoke(closure, self, args, at);
  throw refuse(
    context,
    at,
    'JL307',
    `‘${textOf(context, at.expression)}’ has no source that can be looked at`,
    'Mark it `@jit.ignore` or `@jit.unused`, or pass its result in.',
  );
}

function unused(context: Context, at: TS.CallExpression): never {
  const name = textOf(context, at.expression);
  context.world.effect('raise', [], () => {
    throw new JitLensError('JL507', `‘${name}’ is marked @jit.unused and was reached`, 'Remove the mark, or do not call it.');
  });
  throw new Raised();
}

/** A call that stays JavaScript: what it does happens at its place in the run; what it gives cannot be known before. */
function ignored(context: Context, fn: object, self: unknown, args: readonly unknown[], at: TS.CallExpression): void {
  const { parent } = at;
  if (!ts.isExpressionStatement(parent) && !ts.isVoidExpression(parent)) {
    throw refuse(
      context,
      at,
      'JL507',
      `‘${textOf(context, at.expression)}’ is marked @jit.ignore: it runs on the host, and what it gives is not known when the code is compiled`,
      'Call it outside, and pass its result in.',
    );
  }
  const leaves: unknown[] = [];
  const given = args.map((x) => templateOf(x, leaves, (other) => other));
  context.world.effect('call', leaves, (...values) => {
    Reflect.apply(
      fn as (...args: unknown[]) => unknown,
      self,
      given.map((make) => make(values)),
    );
  });
}

/** A chain of modules: each is looked at where the user wrote it. */
function inARow(context: Context, modules: Sequential, args: readonly unknown[], at: TS.CallExpression): unknown {
  let [x] = args;
  for (const module of modules) x = context.call(module.forward, module, [x], at);
  return x;
}

function onTensor(context: Context, fn: object, self: Tensor, args: readonly unknown[], at: TS.CallExpression): unknown {
  const name = nameOf(at);
  const method = (key: string): unknown => Reflect.get(Tensor.prototype, key);
  if (fn === method('item')) return new Pending(context.world.read(self));
  if (fn === method('data') || name === 'toArray')
    throw refuse(
      context,
      at,
      'JL403',
      `‘${name}’ takes the elements out of the graph`,
      'Return the tensor, and read it outside.',
    );
  if (fn === method('backward'))
    throw refuse(
      context,
      at,
      'JL307',
      '`backward()` cannot be compiled with its forward pass here',
      'Call it on what the compiled function gives, or trace the whole step with `jit.trace`.',
    );
  if (name === 'select' && args.length === 2 && args[1] instanceof Unknown) return selected(context, self, args[0], args[1], at);
  return run(context, fn, self, operands(context, fn, [self], args, at), at);
}

/** `x.select(dim, i)` with an index that is known only at run time. */
function selected(context: Context, x: Tensor, dim: unknown, index: Unknown, at: TS.CallExpression): unknown {
  if (typeof dim !== 'number' || !index.integer)
    throw refuse(context, at, 'JL109', 'select() takes whole numbers', 'Use Math.floor(…).');
  const size = x.size(dim);
  const place = lifted(context, index, 'int32');
  const from = place.lt(0).to('int32').mul(size).add(place);
  return context.from(at, () => x.indexSelect(dim, from.view([1])).squeeze(dim));
}

function onLibrary(context: Context, fn: object, self: unknown, args: readonly unknown[], at: TS.CallExpression): unknown {
  if (fn === tensor && args[0] instanceof Unknown) return lifted(context, args[0], dtypeOption(args[1]));
  if (
    fn === tensor &&
    Array.isArray(args[0]) &&
    args[0].length > 0 &&
    args[0].every((x) => x instanceof Unknown || typeof x === 'number')
  )
    if (hasUnknown(args[0]))
      return stack(
        args[0].map((x: unknown) =>
          x instanceof Unknown ? lifted(context, x, dtypeOption(args[1])) : tensor(x as number, { dtype: dtypeOption(args[1]) }),
        ),
      );
  if (fn === full && args[1] instanceof Unknown && !hasUnknown(args[0]))
    return lifted(context, args[1], dtypeOption(args[2]))
      .expand(args[0] as number[])
      .contiguous();
  return run(context, fn, self, operands(context, fn, [], args, at), at);
}

function dtypeOption(options: unknown): 'float32' | 'int32' {
  const given = isRecord(options) ? options['dtype'] : undefined;
  return given === 'int32' ? 'int32' : 'float32';
}

/** The number as a tensor without dims. */
function lifted(context: Context, x: Unknown, dtype: keyof typeof dtypes): Tensor {
  const { builder } = context;
  if (!builder || x.type === 'string')
    throw new JitLensError('JL320', 'a text cannot become a tensor', 'Use a number.', context.frames()[0]);
  const { value, tensor: made } = builder.tensor({ shape: [], dtype });
  builder.before({ kind: 'lift', input: x.value, output: value, stack: context.frames() });
  return made;
}

/** The last name of what is called. */
function nameOf(at: TS.CallExpression): string {
  const called = bare(at.expression);
  return ts.isPropertyAccessExpression(called) ? called.name.text : ts.isIdentifier(called) ? called.text : '';
}

/** Arguments as an op takes them: a number that is known only at run time becomes a tensor where the op computes with it. */
function operands(
  context: Context,
  fn: object,
  before: readonly Tensor[],
  args: readonly unknown[],
  at: TS.CallExpression,
): unknown[] {
  const op = before.length > 0 ? (Reflect.get(methods, nameOf(at)) as unknown) : fn;
  const spec = (op as { entry?: { spec?: { kind: string } } } | undefined)?.entry?.spec;
  const first = [...before, ...args].filter((x) => x instanceof Tensor).find((x) => isFloat(x.dtype)) ?? before[0];
  return args.map((x, i) => {
    if (x instanceof Closure) return asFunction(context, x, at);
    if (!hasUnknown(x)) return x;
    const argument = at.arguments[i] ?? at;
    if (x instanceof Unknown && x.type === 'number' && spec?.kind === 'elementwise' && first)
      return lifted(context, x, operandType(context, x, first, argument));
    throw refuse(
      context,
      argument,
      'JL109',
      `‘${textOf(context, argument)}’ is known only at run time, and ‘${nameOf(at)}’ needs it when the code is compiled`,
      'A graph has fixed shapes: pass it in as an argument, or compute with tensors and `where(...)`.',
    );
  });
}

function operandType(context: Context, x: Unknown, with_: Tensor, at: TS.Node): keyof typeof dtypes {
  if (isFloat(with_.dtype)) return with_.dtype;
  if (isWhole(x)) return with_.dtype === 'bool' ? 'int32' : with_.dtype;
  throw refuse(
    context,
    at,
    'JL109',
    `whether ‘${textOf(context, at)}’ is whole is known only at run time, and the result’s dtype depends on it`,
    "Convert the tensor with `.to('float32')`, or the number with Math.floor(…).",
  );
}

function run(context: Context, fn: object, self: unknown, args: readonly unknown[], at: TS.CallExpression): unknown {
  return context.from(at, () => {
    const result: unknown = Reflect.apply(fn as (...args: unknown[]) => unknown, self, args);
    if (result instanceof Promise) {
      // It would be rejected with nobody to hear it.
      result.catch(() => undefined);
      throw refuse(
        context,
        at,
        'JL411',
        `‘${textOf(context, at)}’ gives a tensor whose size depends on values`,
        'Use `where(...)`, or a fixed size with `topk`.',
      );
    }
    return Array.isArray(result) || isRecord(result) ? context.memory.fix(context.memory.own(result)) : result;
  });
}
