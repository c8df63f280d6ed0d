/** @file JL301: an outer constant is used. In: names. Out: a hint with its value, once for each name. */
import { defineRule } from '../../define.ts';
import { captured } from '../../facts/captures.ts';
import { isConst, resolved } from '../../facts/writes.ts';
import { ts } from '../../typescript.ts';

export const constant = defineRule({
  code: 'JL301',
  title: 'An outer constant is used',
  severity: 'hint',
  doc: 'A `const` number, string or boolean from outside is written into the graph as the constant that it is.',
  pytorch: 'Globals of these types are taken as constants in the same way.',
  on: 'Identifier',
  check(node, context) {
    const capture = captured(node, context);
    if (!capture || !isConst(capture.declaration)) return;
    const value = resolved(node, context.types);
    const literal =
      ts.isNumericLiteral(value) ||
      ts.isStringLiteral(value) ||
      value.kind === ts.SyntaxKind.TrueKeyword ||
      value.kind === ts.SyntaxKind.FalseKeyword ||
      (ts.isPrefixUnaryExpression(value) && ts.isNumericLiteral(value.operand));
    if (literal && context.once(capture.symbol)) context.report(node, `uses ${node.text} = ${value.getText()}`);
  },
  bad: [
    `const k = 2;
    export const f = jit.script((x: Tensor) => x.mul(k));
                                                   //^ JL301: uses k = 2`,
    `const eps = -1e-5;
    export const f = jit.script((x: Tensor) => x.add(eps).mul(eps));
                                                   //^^^ JL301: uses eps = -1e-5`,
  ],
  good: [
    `export const f = jit.script((x: Tensor) => {
      const k = 2;
      return x.mul(k);
    });`,
    `export const f = jit.script((x: Tensor, k = 2) => x.mul(k));`,
  ],
});
