/** @file Reads of the GPU. In: a call. Out: whether it waits for a tensor's value. */
import type { TS } from '../typescript.ts';
import { ts } from '../typescript.ts';
import { bare } from './functions.ts';
import type { Types } from './types.ts';
import { tensorCall } from './uses.ts';

export const READS: ReadonlySet<string> = new Set(['item', 'data', 'toArray']);

export function isHostRead(call: TS.CallExpression, types: Types): boolean {
  const on = tensorCall(call, types);
  return on !== undefined && READS.has(on.name);
}

/** The tensor of `await x.item()`. */
export function itemOf(node: TS.Expression, types: Types): TS.Expression | undefined {
  let at = bare(node);
  if (ts.isAwaitExpression(at)) at = bare(at.expression);
  const call = tensorCall(at, types);
  return call?.name === 'item' ? call.on : undefined;
}
