/** @file `new`. In: a class and its arguments. Out: an object that the code owns, an error to throw, or a refusal. */
import { Module } from '../../nn/module.ts';
import type { TS } from '../typescript.ts';
import { sourceOf } from '../sources.ts';
import { refuse, textOf, type Context } from './context.ts';
import type { Scope } from './memory.ts';
import { elementsOf } from './iterate.ts';
import { compute } from './flow.ts';
import { ts } from '../typescript.ts';
import { hasUnknown, Unknown } from './values.ts';

type Class = new (...args: unknown[]) => object;

/** An error whose text may be known only at run time. */
export class MadeError {
  constructor(
    readonly kind: ErrorConstructor,
    readonly message: unknown,
  ) {}
}

export function construct(context: Context, node: TS.NewExpression, scope: Scope): unknown {
  const made = context.evaluate(node.expression, scope);
  const name = textOf(context, node.expression);
  if (typeof made !== 'function') throw refuse(context, node, 'JL307', `‘${name}’ is not a class`, 'Use `new` with classes.');
  const args = (node.arguments ?? []).flatMap((argument): unknown[] =>
    ts.isSpreadElement(argument)
      ? elementsOf(context, context.evaluate(argument.expression, scope), argument)
      : [context.evaluate(argument, scope)],
  );
  if (made === Error || made.prototype instanceof Error) {
    const message = args[0] instanceof Unknown ? compute(context, 'text', [args[0]], String, { type: 'string' }) : args[0];
    return new MadeError(made as ErrorConstructor, message);
  }
  if (made.prototype instanceof Module)
    throw refuse(
      context,
      node,
      'JL503',
      `‘new ${name}’ makes new parameters at every call`,
      'Make it in the constructor, and call it here.',
    );
  if (hasUnknown(args)) {
    throw refuse(
      context,
      node,
      'JL111',
      `‘${name}’ is made of values that are known only at run time`,
      'Use a tuple or a record.',
    );
  }
  if (made === Array) return context.memory.own(Reflect.construct<unknown[], object>(made as Class, args));
  if (sourceOf(made)) return Reflect.construct<unknown[], object>(made as Class, args);
  throw refuse(context, node, 'JL110', `${name} has no place in a graph`, 'Pass in a number or a tensor.');
}
