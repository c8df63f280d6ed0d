/** @file Destructuring. In: a pattern and a value. Out: variables; defaults are computed only where they are needed. */
import { ts, type TS } from '../typescript.ts';
import { refuse, textOf, type Context } from './context.ts';
import type { Scope } from './memory.ts';
import { elementsOf } from './iterate.ts';
import { Unknown } from './values.ts';

/** Declares the variables of a `const`, `let` or `var`. */
export function variables(context: Context, list: TS.VariableDeclarationList, scope: Scope): void {
  const constant = (list.flags & ts.NodeFlags.Const) !== 0;
  for (const declared of list.declarations) {
    const { name, initializer } = declared;
    const value = initializer && context.evaluate(initializer, scope);
    if (ts.isIdentifier(name)) context.memory.declare(scope, name.text, value, constant, declared);
    else context.bind(name, value, scope, constant);
  }
}

export function bindPattern(context: Context, pattern: TS.BindingName, value: unknown, scope: Scope, constant: boolean): void {
  if (ts.isIdentifier(pattern)) {
    context.memory.declare(scope, pattern.text, value, constant);
    return;
  }
  if (ts.isArrayBindingPattern(pattern)) {
    const items = elementsOf(context, value, pattern);
    pattern.elements.forEach((element, i) => {
      if (ts.isOmittedExpression(element)) return;
      const given = element.dotDotDotToken ? context.memory.own(items.slice(i)) : items[i];
      bindElement(context, element, given, scope, constant);
    });
    return;
  }
  const taken: string[] = [];
  for (const element of pattern.elements) {
    if (element.dotDotDotToken)
      throw refuse(context, element, 'JL313', 'the rest of an object cannot be taken in compiled code', 'Name the fields.');
    const key = keyOf(context, element.propertyName ?? element.name, scope);
    taken.push(key);
    bindElement(context, element, context.property(value, key, element), scope, constant);
  }
}

function bindElement(context: Context, element: TS.BindingElement, value: unknown, scope: Scope, constant: boolean): void {
  const given = value === undefined && element.initializer ? context.evaluate(element.initializer, scope) : value;
  bindPattern(context, element.name, given, scope, constant);
}

/** The key that a property name stands for. */
export function keyOf(context: Context, name: TS.PropertyName | TS.BindingName, scope: Scope): string {
  if (ts.isIdentifier(name) || ts.isStringLiteralLike(name) || ts.isNumericLiteral(name)) return name.text;
  if (ts.isComputedPropertyName(name)) {
    const key = context.evaluate(name.expression, scope);
    if (!(key instanceof Unknown) && (typeof key === 'string' || typeof key === 'number')) return String(key);
  }
  throw refuse(
    context,
    name,
    'JL312',
    `which field ‘${textOf(context, name)}’ names is only known at run time`,
    'Use a literal key.',
  );
}
