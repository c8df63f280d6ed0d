/** @file JL313: a list of unknown length is taken apart; the rest of an object. In: binding patterns. Out: a warning, an error. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { bare } from '../../facts/functions.ts';
import { constantOf } from '../../facts/numbers.ts';
import { tensorCall } from '../../facts/uses.ts';
import { ts, type TS } from '../../typescript.ts';

export const destructuring = defineRule({
  code: 'JL313',
  title: 'A list is taken apart',
  severity: 'warning',
  doc: `
    \`const [a, b] = list\` wants exactly two elements, which is checked when the graph runs; a tuple is checked by TypeScript.
    \`const { a, ...rest } = record\` has no type in a graph: name the fields.`,
  pytorch: '“Provided list has 3 elements but 2 were expected”, at run time.',
  on: ['ArrayBindingPattern', 'ObjectBindingPattern'],
  check(node, context) {
    if (ts.isObjectBindingPattern(node)) {
      const rest = node.elements.find((e) => e.dotDotDotToken);
      if (rest) context.report(rest, 'the rest of an object has no type in a graph; name its fields', { severity: 'error' });
      return;
    }
    const source = sourceOf(node);
    if (!source || !ts.isVariableDeclaration(node.parent)) return;
    const count = node.elements.length;
    if (node.elements.some((e) => ts.isBindingElement(e) && (e.dotDotDotToken ?? e.initializer))) return;
    if (!context.types.checker.isArrayType(context.type(source)) || isKnown(source, count, context)) return;
    context.report(node, `expects exactly ${count} elements`);
  },
  bad: [
    `const [a, b] = x.split(2);
        //^^^^^^ JL313: expects exactly 2 elements
    return x;`,
    `const { length, ...others } = { length: 2, width: 3 };
                  //^^^^^^^^^ JL313: the rest of an object has no type in a graph; name its fields
    return x;`,
  ],
  good: [
    `const [a, b] = [x, y];
    const [batch, features] = x.shape;
    return a.add(b);`,
    `const { length, width = 2 } = { length: 2, width: 3 };
    const [i, f, g, o] = x.chunk(4, 1);
    return x.mul(length).mul(width);`,
  ],
});

function sourceOf(node: TS.ArrayBindingPattern): TS.Expression | undefined {
  const { parent } = node;
  return ts.isVariableDeclaration(parent) && parent.initializer ? bare(parent.initializer) : undefined;
}

/** A shape, which is known when the graph is made, or a cut into so many pieces. */
function isKnown(source: TS.Expression, count: number, { types }: Context): boolean {
  if (ts.isPropertyAccessExpression(source))
    return ['shape', 'strides'].includes(source.name.text) && types.mayBeTensor(types.of(source.expression));
  if (ts.isArrayLiteralExpression(source)) return true;
  const call = tensorCall(source, types);
  const [pieces] = call?.call.arguments ?? [];
  return call?.name === 'chunk' && pieces !== undefined && constantOf(pieces, types) === count;
}
