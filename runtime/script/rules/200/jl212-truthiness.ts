/** @file JL212: `&&` or `||` picks a value by truthiness. In: these operators on other than booleans. Out: a report. */
import { defineRule } from '../../define.ts';
import { fix, replace } from '../../edits.ts';
import { bare } from '../../facts/functions.ts';
import { isCondition, isLogical } from '../../facts/uses.ts';
import { ts } from '../../typescript.ts';

export const truthiness = defineRule({
  code: 'JL212',
  title: 'A value is picked by truthiness',
  severity: 'error',
  doc: `
    \`a || b\` on numbers means “b where a is 0 or NaN”, and on strings “where a is empty”. A graph has no such rule: say what is
    meant, \`a !== 0 ? a : b\`. On booleans \`&&\` and \`||\` are allowed, and \`??\` on what may be undefined.`,
  pytorch: '`and` and `or` take booleans only.',
  on: 'BinaryExpression',
  check(node, context) {
    if (!isLogical(node) || isCondition(node) || ts.isExpressionStatement(node.parent)) return;
    const { types } = context;
    const type = context.type(node.left);
    const kinds = types.kinds(type);
    const optional = types.isOptional(type);
    // A tensor is JL209's.
    if (kinds.length === 0 || kinds.includes('any') || types.isTensor(type) || (kinds.every((k) => k === 'boolean') && !optional))
      return;
    const or = node.operatorToken.kind === ts.SyntaxKind.BarBarToken;
    const a = bare(node.left);
    const simple = ts.isIdentifier(a) || ts.isPropertyAccessExpression(a);
    const number = kinds.length === 1 && kinds[0] === 'number' && !optional && simple;
    const objects = kinds.every((k) => k !== 'number' && k !== 'string' && k !== 'boolean');
    const left = node.left.getText();
    const right = ts.isConditionalExpression(node.right) ? `(${node.right.getText()})` : node.right.getText();
    context.report(node, `‘${context.text(node)}’ picks a value by truthiness`, {
      fixes: [
        number
          ? fix('Say when', replace(node, or ? `(${left} !== 0 ? ${left} : ${right})` : `(${left} !== 0 ? ${right} : ${left})`))
          : undefined,
        or && optional && objects ? fix('Use ??', replace(node.operatorToken, '??')) : undefined,
      ],
    });
  },
  bad: [
    `const k = n || 2;
            //^^^^^^ JL212: ‘n || 2’ picks a value by truthiness
    return x.mul(k);`,
    `const shift = (v: Tensor, by?: Tensor) => v.add(by || x);
                                                  //^^^^^^^ JL212
    return shift(x, y);`,
  ],
  good: [
    `const big = n > 2 && n < 8;
    return big || n === 0 ? x : y;`,
    `const shift = (v: Tensor, by?: Tensor) => v.add(by ?? x);
    return shift(x, y);`,
  ],
});
