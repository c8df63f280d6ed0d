/**
 * @file Maps and sets from outside. In: one that the code reads. Out: what is in it now, which is taken for granted from then on: a
 * call that finds another entry, size or content compiles anew. The code itself changes none.
 */
import type { TS } from '../typescript.ts';
import { refuse, textOf, type Context } from './context.ts';
import type { Intrinsic } from './intrinsics.ts';

type Collection = ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;

export function isCollection(x: unknown): x is Collection {
  return x instanceof Map || x instanceof Set;
}

export function sizeOf(context: Context, of: Collection): number {
  context.assume(of, 'size', of.size, () => of.size);
  return of.size;
}

/** All of it in order, as it is walked. */
export function contentsOf(context: Context, of: Collection): unknown[] {
  const was = [...of];
  context.assume(of, 'entries', was, () => {
    const now = [...of];
    return now.length === was.length && now.every((x, i) => same(x, was[i])) ? was : now;
  });
  return was;
}

/** An entry of a map is a new pair each time. */
function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b) && a.length === 2 && b.length === 2) return a.every((x, i) => Object.is(x, b[i]));
  return Object.is(a, b);
}

export function mapFunctions(): [unknown, Intrinsic][] {
  return [
    [Map.prototype.get, (context, [key], at, self) => asked(context, self, 'get', key, at)],
    [Map.prototype.has, (context, [key], at, self) => asked(context, self, 'has', key, at)],
  ];
}

function asked(context: Context, self: unknown, what: 'get' | 'has', key: unknown, at: TS.CallExpression): unknown {
  if (!(self instanceof Map)) throw new TypeError(`Map.prototype.${what} is called on something else`);
  if (typeof key !== 'string' && typeof key !== 'number')
    throw refuse(
      context,
      at.arguments[0] ?? at,
      'JL312',
      `which entry of ‘${textOf(context, at.expression)}’ is meant is not known when the code is compiled`,
      'Use a number or a string that is known then.',
    );
  const map: ReadonlyMap<unknown, unknown> = self;
  const read = () => map[what](key);
  const value = read();
  context.assume(map, `${what}(${JSON.stringify(key)})`, value, read);
  return value;
}
