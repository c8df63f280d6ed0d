/** @file Functions that mean something else to the compiler than to JavaScript. In: one of them and its arguments. Out: its result. */
import { inspect } from 'node:util';
import { range } from '../../tensor/create.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { annotate, isScripting } from '../names.ts';
import { constant } from '../marks.ts';
import { ts, type TS } from '../typescript.ts';
import { bare } from '../facts/functions.ts';
import { refuse, type Context } from './context.ts';
import { compute, isWhole, scalarType } from './flow.ts';
import { elementsOf } from './iterate.ts';
import { mapFunctions } from './maps.ts';
import { isRecord, Pending, Range, Unknown } from './values.ts';

export type Intrinsic = (context: Context, args: readonly unknown[], at: TS.CallExpression, self: unknown) => unknown;

/** Math functions whose result is whole, and those that keep whole numbers whole. */
const WHOLE = new Set(['floor', 'ceil', 'round', 'trunc', 'sign', 'imul', 'clz32']);
const KEEPS_WHOLE = new Set(['abs', 'max', 'min']);

let table: Map<unknown, Intrinsic> | undefined;

export function intrinsics(): Map<unknown, Intrinsic> {
  return (table ??= new Map<unknown, Intrinsic>([
    ...mathFunctions(),
    ...converters(),
    ...mapFunctions(),
    [isScripting, () => true],
    [annotate, (_, args) => args.at(-1)],
    [constant, (_, [x]) => x],
    [range, ranged],
    [Math.random, (context, _, at) => refuseRandom(context, at)],
    [Promise.all, (context, [items], at) => new Pending(context.memory.own(elementsOf(context, items, at).map(awaited)))],
    [Promise.resolve, (_, [x]) => new Pending(awaited(x))],
  ]));
}

function awaited(x: unknown): unknown {
  return x instanceof Pending ? x.result : x;
}

function refuseRandom(context: Context, at: TS.Node): never {
  throw refuse(context, at, 'JL308', 'this value differs at every run', 'Use `rand(...)`, or pass the number in.');
}

function* mathFunctions(): Generator<[unknown, Intrinsic]> {
  for (const name of Object.getOwnPropertyNames(Math)) {
    const fn: unknown = Reflect.get(Math, name);
    if (typeof fn !== 'function' || name === 'random') continue;
    yield [
      fn,
      (context, args, at) => {
        if (args.some((x) => x instanceof Tensor))
          throw refuse(context, at, 'JL309', `Math.${name} needs a number`, `Tensors have methods: \`x.${name}()\`.`);
        const integer = WHOLE.has(name) || (KEEPS_WHOLE.has(name) && args.every(isWhole));
        return compute(context, name, args, fn as (...values: never[]) => number, { type: 'number', integer });
      },
    ];
  }
}

function* converters(): Generator<[unknown, Intrinsic]> {
  const convert =
    (name: string, fn: (...values: never[]) => unknown, type: 'number' | 'boolean' | 'string', keeps = false): Intrinsic =>
    (context, args) =>
      compute(context, name, args, fn, { type, integer: keeps && isWhole(args[0]) });
  yield [Number, convert('Number', Number, 'number', true)];
  yield [Boolean, convert('Boolean', Boolean, 'boolean')];
  yield [String, convert('String', String, 'string')];
  for (const name of ['isInteger', 'isFinite', 'isNaN', 'isSafeInteger'] as const)
    yield [Number[name], convert(name, Number[name], 'boolean')];
  yield [isNaN, convert('isNaN', isNaN, 'boolean')];
  yield [isFinite, convert('isFinite', isFinite, 'boolean')];
}

const PRINTING = ['log', 'info', 'debug', 'warn', 'error'] as const;

/** A function of the console; which one is found by name, since tools put their own in its place. */
export function printing(at: TS.CallExpression): Intrinsic | undefined {
  const called = bare(at.expression);
  const name = ts.isPropertyAccessExpression(called) ? PRINTING.find((p) => p === called.name.text) : undefined;
  if (!name) return undefined;
  return (context, args) => {
    const leaves: unknown[] = [];
    // Objects are printed as they are now: the code may change them.
    const rebuilt = args.map((x) => templateOf(x, leaves, inspect));
    context.world.effect('print', leaves, (...values) => {
      console[name](...rebuilt.map((make) => make(values)));
    });
    return undefined;
  };
}

/** A value with what is known only at run time left open. */
export function templateOf(
  x: unknown,
  leaves: unknown[],
  otherwise: (x: object) => unknown,
): (values: readonly unknown[]) => unknown {
  if (x instanceof Tensor || x instanceof Unknown) {
    const at = leaves.push(x) - 1;
    return (values) => values[at];
  }
  if (Array.isArray(x)) {
    const items = x.map((item: unknown) => templateOf(item, leaves, otherwise));
    return (values) => items.map((item) => item(values));
  }
  if (isRecord(x)) {
    const fields = Object.entries(x).map(([key, item]) => [key, templateOf(item, leaves, otherwise)] as const);
    return (values) => Object.fromEntries(fields.map(([key, item]) => [key, item(values)]));
  }
  const other = typeof x === 'object' && x !== null ? otherwise(x) : x;
  return () => other;
}

function ranged(context: Context, args: readonly unknown[], at: TS.CallExpression): unknown {
  if (args.some((x) => x !== undefined && scalarType(x) !== 'number'))
    throw refuse(context, at, 'JL109', 'range() takes numbers', 'Read a tensor with `await x.item()` first.');
  const [first, second, step = 1] = args as (number | Unknown)[];
  return second === undefined ? new Range(0, first ?? 0, step) : new Range(first ?? 0, second, step);
}
