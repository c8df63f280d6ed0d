/**
 * @file JavaScript's own functions. In: one of them, what it is called on, its arguments. Out: its result. Only those that are pure, or
 * change what the code owns, are called; with values that are known only at run time, only those that just move them.
 */
import { JitLensError } from '../../errors.ts';
import type { TS } from '../typescript.ts';
import { asFunction, refuse, textOf, type Context } from './context.ts';
import { elementsOf } from './iterate.ts';
import { Closure, hasUnknown, isRecord, Pending, Range, Unknown } from './values.ts';

const MOVING = [
  'push',
  'unshift',
  'concat',
  'slice',
  'pop',
  'shift',
  'reverse',
  'at',
  'map',
  'flatMap',
  'forEach',
  'reduce',
  'reduceRight',
  'flat',
  'fill',
  'splice',
  'with',
  'toReversed',
  'entries',
  'keys',
  'values',
];
const ASKING = [
  'includes',
  'indexOf',
  'lastIndexOf',
  'join',
  'filter',
  'find',
  'findIndex',
  'findLast',
  'some',
  'every',
  'sort',
  'toSorted',
];
const CHANGING = new Set(['push', 'unshift', 'pop', 'shift', 'reverse', 'fill', 'splice', 'sort']);

interface Native {
  readonly name: string;
  /** What is known only at run time may pass through it. */
  readonly moves: boolean;
  readonly changes: boolean;
}

let table: Map<unknown, Native> | undefined;

function natives(): Map<unknown, Native> {
  if (table) return table;
  const made = new Map<unknown, Native>();
  const add = (of: object, names: readonly string[], moves: boolean) => {
    for (const name of names) {
      const fn: unknown = Reflect.get(of, name);
      if (typeof fn === 'function') made.set(fn, { name, moves, changes: of === Array.prototype && CHANGING.has(name) });
    }
  };
  add(Array.prototype, MOVING, true);
  add(Array.prototype, ASKING, false);
  add(Array, ['isArray', 'of'], true);
  add(Array, ['from'], true);
  add(Object, ['keys', 'values', 'entries', 'fromEntries', 'freeze', 'is'], true);
  add(String.prototype, Object.getOwnPropertyNames(String.prototype), false);
  add(Number.prototype, ['toFixed', 'toString', 'toPrecision', 'toExponential', 'valueOf'], false);
  add(globalThis, ['parseInt', 'parseFloat'], false);
  add(Number, ['parseInt', 'parseFloat'], false);
  return (table = made);
}

export function isNative(fn: unknown): boolean {
  return natives().has(fn);
}

export function callNative(
  context: Context,
  fn: object,
  self: unknown,
  args: readonly unknown[],
  at: TS.CallExpression,
): unknown {
  const native = natives().get(fn);
  if (!native) throw new JitLensError('JL-BUG', 'a function that is not known is called');
  const { memory } = context;
  const { name, moves } = native;
  if (Array.isArray(self) && !memory.owns(self)) {
    if (native.changes)
      throw refuse(context, at, 'JL605', `‘${name}’ changes a list outside the compiled code`, 'Copy it first: `[...list]`.');
    elementsOf(context, self, at);
  }
  const unknown = !moves && (hasUnknown(args) || hasUnknown(self));
  if (unknown) throw hidden(context, name, at);
  if (name === 'is' && hasUnknown(args)) throw hidden(context, name, at);
  const given = args.map((x) => {
    if (!(x instanceof Closure)) return x;
    const inner = asFunction(context, x, at);
    return (...items: unknown[]) => {
      const result = inner(...items);
      // JavaScript would take it for true.
      if (!moves && (result instanceof Unknown || result instanceof Pending)) throw hidden(context, name, at);
      return result;
    };
  });
  for (const x of args) if (isRecord(x) && !memory.owns(x)) for (const key of Object.keys(x)) context.assume(x, key, x[key]);
  const [first] = given;
  if (name === 'from' && (Array.isArray(first) || first instanceof Range)) given[0] = elementsOf(context, first, at);
  // What they are called with is the list itself, which only its owner may change.
  const result: unknown = Reflect.apply(fn as (...args: unknown[]) => unknown, self, given);
  if (typeof result === 'object' && result !== null && !Array.isArray(result) && Symbol.iterator in result)
    return memory.own([...(result as Iterable<unknown>)].map((x) => (Array.isArray(x) ? memory.own(x) : x)));
  if (Array.isArray(result)) result.forEach((x: unknown) => (Array.isArray(x) && name === 'entries' ? memory.own(x) : x));
  return (Array.isArray(result) || isRecord(result)) && result !== self ? memory.own(result) : result;
}

function hidden(context: Context, name: string, at: TS.CallExpression): JitLensError {
  return refuse(
    context,
    at,
    'JL307',
    `‘${textOf(context, at)}’: what ${name} looks at is known only at run time`,
    'Compare with operators, or compute with tensors.',
  );
}
