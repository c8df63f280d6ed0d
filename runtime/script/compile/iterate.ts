/** @file Walking lists. In: something that can be walked. Out: its elements, when their number is known. */
import type { TS } from '../typescript.ts';
import { range } from '../../tensor/create.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { refuse, textOf, type Context } from './context.ts';
import { contentsOf, isCollection } from './maps.ts';
import { hasUnknown, Range, Unknown } from './values.ts';

const MOST_ELEMENTS = 1_000_000;

export function elementsOf(context: Context, value: unknown, at: TS.Node): unknown[] {
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    if (!context.memory.owns(items)) {
      context.assume(items, 'length', items.length);
      items.forEach((item, i) => context.assume(items, i, item));
    }
    return [...items];
  }
  if (value instanceof Range && !hasUnknown(value))
    return [...range(value.start as number, value.end as number, value.step as number)];
  if (value instanceof Range || value instanceof Unknown)
    throw refuse(
      context,
      at,
      'JL314',
      `how many elements ‘${textOf(context, at)}’ has is known only at run time`,
      'Give it a known end.',
    );
  if (value instanceof Tensor)
    throw refuse(context, at, 'JL203', 'a tensor cannot be walked', 'Walk `x.unbind(0)`, or a range and `x.select(0, i)`.');
  if (isCollection(value)) return contentsOf(context, value);
  if (typeof value === 'string' || isIterable(value)) {
    const items: unknown[] = [];
    for (const item of value as Iterable<unknown>) {
      items.push(item);
      if (items.length > MOST_ELEMENTS)
        throw refuse(context, at, 'JL220', `‘${textOf(context, at)}’ has more than ${MOST_ELEMENTS} elements`, 'Use a tensor.');
    }
    return items;
  }
  throw refuse(context, at, 'JL203', `‘${textOf(context, at)}’ cannot be walked`, 'Walk a range, a tuple or a `readonly` array.');
}

function isIterable(x: unknown): boolean {
  return typeof x === 'object' && x !== null && Symbol.iterator in x;
}
