/** @file What loops walk. In: a `for…of`. Out: whether its length is fixed, how often it turns, whether it is written out. */
import { ts, type TS } from '../typescript.ts';
import { bare, some, walk } from './functions.ts';
import type { Types } from './types.ts';
import { tensorCall } from './uses.ts';

/** Turns below which a loop of known length is written out, and the ops that its body may have then. */
const MAX_TURNS = 64;
const MAX_BODY = 32;

export function isUnrolled(count: number, loop: TS.IterationStatement): boolean {
  let ops = 0;
  walk(loop.statement, (node) => {
    if (ts.isCallExpression(node)) ops++;
    return true;
  });
  return count < MAX_TURNS && ops <= MAX_BODY && !some(loop.statement, (n) => ts.isIterationStatement(n, false));
}

const CUTS = new Set(['unbind', 'split', 'chunk']);

/** `x.unbind()`, `x.split(2)`, `x.chunk(4)`: lists that nobody else holds. */
export function isCut(node: TS.Expression, types: Types): boolean {
  const call = tensorCall(bare(node), types);
  return call !== undefined && CUTS.has(call.name);
}

/** Number of elements of a tuple. */
export function tupleLength(type: TS.Type, types: Types): number | undefined {
  if (!types.checker.isTupleType(type)) return undefined;
  const target = (type as TS.TupleTypeReference).target;
  return (target.combinedFlags & ts.ElementFlags.Variable) !== 0 || target.minLength !== target.elementFlags.length
    ? undefined
    : target.minLength;
}
