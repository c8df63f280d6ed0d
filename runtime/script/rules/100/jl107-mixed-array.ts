/** @file JL107: an array literal holds different types. In: an array literal. Out: a report, unless it is a tuple. */
import { defineRule } from '../../define.ts';
import { after, fix } from '../../edits.ts';
import type { Context } from '../../context.ts';
import { ts, type TS } from '../../typescript.ts';

export const mixedArray = defineRule({
  code: 'JL107',
  title: 'An array mixes types',
  severity: 'error',
  doc: `
    A list in a graph has one element type. A tuple has a type for every place: write \`as const\`, or annotate the result as
    a tuple.`,
  pytorch: 'A list literal of mixed types is refused in the same way; tuples are allowed.',
  on: 'ArrayLiteralExpression',
  check(node, context) {
    const { types } = context;
    const { parent } = node;
    if (ts.isAsExpression(parent) && parent.type.getText() === 'const') return;
    if (ts.isBinaryExpression(parent) && parent.left === node) return;
    if (isPlain(node, context)) return;
    const type = context.type(node);
    const element = types.elementOf(type);
    if (!element || types.kinds(element).length < 2 || types.kinds(element).includes('any')) return;
    const wanted = types.checker.getContextualType(node);
    if (wanted && types.parts(wanted).some((t) => types.checker.isTupleType(t))) return;
    context.report(node, `array mixes ${types.describeAll(element).replaceAll(' or ', ' and ')}`, {
      fixes: [ts.isSpreadElement(parent) ? undefined : fix('Make it a tuple: `as const`', after(node, ' as const'))],
    });
  },
  bad: [
    `const both = [x, 2];
               //^^^^^^ JL107: array mixes number and Tensor
    return x;`,
    `const both = [x, 2] as const;
    const copy = [...both];
               //^^^^^^^^^ JL107
    return both[0];`,
    `return [x.relu(), n > 2];
         //^^^^^^^^^^^^^^^^^ JL107`,
  ],
  good: [
    `const both = [x, 2] as const;
    return both[0].mul(both[1]);`,
    `const [a, b] = [x, 2];
    return a.mul(b);`,
    `const pair: [Tensor, number] = [x, n];
    return pair[0].mul(pair[1]);`,
  ],
});

/** Elements that are all of one kind. The list's own type, with what its place wants of it, takes longer to find out. */
function isPlain({ elements }: TS.ArrayLiteralExpression, { types }: Context): boolean {
  if (elements.some(ts.isSpreadElement)) return false;
  return new Set(elements.flatMap((element) => types.kinds(types.of(element)))).size < 2;
}
